"""`to_html` of panels and of apps."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageOps

from cnnviz_widgets import schedule
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export import Axis, Player, Recording, page, record_all, widgets_of, write_document
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.session import Example, Session
from cnnviz_widgets.views.take.page.network import Live, PageNetwork, Weights, network_for
from cnnviz_widgets.views.take.page.panel_page import (
    STRIP_SIDE,
    kept_as_it_is,
    page_class_picker,
    record_panel,
    strip_of,
)
from cnnviz_widgets.views.take.page.wanted import SharedAxes, Wanted, picture_axis, target_axis

#: Cells a side of the finest maps on a page of one view, and on one of an app with many pictures.
FINEST, FINEST_OF_APP = 224, 48


def check_options(live: object, weights: object) -> None:
    """Raise ExportError unless these are options of `to_html`."""
    for name, value, known in (("live", live, get_args(Live)), ("weights", weights, get_args(Weights))):
        if value not in known:
            raise ExportError(f"`{name}` is {', '.join(map(repr, known[:-1]))} or {known[-1]!r}, not {value!r}.")


@dataclass(frozen=True)
class SavedPage:
    """A page that was written: where, its size in MB, and how many states were recorded."""

    path: Path
    size: float
    states: int

    def __repr__(self) -> str:
        return f"<{self.path}: {self.size:.1f} MB, {self.states} recorded states>"


@dataclass(eq=False)
class Plan:
    """What a page is made of: its root and what works in it."""

    root: Any
    recordings: list[Recording]
    players: list[Player]
    extra: Sequence[Any] = ()
    #: What is chosen once more when all is as before: what is lost when the class changes.
    restored: Sequence[Axis] = ()
    network: PageNetwork | None = None

    @property
    def states(self) -> int:
        return sum(len(recording.states) for recording in self.recordings)

    def close(self) -> None:
        """Close the widgets that were made for the page alone; what others show in them stays."""
        for widget in self.extra:
            if isinstance(widget, ipywidgets.Box):
                widget.children = ()
            widget.layout.close()
            widget.close()


def panel_to_html(
    view: Any,
    path: str | os.PathLike[str],
    *,
    pictures: Sequence[object] | None = None,
    wanted: Wanted,
    finest: int | None = FINEST,
    tell: Callable[[str], object] | None = None,
) -> SavedPage:
    """Write a panel as a page. Raises ExportError while it has nothing to show, and where it cannot be written."""
    view.table()
    with kept_as_it_is(view):
        plan = plan_of_panel(view, pictures, wanted, tell)
        try:
            return _written(path, plan, tell, title=view.title, finest=finest, language=view.language)
        finally:
            plan.close()


def plan_of_panel(
    view: Any, pictures: Sequence[object] | None, wanted: Wanted, tell: Callable[[str], object] | None
) -> Plan:
    """What a page of one panel is made of."""
    target = target_axis(view.session, list(filter(None, [page_class_picker(view)])), wanted)
    shown = [read_picture(picture) for picture in pictures or ()]
    strip = strip_of(shown, lambda picture: thumbnail(picture, view.session)) if len(shown) > 1 else None
    chosen = None if strip is None else picture_axis(view.session, shown, strip, [target])
    if chosen is not None:
        chosen.choose(chosen.start)
    network = None
    if view.page_takes_network and view.session.picture is not None:
        network = _network_of(view.session, shown or [view.session.picture], wanted)
    shared = SharedAxes(chosen, target, network)
    record = record_panel(view, shared, view.page_axes(wanted))
    parts = _page_controls(view, record.recordings, strip)
    root = view if strip is None and not parts else ipywidgets.VBox([*filter(None, [strip]), view, *parts])
    extra = [] if root is view else [box for box in (root, strip, *parts) if box is not None]
    return Plan(root, list(record.recordings), list(record.players), extra, network=network)


def _network_of(session: Session, pictures: Sequence[Picture], wanted: Wanted) -> PageNetwork | None:
    examples = [session.example if one is session.picture else Example(session.classifier, one) for one in pictures]
    return network_for(session.classifier, examples, wanted.live, wanted.weights)


def _page_controls(view: Any, recordings: Sequence[Recording], strip: Any) -> list[Any]:
    """Controls that were made for the page, and are not in the view."""
    known = {*widgets_of([view]), strip}
    controls = [control for recording in recordings for axis in recording.axes for control in axis.controls]
    return [control for control in dict.fromkeys(controls) if control not in known and control.comm is not None]


def app_to_html(
    app: Any,
    path: str | os.PathLike[str],
    *,
    tabs: Sequence[str] | None = None,
    wanted: Wanted,
    finest: int | None = FINEST_OF_APP,
    tell: Callable[[str], object] | None = None,
) -> SavedPage:
    """Write an app as a page: its pictures, predictions and tabs. Raises ExportError."""
    names = list(app.tabs.titles) if tabs is None else list(tabs)
    if unknown := [name for name in names if name not in app.tabs.titles]:
        raise ExportError(f"There is no tab {unknown[0]!r}; there are {', '.join(app.tabs.titles)}.")
    with kept_as_it_is(app):
        plan = plan_of_app(app, names, wanted, tell)
        try:
            saved = _written(path, plan, tell, title=app.session.classifier.name, finest=finest, language=app.language)
        finally:
            plan.close()
    with schedule.inline():
        for axis in plan.restored:
            axis.choose(axis.start)
    return saved


def plan_of_app(app: Any, names: list[str], wanted: Wanted, tell: Callable[[str], object] | None) -> Plan:
    views = {name: app.open_tab(name) for name in names}
    own = {name: list(view.page_axes(wanted)) for name, view in views.items()}
    target = target_axis(app.session, list(filter(None, map(page_class_picker, views.values()))), wanted)
    picture = picture_axis(app.session, app.pictures, app.strip, [target]) if len(app.pictures) > 1 else None
    network = None
    if any(view.page_takes_network for view in views.values()):
        network = _network_of(app.session, app.pictures, wanted)
    shared = SharedAxes(picture, target, network)
    if target is not None:
        target.choose(target.start)
    layer, channel = app.session.layer, app.session.channel
    recordings: list[Recording] = []
    players: list[Player] = []
    kept: dict[str, list[Any]] = {}
    # What is not of the picture comes last: others choose another class, and a picture of one class is lost by that.
    for name, view in sorted(views.items(), key=lambda item: not item[1].page_of_picture):
        app.open_tab(name)
        try:
            view.table()
        except ExportError:  # it waits for the hand, and has nothing to show
            if not own[name]:
                continue
        if tell is not None:
            tell(f"recording {name} ...")
        record = record_panel(view, shared, own[name])
        view.active = False
        app.session.layer, app.session.channel = layer, channel
        kept[name] = [view, *_page_controls(view, record.recordings, app.strip)]
        recordings += record.recordings
        players += record.players
    for view in app.views.values():
        view.active = False
    if picture is not None:
        recordings.append(record_all([picture], [app.predictions]))
    plan = _app_page(app, {name: kept[name] for name in names if name in kept}, recordings, players)
    plan.network = network
    plan.restored = [axis for name, view in views.items() if not view.page_of_picture for axis in own[name]]
    return plan


def _app_page(app: Any, views: dict[str, list[Any]], recordings: list[Recording], players: list[Player]) -> Plan:
    """The widgets of an app with all its tabs, of which one is seen."""
    boxes = [ipywidgets.VBox(parts).add_class("cnnviz-page") for parts in views.values()]
    shown = [app.tabs.titles.index(name) for name in views]
    start = shown.index(app.tabs.index) if app.tabs.index in shown else 0
    for number, box in enumerate(boxes):
        box.layout.display = None if number == start else "none"
    tabs = Axis((app.tabs,), len(boxes), lambda _: None, lambda _: shown, start, name="tab")
    if len(boxes) > 1:
        layouts = [
            {box: {"layout": {} if number == option else {"display": "none"}} for number, box in enumerate(boxes)}
            for option in range(len(boxes))
        ]
        recordings = [*recordings, Recording((tabs,), tuple(layouts))]
    top = ipywidgets.HBox([app.strip, app.predictions]).add_class("cnnviz-top")
    root = ipywidgets.VBox([top, app.tabs, *boxes]).add_class("cnnviz-explorer")
    return Plan(root, recordings, players, [root, top, *boxes])


def _written(
    path: str | os.PathLike[str], plan: Plan, tell: Callable[[str], object] | None, **options: Any
) -> SavedPage:
    network = plan.network
    note = "" if network is None else network.note(options.get("language"))
    model = None if network is None else network.model
    given: dict[str, Any] = {"recorded": plan.recordings, "players": plan.players, "model": model, "further_note": note}
    document = page(plan.root, checked=False, **given, **options)
    saved = SavedPage(Path(path), write_document(path, document), plan.states)
    if tell is not None:
        tell(f"{saved.path}: {saved.size:.1f} MB")
    return saved


def thumbnail(picture: Picture, session: Session) -> Any:
    """A picture cut to a square from the middle, uint8 (STRIP_SIDE, STRIP_SIDE, 3)."""
    image = picture.image
    if image is None:
        image = PIL.Image.fromarray(session.classifier.appearance(session.classifier.pixels(picture)))
    return np.asarray(PIL.ImageOps.fit(image.convert("RGB"), (STRIP_SIDE, STRIP_SIDE)))
