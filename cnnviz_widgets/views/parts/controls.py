"""Controls made from a session or from an explainer's fields."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import Explainer, Range
from cnnviz_widgets.session import Example, Session
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider

PREDICTED = "whatever is predicted"
_MOST_STOPS = 200


class ClassPicker(Picker):
    """Chooses the session's target: one of the classes, or whatever is predicted."""

    def __init__(self, session: Session) -> None:
        super().__init__(
            description="class",
            searchable=True,
            placeholder="search classes",
            **_options(session.classifier.class_names),
        )
        self._session = session
        self.index = _index_of(session.target)
        session.link(self._changed, ["target", "classifier"])

    def target_of(self, index: int) -> int | None:
        """The session's target for a picked option."""
        return None if index == 0 else index - 1

    def describe(self, example: Example) -> None:
        """Put the classes with the highest scores first, each with its probability, or its score where that is none."""
        classifier, values = example.classifier, example.probabilities
        best = np.argsort(-values)[:10]
        hints = [""] * (len(values) + 1)
        hints[0] = classifier.class_names[example.predicted]
        for index, value in enumerate(values):
            if value >= 0.0005 or classifier.scores == "none":
                hints[index + 1] = amount(classifier, float(value))
        with self.hold_sync():
            self.hints = hints
            self.order = [0, *(int(index) + 1 for index in best)]

    def _changed(self, change: Any) -> None:
        with self.hold_sync():
            if change["name"] == "classifier":
                for name, value in _options(self._session.classifier.class_names).items():
                    setattr(self, name, value)
            self.index = _index_of(self._session.target)

    def close(self) -> None:
        self._session.unlink(self._changed, ["target", "classifier"])
        super().close()


def _options(class_names: Sequence[str]) -> dict[str, Any]:
    return {"options": [PREDICTED, *class_names], "hints": [], "order": []}


def _index_of(target: int | None) -> int:
    return 0 if target is None else target + 1


def percent(share: float) -> str:
    """A probability for a person."""
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"


def amount(classifier: Classifier, value: float) -> str:
    """One of `Example.probabilities` for a person: a percentage, or the score itself where it is no probability."""
    return short(value) if classifier.scores == "none" else percent(value)


def parameters(
    explainer: Explainer, changed: Callable[[str, Any, Callable[[], None]], None], skip: Sequence[str] = ()
) -> list[ipywidgets.Widget]:
    """A control for each field of `explainer` with a Range or a Literal type, or a bool.

    `changed(field, value, done)` is called with each new value.
    """
    hints = typing.get_type_hints(type(explainer), include_extras=True)
    made = []
    for field in dataclasses.fields(explainer):  # type: ignore[arg-type]
        if field.name in skip:
            continue
        values = _values_of(hints[field.name], getattr(explainer, field.name))
        if values is not None:
            made.append(_control(field.name, values, getattr(explainer, field.name), changed))
    return made


def _values_of(hint: Any, current: Any) -> list[Any] | None:
    """The values a field may take, or None when it is nothing to choose."""
    if hint is bool:
        return [False, True]
    if typing.get_origin(hint) is Literal:
        return list(typing.get_args(hint))
    for extra in getattr(hint, "__metadata__", ()):
        if hasattr(extra, "step") and isinstance(current, int | float):  # a Range
            return _stops(extra, current)
    return None


def _stops(allowed: Range, current: float) -> list[Any]:
    count = round((allowed.high - allowed.low) / allowed.step) + 1
    values = {
        type(current)(round(float(value), 10))
        for value in np.linspace(allowed.low, allowed.high, min(count, _MOST_STOPS))
    }
    return sorted({*values, current})


def _control(
    name: str, values: list[Any], current: Any, changed: Callable[[str, Any, Callable[[], None]], None]
) -> ipywidgets.Widget:
    label = name.replace("_", " ")
    if isinstance(current, str | bool):
        texts = [{True: "yes", False: "no"}.get(value, value) for value in values]
        control: Any = Picker(options=texts, index=values.index(current), description=label, searchable=False)
    else:
        control = OptionSlider(
            options=[f"{value:g}" for value in values], index=values.index(current), description=label
        )
    control.on_event(lambda event, done: changed(name, values[event.index], done))
    return control
