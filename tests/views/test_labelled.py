"""A labelled data set in its tab: marks, the table of mistakes, and what is linked with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import PIL.Image
import pytest
import traitlets
from sklearn.metrics import confusion_matrix

from cnnviz_widgets import demo, explore, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.labelled import RIGHT, WRONG, DataView, has_labels
from cnnviz_widgets.views.neighbours import NeighbourView

from .conftest import NAMES, Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")

_RANDOM = np.random.default_rng(3)
PICTURES = [_RANDOM.integers(0, 80 * (1 + i % 3), (24, 32, 3), dtype=np.uint8) for i in range(40)]
LABELS = [index % 4 for index in range(40)]


@pytest.fixture
def session(classifier: Classifier) -> Session:
    return Session(classifier)


@pytest.fixture
def view(session: Session) -> Any:
    made = DataView(session, source=(PICTURES, LABELS))
    yield made
    made.close()


def answers(classifier: Classifier) -> np.ndarray:
    return np.array([int(Session(classifier, picture).example.predicted) for picture in PICTURES])


def click(view: DataView, row: int, column: int) -> None:
    message = {"kind": "event", "seq": 1, "final": True, "row": row, "column": column}
    view.matrix._receive(None, {**message, "revision": view.matrix.revision}, [])


def cells(view: DataView) -> dict[tuple[int, int], int]:
    count = len(view.matrix.names)
    return {(i // count, i % count): value for i, value in enumerate(view.matrix.counts)}


def test_it_shows_what_the_network_says_of_every_picture(view: DataView, classifier: Classifier) -> None:
    said = answers(classifier)
    np.testing.assert_array_equal(view.confusion, confusion_matrix(LABELS, said, labels=range(4)))
    assert view.predictions is not None and view.predictions.predicted.tolist() == said.tolist()
    right = int((said == LABELS).sum())
    assert f"{right} of 40 pictures right" in view.summary.text and sum(view.matrix.counts) == 40
    assert sum(badge.startswith(RIGHT) for badge in view.tiles.badges) == right
    assert sum(badge.startswith(WRONG) for badge in view.tiles.badges) == 40 - right
    assert list(view.frame().columns) == ["item", "name", "label", "prediction", "confidence", "loss"]
    assert view.frame().label.tolist() == [NAMES[label] for label in LABELS]


def test_results_are_only_set_by_the_view(view: DataView) -> None:
    for name in ("predictions", "confusion"):
        with pytest.raises(traitlets.TraitError, match="read-only"):
            setattr(view, name, None)


def test_a_click_on_a_cell_selects_its_pictures_and_a_second_lets_go(view: DataView, classifier: Classifier) -> None:
    said = answers(classifier)
    (row, column), count = next((cell, n) for cell, n in cells(view).items() if n and cell[0] != cell[1])
    label, taken = (NAMES.index(view.matrix.names[at]) for at in (row, column))
    click(view, row, column)
    wanted = [i for i in range(40) if LABELS[i] == label and said[i] == taken]
    assert list(view.session.selection) == wanted and len(wanted) == count == view.tiles.count
    assert view.matrix.selected == [row, column] and f"{count} of the {count} selected" in view.sheet_line.text
    click(view, row, column)
    assert view.session.selection == () and view.matrix.selected is None and view.tiles.count == 40


def test_a_header_selects_a_row_or_a_column_and_an_empty_cell_says_so(view: DataView) -> None:
    click(view, 0, -1)
    assert [LABELS[i] for i in view.session.selection] == [NAMES.index(view.matrix.names[0])] * 10
    before = view.session.selection
    empty = next((cell for cell, count in cells(view).items() if not count), None)
    assert empty is not None
    click(view, *empty)
    assert view.session.selection == before and "There are no pictures of" in view.sheet_line.text


@pytest.mark.parametrize("order", ["loss", "most confident", "least confident", "data"])
def test_pictures_are_sorted(view: DataView, order: str) -> None:
    view.order = order
    known, sheet = view.predictions, view._sheet
    assert known is not None and sheet is not None
    values = {
        "loss": -known.loss,
        "most confident": -known.confidence,
        "least confident": known.confidence,
        "data": known.items,
    }[order][sheet.shown]
    assert (np.diff(values) >= 0).all() and len(values) == 40


def test_only_the_wrong_ones(view: DataView) -> None:
    view.only_wrong = True
    assert view.filter_picker.index == 1 and view.tiles.count == int(view.predictions.wrong.sum())
    assert all(badge.startswith(WRONG) for badge in view.tiles.badges)
    view.select_button.click()
    assert set(view.session.selection) == set(view.predictions.items[view.predictions.wrong])
    view.clear_button.click()
    assert view.session.selection == () and view.clear_button.disabled


def test_a_picture_is_looked_at_and_marked(view: DataView) -> None:
    item = int(view._sheet.shown[3])
    message = {"kind": "event", "seq": 1, "final": True, "name": "picked", "index": 3, "modifiers": []}
    view.tiles._receive(None, {**message, "revision": view.tiles.revision}, [])
    assert np.array_equal(np.asarray(view.session.picture.image), PICTURES[item]) and view.tiles.selected == 3
    view.session.picture = PICTURES[0]
    assert view.tiles.selected is None


def test_unknown_orders_are_refused(view: DataView) -> None:
    with pytest.raises(ValueError, match="There is no order 'colour'"):
        view.order = "colour"


def test_map_and_neighbours_share_the_pass_and_the_selection(session: Session, network: Counting) -> None:
    source = source_of((PICTURES, LABELS))
    view = DataView(session, source=source)
    calls = network.calls
    near, chart = NeighbourView(session, source=source), EmbeddingView(session, source=source)
    assert near.store is view.features.store is chart.store
    assert network.calls - calls <= 2, "only the picture that is looked at"
    view.only_wrong = True
    view.select_button.click()
    assert len(chart.details.rows) == len(view.session.selection)
    chart._select((1, 2, 5))
    view.only_wrong = False
    assert sorted(view._sheet.matching) == [1, 2, 5]
    for panel in (view, near, chart):
        panel.close()


def test_another_network_is_asked_anew(view: DataView, session: Session) -> None:
    before = view.predictions
    session.classifier = Classifier(Counting(), class_names=["bee", "ant", "dog", "x"], input_size=(24, 32))
    assert view.predictions is not None and view.predictions is not before and not view.error


def test_names_of_labels_are_matched_and_said(session: Session) -> None:
    names = ["dog", "bee", "ant", "wasp"]
    view = DataView(session, source=source_of((PICTURES, LABELS), class_names=names))
    assert "the network has no class for wasp" in view.summary.text and "30 labelled pictures" in view.summary.text
    assert view.predictions.labels.tolist() == [[3, 1, 0, -1][label] for label in LABELS]
    view.close()


def test_nothing_is_opened_empty_without_a_sentence(classifier: Classifier, session: Session, tmp_path: Path) -> None:
    assert "There is no data set" in DataView(classifier).status.text
    view = DataView(session, source=PICTURES)
    assert "No picture has a label" in view.summary.text and view.tiles.count == 40
    view.only_wrong = True
    assert view.tiles.count == 0 and view.tiles.placeholder == "no such pictures" and "0 of 40" in view.sheet_line.text
    numbers = Classifier(Counting(), input_size=(24, 32), scores="none")
    assert "gives no classes of which one is right" in DataView(numbers, source=(PICTURES, LABELS)).error
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(b"no picture")
    assert DataView(classifier, source=tmp_path).error


def test_a_pass_that_is_stopped_keeps_what_it_has_and_goes_on(
    classifier: Classifier, network: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Stepping()
    monkeypatch.setattr(schedule.latest, "current_executor", lambda: steps)
    view = DataView(classifier, source=(PICTURES, LABELS))
    while view.predictions is None:
        steps.work(1)
    assert len(view.predictions.items) == 32 and view.features.build_job.busy
    view.features.stop_button.click()
    steps.work()
    assert len(view.predictions.items) == 32 and "of 32 pictures right" in view.summary.text
    calls = network.calls
    view.features.build_button.click()
    steps.work()
    assert len(view.predictions.items) == 40 and network.calls == calls + 1, "only those that were left"
    assert not view.features.build_job.busy and view.progress == 1
    view.close()


def test_unreadable_pictures_are_named_and_left_out(classifier: Classifier, tmp_path: Path) -> None:
    for index in range(6):
        inner = tmp_path / NAMES[0 if index % 2 else 3]
        inner.mkdir(exist_ok=True)
        PIL.Image.fromarray(PICTURES[index]).save(inner / f"{index}.png")
    (tmp_path / NAMES[0] / "bad.png").write_bytes(b"no picture")
    app = explore(classifier, tmp_path)
    view: Any = app.open_tab("Data")
    assert "Left out: 1 unreadable pictures" in view.status.text and "bad.png" in view.status.text
    assert sum(view.matrix.counts) == 6 and "by their names" in view.summary.text
    app.close()


def test_a_data_frame_of_paths_and_labels_opens_with_the_tab(classifier: Classifier, tmp_path: Path) -> None:
    paths = []
    for index in range(8):
        paths.append(str(tmp_path / f"{index}.png"))
        PIL.Image.fromarray(PICTURES[index]).save(paths[-1])
    frame = pandas.DataFrame({"path": paths, "label": ["dog", "ant"] * 4}, index=range(100, 108))
    app = explore(classifier, frame)
    assert app.tabs.titles[-1] == "Data"
    view: Any = app.open_tab("Data")
    assert view.frame().label.tolist() == ["dog", "ant"] * 4
    app.close()


def test_the_tab_is_there_where_pictures_have_labels(classifier: Classifier) -> None:
    class Items:
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> Any:
            return PICTURES[index], index % 4

    labelled = {"pair": (PICTURES, LABELS), "items": Items(), "shapes": demo.shapes(6)}
    for name, source in labelled.items():
        assert has_labels(source_of(source)), name
        assert explore(classifier, source).tabs.titles[-1] == "Data"
    for source in (PICTURES, (PICTURES, [-1] * 40), []):
        assert not has_labels(source_of(source))
    assert "Data" not in explore(classifier, PICTURES[:3]).tabs.titles
