"""The map that a view shows, with all it was made of, and the work of testing it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import LayerError, MethodError
from cnnviz_widgets.explain import (
    Agreement,
    Explainer,
    Heatmap,
    Instance,
    LayerExplainer,
    OrderTest,
    RandomizationTest,
    agreement,
    another_class,
)
from cnnviz_widgets.explain.evaluation.insertion import Known
from cnnviz_widgets.explain.evaluation.other_class import finished, signed
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.job import Steps


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What is tested: the map by a technique of a picture's target; None is to be made."""

    example: Example
    target: Target
    technique: Explainer
    heatmap: Heatmap | None = None

    @property
    def instance(self) -> Instance:
        """What the technique explains."""
        return Instance.of(self.example.classifier, self.example.pixels, self.target)

    @property
    def target_name(self) -> str:
        """The name of the class, or of the difference of two."""
        names = self.example.classifier.class_names
        name: str = names[self.target.index]
        return name if self.target.against is None else f"{name} minus {names[self.target.against]}"


@dataclasses.dataclass(frozen=True)
class AgreementState:
    """What techniques agree, which do not apply, and how many are done, 0 to 1."""

    found: Agreement
    missing: tuple[str, ...]
    progress: float


def map_of(explanation: Explanation) -> Generator[Any, None, Heatmap]:
    """The map that is tested; where it is still to be made, its steps are yielded."""
    heatmap = explanation.heatmap
    if heatmap is not None:
        return heatmap
    for heatmap in explanation.technique.explain(explanation.instance):
        yield heatmap
    assert heatmap is not None
    return heatmap


def evaluated(explanation: Explanation, test: OrderTest, known: Known) -> Steps:
    """Insertion and deletion, curve by curve."""
    heatmap = yield from map_of(explanation)
    yield from test.evaluations(heatmap, explanation.example.classifier, explanation.example.pixels, known)


def randomized(explanation: Explanation, test: RandomizationTest) -> Steps:
    """The maps of more and more random networks."""
    yield from map_of(explanation)
    example = explanation.example
    yield from test.maps(explanation.technique, example.classifier, example.pixels, explanation.target)


def compared(explanation: Explanation, techniques: Sequence[Explainer], known: Mapping[str, Heatmap]) -> Steps:
    """The agreement of the map with those of one technique after another, and with those that are `known`."""
    yield from map_of(explanation)
    own = explanation.technique
    layer = own.place(explanation.instance).layer if isinstance(own, LayerExplainer) else None
    instance = Instance.of(explanation.example.classifier, explanation.example.pixels, explanation.target, layer)
    others = [technique for technique in techniques if technique.label != own.label]
    computed = {technique.label for technique in others} | {own.label}
    maps = {own.label: finished(signed(own), instance)}
    maps |= {label: heatmap for label, heatmap in known.items() if label not in computed}
    missing: list[str] = []
    for done, technique in enumerate(others, 1):
        try:
            heatmap = finished(signed(technique), instance)
        except (MethodError, LayerError):
            missing.append(technique.label)
        else:
            maps[technique.label] = heatmap
        if len(maps) > 1:
            yield AgreementState(agreement(maps), tuple(missing), done / len(others))
        else:
            yield None
    if len(maps) == 1:
        raise MethodError("No other method applies to this network and picture.")


def of_another_class(explanation: Explanation) -> Steps:
    """The map of an unrelated class, and the difference."""
    yield from map_of(explanation)
    example = explanation.example
    return another_class(explanation.technique, example.classifier, example.pixels, explanation.target)


def follow_map(panel: Any, view: Any | None) -> Callable[[], None]:
    """Test what the view shows, whenever it shows another map, and rest when it does; what is returned ends that."""
    if view is None:
        return lambda: None
    panel.active = view.active

    def shown(_: Any) -> None:
        panel.refresh()

    def rests(_: Any) -> None:
        panel.active = view.active

    view.link(shown, ["heatmap"])
    view.link(rests, ["active"])

    def unlink() -> None:
        view.unlink(shown, ["heatmap"])
        view.unlink(rests, ["active"])

    return unlink
