"""EmbeddingView: a map that moves and rests, what a lasso says, and how it warns of misreading."""

from __future__ import annotations

import base64
import csv
import gc
import io
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.cluster import distinctions, inside
from cnnviz_widgets.collection.projection import PCA, TSNE, Embedding, Projection, trustworthiness
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import MissingExtra, TargetError
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.parts import embedding_canvas, mapping, scatter
from cnnviz_widgets.views.parts.loss_curve import LossCurve
from cnnviz_widgets.views.parts.palette import color_of, small_map
from cnnviz_widgets.views.parts.perplexity_grid import PerplexityGrid
from cnnviz_widgets.views.parts.scatter import LargeMap, SmallMap, extent_of, normalise
from cnnviz_widgets.widgets.pace import FrameAcknowledger

from .conftest import NAMES, Counting

PICTURES = np.random.default_rng(1).integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)
PICTURES[::2] //= 4
LABELS = np.arange(40) % 2
SOURCE = source_of((PICTURES, LABELS), class_names=NAMES[2:])
SHORT = TSNE(perplexity=5, early_iterations=20, iterations=20)


@pytest.fixture
def store(classifier: Classifier) -> FeatureStore:
    return FeatureStore.build(classifier, SOURCE)


@pytest.fixture
def every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "INTERVAL", 0)
    monkeypatch.setattr(FrameAcknowledger, "patience", 0)


def view_of(classifier: Classifier, store: FeatureStore, **options: Any) -> EmbeddingView:
    return EmbeddingView(classifier, store=store, techniques=[SHORT, PCA()], **options)


def lasso(view: EmbeddingView, rows: list[int]) -> None:
    """As the browser tells the kernel of it."""
    assert isinstance(view.points, SmallMap)
    view.points.points.set_state({"selected": rows})


@pytest.mark.usefixtures("inline", "every_frame")
def test_the_map_moves_until_it_rests(
    classifier: Classifier, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    moves = SmallMap.move

    class Watched(SmallMap):
        def move(self, positions: np.ndarray) -> None:
            seen.append(positions)
            moves(self, positions)

    monkeypatch.setattr(embedding_canvas, "point_map", Watched)
    view = view_of(classifier, store)
    assert len(seen) >= 4 and view.status.kind == "info", view.status.text
    assert view.embedding is not None and view.embedding.progress == 1
    expected = SHORT(store.features).positions
    np.testing.assert_array_equal(view.embedding.positions, expected)
    np.testing.assert_allclose(seen[-1], normalise(expected, extent_of(expected)))
    assert view.trustworthiness == pytest.approx(trustworthiness(store.features, expected))
    assert f"{view.trustworthiness:.3f}" in view.canvas.trustworthiness_line.text and "seed 0" in view.status.text
    assert list(view.loss_curve.curve.x)[-1] == 40 and len(view.loss_curve.curve.y) >= 4


@pytest.mark.usefixtures("inline")
def test_a_lasso_sets_the_sessions_selection_and_says_what_it_is(classifier: Classifier, store: FeatureStore) -> None:
    session = Session(classifier)
    view = EmbeddingView(session, store=store, techniques=[PCA()])
    rows = [0, 2, 4, 7]
    lasso(view, rows)
    assert session.selection == (0, 2, 4, 7)
    np.testing.assert_array_equal(view.details.rows, rows)
    assert "4 of 40 pictures selected" in view.details.summary.text
    assert f"({NAMES[2]}: 3 of 20; dog: 1 of 20)" in view.details.summary.text
    assert view.details.sheet.sheet == store.thumbnails(rows).tobytes()
    assert view.details.distinctions == distinctions(store.features, np.array(rows))
    channel = view.details.distinctions[0].channel
    option = view.details.channels.options[0]
    assert view.details.channels.placeholder == "choose a channel"
    assert option.startswith(f"{channel} of body.3: ")
    view.session.layer = "body.0"
    view.details.channels._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 0, "option": option}, [])
    assert (session.layer, session.channel) == ("body.3", channel)
    lasso(view, [])
    assert session.selection == () and view.details.sheet.count == 0
    assert view.details.channels.placeholder == "no selection"
    session.selection = [5, 6]
    assert view.points is not None and view.points.selected.tolist() == [5, 6]
    assert "2 of 40 pictures" in view.details.summary.text


@pytest.mark.usefixtures("inline")
def test_each_lasso_is_a_new_selection(classifier: Classifier, store: FeatureStore) -> None:
    view = view_of(classifier, store)
    assert isinstance(view.points, SmallMap)
    first = view.points.figure.interaction
    lasso(view, [1, 2])
    assert view.points.figure.interaction is not first  # bqplot's would add the next one to the last
    lasso(view, [3])
    assert view.session.selection == (3,)


@pytest.mark.usefixtures("inline")
def test_the_selection_is_a_table_with_a_name_and_a_csv_file(classifier: Classifier, store: FeatureStore) -> None:
    view = view_of(classifier, store)
    lasso(view, [3, 1])
    view.details.name.value = "=cmd|'<b>x</b>"
    table = view.table
    assert list(table["item"]) == [1, 3] and list(table["label_name"]) == ["dog", "dog"]
    assert set(table["selection"]) == {"=cmd|'<b>x</b>"}
    link = view.details.link.value
    assert 'download="cmd_b_x_b.csv"' in link and "<b>" not in link
    text = base64.b64decode(link.split("base64,")[1].split('"')[0]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 3 and rows[1][-1] == "'=cmd|'<b>x</b>"


@pytest.mark.usefixtures("inline")
def test_pointing_shows_the_picture_and_a_click_makes_it_the_sessions(
    classifier: Classifier, store: FeatureStore
) -> None:
    view = view_of(classifier, store)
    assert isinstance(view.points, SmallMap)
    view.points.points.set_state({"hovered_point": 7})
    assert view.canvas.hovered.sheet == store.thumbnails([7]).tobytes() and view.canvas.hovered.labels == ["dog"]
    for row in (7, 12):
        view.points.points._handle_custom_msgs(None, {"event": "element_click", "data": {"index": row}})
    assert view.session.picture.name == "item 12"
    np.testing.assert_allclose([view.points.cross.x[0], view.points.cross.y[0]], view.points.positions[12])
    distance = np.linalg.norm(store.features[7] - store.features[12])
    assert f"euclidean {distance:.3g}" in view.canvas.pair_line.text and "item 7 (dog)" in view.canvas.pair_line.text


@pytest.mark.usefixtures("inline")
def test_a_new_picture_lands_on_the_map(classifier: Classifier, store: FeatureStore, picture: np.ndarray) -> None:
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    view.session.picture = picture
    assert isinstance(view.points, SmallMap) and view.embedding is not None
    placed = PCA()(store.features).place(store.features_of(classifier, classifier.pixels(picture)))
    expected = normalise(placed, extent_of(view.embedding.positions))[0]
    np.testing.assert_allclose([view.points.cross.x[0], view.points.cross.y[0]], expected, atol=1e-6)


@pytest.mark.usefixtures("inline")
def test_a_click_while_another_layer_is_built_opens_the_picture_that_is_drawn(classifier: Classifier) -> None:
    clicked: list[str] = []

    class Watched:
        def __len__(self) -> int:
            return 40

        def __getitem__(self, index: int) -> np.ndarray:
            if index == 35 and view is not None and not clicked:
                assert view.store is not None and len(view.store) == 32 and view.store.layer == "body.0"
                clicked.append("")
                view.points.points._handle_custom_msgs(None, {"event": "element_click", "data": {"index": 38}})
                clicked[0] = view.session.picture.name
            return PICTURES[index]

    view: Any = None
    view = EmbeddingView(classifier, source=Watched(), techniques=[PCA()])
    view.session.layer = "body.0"
    view.features.build_button.click()
    assert clicked == ["item 38"]
    lasso(view, [39])
    view.features.set_trait("store", FeatureStore.build(classifier, PICTURES[:5]))  # as when another was just built
    content = {"kind": "event", "seq": 1, "name": "picked", "final": True, "index": 0, "modifiers": []}
    view.details.sheet._receive(None, {**content, "revision": view.details.sheet.revision}, [])
    assert view.session.picture.name == "item 39"


@pytest.mark.usefixtures("inline")
def test_nothing_of_the_old_network_stays_on_screen(classifier: Classifier, network: Counting) -> None:
    away: list[bool] = []

    class Moved:
        def __len__(self) -> int:
            return 40

        def __getitem__(self, index: int) -> np.ndarray:
            if away:
                raise OSError("no such file")
            return PICTURES[index]

    view: Any = EmbeddingView(classifier, source=Moved(), techniques=[SHORT])
    view.grid.button.click()
    lasso(view, [1, 2])
    for row in (3, 4):
        view.points.points._handle_custom_msgs(None, {"event": "element_click", "data": {"index": row}})
    before = view.points
    assert view.grid.tiles.count and view.details.sheet.count == 2 and "true cosine" in view.canvas.pair_line.text
    away.append(True)
    view.session.classifier = Classifier(network, input_size=(24, 32))
    assert view.status.kind == "error" and view.store is None
    assert view.embedding is None and view.trustworthiness is None
    assert view.points is None and view.canvas.points_box.children == ()
    assert before is not None and before.comm is None
    assert view.canvas.trustworthiness_line.text == "" and "true cosine" not in view.canvas.pair_line.text
    assert not view.loss_curve.children
    assert view.grid.tiles.count == 0 and view.grid.button.disabled and view.map_button.disabled
    assert view.details.sheet.count == 0 and view.details.table == {} and view.canvas.hovered.count == 0
    away.clear()
    view.features.build_button.click()
    assert view.embedding is not None and view.points is not None and view.canvas.points_box.children == (view.points,)
    assert view.details.sheet.count == 2 and not view.grid.button.disabled


@pytest.mark.usefixtures("inline")
def test_a_map_of_weights_that_are_gone_is_made_anew(classifier: Classifier, network: Counting) -> None:
    view = EmbeddingView(classifier, source=SOURCE, techniques=[PCA()])
    with torch.no_grad():
        network.body[0].weight += 0.1
    view.session.picture = PICTURES[3]
    store = FeatureStore.build(classifier, SOURCE)
    assert view.embedding is not None and view.status.kind == "info", view.status.text
    np.testing.assert_array_equal(view.embedding.positions, PCA()(store.features).positions)


@dataclass(frozen=True)
class Gated(Projection):
    """Waits before its second step; can be gone on with."""

    label: ClassVar[str] = "gated"
    gate: Any = None
    seed: int = 0

    def steps(self, features: np.ndarray, start: Embedding | None = None) -> Iterator[Embedding]:
        first = 1 if start is None else start.iteration + 1
        for iteration in range(first, 4):
            if iteration == 2 and start is None:
                self.gate.began.set()
                assert self.gate.wait(30)
            yield Embedding(features[:, :2] * iteration, iteration, 3, 1 / iteration, lambda vectors: vectors[:, :2])


@pytest.mark.usefixtures("every_frame")
def test_a_stopped_map_is_gone_on_with(classifier: Classifier, store: FeatureStore) -> None:
    gate: Any = threading.Event()
    gate.began = threading.Event()
    view = EmbeddingView(classifier, store=store, techniques=[Gated(gate)])
    assert gate.began.wait(30) and view.go_on_button.disabled
    view.stop_button.click()
    gate.set()
    assert schedule.WORKER.drain(30)
    assert view.embedding is not None and view.embedding.iteration == 1 and view.trustworthiness is not None
    assert not view.go_on_button.disabled and view.stop_button.disabled
    view.go_on_button.click()
    assert schedule.WORKER.drain(30)
    assert view.embedding.iteration == 3 and view.go_on_button.disabled
    assert list(view.loss_curve.curve.x) == [1, 2, 3]
    view.close()


@pytest.mark.usefixtures("every_frame")
def test_a_map_under_way_is_said_to_be_whatever_else_is_drawn(classifier: Classifier, store: FeatureStore) -> None:
    gate: Any = threading.Event()
    gate.began = threading.Event()
    said: list[str] = []
    view = EmbeddingView(classifier, store=store, techniques=[PCA(), Gated(gate)])
    assert schedule.WORKER.drain(30) and view.status.text.startswith("PCA of 40")
    view.status.observe(lambda change: said.append(change["new"]), names="text")
    view.session.picture = PICTURES[3]
    view.technique = "gated"
    assert gate.began.wait(30)
    view.stop_button.click()
    view.choice.replace(Gated(None, seed=5))  # not those with which the map was begun
    gate.set()
    assert schedule.WORKER.drain(30)
    begun = said.index("gated of 40 pictures ...")
    assert not any(text.startswith("PCA") for text in said[begun:]) and "seed 0" in view.status.text
    view.go_on_button.click()
    assert schedule.WORKER.drain(30)
    assert view.embedding is not None and view.embedding.iteration == 3 and "seed 0" in view.status.text
    view.close()


@pytest.mark.usefixtures("inline")
def test_parameters_wait_for_compute(classifier: Classifier, store: FeatureStore) -> None:
    view = view_of(classifier, store)
    before = view.embedding
    controls = {control.description: control for control in view.choice.controls.children}
    assert {"perplexity", "exaggeration", "seed", "start"} <= set(controls)
    seed = controls["seed"]
    seed._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 3, "option": "3"}, [])
    assert view.embedding is before and view.technique.seed == 3  # type: ignore[attr-defined]
    view.map_button.click()
    assert view.embedding is not before and "seed 3" in view.status.text
    view.technique = PCA()
    assert "PCA of 40 pictures" in view.status.text and "of the variance" in view.status.text
    with pytest.raises(ValueError, match="Gated is none of them"):
        view.technique = Gated()


@pytest.mark.usefixtures("inline")
def test_the_line_tells_of_the_map_that_is_drawn(classifier: Classifier, store: FeatureStore) -> None:
    class Missing(PCA):
        label = "UMAP"

        def steps(self, features: np.ndarray, start: Embedding | None = None) -> Iterator[Embedding]:
            raise MissingExtra("UMAP needs another package.")
            yield

    view = EmbeddingView(classifier, store=store, techniques=[SHORT, Missing()])
    seed = next(control for control in view.choice.controls.children if control.description == "seed")
    seed._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 3, "option": "3"}, [])
    view.session.picture = PICTURES[3]
    assert "seed 0" in view.status.text
    view.technique = "UMAP"
    assert view.status.kind == "error" and "another package" in view.status.text
    view.session.picture = PICTURES[4]
    assert view.status.text.startswith(f"{view.answer} t-SNE of 40") and "seed 0" in view.status.text


@pytest.mark.usefixtures("inline")
def test_small_maps_of_several_perplexities(classifier: Classifier, store: FeatureStore) -> None:
    view = view_of(classifier, store)
    view.grid.button.click()
    assert view.grid.tiles.count == 2 and view.grid.tiles.labels == ["perplexity 5", "perplexity 13"]
    content = {"kind": "event", "seq": 1, "name": "picked", "final": True, "index": 1, "modifiers": []}
    view.grid.tiles._receive(None, {**content, "revision": view.grid.tiles.revision}, [])
    assert view.technique == TSNE(perplexity=13, early_iterations=20, iterations=20)
    assert isinstance(view.grid, PerplexityGrid)


@pytest.mark.usefixtures("inline")
def test_it_builds_what_it_needs_and_says_what_is_missing(classifier: Classifier, picture: np.ndarray) -> None:
    view = EmbeddingView(classifier, source=SOURCE, techniques=[PCA()])
    assert view.store is not None and view.embedding is not None and len(view.embedding.positions) == 40
    view.session.layer = "body.0"
    assert "features of body.3" in view.status.text and not view.features.build_button.disabled
    view.features.build_button.click()
    assert view.store.layer == "body.0" and "features of body.0" in view.status.text
    view = EmbeddingView(classifier, picture)
    assert view.status.kind == "error" and "source=" in view.status.text
    view = EmbeddingView(classifier, source=PICTURES[:3], techniques=[PCA()])
    assert view.status.kind == "error" and "at least 4 pictures" in view.status.text


@pytest.mark.usefixtures("inline")
def test_many_points_are_drawn_by_jupyter_scatter(
    classifier: Classifier, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scatter, "SVG_POINTS", 20)
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    points = view.points
    assert isinstance(points, LargeMap)
    np.testing.assert_allclose(points.drawing.points[:, :2], points.positions)
    polygon = np.array([[-1, -1], [0.2, -1], [0.1, 0.6], [-1, 0.2]], np.float32)
    points.drawing.set_trait("lasso_selection_polygon", polygon)
    expected = np.flatnonzero(inside(polygon, points.positions))
    assert 0 < len(expected) < 40 and view.session.selection == tuple(expected)
    # The click in which a lasso may end is none; a later one is.
    points.drawing.selection = np.array([3], np.uint32)
    assert view.session.picture.name == "item 0" and view.session.selection == tuple(expected)
    points._lasso_ended = float("-inf")
    points.drawing.selection = np.array([4], np.uint32)
    assert view.session.picture.name == "item 4"
    points.drawing.hovering = 9
    assert view.canvas.hovered.sheet == store.thumbnails([9]).tobytes()
    points.drawing.selection = np.zeros(0, np.uint32)
    assert view.session.selection == ()


@pytest.mark.usefixtures("inline")
def test_without_jupyter_scatter_the_sentence_names_it(
    classifier: Classifier, store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(scatter, "SVG_POINTS", 20)
    monkeypatch.setitem(sys.modules, "jscatter", None)
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    assert view.status.kind == "error" and "pip install" in view.status.text and "jupyter-scatter" in view.status.text


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("most", [20, 3000])
def test_a_map_leaves_no_widget_behind(
    classifier: Classifier, store: FeatureStore, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(scatter, "SVG_POINTS", most)
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    positions = np.zeros((40, 2), np.float32)
    known: Any = ipywidgets.widgets.widget._instances
    before = set(known)
    callbacks: Any = dict.fromkeys(("on_lasso", "on_hover", "on_click"), lambda _: None)
    points = scatter.point_map(view, LABELS, positions, **callbacks)
    points.select(np.array([1]))
    for index in (0, 1, 0, 0):
        points._set_mode(index)
    assert len(set(known) - before) > 5
    points.close()
    assert set(known) == before
    descent = LossCurve()
    descent.add(1, 2.0)
    descent.close()
    assert set(known) == before


@pytest.mark.usefixtures("inline")
def test_a_closed_view_leaves_nothing_that_calls_it(classifier: Classifier, store: FeatureStore) -> None:
    known: Any = ipywidgets.widgets.widget._instances
    before = set(known)
    view = EmbeddingView(Session(classifier), store=store, techniques=[PCA()])
    view.compute_map()
    view.close()
    assert set(known) == before


def test_colours_and_small_maps() -> None:
    colors = [color_of(group) for group in range(-1, 60)]
    assert len(set(colors)) == len(colors) and all(len(color) == 7 for color in colors)
    picture = small_map(np.array([[-1, 1], [1, -1]], np.float32), [0, 1], 50)
    dark = np.argwhere((picture != 255).any(axis=2))
    assert len(dark) == 18 and dark.min() < 5 and dark.max() > 45
    assert (dark[dark[:, 0] < 25][:, 1] < 25).all()  # the first point is at the top left


@pytest.mark.usefixtures("inline")
def test_a_closed_view_is_let_go(classifier: Classifier, store: FeatureStore) -> None:
    view = EmbeddingView(Session(classifier), store=store, techniques=[PCA()])
    view.close()
    gone = weakref.ref(view)
    del view
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        (None, []),
        ([3, 1, 3], [1, 3]),
        (np.array([2, 0], np.int32), [0, 2]),
        ([1.0, 2.0], [1, 2]),
        ([-3, 1], [1]),
        ([5.7, 2.0], [2]),
        ([5, 4], [4]),
        ([float("nan"), float("inf"), 0.0], [0]),
        ([10**400], []),
        (["1"], []),
        ([True], []),
        ([None, 1], []),
        ([[1], [2]], []),
        ({"a": 1}, []),
        (7, []),
        ("123", []),
    ],
)
def test_of_what_a_page_selects_only_rows_are_taken(sent: object, rows: list[int]) -> None:
    assert scatter.rows_of(sent, 5).tolist() == rows


@pytest.mark.parametrize(
    "sent",
    [None, 3, [[0, 0], [1, 1]], [[0, 0], [1, 1], [2]], [[0, 0, 0]] * 3, [[0, 0], [1, float("nan")], [1, 2]], "abc"],
)
def test_what_is_no_polygon_is_no_lasso(sent: object) -> None:
    assert scatter._polygon(sent) is None
    assert scatter._polygon([[0, 0], [1, 1], [0, 1]]) is not None


@pytest.mark.usefixtures("inline")
def test_a_name_of_megabytes_is_cut(classifier: Classifier, store: FeatureStore) -> None:
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    view.compute_map()
    view.session.selection = [0, 1]
    view.details.name.value = "x" * 10**6
    assert len(view.details.link.value) < 2000
    assert {len(str(name)) for name in view.details.table["selection"]} == {100}
    view.close()


@pytest.mark.usefixtures("inline")
def test_a_picture_unlike_anything_here_is_said_to_be(classifier: Classifier, store: FeatureStore) -> None:
    view = EmbeddingView(classifier, store=store, techniques=[PCA()])
    assert "unlike" not in view.status.text
    view.session.picture = 50 * torch.randn(3, 24, 32, generator=torch.Generator().manual_seed(0))
    assert "unlike anything here" in view.status.text
    view.session.picture = PICTURES[4]
    assert "unlike" not in view.status.text
    view.session.picture = torch.full((3, 24, 32), 90.0)
    assert "unlike anything here" in view.status.text


@dataclass(frozen=True)
class Importing(Projection):
    """Its first step imports for as long as it is not let."""

    label: ClassVar[str] = "slow"
    library: ClassVar[str] = "a_library_that_nobody_has_imported"
    gate: Any = None

    def steps(self, features: np.ndarray, start: Embedding | None = None) -> Iterator[Embedding]:
        self.gate.began.set()
        assert self.gate.wait(30)
        yield Embedding(features[:, :2], 1, 1, float("nan"), lambda vectors: vectors[:, :2])


def test_an_import_is_said_before_and_holds_nobody_up(classifier: Classifier, store: FeatureStore) -> None:
    gate: Any = threading.Event()
    gate.began = threading.Event()
    view = EmbeddingView(classifier, store=store, techniques=[Importing(gate), PCA()])
    assert gate.began.wait(30)
    assert view.status.text == "preparing slow (once, this can take a minute) ..." and view.status.kind == "busy"
    assert not view.stop_button.disabled and view.embedding is None
    other = EmbeddingView(classifier, store=store, techniques=[PCA()])
    rested = threading.Event()
    other.canvas.trustworthiness_line.observe(
        lambda change: "is measured" in change["new"] or rested.set(), names="text"
    )
    other.compute_map()
    assert rested.wait(30) and other.trustworthiness is not None
    view.stop_button.click()
    assert view.status.text == "stopped." and view.stop_button.disabled
    view.technique = "PCA"  # left meanwhile
    gate.set()
    assert schedule.WORKER.drain(30)
    assert view.embedding is not None and view.status.text.startswith("PCA of 40")
    for each in (view, other):
        each.close()


@pytest.mark.usefixtures("inline")
def test_targets_that_are_no_labels_are_said_and_the_map_is_coloured_by_predictions(classifier: Classifier) -> None:
    source = source_of((PICTURES, np.linspace(0, 1, 40)))
    view = EmbeddingView(classifier, source=source, techniques=[PCA()])
    assert view.points is not None and view.store is not None
    np.testing.assert_array_equal(view.points.groups, view.store.logits.argmax(axis=1))
    assert "coloured by the predicted class" in view.status.text and "fractions and no classes" in view.status.text
    lasso(view, [1, 2])
    assert "no label" not in view.details.summary.text


@pytest.mark.usefixtures("inline")
def test_the_selection_is_one_with_the_sessions(classifier: Classifier, store: FeatureStore) -> None:
    session = Session(classifier, selection=[8])
    first, second = (EmbeddingView(session, store=store, techniques=[PCA()]) for _ in range(2))
    assert first.selection == second.selection == (8,)
    heard: list[tuple[int, ...]] = []
    first.observe(lambda change: heard.append(change["new"]), names="selection")
    second.selection = [1, 2]
    assert first.selection == second.selection == session.selection == (1, 2) and heard == [(1, 2)]
    assert first.points is not None and first.points.selected.tolist() == [1, 2]
    lasso(first, [4])
    assert second.selection == (4,) and heard == [(1, 2), (4,)]
    with pytest.raises(TargetError):
        first.selection = ["a"]
    assert first.selection == second.selection == session.selection == (4,)
    first.close()
    session.selection = [5]
    assert second.selection == (5,) and first.selection == (4,)


@pytest.mark.usefixtures("inline")
def test_results_can_be_observed_and_not_set(classifier: Classifier, store: FeatureStore) -> None:
    view = EmbeddingView(classifier, source=SOURCE, techniques=[PCA(), SHORT])
    seen: list[str] = []
    view.observe(lambda change: seen.append(change["name"]), names=["embedding", "trustworthiness", "store"])
    view.technique = "t-SNE"
    assert {"embedding", "trustworthiness"} <= set(seen) and "store" not in seen
    view.session.layer = "body.0"
    view.features.build()
    assert "store" in seen and view.store is view.features.store
    for name in ("embedding", "trustworthiness", "store"):
        with pytest.raises(traitlets.TraitError):
            setattr(view, name, None)


@pytest.mark.usefixtures("inline")
def test_old_names_warn(classifier: Classifier, store: FeatureStore) -> None:
    with pytest.warns(DeprecationWarning, match="methods=.* is now techniques="):
        view = EmbeddingView(classifier, store=store, methods={"PCA": PCA(), "t-SNE": SHORT})
    for old, new in (("map", "embedding"), ("trust", "trustworthiness"), ("projection", "technique")):
        with pytest.warns(DeprecationWarning, match=f"`{old}` is now `{new}`"):
            assert getattr(view, old) is getattr(view, new)
    with pytest.warns(DeprecationWarning, match="argument 3.* is now source="):
        assert EmbeddingView(classifier, None, SOURCE, techniques=[PCA()]).source is SOURCE


@pytest.mark.usefixtures("inline")
def test_what_is_chosen_behind_another_tab_is_mapped_on_return(classifier: Classifier, store: FeatureStore) -> None:
    view = EmbeddingView(classifier, store=store, techniques=[PCA(), SHORT])
    before = view.embedding
    view.active = False
    view.technique = "t-SNE"
    assert view.embedding is before
    view.active = True
    assert view.status.text.startswith(f"{view.answer} t-SNE of 40") and view.embedding is not before
    before = view.embedding
    for same in (SHORT, "t-SNE"):
        view.technique = same
        assert view.embedding is not before  # from the start
        before = view.embedding


def test_features_are_built_on_behind_another_tab_and_mapped_on_return(classifier: Classifier) -> None:
    gate, began = threading.Event(), threading.Event()

    class Slow:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> np.ndarray:
            if index == 70:
                began.set()
                assert gate.wait(30)
            return PICTURES[index % 40]

    view = EmbeddingView(classifier, source=Slow(), techniques=[PCA()])
    assert began.wait(30)
    view.active = False
    gate.set()
    assert schedule.WORKER.drain(30)
    assert view.store is not None and view.store.progress == 1 and view.embedding is None
    view.active = True
    assert schedule.WORKER.drain(30)
    assert view.embedding is not None and len(view.embedding.positions) == 100
    view.close()


def test_features_that_were_stopped_are_mapped_when_asked_for(classifier: Classifier) -> None:
    gate, began = threading.Event(), threading.Event()

    class Slow:
        def __len__(self) -> int:
            return 400

        def __getitem__(self, index: int) -> np.ndarray:
            if index == 100:
                began.set()
                assert gate.wait(30)
            return PICTURES[index % 40]

    view = EmbeddingView(classifier, source=Slow(), techniques=[PCA()])
    assert began.wait(30) and not view.features.stop_button.disabled and view.stop_button.disabled
    view.features.stop_button.click()
    gate.set()
    assert schedule.WORKER.drain(30)
    assert view.store is not None and 0 < len(view.store) < 400 and view.embedding is None
    view.map_button.click()
    assert schedule.WORKER.drain(30)
    assert view.embedding is not None and len(view.embedding.positions) == len(view.store)
    assert f"Only {len(view.store)} of 400 pictures" in view.status.text and view.features.stop_button.disabled
    view.close()
