"""Does a map depend on the class? The map of an unrelated class, and the difference of both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Target, TargetLike
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.evaluation import sentences
from cnnviz_widgets.explain.evaluation.agreement import OTHER_PHOTOGRAPH
from cnnviz_widgets.explain.explainer import Explainer, LayerExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import rank_correlation, unrelated_class

#: Maps of two classes that correlate this much are nearly the same, whatever the photographs do.
_ALIKE = 0.6


@dataclass(frozen=True, eq=False)
class OtherClass:
    """Signed maps of a class and of another, that of their difference, and the rank correlation of the first two."""

    own: Heatmap
    other: Heatmap
    difference: Heatmap
    correlation: float
    label: str

    @property
    def sentence(self) -> str:
        """How like the two maps are."""
        if self.correlation >= _ALIKE:
            return sentences.same_for_any_class(self.correlation)
        return sentences.two_maps(self.correlation, OTHER_PHOTOGRAPH.get(self.label), "The maps of the two classes")


def another_class(
    technique: Explainer,
    classifier: Classifier,
    pixels: Tensor,
    target: TargetLike | None = None,
    *,
    other: int | str | None = None,
    layer: str | None = None,
) -> OtherClass:
    """A technique's map of a class, of another and of their difference, of one network input (1, C, H, W).

    `other` is by default the class whose logit is in the middle of all: the runner-up is mostly a sibling of the class,
    and has nearly the same map with every technique. Raises MethodError where the network has no other class or the
    target is a difference, and what the technique raises.
    """
    instance = Instance.of(classifier, pixels, target, layer)
    if instance.target.against is not None:
        raise MethodError("The target is a difference of two classes already; choose one of them.")
    index = unrelated(instance) if other is None else classifier.class_index(other)
    if index is None or index == instance.target.index:
        raise MethodError("There is no other class to compare with; choose another one.")
    return compare_classes(signed(technique), instance, index)


def unrelated(instance: Instance) -> int | None:
    """The class whose logit is in the middle of all others; None where there is none. Costs a forward pass."""
    with torch.inference_mode(False), torch.no_grad():
        return unrelated_class(instance.classifier.logits(instance.pixels)[0], instance.target)


def compare_classes(technique: Explainer, instance: Instance, other: int) -> OtherClass:
    """The maps of the instance's class, of class `other`, and of their difference."""
    difference = dataclasses.replace(instance, target=Target(instance.target.index, other))
    own, opposed, between = (finished(technique, of) for of in (instance, instance.of_class(other), difference))
    return OtherClass(own, opposed, between, rank_correlation(own.cells, opposed.cells), technique.label)


def signed(technique: Explainer) -> Explainer:
    """The technique with its negative values: maps that are cut off agree in their zeros, whatever they show."""
    return dataclasses.replace(technique, relu=False) if isinstance(technique, LayerExplainer) else technique


def finished(technique: Explainer, instance: Instance) -> Heatmap:
    """The last of a technique's maps."""
    *_, last = technique.explain(instance)
    return last
