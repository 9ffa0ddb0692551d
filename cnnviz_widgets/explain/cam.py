"""Class activation mapping, for networks that end in global average pooling and a linear layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import ClassifierError, MethodError
from cnnviz_widgets.explain.base import Explainer, Heatmap
from cnnviz_widgets.explain.differentiation import cut_off
from cnnviz_widgets.explain.variants import single_input

#: How far the scores may be from linear, as a share of their range: TF32 and bfloat16 round that much.
_BEND = 0.02
#: So often the maps are made anew where a cell trains the network meanwhile.
_TRIES = 4


@dataclass(frozen=True)
class CAM(Explainer):
    """Class activation mapping: sum_k w_k A_k, A the maps that are averaged, w the weights of the class.

    No ReLU and no rescaling: the mean of the cells plus the bias is the logit.
    Zhou et al. 2016 (arXiv 1512.04150), equation 2.
    """

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once. Raises MethodError for a network that does not end in pooling and one linear layer."""
        yield self.maps(classifier, pixels).heatmap(target)

    def maps(self, classifier: Classifier, pixels: Tensor) -> ClassMaps:
        """The maps of all classes for pixels (1, C, H, W), at the price of one. Raises MethodError."""
        pixels = single_input(classifier, pixels)
        for _ in range(_TRIES):
            before = classifier.runner.weights()
            try:
                return _maps(classifier, pixels)
            except MethodError:
                # Weights that a cell trains meanwhile are no longer those of the scores.
                if classifier.runner.weights() == before:
                    raise
        raise ClassifierError(f"The weights of {classifier.name} change faster than CAM reads them; try again later.")


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """The maps of all classes for a picture of `size`: `cells` (K, h, w), `bias` and `logits` (K,).

    They are on the CPU. For each class the mean of its cells plus its bias is its logit. The logits of a
    network that ends in a softmax are known up to a constant; here they add up to zero.
    """

    classifier: Classifier
    size: tuple[int, int]
    cells: Tensor
    bias: Tensor
    logits: Tensor

    def heatmap(self, target: Target) -> Heatmap:
        """The map of one class, or the difference of two, at no network call. Raises TargetError."""
        classes, rows, columns = self.cells.shape
        cells = self.classifier.score(self.cells.reshape(classes, -1).T, target).reshape(rows, columns)
        quantity = "share of the logit (the mean of all cells plus the bias is the logit)"
        return Heatmap.of_cells(cells, self.size, quantity, signed=True, target=target)


def _maps(classifier: Classifier, pixels: Tensor) -> ClassMaps:
    with torch.inference_mode(False), torch.enable_grad(), classifier.evaluating():
        # Another picture beside the one in question: the scores must depend on the pooled maps alone.
        other = torch.linspace(-1, 1, pixels.numel()).reshape(pixels.shape)
        with _Pooling() as pooling:
            logits = classifier.logits(torch.cat([pixels, other]))
        if classifier.outputs_probabilities:
            # The softmax took a constant of each picture away, so that only differences are linear.
            logits = logits - logits.mean(dim=1, keepdim=True)
        if pooling.maps is None or pooling.vector is None:
            raise _not_applicable(classifier)
        weight = _jacobian(logits[0], pooling.vector) if logits.requires_grad else None
        if weight is None:
            # Whether the scores depend on the mean at all shows where other values took its place.
            unused = torch.allclose(classifier.logits(torch.cat([pixels, other])), logits)
            raise _not_applicable(classifier) if unused else cut_off(classifier.name, "the pooled maps")
    logits, vector = logits.detach(), pooling.vector.detach().flatten(1).float()
    bias = logits[0] - weight @ vector[0]
    deviation = (logits[1] - weight @ vector[1] - bias).abs().max()
    if not bool(deviation <= _BEND * (logits[1] - logits[0]).abs().max()):
        raise _not_applicable(classifier)
    cells = torch.einsum("kc,chw->khw", weight, pooling.maps[0].detach().float())
    size = (pixels.shape[2], pixels.shape[3])
    return ClassMaps(classifier, size, cells.cpu(), bias.cpu(), logits[0].cpu())


def _not_applicable(classifier: Classifier) -> MethodError:
    return MethodError(
        "CAM needs a network that ends in global average pooling and one linear layer, "
        f"unlike {classifier.name}; use Grad-CAM."
    )


def _jacobian(logits: Tensor, vector: Tensor) -> Tensor | None:
    """Derivatives (K, C) of logits (K,) with respect to the first row of `vector` (2, C, ...), if they depend on it."""
    rows = []
    classes = torch.arange(len(logits), device=logits.device)
    for start in range(0, len(logits), 1024):
        picks = functional.one_hot(classes[start : start + 1024], len(logits)).to(logits.dtype)
        (gradients,) = torch.autograd.grad(
            logits, vector, picks, is_grads_batched=True, retain_graph=True, allow_unused=True
        )
        if gradients is None:
            return None
        rows.append(gradients[:, 0].flatten(1).float())
    return torch.cat(rows)


class _Pooling(TorchFunctionMode):
    """Finds the last tensor that is the spatial mean of the maps before it, whatever function averaged them.

    It becomes the leaf from which on the graph is kept. Its second row is replaced by values unlike those of
    any picture: a head that is linear in both has no bend.
    """

    maps: Tensor | None = None
    vector: Tensor | None = None
    _latest: Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in (*args[:1], result):
            if isinstance(value, Tensor) and value.ndim == 4 and value.shape[2] * value.shape[3] > 1:
                self._latest = value
        if not self._is_mean_of_latest(result):
            return result
        vector = result.detach().clone()
        vector[1] = torch.linspace(-3, 3, vector[1].numel()).reshape(vector[1].shape)
        self.maps, self.vector = self._latest, vector.requires_grad_()
        # In-place operations are not allowed on a leaf.
        return vector.clone()

    def _is_mean_of_latest(self, value: object) -> bool:
        maps = self._latest
        if maps is None or not isinstance(value, Tensor) or value.ndim < 2 or not value.is_floating_point():
            return False
        if not len(value) == len(maps) == 2 or value.numel() != 2 * maps.shape[1]:
            return False
        mean = maps.detach().float().mean(dim=(2, 3))
        error = (value.detach().reshape(mean.shape).float() - mean).abs().max()
        return bool(error <= (1e-4 if value.dtype.itemsize >= 4 else 0.01) * mean.abs().max())
