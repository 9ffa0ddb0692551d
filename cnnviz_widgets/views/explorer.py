"""All views over one session, as one app: pictures, upload, predictions and a tab for each technique."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.errors import ExplanationError, PictureError
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.compare import Comparison
from cnnviz_widgets.views.comparison.companion import Companion
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.events import on
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.history import History, Revertible
from cnnviz_widgets.views.labelled import DataView, has_labels
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel, sentence
from cnnviz_widgets.views.parts import picture_list
from cnnviz_widgets.views.parts.uploads import pixels_of, small_picture
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.views.take.app import app_state, restore_app
from cnnviz_widgets.views.take.page.html import SavedPage, app_to_html, check_options
from cnnviz_widgets.views.take.page.network import Live, Weights
from cnnviz_widgets.views.take.page.wanted import CLASSES, Wanted
from cnnviz_widgets.views.wording import LabelledButton
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tabs import TabOpened, Tabs
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles
from cnnviz_widgets.widgets.upload import Upload, Uploaded

#: Side of a picture in the strip, in CSS pixels: the strip is one row of 56.
_THUMBNAIL = 44

_VIEWS: Mapping[str, Sequence[type[Panel]]] = {
    "decision": (OcclusionView, CAMView, SaliencyView),
    "learned": (ActivationView, FilterView, PatchView, MaximisationView),
    "alike": (NeighbourView, EmbeddingView),
}
#: The tabs, in order, by their English names; each view is made when its tab is first opened.
TABS: Mapping[str, type[Panel]] = {
    words.text(f"tab.{view.topic}.name"): view for views in _VIEWS.values() for view in views
}
_OLD_TITLES = {"Class activation maps": "CAM", "Class visualisation": "Class image"}
#: These look for pictures in a data set.
_OF_A_DATA_SET = (PatchView, NeighbourView, EmbeddingView, DataView)
#: The tab for a data set with labels, behind the others.
DATA_TAB = "Data"


class Explorer(Revertible, ipywidgets.VBox):
    """Every technique on one picture, linked: one picture, class and layer drive all tabs.

    A tab follows the session only while it is open; what was started in it by hand (a whole map, features, t-SNE) goes
    on behind others. `session` is what the views share, `source` the data set for the tabs that need many pictures.
    With a `companion` each tab shows the comparison of its view with that of another network.
    """

    def __init__(
        self,
        session: Session,
        pictures: Sequence[Picture],
        *,
        source: object = None,
        tabs: Mapping[str, type[Panel]] = TABS,
        note: str = "",
        refused: bool = True,
        companion: Companion | None = None,
        language: str | None = "en",
    ) -> None:
        words.sent(language)  # or raises
        self.session = session
        self.companion = companion
        self._comparisons: dict[str, Comparison] = {}
        self.language = language
        self.source = source
        self.pictures = list(pictures)
        self._makers = dict(tabs)
        if isinstance(source, Source) and has_labels(source):
            self._makers.setdefault(DATA_TAB, DataView)
        self._views: dict[str, Panel] = {}
        self._opened = ""
        with between_callbacks():
            self._make(note, refused)

    def _make(self, note: str, refused: bool) -> None:
        session = self.session
        self.strip = Tiles(tile_width=_THUMBNAIL, selected=None, captions=False, height=68)
        self.upload = Upload()
        self.draw_button = LabelledButton(
            self.language, description="Draw", tooltip=words.text("tooltip.draw", self.language)
        )
        self.draw_button.on_click(lambda _: self.draw(self.sketch is None or not self.sketch.active))
        #: The sheet to draw on, once it was asked for.
        self.sketch: SketchView | None = None
        self.camera_button = LabelledButton(
            self.language, description="Camera", tooltip=words.text("tooltip.camera", self.language)
        )
        self.camera_button.on_click(lambda _: self.film(self.camera is None or not self.camera.active))
        #: The camera, once it was asked for.
        self.camera: CameraView | None = None
        self._desk = ipywidgets.VBox()
        self.predictions = PredictionView(session, language=self.language)
        labels = {language: tab_labels(self._makers, language) for language in words.sent(self.language)}
        self.tabs = Tabs(titles=list(self._makers), labels=labels, language=self.language)
        self.note = Status(text=note, kind="error" if note and refused else "info")
        self._page = ipywidgets.VBox().add_class("cnnviz-page")
        self.history = History(self)
        bar = ipywidgets.HBox([self.camera_button, self.draw_button]).add_class("cnnviz-bar")
        top = ipywidgets.HBox([self.strip, self.upload, bar, self.predictions]).add_class("cnnviz-top")
        show_if(False, self.predictions.head)
        self._notes = ipywidgets.VBox([self.note] if note else [])
        beside = [] if self.companion is None else [self.companion]
        super().__init__([top, self._desk, self._notes, *beside, self.tabs, self._page])
        self.add_class("cnnviz-explorer")
        self._thumbnails: list[NDArray[np.uint8]] = []
        self._show_strip()
        on(self.strip, TilePicked, self._tile_picked, self._fail)
        on(self.upload, Uploaded, self._uploaded, self._fail_upload)
        on(self.tabs, TabOpened, self._tab_opened, self._fail)
        session.link(self._mark_strip, ["picture"])
        self.open_tab(next(iter(self._makers)))
        self.history.begin()

    @property
    def view(self) -> Panel:
        """The view in the open tab."""
        return self._views[self._opened]

    @property
    def comparison(self) -> Comparison | None:
        """The comparison in the open tab, where there is a second network."""
        return self._comparisons.get(self._opened)

    @in_turn
    def open_tab(self, title: str) -> Panel:
        """Open a tab by its title and return its view."""
        if title not in self._makers and title in _OLD_TITLES:
            warnings.warn(f"The tab {title!r} is now {_OLD_TITLES[title]!r}", DeprecationWarning, stacklevel=3)
            title = _OLD_TITLES[title]
        if title not in self._makers:
            raise ValueError(f"There is no tab {title!r}; there are {', '.join(self._makers)}.")
        view = self._views.get(title) or self._made(title)
        for other in self._views.values():
            other.active = other is view
        self._views[title] = view
        self.tabs.index = self.tabs.titles.index(title)
        self._page.children = (self._comparisons.get(title, view),)
        self._opened = title
        return view

    def _made(self, title: str, *, active: bool = True) -> Panel:
        maker = self._makers[title]
        options: dict[str, Any] = {"source": self.source} if issubclass(maker, _OF_A_DATA_SET) else {}
        if not active:
            options["active"] = False
        if self.language != "en":  # what a panel of one's own need not know of
            options["language"] = self.language
        view = maker(self.session, **options)
        view.leave_notes_out()  # they stand below the predictions
        view.history.follow_on(self.history)
        view.visit = self._visit
        if (button := getattr(view, "main_button", None)) is not None:
            button.follow()
        if (comparer := view.actions.comparer) is not None:
            comparer.choose_from(lambda: self.pictures)
        if self.companion is not None:
            self._comparisons[title] = self.companion.beside(view, lambda session: maker(session, **options))
        return view

    def _visit(self, topic: str) -> Panel | None:
        """Open the tab of a topic; None where there is none."""
        titles = [title for title, maker in self._makers.items() if maker.topic == topic]
        return self.open_tab(titles[0]) if titles else None

    @property
    def state(self) -> dict[str, Any]:
        """What is looked at, the open tab, and how each opened view is set, of JSON types; assign it to another app.

        Assigning raises StateError for what is no such state, and what session and views raise for values that they
        refuse; all is then as it was before. The picture is found by its name among `pictures`.
        """
        with between_callbacks():
            return app_state(self)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        with between_callbacks():
            restore_app(self, state)

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        live: Live = "auto",
        weights: Weights = "float16",
        classes: int | Sequence[int | str] = CLASSES,
        layers: Sequence[str] | None = None,
        tabs: Sequence[str] | None = None,
        tell: Callable[[str], object] | None = print,
    ) -> SavedPage:
        """Write a page of all pictures and `tabs` that needs no kernel, as `to_html` of a view."""
        check_options(live, weights)
        return app_to_html(
            self, path, tabs=tabs, wanted=Wanted(classes, layers, brief=True, live=live, weights=weights), tell=tell
        )

    @property
    def views(self) -> dict[str, Panel]:
        """The views of the tabs that have been opened, by title."""
        return dict(self._views)

    @in_turn
    def make_view(self, title: str) -> Panel:
        """The view of a tab, which may have been opened before; without opening it."""
        if title not in self._views:
            self._views[title] = self._made(title, active=False)
        return self._views[title]

    @in_turn
    def drop_view(self, title: str) -> None:
        """Close the view of a tab that is not open; opening it makes another."""
        view = self._views.pop(title)
        (self._comparisons.pop(title, None) or view).close()

    @in_turn
    def draw(self, on: bool = True) -> None:
        """Put a sheet to draw the picture on above the tabs, or take it away."""
        if on and self.sketch is None:
            self.sketch = SketchView(self.session, language=self.language)
        self._put_on_desk(self.sketch, on)

    @in_turn
    def film(self, on: bool = True) -> None:
        """Put the camera above the tabs, to be started there by hand, or take it away."""
        if on and self.camera is None:
            self.camera = CameraView(self.session, others_wait=lambda: self.view.owes_answer, language=self.language)
        self._put_on_desk(self.camera, on)

    def _put_on_desk(self, panel: Panel | None, on: bool) -> None:
        """Lay a panel above the tabs in place of what is there, or take it away; nothing, where it was never made."""
        if panel is None or (not on and not panel.active):
            return
        shown = panel if on else None
        for other in (self.sketch, self.camera):
            if other is not None and other is not shown:
                other.active = False
        panel.active = on
        self._desk.children = () if shown is None else (shown,)
        self.draw_button.description = "Stop drawing" if on and panel is self.sketch else "Draw"
        self.camera_button.description = "Close camera" if on and panel is self.camera else "Camera"

    @in_turn
    def add(self, source: object, name: str = "") -> Picture:
        """Add a picture to the strip and look at it. Raises PictureError."""
        if len(self.pictures) >= picture_list.MAX_PICTURES:
            raise PictureError(f"The strip holds {len(self.pictures)} pictures already; open another explorer.")
        picture = read_picture(source, name)
        if sum(map(pixels_of, self.pictures)) + pixels_of(picture) > picture_list.MAX_PIXELS:
            raise PictureError(
                f"With this one the strip would hold more than {picture_list.MAX_PIXELS / 10**6:g} million pixels; "
                "add a smaller picture, or open another explorer."
            )
        # It must also fit the network, before it takes the place of the one that is shown.
        self.session.classifier.pixels(picture)
        self.pictures.append(picture)
        self._show_strip()
        self.session.picture = picture
        return picture

    # -- events --------------------------------------------------------------------------------------------------

    def _tab_opened(self, event: TabOpened) -> None:
        try:
            self.open_tab(self.tabs.titles[event.index])
        except ExplanationError:
            self.tabs.index = self.tabs.titles.index(self._opened)
            raise

    def _tile_picked(self, event: TilePicked) -> None:
        self.session.picture = self.pictures[event.index]

    def _uploaded(self, event: Uploaded) -> None:
        picture = self.add(small_picture(event, self.upload.max_side))
        self.upload.say(f"{picture.name or 'The picture'} is shown.")

    def _fail(self, error: Exception) -> None:
        self.note.say(sentence(error), "error")
        self._notes.children = (self.note,)

    def _fail_upload(self, error: Exception) -> None:
        self.upload.say(sentence(error), failed=True)

    # -- the strip -----------------------------------------------------------------------------------------------

    def _show_strip(self) -> None:
        self._thumbnails += [_thumbnail(picture, self.session) for picture in self.pictures[len(self._thumbnails) :]]
        sheet = np.stack(self._thumbnails) if self._thumbnails else np.zeros((0, 1, 1, 3), np.uint8)
        self.strip.columns = len(self._thumbnails)
        self.strip.show(sheet, labels=[picture.name or f"picture {i + 1}" for i, picture in enumerate(self.pictures)])
        self._mark_strip()

    def _mark_strip(self, _: object = None) -> None:
        shown = self.session.picture
        self.strip.selected = next((i for i, picture in enumerate(self.pictures) if picture is shown), None)

    @in_turn
    def close(self) -> None:
        """Stop all work and remove the app, with all its widgets, from the page."""
        for comparison in self._comparisons.values():
            comparison.close()
        if self.companion is not None:
            self.companion.close()
        for view in [*self._views.values(), self.predictions, *filter(None, [self.sketch, self.camera])]:
            view.close()
        self.session.unlink(self._mark_strip, ["picture"])
        self.history.close()
        discard_contents(self)
        super().close()


def tab_labels(views: Mapping[str, type[Panel]], language: str) -> dict[str, Any]:
    """What stands on the tabs of `views`, by title, and their groups; titles that are not the catalogue's own stay."""
    names = {words.text(f"tab.{view.topic}.name"): view.topic for view in views.values() if view.topic}
    titles = [words.text(f"tab.{names[title]}.name", language) if title in names else title for title in views]
    counts = [
        (group, sum(title in names for title in views if issubclass(views[title], tuple(members))))
        for group, members in _VIEWS.items()
    ]
    whole = sum(count for _, count in counts) == len(views)
    return {
        "titles": titles,
        "groups": [[words.text(f"group.{group}", language), count] for group, count in counts if count]
        if whole
        else [],
    }


def _thumbnail(picture: Picture, session: Session) -> NDArray[np.uint8]:
    if picture.image is None:
        image = PIL.Image.fromarray(session.classifier.appearance(session.classifier.pixels(picture)))
    else:
        image = picture.image
    # Cut to a square from the middle, for two device pixels a CSS pixel.
    return np.asarray(PIL.ImageOps.fit(image.convert("RGB"), (2 * _THUMBNAIL, 2 * _THUMBNAIL)))
