"""One of several techniques or projections, with a control for each of its parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import traitlets

from cnnviz_widgets.session.observing import SetInTurn
from cnnviz_widgets.views.closing import discard
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import parameters
from cnnviz_widgets.widgets.picker import Picked, Picker


class Chooses(Panel):
    """A panel whose `technique` is what its `choice` has chosen: to be read, assigned, observed and linked."""

    choice: Choice
    technique = traitlets.Any(help="The chosen technique with its parameters; a label may be assigned.")

    def choose_from(self, options: Sequence[Any], changed: Callable[[], Job | None], **arguments: Any) -> None:
        """Make the choice, with the arguments of `Choice`; `technique` is another when `changed` is called."""

        def chosen() -> Job | None:
            self.technique = self.choice.value
            return changed()

        self.choice = Choice(self, options, chosen, **arguments)
        self.technique = self.choice.value
        self.link(lambda _: setattr(self.choice, "value", self.technique), ["technique"])

    @traitlets.validate("technique")
    def _offered(self, proposal: Any) -> Any:
        return self.choice.offered(proposal["value"])


class Choice(SetInTurn, ipywidgets.VBox):
    """`value` is the chosen one of `options`, frozen dataclasses with a `label`, as its controls have changed it.

    A label may be assigned to it, or a dataclass of one of the types. `changed()` is called when it has changed, by the
    hand or by assignment, and returns the job that this sets off, if any. Fields in `skip` get no control.
    With `adjusted`, that is called instead when the hand has moved the control of a parameter, with its name and value.
    """

    value = traitlets.Any()

    def __init__(
        self,
        panel: Panel,
        options: Sequence[Any],
        changed: Callable[[], Job | None],
        *,
        adjusted: Callable[[str, Any], Job | None] | None = None,
        skip: Sequence[str] = (),
        description: str = "method",
    ) -> None:
        if isinstance(options, Mapping):  # labels and options, as `methods` once was
            options = list(options.values())
        if not options:
            raise ValueError("There is nothing to choose from.")
        self._panel, self._changed, self._adjusted, self._skip = panel, changed, adjusted, skip
        self._options = {option.label: option for option in options}
        self.picker = Picker(options=list(self._options), index=0, description=description, searchable=False)
        self.controls = ipywidgets.VBox()
        super().__init__([self.picker, self.controls])
        show_if(len(self._options) > 1, self.picker)
        panel.on(self.picker, Picked, lambda event: self._choose(self.picker.options[event.index]))
        self._job: Job | None = None
        self._moved = False
        self.value = next(iter(self._options.values()))
        self.link(self._call_changed, ["value"])

    @property
    def options(self) -> tuple[Any, ...]:
        """What there is to choose from, each as it was changed last."""
        return tuple(self._options.values())

    @traitlets.validate("value")
    def _known(self, proposal: Any) -> Any:
        return self.offered(proposal["value"])

    def offered(self, value: Any) -> Any:
        """The option of a label, or `value` itself if it is of one of the types. Raises ValueError."""
        if isinstance(value, str):
            if value not in self._options:
                raise ValueError(f"There is no method {value!r}; there are {', '.join(self._options)}.")
            return self._options[value]
        if getattr(value, "label", None) not in self._options:
            raise ValueError(f"This view shows {', '.join(self._options)}; {type(value).__name__} is none of them.")
        return value

    def replace(self, option: Any) -> None:
        """Put `option` in the place of the one with its label; nobody is told."""
        self._options[option.label] = option
        if self.value.label == option.label:
            self._set_untold(option)

    def _set_untold(self, value: Any) -> None:
        changed, self._changed = self._changed, lambda: None
        try:
            self.value = value
        finally:
            self._changed = changed

    def _choose(self, value: Any) -> Job | None:
        self._job = None
        self.value = value
        return self._job

    def _change(self, name: str, value: Any) -> Job | None:
        changed = dataclasses.replace(self.value, **{name: value})
        self._moved = True  # the control is where it should be, and under the hand
        try:
            if self._adjusted is None:
                return self._choose(changed)
            self._set_untold(changed)
            return self._adjusted(name, value)
        finally:
            self._moved = False

    def _call_changed(self, _: Any) -> None:
        self._job = self._changed()

    @traitlets.observe("value")
    def _show(self, change: Any) -> None:
        value, before = change["new"], change["old"]
        self._options[value.label] = value
        self.picker.index = list(self._options).index(value.label)
        if self._moved or (type(before) is type(value) and self._values(before) == self._values(value)):
            return
        old = self.controls.children
        self.controls.children = tuple(parameters(self._panel, value, self._change, self._skip))
        discard(*old)

    def _values(self, option: Any) -> list[Any]:
        return [getattr(option, field.name) for field in dataclasses.fields(option) if field.name not in self._skip]
