"""What a control changes, noted for each of its options: a page shows it without a kernel."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnviz_widgets import schedule
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.tree import children_of, state_of, title_of, widgets_of

#: Widgets, and the values of traits of each. "layout" is a dict of CSS properties.
States = Mapping[Any, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Recording:
    """What the options of one control change in other widgets.

    `control` has `options` and `index`; `states` has for each option the traits of other widgets that go with it.
    `final` is what these and all that were watched looked like when the recording ended: a page is refused if they
    look otherwise when it is made. Raises ExportError where `states` do not fit the options.
    """

    control: Any
    states: tuple[States, ...] = field(repr=False)
    final: States = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _check_options(self.control)
        if len(self.states) != len(self.control.options):
            raise ExportError(
                f"There are {len(self.states)} states for the {len(self.control.options)} options of "
                f"{title_of(self.control)}: one is needed for each."
            )

    @property
    def changing(self) -> set[tuple[Any, str]]:
        """The widgets and names of all traits that are recorded."""
        return {(widget, name) for state in self.states for widget, traits in state.items() for name in traits}

    def check(self) -> None:
        """Raise ExportError if a widget has changed since it was recorded."""
        for widget, traits in self.final.items():
            if _noted(widget) != traits:
                raise ExportError(
                    f"{title_of(widget)} has changed since {title_of(self.control)} was recorded: record it again."
                )


def record(control: Any, choose: Callable[[int], object], widgets: Iterable[Any]) -> Recording:
    """What each option of `control` changes in `widgets` and all inside them.

    Calls `choose(index)` for one option after the other, and for the option that was chosen before at the end. What
    that sets off is done at once, on this thread. Raises ExportError if there is nothing to choose, if nothing was
    chosen before, or if options or children of a widget change meanwhile. What `choose` raises is raised.
    """
    _check_options(control)
    before = control.index
    if before is None:
        raise ExportError(
            f"Nothing is chosen in {title_of(control)}: choose the option that the page should begin with."
        )
    roots, options, states = list(widgets), list(control.options), []
    watched = widgets_of(roots)
    children = {widget: children_of(widget) for widget in watched}
    schedule.WORKER.drain()  # what is under way belongs to the state before
    with schedule.inline():
        try:
            for index in range(len(options)):
                choose(index)
                _check_unchanged(control, options, children)
                states.append({widget: _noted(widget) for widget in watched})
        finally:
            choose(before)
    return Recording(control, _changes(control, states), {widget: _noted(widget) for widget in watched})


def hand_on(control: Any) -> Callable[[int], None]:
    """A function that chooses an option of `control` as the browser does: by its message."""

    def choose(index: int) -> None:
        event = {"kind": "event", "seq": 0, "final": True, "index": index, "option": control.options[index]}
        control._handle_custom_msg(event, [])

    return choose


def _check_options(control: Any) -> None:
    if not (getattr(control, "options", None) and hasattr(control, "index")):
        raise ExportError(f"{title_of(control)} has no options to choose from: record a slider or a picker.")


def _check_unchanged(control: Any, options: list[Any], children: Mapping[Any, tuple[Any, ...]]) -> None:
    if list(control.options) != options:
        raise ExportError(f"The options of {title_of(control)} change while it is recorded.")
    for widget, known in children.items():
        if children_of(widget) != known:
            raise ExportError(
                f"{title_of(control)} changes which widgets there are in {title_of(widget)}: this cannot be recorded."
            )


def _noted(widget: Any) -> dict[str, Any]:
    """A copy of the state, without what the page writes itself."""
    own: frozenset[str] = getattr(widget, "written_by_page", frozenset())
    return {name: copy.deepcopy(value) for name, value in state_of(widget).items() if name not in own}


def _changes(control: Any, states: list[dict[Any, dict[str, Any]]]) -> tuple[States, ...]:
    """Of `states`, the traits that are not the same in all."""
    first = states[0]
    changing = {
        widget: [name for name in traits if any(state[widget][name] != traits[name] for state in states)]
        for widget, traits in first.items()
    }
    if control in changing:
        changing[control] = [name for name in changing[control] if name != "index"]  # that is the page's own
    return tuple(
        {widget: {name: state[widget][name] for name in names} for widget, names in changing.items() if names}
        for state in states
    )
