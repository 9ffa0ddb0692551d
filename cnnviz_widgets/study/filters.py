"""The filters of a convolution: their weights, norms and similarities, and which are dead or duplicates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Layer
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.study.untrained import initial_kernels

#: Share of the layer's largest weight up to which a weight counts as zero, and of the layer's largest norm up to which
#: a filter counts as dead. A larger one makes filters look sparser, and more of them dead.
_ZERO_SHARE = 0.01
#: Cosine above which two filters are duplicates. With a lower one similar filters are called duplicates too.
_DUPLICATE_COSINE = 0.999

Order = Literal["index", "norm", "similarity"]


@dataclass(frozen=True, eq=False)
class Filters:
    """The filters of one convolution: `weights` is float32 (filters, input channels per group, h, w).

    Filter k reads the input channels `inputs_of(k)`, which are all of them except in grouped convolutions. `first`
    says whether these are the channels of the picture. `drawn` names the rule by which random weights were drawn, ""
    for weights of the network itself.
    """

    layer: str
    weights: FloatArray
    groups: int
    first: bool
    drawn: str = ""

    @cached_property
    def extent(self) -> float:
        """The largest absolute weight: a scale from -extent to extent shows all of them."""
        return float(np.abs(self.weights).max())

    @cached_property
    def norms(self) -> FloatArray:
        """The Euclidean norm of each filter, (filters,)."""
        norms: FloatArray = np.linalg.norm(self._flat, axis=1)
        return norms

    @cached_property
    def sparsity(self) -> FloatArray:
        """The share of each filter's weights that are at most 1 % of the layer's largest, (filters,)."""
        shares: FloatArray = (np.abs(self._flat) <= _ZERO_SHARE * self.extent).mean(axis=1, dtype=np.float32)
        return shares

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """Whether the norm of each filter is at most 1 % of the layer's largest, bool (filters,)."""
        dead: NDArray[np.bool_] = self.norms <= _ZERO_SHARE * self.norms.max()
        return dead

    @cached_property
    def cosines(self) -> FloatArray:
        """The cosine of every two filters, (filters, filters); 0 for a filter of zeros and between groups."""
        unit = self._flat / np.maximum(self.norms, np.finfo(np.float32).tiny)[:, None]
        group = np.arange(len(unit)) // max(1, len(unit) // self.groups)
        cosines: FloatArray = np.where(group[:, None] == group, unit @ unit.T, 0)
        return cosines

    @cached_property
    def duplicates(self) -> NDArray[np.int64]:
        """For each filter the first filter before it with a cosine above 0.999, or -1, int64 (filters,)."""
        same = np.tril(self.cosines > _DUPLICATE_COSINE, -1) & ~self.dead[:, None] & ~self.dead
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    def inputs_of(self, index: int) -> range:
        """The input channels that a filter reads."""
        count, inputs = self.weights.shape[:2]
        group = index // max(1, count // self.groups)
        return range(group * inputs, (group + 1) * inputs)

    def order(self, by: Order) -> NDArray[np.int64]:
        """The indices of the filters, int64 (filters,): ascending, by falling norm, or as a chain by similarity.

        The chain begins at the filter of the largest norm; next is always the remaining one with the highest cosine.
        """
        if by == "index":
            return np.arange(len(self.weights))
        if by == "norm":
            return np.argsort(-self.norms, kind="stable")
        cosines = self.cosines.copy()
        chain = [int(self.norms.argmax())]
        for _ in range(len(self.weights) - 1):
            cosines[:, chain[-1]] = -np.inf
            chain.append(int(cosines[chain[-1]].argmax()))
        return np.array(chain)

    @property
    def _flat(self) -> FloatArray:
        return self.weights.reshape(len(self.weights), -1)


def convolutions(classifier: Classifier) -> tuple[Layer, ...]:
    """The layers that are convolutions, in execution order, each module once."""
    found: dict[str, Layer] = {}
    for layer in classifier.layers:
        for name in (layer.name, *layer.aliases):
            module = layer.call_of(name)[0]
            if isinstance(classifier.shadow.get_submodule(module), nn.Conv2d):
                found.setdefault(module, layer)
    return tuple(dict.fromkeys(found.values()))


def convolution_of(classifier: Classifier, layer: str) -> Layer:
    """The layer itself if it is a convolution, else the last convolution before it, or the network's first.

    Raises LayerError.
    """
    known = convolutions(classifier)
    if not known:
        raise LayerError(f"{classifier.name} has no convolution with spatial extent; give a larger `input_size`.")
    order = {other.name: place for place, other in enumerate(classifier.layers)}
    place = order[classifier.layer(layer).name]
    return next((other for other in reversed(known) if order[other.name] <= place), known[0])


def filters(classifier: Classifier, layer: str) -> Filters:
    """The Filters of a convolution, with the network's own weights. Raises LayerError if `layer` is none."""
    with classifier.evaluating(), torch.no_grad():
        module = _module_of(classifier, layer)
        return _filters(classifier, layer, module, module.weight)


def initial_filters(classifier: Classifier, layer: str, seed: int = 0) -> Filters:
    """The Filters of a convolution before training, drawn at random from `seed`; `drawn` names the rule.

    Networks of torchvision and timm are initialised as these libraries do it. How another network was initialised is
    not known: its filters get torch's default (`Conv2d.reset_parameters`), so that a different norm is no proof of
    training. The network and the global random states stay as they are. Raises LayerError.
    """
    with classifier.evaluating(), torch.no_grad():
        module = _module_of(classifier, layer)
        name = next(name for name, other in classifier.shadow.named_modules() if other is module)
        builder, kernels = initial_kernels(classifier.network, seed) or ("", {})
        if name in kernels and kernels[name].shape == module.weight.shape:
            return _filters(classifier, layer, module, kernels[name], f"as {builder} begins")
        weight = torch.empty(module.weight.shape)
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=torch.Generator().manual_seed(seed))
        drawn = "torch's default draw, which this network need not begin with"
        return _filters(classifier, layer, module, weight, drawn)


def _module_of(classifier: Classifier, layer: str) -> nn.Conv2d:
    found = classifier.layer(layer)
    modules = [classifier.shadow.get_submodule(found.call_of(name)[0]) for name in (layer, found.name, *found.aliases)]
    module = next((module for module in modules if isinstance(module, nn.Conv2d)), None)
    if module is None:
        near = convolution_of(classifier, layer).name
        raise LayerError(f"{layer!r} is a {found.kind} and has no kernels; choose a convolution, such as {near!r}.")
    return module


def _filters(classifier: Classifier, layer: str, module: nn.Conv2d, weight: Tensor, drawn: str = "") -> Filters:
    known = convolutions(classifier)
    first = bool(known) and _module_of(classifier, known[0].name) is module
    values = weight.detach().to("cpu", torch.float32).numpy().copy()
    return Filters(classifier.layer(layer).name, values, module.groups, first and values.shape[1] in (1, 3), drawn)
