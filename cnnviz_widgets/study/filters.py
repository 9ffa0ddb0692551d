"""The kernels of a convolution: how strong they are, which are dead or twice there, which are alike."""

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

#: A weight counts as zero below this share of the layer's largest, a filter as dead below this share of the
#: layer's largest norm.
_ZERO = 0.01
#: Two filters are duplicates from this cosine on.
_SAME = 0.999

Order = Literal["index", "norm", "similarity"]


@dataclass(frozen=True, eq=False)
class Filters:
    """The kernels of one convolution, float32 (filters, inputs per group, h, w).

    Filter k reads the input channels `inputs_of(k)` only, which are all but in grouped convolutions. `first` says
    that they are the picture's own channels. `drawn` says by which rule they were drawn at random, if they were.
    """

    layer: str
    weights: FloatArray
    groups: int
    first: bool
    drawn: str = ""

    @cached_property
    def extent(self) -> float:
        """The largest absolute weight: the end of a scale, symmetrical around zero, that shows all of them."""
        return float(np.abs(self.weights).max())

    @cached_property
    def norms(self) -> FloatArray:
        """Euclidean norm of each filter."""
        norms: FloatArray = np.linalg.norm(self._flat, axis=1)
        return norms

    @cached_property
    def sparsity(self) -> FloatArray:
        """Share of each filter's weights that are below 1 % of the layer's largest."""
        shares: FloatArray = (np.abs(self._flat) <= _ZERO * self.extent).mean(axis=1, dtype=np.float32)
        return shares

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """Filters whose norm is below 1 % of the layer's largest: whatever they see, they say next to nothing."""
        dead: NDArray[np.bool_] = self.norms <= _ZERO * self.norms.max()
        return dead

    @cached_property
    def cosines(self) -> FloatArray:
        """Cosine of every two filters, (filters, filters); 0 with one of zeros, or of another group."""
        unit = self._flat / np.maximum(self.norms, np.finfo(np.float32).tiny)[:, None]
        group = np.arange(len(unit)) // max(1, len(unit) // self.groups)
        cosines: FloatArray = np.where(group[:, None] == group, unit @ unit.T, 0)
        return cosines

    @cached_property
    def twins(self) -> NDArray[np.int64]:
        """For each filter the first one before it that points the same way (cosine > 0.999), or -1."""
        same = np.tril(self.cosines > _SAME, -1) & ~self.dead[:, None] & ~self.dead
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    def inputs_of(self, index: int) -> range:
        """The input channels that a filter reads."""
        filters, inputs = self.weights.shape[:2]
        group = index // max(1, filters // self.groups)
        return range(group * inputs, (group + 1) * inputs)

    def order(self, by: Order) -> NDArray[np.int64]:
        """The filters' indices: as they are, strongest first, or each followed by the most similar one left.

        The chain by similarity begins at the strongest filter and goes on by cosine.
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
    """The convolutions among the classifier's layers, in execution order, each module once."""
    found: dict[str, Layer] = {}
    for layer in classifier.layers:
        for name in (layer.name, *layer.aliases):
            module = layer.call_of(name)[0]
            if isinstance(classifier.shadow.get_submodule(module), nn.Conv2d):
                found.setdefault(module, layer)
    return tuple(dict.fromkeys(found.values()))


def convolution_of(classifier: Classifier, layer: str) -> Layer:
    """The layer itself where it is a convolution, else the last one that runs before it, or the first of all.

    Raises LayerError.
    """
    known = convolutions(classifier)
    if not known:
        raise LayerError(f"{classifier.name} has no convolution with spatial extent; give a larger `input_size`.")
    order = {other.name: place for place, other in enumerate(classifier.layers)}
    place = order[classifier.layer(layer).name]
    return next((other for other in reversed(known) if order[other.name] <= place), known[0])


def filters_of(classifier: Classifier, layer: str) -> Filters:
    """The kernels of a convolution. Raises LayerError for a layer that is none."""
    with classifier.evaluating(), torch.no_grad():
        module = _module_of(classifier, layer)
        return _filters(classifier, layer, module, module.weight)


def untrained(classifier: Classifier, layer: str, seed: int = 0) -> Filters:
    """The same convolution with weights drawn at random from `seed`; `drawn` says by which rule.

    Networks of torchvision and timm are drawn as these begin them. Of another network its beginning is not known: its
    kernels are torch's default draw (`Conv2d.reset_parameters`), and a difference in strength to it need not come
    from training. Neither the network nor any random state but its own is touched. Raises LayerError.
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
