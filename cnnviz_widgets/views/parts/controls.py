"""Controls made from a session or from an explainer's fields."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.parameters import Range
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved

PREDICTED = "whatever is predicted"
_MOST_STOPS = 200


class ClassPicker(Picker):
    """Chooses one of the session's classes for its trait `name`, "target" or "against", or `none` of them.

    It acts by itself; `job` is what the browser's next event waits for.
    """

    def __init__(
        self, panel: Panel, job: Job, name: str = "target", *, description: str = "class", none: str = PREDICTED
    ) -> None:
        self._session, self._name, self._none = panel.session, name, none
        super().__init__(description=description, searchable=True, placeholder="search classes", **self._options())
        self.index = self._index()
        panel.on(self, Picked, lambda event: self._choose(event, job))
        self._session.link(self._changed, [name, "classifier"])

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

    def _choose(self, event: Picked, job: Job) -> Job:
        setattr(self._session, self._name, None if event.index == 0 else event.index - 1)
        return job

    def _changed(self, _: Any) -> None:
        with self.hold_sync():
            # A new classifier's class may be told of before the classifier is.
            if self._session.classifier is not self._classifier:
                for name, value in self._options().items():
                    setattr(self, name, value)
            self.index = self._index()

    def _options(self) -> dict[str, Any]:
        self._classifier = self._session.classifier
        return {"options": [self._none, *self._classifier.class_names], "hints": [], "order": []}

    def _index(self) -> int:
        index = getattr(self._session, self._name)
        return 0 if index is None else index + 1

    def close(self) -> None:
        self._session.unlink(self._changed, [self._name, "classifier"])
        super().close()


def percent(share: float) -> str:
    """A probability for a person."""
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"


def amount(classifier: Classifier, value: float) -> str:
    """One of `Example.probabilities` for a person: a percentage, or the score itself where it is no probability."""
    return short(value) if classifier.scores == "none" else percent(value)


def parameters(
    panel: Panel, value: Any, changed: Callable[[str, Any], Job | None], skip: Sequence[str] = ()
) -> list[ipywidgets.Widget]:
    """A control for each field of the dataclass `value` with a Range or a Literal type, or a bool.

    `changed(field, value)` is called with each new value, and returns the job that this sets off, if any.
    """
    hints = typing.get_type_hints(type(value), include_extras=True)
    made = []
    for field in dataclasses.fields(value):
        if field.name in skip:
            continue
        current = getattr(value, field.name)
        values = _values_of(hints[field.name], current)
        if values is not None:
            control = _control(field.name, values, current)
            panel.on(control, (Picked, SliderMoved), _pick(field.name, values, changed))
            made.append(control)
    return made


def _pick(
    name: str, values: list[Any], changed: Callable[[str, Any], Job | None]
) -> Callable[[Picked | SliderMoved], Job | None]:
    return lambda event: changed(name, values[event.index])


def _values_of(hint: Any, current: Any) -> list[Any] | None:
    """The values a field may take, or None when it is nothing to choose."""
    if hint is bool:
        return [False, True]
    if typing.get_origin(hint) is Literal:
        return list(typing.get_args(hint))
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Range) and isinstance(current, int | float):
            return _stops(extra, current)
    return None


def _stops(allowed: Range, current: float) -> list[Any]:
    count = round((allowed.high - allowed.low) / allowed.step) + 1
    values = {
        type(current)(round(float(value), 10))
        for value in np.linspace(allowed.low, allowed.high, min(count, _MOST_STOPS))
    }
    return sorted({*values, current})


def _control(name: str, values: list[Any], current: Any) -> Picker | OptionSlider:
    label = name.replace("_", " ")
    if isinstance(current, str | bool):
        texts = [{True: "yes", False: "no"}.get(value, value) for value in values]
        return Picker(options=texts, index=values.index(current), description=label, searchable=False)
    return OptionSlider(options=[f"{value:g}" for value in values], index=values.index(current), description=label)
