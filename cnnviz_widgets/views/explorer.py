"""All views over one session, as one app: pictures, upload, predictions and a tab for each technique."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Autocast, Classifier
from cnnviz_widgets.collection.source import Source, is_data_set, source_of
from cnnviz_widgets.errors import ExplanationError, PictureError
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session, as_classifier
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.events import on
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel, sentence
from cnnviz_widgets.views.parts.data_set import picture_at
from cnnviz_widgets.views.parts.embedded import has_embedded_source
from cnnviz_widgets.views.parts.uploads import pixels_of, small_picture
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tabs import TabOpened, Tabs
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles
from cnnviz_widgets.widgets.upload import Upload, Uploaded

#: Side of a picture in the strip, in CSS pixels: the strip is one row of 56.
_THUMBNAIL = 44
_MOST_PICTURES = 500
#: Of a data set so many pictures, evenly spaced, are put into the strip.
_SHOWN = 40
#: Decoded pictures of the strip are kept: 600 MB in colour.
_MOST_PIXELS = 200_000_000
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}

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
_OF_A_DATA_SET = (PatchView, NeighbourView, EmbeddingView)


class Explorer(ipywidgets.VBox):
    """Every technique on one picture, linked: one picture, class and layer drive all tabs.

    A tab follows the session only while it is open; what was started in it by hand (a whole map, features, t-SNE) goes
    on behind others. `session` is what the views share, `source` the data set for the tabs that need many pictures.
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
        language: str | None = "en",
    ) -> None:
        words.sent(language)  # or raises
        self.session = session
        self.language = language
        self.source = source
        self.pictures = list(pictures)
        self._makers = dict(tabs)
        self._views: dict[str, Panel] = {}
        self._opened = ""
        with between_callbacks():
            self._make(note, refused)

    def _make(self, note: str, refused: bool) -> None:
        session = self.session
        self.strip = Tiles(tile_width=_THUMBNAIL, selected=None, captions=False, height=68)
        self.upload = Upload()
        self.draw_button = ipywidgets.Button(description="Draw", tooltip=words.text("tooltip.draw", self.language))
        self.draw_button.on_click(lambda _: self.draw(self.sketch is None or not self.sketch.active))
        #: The sheet to draw on, once it was asked for.
        self.sketch: SketchView | None = None
        self._desk = ipywidgets.VBox()
        self.predictions = PredictionView(session)
        labels = {language: tab_labels(self._makers, language) for language in words.sent(self.language)}
        self.tabs = Tabs(titles=list(self._makers), labels=labels, language=self.language)
        self.note = Status(text=note, kind="error" if note and refused else "info")
        self._page = ipywidgets.VBox().add_class("cnnviz-page")
        top = ipywidgets.HBox([self.strip, self.upload, self.draw_button, self.predictions]).add_class("cnnviz-top")
        self._notes = ipywidgets.VBox([self.note] if note else [])
        super().__init__([top, self._desk, self._notes, self.tabs, self._page])
        self.add_class("cnnviz-explorer")
        self._thumbnails: list[NDArray[np.uint8]] = []
        self._show_strip()
        on(self.strip, TilePicked, self._tile_picked, self._fail)
        on(self.upload, Uploaded, self._uploaded, self._fail_upload)
        on(self.tabs, TabOpened, self._tab_opened, self._fail)
        session.link(self._mark_strip, ["picture"])
        self.open_tab(next(iter(self._makers)))

    @property
    def view(self) -> Panel:
        """The view in the open tab."""
        return self._views[self._opened]

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
        self._page.children = (view,)
        self._opened = title
        return view

    def _made(self, title: str) -> Panel:
        maker = self._makers[title]
        options: dict[str, Any] = {"source": self.source} if issubclass(maker, _OF_A_DATA_SET) else {}
        if self.language != "en":  # what a panel of one's own need not know of
            options["language"] = self.language
        view = maker(self.session, **options)
        view.leave_notes_out()  # they stand below the predictions
        return view

    @in_turn
    def draw(self, on: bool = True) -> None:
        """Put a sheet to draw the picture on above the tabs, or take it away."""
        if on and self.sketch is None:
            self.sketch = SketchView(self.session)
        if self.sketch is not None:
            self.sketch.active = on
        self._desk.children = (self.sketch,) if on and self.sketch is not None else ()
        self.draw_button.description = "Stop drawing" if on else "Draw"

    @in_turn
    def add(self, source: object, name: str = "") -> Picture:
        """Add a picture to the strip and look at it. Raises PictureError."""
        if len(self.pictures) >= _MOST_PICTURES:
            raise PictureError(f"The strip holds {len(self.pictures)} pictures already; open another explorer.")
        picture = read_picture(source, name)
        if sum(map(pixels_of, self.pictures)) + pixels_of(picture) > _MOST_PIXELS:
            raise PictureError(
                f"With this one the strip would hold more than {_MOST_PIXELS / 10**6:g} million pixels; add a smaller "
                "picture, or open another explorer."
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
        for view in [*self._views.values(), self.predictions, *([self.sketch] if self.sketch else [])]:
            view.close()
        self.session.unlink(self._mark_strip, ["picture"])
        discard_contents(self)
        super().close()


def explore(
    model: object = None,
    pictures: object = None,
    *,
    class_names: Sequence[str] | None = None,
    source: object = None,
    autocast: Autocast | None = None,
    images: object = None,
    language: str | None = "en",
) -> Explorer:
    """Open every technique on `pictures` as one app.

    `model` is a torch network, a Classifier or a torchvision name; without it the embedded ImageNet classifier and its
    photographs are shown. `pictures` is anything `read_picture` takes, a list of such, a dict of names to such, a
    folder, or a data set that `source_of` takes, of which some are shown. A picture that cannot be read is named in
    the app and left out. Top patches, neighbours and the map look in the data set `source` (a torch Dataset, a folder,
    arrays, or a `Source`); without one, in the data set or, with an embedded network, in the pictures that belong to
    it, or else in `pictures`. Raises PictureError for a data set that gives no pictures by their number. With
    `autocast`, "bfloat16" or "float16", the network is run in mixed precision; how far its scores are from those in
    float32 stands beside them. `language` is that of tabs, questions, help and tooltips, "en" or "ko"; None takes the
    reader's own.
    """
    if images is not None:
        warnings.warn("explore(images=) is now pictures=", DeprecationWarning, stacklevel=2)
        pictures = images
    if model is None:
        from cnnviz_widgets import demo

        model = demo.classifier()
        pictures = demo.pictures() if pictures is None else pictures
    data = source_of(pictures) if is_data_set(pictures) else None
    readable, refused = read_pictures(pictures) if data is None else _some_of(data)
    session = Session(as_classifier(model, readable[0] if readable else None, class_names, autocast))
    fitting, unfit = _fitting(session.classifier, readable)
    refused += unfit
    if fitting:
        session.picture = fitting[0]
    if source is not None:
        source = source_of(source)
    elif data is not None:
        source = data
    elif not has_embedded_source(session.classifier):
        source = fitting or None
    if pictures is not None and not fitting and not refused:
        refused = ["There are no pictures here; upload some, or pass a folder of pictures or a data set."]
    told = _left_out(pictures) if data is None else [*_of_how_many(fitting, data), *data.notes]
    note = " ".join([*refused[:3], *told])
    return Explorer(session, fitting, source=source, note=note, refused=bool(refused), language=language)


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


def _fitting(classifier: Classifier, pictures: Sequence[Picture]) -> tuple[list[Picture], list[str]]:
    """The pictures that a network takes, and a sentence for each that it does not."""
    fitting, refused = [], []
    for picture in pictures:
        try:
            if picture.tensor is not None:  # an image is resized, a tensor fits or does not
                classifier.pixels(picture)
        except PictureError as error:
            refused.append(str(error))
        else:
            fitting.append(picture)
    return fitting, refused


def _some_of(data: Source) -> tuple[list[Picture], list[str]]:
    """Pictures from all over a data set, and a sentence for each that cannot be read."""
    pictures: list[Picture] = []
    refused: list[str] = []
    for item in np.linspace(0, len(data) - 1, min(len(data), _SHOWN)).astype(int):
        try:
            pictures.append(picture_at(data, int(item)))
        except PictureError as error:
            refused.append(str(error))
    return pictures, refused


def _of_how_many(shown: Sequence[Picture], data: Source) -> list[str]:
    if len(shown) in (0, len(data)):
        return []
    return [f"{len(shown)} of {len(data):,} pictures are in the strip; Top patches, Neighbours and Map look in all."]


def read_pictures(images: object) -> tuple[list[Picture], list[str]]:
    """The pictures that can be read, and a sentence for each that cannot."""
    pictures: list[Picture] = []
    refused: list[str] = []
    size = 0
    for count, (name, source) in enumerate(_named(images)):
        if count == _MOST_PICTURES or size > _MOST_PIXELS:
            refused.append(f"Only the first {count} pictures are shown; pass a larger data set as `source`.")
            break
        try:
            picture = read_picture(source, name)
        except PictureError as error:
            refused.append(str(error))
        else:
            pictures.append(picture)
            size += pixels_of(picture)
    return pictures, refused


def _named(images: object) -> Iterable[tuple[str, object]]:
    if images is None:
        return []
    if isinstance(images, Mapping):
        return [(str(name), source) for name, source in images.items()]
    if isinstance(images, str | Path) and Path(images).is_dir():
        return [(path.name, path) for path in sorted(Path(images).iterdir()) if path.suffix.lower() in _SUFFIXES]
    if isinstance(images, list | tuple):
        return [("", source) for source in images]
    if getattr(images, "ndim", 0) == 4:
        return [("", images[index]) for index in range(len(images))]  # type: ignore[index, arg-type]
    return [("", images)]


def _left_out(images: object) -> list[str]:
    """What is not shown of a folder that holds pictures itself."""
    if not isinstance(images, str | Path) or not Path(images).is_dir():
        return []
    inner = [path.name for path in sorted(Path(images).iterdir()) if path.is_dir() and any(_named(path))]
    return [f"Pictures in folders inside are not shown; for those pass one, as {inner[0]!r}."] if inner else []


def _thumbnail(picture: Picture, session: Session) -> NDArray[np.uint8]:
    if picture.image is None:
        image = PIL.Image.fromarray(session.classifier.appearance(session.classifier.pixels(picture)))
    else:
        image = picture.image
    # Cut to a square from the middle, for two device pixels a CSS pixel.
    return np.asarray(PIL.ImageOps.fit(image.convert("RGB"), (2 * _THUMBNAIL, 2 * _THUMBNAIL)))
