"""NeighbourView: the pictures it finds, the features it builds, and what it says where there are none."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
import traitlets
from sklearn.neighbors import NearestNeighbors

from cnnviz_widgets import demo, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.parts import embedded
from cnnviz_widgets.views.parts.data_set import picture_at, register
from cnnviz_widgets.views.patches import PatchView

from .conftest import Counting

PICTURES = np.random.default_rng(1).integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)
LABELS = np.arange(40) % 4
SOURCE = source_of(PICTURES, LABELS, ["ant", "bee", "<script>alert(1)</script>", "dog"])


def press(tiles: object, index: int) -> None:
    content = {"kind": "event", "seq": 1, "name": "picked", "final": True, "index": index, "modifiers": []}
    tiles._receive(None, {**content, "revision": tiles.revision}, [])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_it_shows_scikit_learns_neighbours(classifier: Classifier, picture: np.ndarray, metric: str) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE, metric=metric, k=6)  # type: ignore[arg-type]
    assert view.neighbours is not None and view.store is not None and view.status.kind == "info", view.status.text
    query = view.store.features_of(classifier, classifier.pixels(picture))
    fitted = NearestNeighbors(n_neighbors=6, metric=metric, algorithm="brute").fit(view.store.features)
    distances, rows = fitted.kneighbors(query)
    np.testing.assert_array_equal(view.neighbours.features.rows, rows[0])
    np.testing.assert_allclose(view.neighbours.features.distances, distances[0], atol=1e-5)
    assert view.near.labels == [SOURCE.class_names[LABELS[row]] for row in rows[0]]  # type: ignore[index]
    assert len(view.near.badges) == 6 and view.near.count == view.near_pixels.count == 6
    assert view.near.sheet == view.store.thumbnails(rows[0]).tobytes()


@pytest.mark.usefixtures("inline")
def test_all_copies_of_the_picture_are_left_out_and_nothing_else(classifier: Classifier) -> None:
    pictures = np.concatenate([np.repeat(PICTURES[:1], 9, axis=0), PICTURES])
    labels = [0] * 9 + [int(label) for label in LABELS]
    view = NeighbourView(classifier, PICTURES[0], source=source_of(pictures, labels, ["a", "b", "c", "d"]), k=48)
    assert view.neighbours is not None and view.neighbours.row is None
    for near in (view.neighbours.features, view.neighbours.pixels):
        assert sorted(near.rows) == list(range(10, 49))
    # What the same label is counted of is said first.
    same = sum(labels[10:][i] == 0 for i in range(39))
    counts = [sum(label == value for label in labels[10:]) for value in range(4)]
    assert max(counts) == counts[1] and same == 9
    assert view.status.text.startswith(f"{counts[1]} of 39 nearest in features are b; in pixels {counts[1]} of 39.")
    assert "Pixels match" not in view.status.text


@pytest.mark.usefixtures("inline")
def test_neighbours_in_pixels_are_another_thing(classifier: Classifier) -> None:
    view = NeighbourView(classifier, PICTURES[3], source=SOURCE, metric="euclidean", k=5)
    assert view.neighbours is not None
    flat = PICTURES.reshape(40, -1).astype(float)
    order = np.argsort(np.linalg.norm(flat - flat[3], axis=1), kind="stable")
    assert order[0] == 3, "a copy of the picture, which is none of its neighbours"
    np.testing.assert_array_equal(view.neighbours.pixels.rows, order[1:6])


@pytest.mark.usefixtures("inline")
def test_a_click_makes_the_tile_the_picture_and_leaves_it_out_of_its_neighbours(
    classifier: Classifier, picture: np.ndarray
) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE, k=6)
    assert view.neighbours is not None
    row = int(view.neighbours.features.rows[2])
    press(view.near, 2)
    assert view.session.picture.name == f"item {row}" and view.neighbours.row == row
    np.testing.assert_array_equal(np.asarray(view.session.picture.image), PICTURES[row])
    assert row not in view.neighbours.features.rows and row not in view.neighbours.pixels.rows
    same = int((LABELS[view.neighbours.features.rows] == LABELS[row]).sum())
    assert f"{same} of 6 have its label" in view.agreement.text
    press(view.near_pixels, 0)
    assert view.neighbours.row != row


@pytest.mark.usefixtures("inline")
def test_a_click_opens_the_tile_that_is_drawn_whatever_is_being_built(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE, k=40)
    assert view.neighbours is not None
    position = int(np.flatnonzero(view.neighbours.features.rows == 38)[0])
    names: list[str] = []

    def meanwhile(*_: object) -> None:
        if not names and view.store is not None and view.store.layer == "body.0":
            assert len(view.store) == 32
            press(view.near, position)
            names.append(view.session.picture.name)

    network.register_forward_hook(meanwhile)
    view.session.layer = "body.0"
    view.features.build_button.click()
    assert names == ["item 38"]


@pytest.mark.usefixtures("inline")
def test_controls_change_metric_and_count(classifier: Classifier, picture: np.ndarray) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE)
    view.metric_picker._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 1, "option": "euclidean"}, [])
    assert view.metric == "euclidean" and view.neighbours is not None and view.neighbours.features.metric == "euclidean"
    view.k_slider._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 0, "option": "3"}, [])
    assert view.k == 3 and view.near.count == 3
    view.k = 7
    assert view.near.count == 7 and view.k_slider.options[view.k_slider.index] == "7"
    with pytest.raises(ValueError, match="no metric"):
        view.metric = "taxi"  # type: ignore[assignment]


@pytest.mark.usefixtures("inline")
def test_another_layer_is_offered_and_built_when_asked_for(classifier: Classifier, picture: np.ndarray) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE)
    assert view.store is not None and view.store.layer == "body.3" and view.features.build_button.disabled
    view.session.layer = "body.0"
    assert view.store.layer == "body.3" and not view.features.build_button.disabled
    assert "features of body.3" in view.status.text and "body.0" in view.status.text
    view.features.build_button.click()
    assert view.store.layer == "body.0" and view.features.build_button.disabled
    assert view.neighbours is not None and view.neighbours.store is view.store and "body.0" in view.agreement.text


@pytest.mark.usefixtures("inline")
def test_linked_panels_build_features_once(classifier: Classifier, picture: np.ndarray, network: Counting) -> None:
    session = Session(classifier, picture)
    first = NeighbourView(session, source=SOURCE)
    calls = network.calls
    second = NeighbourView(session, source=SOURCE)
    assert second.store is first.store
    assert network.calls == calls + 1  # the picture's own features


@pytest.mark.usefixtures("inline")
def test_a_hidden_panel_builds_nothing(classifier: Classifier, picture: np.ndarray) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE, active=False)
    assert view.store is None and view.neighbours is None
    view.active = True
    assert view.store is not None and view.neighbours is not None


@pytest.mark.usefixtures("inline")
def test_what_is_missing_is_named(classifier: Classifier, picture: np.ndarray) -> None:
    view = NeighbourView(classifier, picture)
    assert view.status.kind == "error" and "source=" in view.status.text
    other = FeatureStore.build(demo.shapes_classifier(), demo.shapes(4))
    view = NeighbourView(classifier, picture, store=other)
    assert view.status.kind == "error" and "build features with this network" in view.status.text


@pytest.mark.usefixtures("inline")
def test_an_upload_is_looked_up_and_a_bad_one_named(classifier: Classifier, picture: np.ndarray) -> None:
    import io

    import PIL.Image

    view = NeighbourView(classifier, picture, source=SOURCE)
    file = io.BytesIO()
    PIL.Image.fromarray(PICTURES[5]).save(file, "PNG")
    for data, name in ((file.getvalue(), "five.png"), (b"nothing", "bad.png")):
        view.upload._receive(None, {"kind": "event", "seq": 1, "final": True, "name": name}, [memoryview(data)])
    assert view.session.picture.name == "five.png" and view.neighbours is not None
    # It is a copy of a picture of the data set, and so none of its own neighbours.
    assert view.neighbours.row is None and 5 not in [*view.neighbours.features.rows, *view.neighbours.pixels.rows]
    store = view.neighbours.store
    expected = nearest(store.features, store.features[5], 12, "cosine", [5])
    np.testing.assert_array_equal(view.neighbours.features.rows, expected.rows)
    assert view.upload.failed and "bad.png" in view.upload.message


@pytest.mark.usefixtures("inline")
def test_the_demo_network_brings_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    few = demo.digits()[0][:60], demo.digits()[1][:60]
    monkeypatch.setitem(embedded._MAKERS, "digits", lambda: few)
    embedded._source.cache_clear()
    view = NeighbourView(demo.digits_classifier())
    embedded._source.cache_clear()
    assert view.store is not None and len(view.store) == 60 and view.neighbours is not None and view.neighbours.row == 0


@pytest.mark.usefixtures("inline")
def test_a_picture_of_the_data_set_is_known_wherever_it_was_taken_from(classifier: Classifier) -> None:
    pictures = [read_picture(values, f"number {index}") for index, values in enumerate(PICTURES)]
    session = Session(classifier, pictures[7])
    views = [
        NeighbourView(session, source=source, k=6)
        for source in (pictures, {picture.name: picture for picture in pictures}, pictures[5:])
    ]
    assert [view.neighbours and view.neighbours.row for view in views] == [7, 7, 2]
    assert all(
        view.neighbours is not None and view.neighbours.row not in view.neighbours.features.rows for view in views
    )
    press(views[2].near, 0)  # the very object, in each of the lists
    rows = [view.neighbours.row for view in views if view.neighbours is not None and view.neighbours.row is not None]
    assert rows[0] == rows[1] == rows[2] + 5

    # Of the same data set in another wrapping, as another panel may have made it.
    view = NeighbourView(classifier, PICTURES[1], source=source_of(PICTURES), k=6)
    view.session.picture = picture_at(source_of(PICTURES), 9)
    assert view.neighbours is not None and view.neighbours.row == 9
    view.session.picture = picture_at(source_of(PICTURES[1:]), 9)
    assert view.neighbours.row is None


@pytest.mark.usefixtures("inline")
def test_the_picture_of_a_patch_is_known_to_be_of_the_data_set(classifier: Classifier, picture: np.ndarray) -> None:
    session = Session(classifier, picture)
    patches, view = PatchView(session, source=PICTURES), NeighbourView(session, source=PICTURES, k=6)
    assert patches.sheet is not None
    press(patches.tiles, 1)
    assert view.neighbours is not None and view.neighbours.row == patches.sheet.locations[1].image


def test_a_data_set_is_not_kept_by_its_pictures() -> None:
    pictures = [read_picture(values) for values in PICTURES[:4]]
    register(source_of(pictures), pictures)
    gone = weakref.ref(pictures[2])
    del pictures
    gc.collect()
    assert gone() is None


def trained_on(network: Counting) -> None:
    with torch.no_grad():
        network.body[0].weight += 0.1


@pytest.mark.usefixtures("inline")
def test_features_are_built_anew_when_the_network_was_trained_on(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    view = NeighbourView(classifier, picture, source=SOURCE, k=6)
    before = view.store
    trained_on(network)
    view.session.picture = PICTURES[3]
    assert view.store is not None and view.store is not before and view.status.kind == "info", view.status.text
    np.testing.assert_array_equal(view.store.features, FeatureStore.build(classifier, SOURCE).features)
    assert view.neighbours is not None and view.neighbours.store is view.store


@pytest.mark.usefixtures("inline")
def test_features_that_were_passed_in_are_replaced_when_asked_for(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    store = FeatureStore.build(classifier, SOURCE)
    view = NeighbourView(classifier, picture, store=store, k=6)
    assert view.features.build_button.disabled
    trained_on(network)
    for other in PICTURES[3:5]:
        view.session.picture = other
        assert view.store is store and "build features with this network" in view.status.text
        assert not view.features.build_button.disabled
    view.features.build_button.click()
    assert view.store is not store and view.status.kind == "info" and view.features.build_button.disabled
    trained_on(network)
    bare = NeighbourView(classifier, picture, store=FeatureStore(store.metadata, store._storage, None), k=6)
    assert bare.status.kind == "error" and bare.features.build_button.disabled


@pytest.mark.usefixtures("inline")
def test_another_embedded_network_brings_its_own_pictures(
    classifier: Classifier, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: lambda start=start: PICTURES[start : start + 5] for start, name in ((0, "one"), (5, "two"))}
    for name, maker in few.items():
        monkeypatch.setitem(embedded._MAKERS, name, maker)
    one, two, own = (Classifier(Counting(), input_size=(24, 32), name=name) for name in ("one", "two", "own"))
    view = NeighbourView(one, picture)
    given = NeighbourView(view.session, source=SOURCE)
    view.session.selection = [3]
    view.session.classifier = two
    assert view.store is not None and view.session.selection == ()
    np.testing.assert_array_equal(view.store.features, FeatureStore.build(two, PICTURES[5:10]).features)
    assert given.source is SOURCE and given.store is not None and len(given.store) == 40
    view.session.classifier = own
    assert view.store is None and view.status.kind == "error" and "source=" in view.status.text
    embedded._source.cache_clear()


def test_embedded_pictures_are_made_once_and_beside_the_worker(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by: list[str] = []
    began, gate = threading.Event(), threading.Event()

    def maker() -> np.ndarray:
        made_by.append(threading.current_thread().name)
        began.set()
        assert gate.wait(30)
        return PICTURES[:5]

    monkeypatch.setitem(embedded._MAKERS, "one", maker)
    session = Session(Classifier(Counting(), input_size=(24, 32), name="one"))
    views = [NeighbourView(session, k=3) for _ in range(2)]
    assert began.wait(30)
    views[0].refresh()  # as when a control is moved meanwhile
    assert {view.status.kind for view in views} == {"busy"}
    gate.set()
    assert schedule.WORKER.drain(60)
    embedded._source.cache_clear()
    assert made_by == ["cnnviz-aside-pictures"]
    assert session.picture is not None and session.picture.name == "item 0"
    assert all(
        view.neighbours is not None and view.neighbours.row == 0 and len(view.neighbours.store) == 5 for view in views
    )
    assert views[0].status.kind == "info"
    assert views[0].features.build_button.disabled and views[0].features.stop_button.disabled


def test_building_can_be_stopped_and_what_there_is_is_shown(classifier: Classifier, picture: np.ndarray) -> None:
    gate, began = threading.Event(), threading.Event()

    class Slow:
        def __len__(self) -> int:
            return 400

        def __getitem__(self, index: int) -> np.ndarray:
            if index == 100:
                began.set()
                assert gate.wait(30)
            return PICTURES[index % 40]

    view = NeighbourView(classifier, picture, source=Slow())
    assert began.wait(30) and view.store is not None and not view.features.stop_button.disabled
    view.features.stop_button.click()
    gate.set()
    assert schedule.WORKER.drain(30)
    assert 0 < len(view.store) < 400 and view.features.stop_button.disabled and not view.features.build_button.disabled
    assert "of 400 pictures" in view.status.text and view.neighbours is not None
    view.close()


def test_panels_of_one_session_build_features_together(classifier: Classifier) -> None:
    read: list[int] = []

    class Watched:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> np.ndarray:
            read.append(index)
            return PICTURES[index % 40]

    source = source_of(Watched())
    session = Session(classifier)
    read.clear()
    first, second = NeighbourView(session, source=source), NeighbourView(session, source=source)
    schedule.WORKER.drain(60)
    assert first.store is second.store is not None and len(first.store) == 100 and first.store.progress == 1
    # Each was looked at once for its features; pictures that are shown are read again.
    assert sorted(set(read)) == list(range(100)) and len(read) < 200


def test_what_was_stopped_is_gone_on_with(classifier: Classifier, picture: np.ndarray) -> None:
    gate, began, read = threading.Event(), threading.Event(), list[int]()

    class Slow:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> np.ndarray:
            read.append(index)
            if index == 40:
                began.set()
                assert gate.wait(30)
            return PICTURES[index % 40]

    view = NeighbourView(classifier, picture, source=Slow())
    assert began.wait(30)
    view.features.stop_button.click()
    gate.set()
    schedule.WORKER.drain(60)
    assert view.store is not None and 0 < len(view.store) < 100
    view.features.build_button.click()
    schedule.WORKER.drain(60)
    assert len(view.store) == 100 and read.count(45) == 1


@pytest.mark.usefixtures("inline")
def test_pictures_that_cannot_be_read_are_counted_and_one_is_named(classifier: Classifier) -> None:
    view = NeighbourView(classifier, source=[*PICTURES[:4], b"no picture", "/no/such.png"], k=3)
    assert "Left out: 2 unreadable pictures." in view.status.text and "item 4" in view.status.text


@pytest.mark.usefixtures("inline")
def test_metric_and_count_are_traits_and_neighbours_can_be_observed(
    classifier: Classifier, picture: np.ndarray
) -> None:
    first, second = (NeighbourView(classifier, picture, source=SOURCE, k=6) for _ in range(2))
    link = traitlets.link((first, "k"), (second, "k"))
    seen: list[int] = []
    second.observe(lambda change: seen.append(len(change["new"].features.rows)), names="neighbours")
    first.k = 4
    assert second.k == 4 and second.near.count == 4 and seen == [4]
    second.metric = "euclidean"
    assert second.neighbours is not None and second.neighbours.features.metric == "euclidean"
    for name, wrong in (("k", 0), ("metric", "taxi")):
        before = getattr(first, name)
        with pytest.raises(ValueError, match="at least 1" if name == "k" else "no metric"):
            setattr(first, name, wrong)
        assert getattr(first, name) == before
    with pytest.raises(traitlets.TraitError):
        first.neighbours = None
    link.unlink()


@pytest.mark.usefixtures("inline")
def test_old_names_warn(classifier: Classifier, picture: np.ndarray) -> None:
    with pytest.warns(DeprecationWarning, match="argument 3.* is now source="):
        view = NeighbourView(classifier, picture, SOURCE, k=6)  # type: ignore[misc]
    assert view.source is SOURCE
    with pytest.warns(DeprecationWarning, match="`found` is now `neighbours`"):
        assert view.found is view.neighbours
