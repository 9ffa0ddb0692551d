"""A labelled data set and what the network makes of it: right, wrong, and which classes it takes for which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.collection.labels import UNKNOWN
from cnnviz_widgets.collection.predictions import Predictions, predictions_of
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExplanationError, PictureError
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, one_step
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.data_set import picture_of, row_of
from cnnviz_widgets.views.parts.features import FeatureBuilder
from cnnviz_widgets.views.questions.pairs import mistaken_picture
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.matrix import CellPicked, Matrix
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: How pictures may be sorted, and how the page says it.
ORDERS = {
    "loss": "largest loss first",
    "most confident": "most confident first",
    "least confident": "least confident first",
    "data": "as in the data set",
}
_FILTERS = ("all", "only the wrong ones")
#: So many classes are in the table, and so many pictures in the sheet.
CLASSES = 16
SHOWN = 120
RIGHT, WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"


@dataclass(frozen=True, eq=False)
class LabelledSheet:
    """The predictions, and the pictures that are shown of them: `shown` rows of the store, of `count` that match."""

    store: FeatureStore
    predictions: Predictions
    shown: NDArray[np.intp]
    thumbnails: NDArray[np.uint8]
    matching: NDArray[np.int64]
    selected: int


class DataView(Panel):
    """The pictures of a labelled data set with right and wrong marks, and a confusion matrix to click.

    `DataView(model, source=data)` or, linked with other views, `DataView(session, source=data)`; `data` is anything
    `source_of` takes. The network runs once over all pictures, in the background; neighbours and the map of the same
    session use the same pass. A click in the table selects these pictures, a click on a picture looks at it.
    """

    follows = ("classifier",)
    settings: ClassVar[Mapping[str, object]] = {"order": "loss", "only_wrong": False}

    predictions = traitlets.Instance(
        Predictions, None, allow_none=True, read_only=True, help="The network's answers so far."
    )
    confusion = traitlets.Any(
        None, allow_none=True, read_only=True, help="Pictures of each class (row) taken for each class, int64 (K, K)."
    )
    order = traitlets.Unicode("loss", help="How pictures are sorted, one of `ORDERS`.")
    only_wrong = traitlets.Bool(False, help="Whether only pictures are shown that the network gets wrong.")

    def __init__(self, model: object, picture: object = None, *, source: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self._sheet: LabelledSheet | None = None
        self._classes: list[int] = []
        #: The cell that was clicked last, and what it selected.
        self._cell: tuple[list[int], tuple[int, ...]] | None = None
        self.table_job = self.job(self._draw)
        self.features = FeatureBuilder(self, self._features_changed, source=source)
        self.features.build_button.description = "Go on"
        self._make_widgets()
        self.features.link(self._follow_store, ["store"])
        self.link(self._settings_changed, ["order", "only_wrong"])
        self.follow(["selection"], self.show_pictures)
        self.follow(["picture"], self._mark_picture)
        self.begin()

    def _make_widgets(self) -> None:
        self.summary, self.sheet_line = Status(), Status()
        self.matrix = Matrix(placeholder="no labels yet")
        self.matrix_line = Status()
        self.order_picker = Picker(options=list(ORDERS.values()), description="sort", index=0, searchable=False)
        self.filter_picker = Picker(options=list(_FILTERS), description="pictures", index=0, searchable=False)
        self.select_button = self.button("Select these", self._select_shown, disabled=True)
        self.clear_button = self.button("Clear selection", self._clear_selection, disabled=True)
        self.tiles = Tiles(tile_width=96, height=420, placeholder="no predictions yet", description="pictures")
        self.on(self.matrix, CellPicked, self._cell_picked)
        self.on(self.order_picker, Picked, lambda event: self._set("order", list(ORDERS)[event.index]))
        self.on(self.filter_picker, Picked, lambda event: self._set("only_wrong", event.index == 1))
        self.on(self.tiles, TilePicked, self._tile_picked)
        controls = row(self.order_picker, self.filter_picker)
        buttons = ipywidgets.HBox([self.select_button, self.clear_button])
        left = column(self.summary, self.matrix, self.matrix_line, self.features, most=640)
        self.show(row(left, column(controls, buttons, self.sheet_line, self.tiles)))

    @property
    def source(self) -> Source | None:
        """The data set, or None while there is none."""
        return self.features.source

    def table(self) -> Columns:
        """All predictions: item, name, label, prediction, confidence and loss."""
        sheet = required(self._sheet)
        return table.of_predictions(sheet.store, sheet.predictions)

    def options_made_with(self) -> Mapping[str, object]:
        return self.features.given

    def question(self) -> Question | None:
        sheet = self._sheet
        ready = sheet is not None and not self.table_job.busy and not self.features.build_job.busy
        return mistaken_picture(sheet.store, sheet.predictions) if ready and sheet is not None else None

    # -- what is asked for ---------------------------------------------------------------------------------------

    @traitlets.validate("order")
    def _known_order(self, proposal: Any) -> str:
        order: str = proposal["value"]
        if order not in ORDERS:
            raise ValueError(f"There is no order {order!r}; there are {', '.join(ORDERS)}.")
        return order

    def _set(self, name: str, value: Any) -> Job:
        setattr(self, name, value)
        return self.table_job

    def _settings_changed(self, _: Any) -> None:
        self.order_picker.index = list(ORDERS).index(self.order)
        self.filter_picker.index = int(self.only_wrong)
        self.show_pictures()

    def _cell_picked(self, event: CellPicked) -> Job | None:
        known = self.predictions
        if known is None:
            return None
        label, predicted = (None if at is None else self._classes[at] for at in (event.row, event.column))
        items = tuple(map(int, known.cell(label, predicted)))
        if not items:
            self.sheet_line.say(f"There are no {_of_cell(known, label, predicted)}.")
            return None
        if items == self.session.selection:
            self._clear_selection()
            return self.table_job
        self._cell = [-1 if at is None else at for at in (event.row, event.column)], items
        self.session.selection = items
        return self.table_job

    def _tile_picked(self, event: TilePicked) -> Job | None:
        sheet = self._sheet
        if sheet is not None:
            self.session.picture = picture_of(sheet.store, int(sheet.shown[event.index]))
        return self.table_job

    def _select_shown(self) -> None:
        if self._sheet is not None:
            self.session.selection = tuple(map(int, self._sheet.matching))

    def _clear_selection(self) -> None:
        self.session.selection = ()

    # -- work ----------------------------------------------------------------------------------------------------

    def _follow_store(self, _: Any = None) -> None:
        if self.features.store is not None:
            return
        self.table_job.cancel()
        self._sheet, self._cell, self._classes = None, None, []
        self.set_trait("predictions", None)
        self.set_trait("confusion", None)
        self.tiles.show(None)
        self.matrix.show([], np.zeros((0, 0), np.int64))
        show_if(True, self.features)
        for line in (self.summary, self.sheet_line, self.matrix_line):
            line.say("")

    def _features_changed(self, _: FeatureStore) -> None:
        if self.features.has_grown:
            self.refresh()

    def compute(self) -> Job | None:
        try:
            without = self.session.picture is None
            store = self.features.prepare()
            if store is None and without and self.session.picture is not None:  # that was the first picture
                store = self.features.prepare()
        except ExplanationError as error:
            self.table_job.cancel()
            self.fail(error)
            return None
        if store is None:
            return None
        known = self._sheet.predictions if self._sheet is not None and self._sheet.store is store else None
        known = known if known is not None and len(known.items) == len(store) else None
        asked = {"order": self.order, "only_wrong": self.only_wrong, "selection": self.session.selection}
        return self.table_job.start(tabulate(store, self.session.classifier, known, **asked))

    def show_pictures(self) -> Job | None:
        """Show the pictures that are asked for, in order."""
        return None if self.features.store is None else self.refresh()

    def _draw(self, sheet: LabelledSheet) -> None:
        known, self._sheet = sheet.predictions, sheet
        if known is not self.predictions:
            self._draw_matrix(known)
            self.set_trait("confusion", known.confusion)
            self.set_trait("predictions", known)
        cell = self._cell
        chosen = cell is not None and cell[1] == self.session.selection
        self.matrix.selected = cell[0] if cell is not None and chosen else None
        marks = [_mark(known, int(at)) for at in sheet.shown]
        names = [_caption(sheet.store, known, int(at)) for at in sheet.shown]
        self.tiles.show(sheet.thumbnails if len(sheet.shown) else None, names, marks)
        self.tiles.placeholder = "no such pictures"
        self._mark_picture()
        self.sheet_line.say(_count(sheet, self.only_wrong))
        show_if(sheet.store.progress < 1, self.features)
        self.select_button.disabled = not len(sheet.matching)
        self.clear_button.disabled = not self.session.selection
        if not self.features.build_job.busy:
            self.say(f"{len(sheet.store)} pictures.{_left_out(sheet.store)}")

    def _draw_matrix(self, known: Predictions) -> None:
        self._classes, self._cell = known.busiest(CLASSES), None
        self.matrix.show(
            [known.class_names[index] for index in self._classes], known.confusion[np.ix_(self._classes, self._classes)]
        )
        occurring = len(np.union1d(known.labels[known.known], known.predicted[known.known]))
        some = len(self._classes) < occurring
        self.matrix.placeholder = "no picture has a label that is a class of the network"
        said = "Rows are labels, columns what the network says; a click selects these pictures."
        if some:
            said += f" Of {occurring} classes these have the most mistakes."
        self.matrix_line.say(said if self._classes else "")
        show_if(bool(self._classes), self.matrix_line)
        self.summary.say(_summary(known))

    def _mark_picture(self) -> None:
        sheet = self._sheet
        at = None if sheet is None else row_of(sheet.store, self.session.picture)
        shown = [] if sheet is None else sheet.shown.tolist()
        self.tiles.selected = shown.index(at) if at in shown else None


@one_step
def tabulate(
    store: FeatureStore,
    classifier: Any,
    known: Predictions | None,
    *,
    order: str,
    only_wrong: bool,
    selection: tuple[int, ...],
) -> LabelledSheet:
    """The LabelledSheet of the pictures so far; `known` are their predictions, where they were made before."""
    if known is None:
        count = len(store)  # it may grow meanwhile
        known = predictions_of(
            classifier, store.items[:count], store.labels[:count], store.logits[:count], store.class_names
        )
    rows = np.arange(len(known.items))
    if selection:
        rows = rows[np.isin(known.items, selection)]
    selected = len(rows)
    if only_wrong:
        rows = rows[known.wrong[rows]]
    rows = rows[_sorted(known, order)[rows].argsort(kind="stable")]
    shown = rows[:SHOWN].astype(np.intp)
    return LabelledSheet(store, known, shown, store.thumbnails(shown), known.items[rows], selected)


def _sorted(known: Predictions, order: str) -> NDArray[np.float64]:
    """What pictures are sorted by, smallest first, (n,)."""
    if order == "data":
        return np.arange(len(known.items), dtype=np.float64)
    values = known.confidence if order == "least confident" else -known.confidence
    if order == "loss":
        values = -np.nan_to_num(known.loss, nan=-np.inf)  # those without a label come last
    return values.astype(np.float64)


def has_labels(source: Source) -> bool:
    """Whether the pictures of a data set have labels, by its list or else by its first item."""
    if source.labels is not None:
        return bool((source.labels != UNKNOWN).any())
    try:
        return len(source) > 0 and source.item(0)[1] != UNKNOWN
    except PictureError:
        return False


# -- sentences -----------------------------------------------------------------------------------------------------


def _summary(known: Predictions) -> str:
    accuracy, labelled = known.accuracy, int(known.known.sum())
    if accuracy is None:
        said = "No picture has a label, so right and wrong cannot be told; pass labels=, as source_of(data, labels)."
        return f"{known.note} {said}".strip() if not known.note else known.note
    of = f"{labelled:,}" if labelled == len(known.items) else f"{labelled:,} labelled"
    return f"{int(known.right.sum()):,} of {of} pictures right ({percent(accuracy)}). {known.note}".strip()


def _of_cell(known: Predictions, label: int | None, predicted: int | None) -> str:
    of = "" if label is None else f" of {known.class_names[label]}"
    taken = "" if predicted is None else f" that are taken for {known.class_names[predicted]}"
    return f"pictures{of}{taken}"


def _count(sheet: LabelledSheet, only_wrong: bool) -> str:
    total, matching = len(sheet.predictions.items), len(sheet.matching)
    of = f"the {sheet.selected:,} selected" if sheet.selected < total else f"{total:,}"
    what = f"{matching:,} of {of} pictures" + (" are wrong" if only_wrong else "")
    more = f"; the first {len(sheet.shown)} are shown" if len(sheet.shown) < matching else ""
    return f"{what}{more}."


def _mark(known: Predictions, at: int) -> str:
    sure = percent(float(known.confidence[at]))
    if known.right[at]:
        return f"{RIGHT} {sure}"
    name = known.class_names[known.predicted[at]]
    return f"{WRONG} {name} {sure}" if known.wrong[at] else f"{name} {sure}"


def _caption(store: FeatureStore, known: Predictions, at: int) -> str:
    label = known.labels[at]
    return known.class_names[label] if label != UNKNOWN else store.label_name(at) or str(store.names[at])


def _left_out(store: FeatureStore) -> str:
    notes = [] if store.source is None else list(store.source.notes)
    if store.progress < 1:
        notes.append(f"The network has seen {len(store)} of {store.metadata.total}: Go on shows it the rest.")
    if store.skipped:
        notes.append(f"Left out: {len(store.skipped)} unreadable pictures. {next(iter(store.skipped.values()))}")
    return "".join(f" {note}" for note in notes)
