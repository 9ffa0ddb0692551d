"""What controls change, noted for each combination of their options: a page shows it without a kernel."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import traitlets

from cnnviz_widgets import schedule
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.axis import Axis, axis_of
from cnnviz_widgets.export.tree import asks, children_of, kind_of, state_of, title_of, widgets_of

#: Widgets, and the values of traits of each. "layout" is a dict of CSS properties.
States = Mapping[Any, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Recording:
    """What the options of `axes` change in widgets.

    `states` has for each combination of options, the last axis fastest, the traits that go with it: those that are not
    the same in all. `final` is what all that were watched looked like when the recording ended: a page is refused if
    they look otherwise when it is made. Raises ExportError where there are not as many states as combinations.
    """

    axes: tuple[Axis, ...]
    states: tuple[States, ...] = field(repr=False)
    final: States = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        wanted = 1
        for axis in self.axes:
            wanted *= axis.count
        if len(self.states) != wanted:
            raise ExportError(
                f"There are {len(self.states)} states for the {wanted} options of {self.title}: one is needed for each."
            )

    @property
    def title(self) -> str:
        """What a reader knows the axes by."""
        return ", ".join(axis.title for axis in self.axes)

    @property
    def changing(self) -> set[tuple[Any, str]]:
        """The widgets and names of all traits that are recorded."""
        return {(widget, name) for state in self.states for widget, traits in state.items() for name in traits}

    def check(self) -> None:
        """Raise ExportError if a widget has changed since it was recorded."""
        controls = {control: axis for axis in self.axes for control in axis.controls}
        for widget, traits in self.final.items():
            if _of_page(widget, controls) != traits:
                raise ExportError(f"{title_of(widget)} has changed since {self.title} was recorded: record it again.")


def recording_of(control: Any, states: Sequence[States]) -> Recording:
    """A recording of one control that was not made by `record`."""
    return Recording((axis_of(control),), tuple(states))


def record(control: Any, choose: Callable[[int], object], widgets: Iterable[Any]) -> Recording:
    """What each option of `control` changes in `widgets` and all inside them, as `record_all`."""
    return record_all([axis_of(control, choose)], widgets)


def record_all(axes: Sequence[Axis], widgets: Iterable[Any], settle: Callable[[], object] = lambda: None) -> Recording:
    """What each combination of options of `axes` changes in `widgets` and all inside them.

    Chooses one after the other, the last axis fastest, and at the end what was chosen before. What that sets off is
    done at once, on this thread; then `settle` is called. Raises ExportError if options or children of a widget change
    meanwhile. What an axis raises is raised.
    """
    roots = list(widgets)
    controls = {control: axis for axis in axes for control in axis.controls}
    watched = [widget for widget in widgets_of(roots) if widget in controls or not asks(widget)]
    children = {widget: _kept_children(widget, controls) for widget in watched}
    options = {control: list(control.options) for control in controls if _has_all_options(control, controls)}
    states = []
    schedule.WORKER.drain()  # what is under way belongs to the state before
    with schedule.inline():
        try:
            with _notes(watched, controls) as noted:
                for _ in _chosen(axes):
                    settle()
                    for control, known in options.items():
                        if list(control.options) != known:
                            raise ExportError(f"The options of {title_of(control)} change while it is recorded.")
                    for widget, known in children.items():
                        if _kept_children(widget, controls) != known:
                            raise ExportError(
                                f"{axes[-1].title} changes which widgets there are in {title_of(widget)}: "
                                "this cannot be recorded."
                            )
                    states.append(noted())
        finally:
            for axis in axes:
                axis.choose(axis.start)
            settle()
    final = {widget: _of_page(widget, controls) for widget in watched}
    return Recording(tuple(axes), _changes(states), final)


def _has_all_options(control: Any, controls: Mapping[Any, Axis]) -> bool:
    return hasattr(control, "options") and controls[control].kept is None and len(controls[control].controls) == 1


def _kept_children(widget: Any, controls: Mapping[Any, Axis]) -> list[Any]:
    return [child for child in children_of(widget) if child in controls or not asks(child)]


def _chosen(axes: Sequence[Axis]) -> Iterator[None]:
    """Choose each combination of options in turn; only what is another one than before is chosen anew."""
    before: tuple[int, ...] = ()
    for options in itertools.product(*(range(axis.count) for axis in axes)):
        differ = next((at for at, pair in enumerate(zip(options, before, strict=False)) if pair[0] != pair[1]), 0)
        for axis, option in list(zip(axes, options, strict=True))[differ:]:
            axis.choose(option)
        before = options
        yield


@contextmanager
def _notes(watched: Sequence[Any], controls: Mapping[Any, Axis]) -> Iterator[Callable[[], dict[Any, dict[str, Any]]]]:
    """A function that gives the traits of all that are `watched`, each noted anew only where it has changed."""
    known: dict[Any, dict[str, Any]] = {}
    changed = set(watched)
    charts = {widget for widget in watched if kind_of(widget) == "chart"}
    layouts = {widget: getattr(widget, "layout", None) for widget in watched}

    def heard(change: Any) -> None:
        changed.add(change["owner"])

    def noted() -> dict[Any, dict[str, Any]]:
        for widget in watched:
            if widget in changed or widget in charts or layouts[widget] in changed:
                known[widget] = _of_page(widget, controls)
        changed.clear()
        return dict(known)

    listened = [*watched, *filter(None, layouts.values())]
    for source in listened:
        source.observe(heard, traitlets.All)
    try:
        yield noted
    finally:
        for source in listened:
            source.unobserve(heard, traitlets.All)


def _of_page(widget: Any, controls: Mapping[Any, Axis]) -> dict[str, Any]:
    """A copy of the state, of a control with the options that are on the page."""
    axis = controls.get(widget)
    return _noted(widget) if axis is None else axis.traits_on_page(widget, _noted(widget))


def _noted(widget: Any) -> dict[str, Any]:
    """A copy of the state, without what the page writes itself."""
    own: frozenset[str] = getattr(widget, "written_by_page", frozenset())
    return {name: copy.deepcopy(value) for name, value in state_of(widget).items() if name not in own}


def _changes(states: list[dict[Any, dict[str, Any]]]) -> tuple[States, ...]:
    """Of `states`, the traits that are not the same in all."""
    changing = {widget: _changing(widget, states) for widget in states[0]}
    return tuple(
        {widget: {name: state[widget][name] for name in names} for widget, names in changing.items() if names}
        for state in states
    )


def _changing(widget: Any, states: list[dict[Any, dict[str, Any]]]) -> list[str]:
    first = states[0][widget]
    others = list({id(state[widget]): state[widget] for state in states}.values())
    return [name for name, value in first.items() if any(other[name] != value for other in others)]
