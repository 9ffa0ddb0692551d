"""Class activation mapping, for networks that end in global average pooling and a linear layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.classifier import Classifier, TargetLike
from cnnviz_widgets.classifier.differentiation import cut_off
from cnnviz_widgets.errors import ClassifierError, MethodError
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import ONE_CLASS, class_note
from cnnviz_widgets.explain.rounding import rounding

#: How far the scores may be from linear, as a share of their range: TF32 and bfloat16 round that much.
_BEND = 0.02
_SIBLINGS = (
    "At the layer that is pooled Grad-CAM, HiResCAM and XGrad-CAM are this same map divided by the number of cells: "
    "their agreement says nothing."
)
#: So often the maps are made anew where a cell trains the network meanwhile.
_TRIES = 4


@dataclass(frozen=True)
class CAM(Explainer):
    """CAM: sum_k w_k A_k, A the maps that are averaged, w the weights of the class.

    No ReLU and no rescaling: the mean of the cells plus the bias is the logit.
    Zhou et al. 2016 (arXiv 1512.04150), equation 2.
    """

    label = "CAM"
    family = "cam"
    quantity = "share of the logit (the mean of all cells plus the bias is the logit)"

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once. Raises MethodError for a network that does not end in pooling and one linear layer."""
        yield _class_maps(instance.classifier, instance.pixels).heatmap(instance.target)

    def maps(self, classifier: Classifier, pixels: Tensor) -> ClassMaps:
        """The maps of all classes for pixels (1, C, H, W), at the price of one. Raises MethodError."""
        return _class_maps(classifier, classifier.input_copy(pixels))


def _class_maps(classifier: Classifier, pixels: Tensor) -> ClassMaps:
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

    They are on the CPU. For each class the mean of its cells plus its bias is its logit. Logits that
    are known up to a constant of the picture only add up to zero here.
    """

    classifier: Classifier
    size: tuple[int, int]
    cells: Tensor
    bias: Tensor
    logits: Tensor

    def heatmap(self, target: TargetLike) -> Heatmap:
        """The map of one class, or the difference of two, at no network call. Raises TargetError."""
        target = self.classifier.target(target)
        cells = target.combine(lambda index: self.cells[index])
        quantity = self.classifier.readout.worded(CAM.quantity)
        heatmap = Heatmap.of_cells(cells, self.size, quantity, signed=True, target=target)
        if float(cells.abs().max()) <= rounding(self.classifier) * float(self.logits.abs().max()):
            return heatmap.as_nothing("cell")
        note = class_note(self.classifier, self.logits, target, lambda index: self.cells[index], ONE_CLASS)
        return heatmap.noted(_SIBLINGS, note)


def _maps(classifier: Classifier, pixels: Tensor) -> ClassMaps:
    with torch.inference_mode(False), torch.enable_grad(), classifier.evaluating():
        # Another picture beside the one in question: the scores must depend on the pooled maps alone.
        other = torch.linspace(-1, 1, pixels.numel()).reshape(pixels.shape)
        scores, pooling, vectors = _pooled(classifier, pixels, other)
        # Where a softmax took a constant of each picture away, only differences are linear.
        logits = scores - scores.mean(dim=1, keepdim=True) if classifier.readout.relative else scores
        if pooling.maps is None or pooling.vector is None or len(vectors) != 2:
            raise _not_applicable(classifier)
        weight = _jacobian(logits[0], pooling.vector) if logits.requires_grad else None
        if weight is None:
            # Whether the scores depend on the mean at all shows where other values took its place.
            plain = torch.cat([classifier.logits(pixels), classifier.logits(other)])
            unused = torch.allclose(plain, scores)
            raise _not_applicable(classifier) if unused else cut_off(classifier.name, "the pooled maps")
    logits = logits.detach()
    bias = logits[0] - weight @ vectors[0]
    deviation = (logits[1] - weight @ vectors[1] - bias).abs().max()
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


def _pooled(classifier: Classifier, pixels: Tensor, other: Tensor) -> tuple[Tensor, _Pooling, Tensor]:
    """Logits (2, K), the pooling of `pixels`, and what was pooled of both, (2, C): fewer rows where nothing was."""
    if not classifier.one_at_a_time:
        with _Pooling(2, replaced=1) as pooling:
            logits = classifier.logits(torch.cat([pixels, other]))
        return logits, pooling, pooling.rows()
    with _Pooling(1) as pooling:
        first = classifier.logits(pixels)
    with _Pooling(1, replaced=0) as elsewhere:
        second = classifier.logits(other)
    return torch.cat([first, second]), pooling, torch.cat([pooling.rows(), elsewhere.rows()])


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
    """Finds the last tensor that is the spatial mean of the maps of `count` pictures before it, whatever averaged them.

    It becomes the leaf from which on the graph is kept. The row `replaced` gets values unlike those of any picture: a
    head that is linear in both has no bend.
    """

    maps: Tensor | None = None
    vector: Tensor | None = None
    _latest: Tensor | None = None

    def __init__(self, count: int, replaced: int | None = None) -> None:
        super().__init__()
        self._count = count
        self._replaced = replaced

    def rows(self) -> Tensor:
        """What was pooled, (count, C), or (0, 0)."""
        return torch.zeros(0, 0) if self.vector is None else self.vector.detach().flatten(1).float()

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
        if self._replaced is not None:
            row = vector[self._replaced]
            row.copy_(torch.linspace(-3, 3, row.numel()).reshape(row.shape))
        self.maps, self.vector = self._latest, vector.requires_grad_()
        # In-place operations are not allowed on a leaf.
        return vector.clone()

    def _is_mean_of_latest(self, value: object) -> bool:
        maps = self._latest
        if maps is None or not isinstance(value, Tensor) or value.ndim < 2 or not value.is_floating_point():
            return False
        if not len(value) == len(maps) == self._count or value.numel() != self._count * maps.shape[1]:
            return False
        mean = maps.detach().float().mean(dim=(2, 3))
        error = (value.detach().reshape(mean.shape).float() - mean).abs().max()
        return bool(error <= (1e-4 if value.dtype.itemsize >= 4 else 0.01) * mean.abs().max())
