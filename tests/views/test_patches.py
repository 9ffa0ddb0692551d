"""PatchView: what it shows is what the scan found, cut out at the receptive field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import demo, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.collection.patches import Patches, scan
from cnnviz_widgets.session import Session
from cnnviz_widgets.study.receptive_field import receptive_field
from cnnviz_widgets.views.parts.crops import RANKS, TILE, crop, nearest_scanned
from cnnviz_widgets.views.patches import PatchView

from .conftest import Counting, Stepping


def data(count: int = 30) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 24, 32, 3), dtype=np.uint8))


def last(steps: Any) -> Patches:
    *_, patches = steps
    return patches


def tiles(view: PatchView) -> np.ndarray:
    return np.frombuffer(view.tiles.sheet, np.uint8).reshape(-1, TILE, TILE, 3)


def press(control: Any, index: int) -> None:
    content = {"kind": "event", "seq": 1, "final": True, "index": index, "option": control.options[index]}
    control._receive(None, content, [])


def pick(view: PatchView, index: int) -> None:
    content = {"kind": "event", "seq": 1, "final": True, "name": "picked", "index": index, "modifiers": []}
    view.tiles._receive(None, {**content, "revision": view.tiles.revision}, [])


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("rank", RANKS)
def test_shows_what_the_scan_found(classifier: Classifier, rank: str) -> None:
    pictures = data()
    view = PatchView(Session(classifier, channel=2, layer="body.0"), source=pictures, k=4)
    view.rank = rank
    assert view.status.kind == "info" and "30 of 30 pictures scanned" in view.status.text
    patches = last(scan(classifier, pictures, [layer.name for layer in classifier.layers], k=4))
    quantile = RANKS[rank]
    if quantile is None:
        spots = (patches.random if rank == "random" else patches.top)("body.0", 2, 4)
    else:
        spots = patches.around("body.0", 2, quantile, 4)
    assert view.sheet is not None and view.sheet.locations == spots
    assert view.tiles.labels == [f"item {spot.image}" for spot in spots]
    assert len(view.tiles.badges) == 4
    field = receptive_field(classifier, "body.0")
    for tile, spot in zip(tiles(view), spots, strict=True):
        box = field.box(spot.row, spot.column)
        cell = (2 * spot.row, 2 * spot.column, 2, 2)
        np.testing.assert_array_equal(tile, crop(pictures[spot.image], box, cell))


def test_a_crop_is_the_box_and_nothing_else() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[4:8, 10:18] = (255, 0, 0)
    tile = crop(picture, (4, 10, 4, 8), (4, 10, 4, 8))
    middle = TILE // 4
    assert (tile[middle:-middle] == (255, 0, 0)).all()
    assert (tile[: middle - 1] == 128).all() and (tile[-middle + 1 :] == 128).all()
    outlined = crop(picture, (0, 0, 20, 20), (8, 8, 4, 4))
    changed = np.argwhere((outlined == 255).all(axis=2))
    assert changed.min(axis=0) == pytest.approx([8 * TILE / 20] * 2, abs=2)
    assert changed.max(axis=0) == pytest.approx([12 * TILE / 20] * 2, abs=2)
    assert (crop(picture, (0, 0, 0, 0), (0, 0, 1, 1)) == 128).all()


@pytest.mark.usefixtures("inline")
def test_layer_and_channel_follow_the_session_without_another_pass(classifier: Classifier, network: Counting) -> None:
    session = Session(classifier)
    view = PatchView(session, source=data())
    calls = network.calls
    session.layer = "body.0"
    session.channel = 5
    assert view.sheet is not None and (view.sheet.layer, view.sheet.channel) == ("body.0", 5)
    assert view.channel_slider.index == 5 and len(view.channel_slider.options) == 6
    press(view.channel_slider, 1)
    press(view.layer_slider, view.layer_slider.names.index("body.2"))
    assert (session.layer, session.channel) == ("body.2", 1)
    assert (view.sheet.layer, view.sheet.channel) == ("body.2", 1)
    assert network.calls == calls
    session.layer = "body.1"
    session.channel = 4
    assert view.status.kind == "info" and "body.1 was not scanned" in view.status.text
    assert (view.sheet.layer, view.sheet.channel) == ("body.0", 4) and "channel 4 of body.0" in view.status.text
    assert network.calls == calls


@pytest.mark.usefixtures("inline")
def test_a_click_makes_the_patch_s_picture_the_session_s(classifier: Classifier) -> None:
    pictures = data()
    named = {f"<b>{number}</b>": picture for number, picture in enumerate(pictures)}
    view = PatchView(classifier, source=named)
    assert view.sheet is not None
    pick(view, 3)
    spot = view.sheet.locations[3]
    picture = view.session.picture
    assert picture.name == f"<b>{spot.image}</b>" == view.tiles.labels[3]
    np.testing.assert_array_equal(np.asarray(picture.image), pictures[spot.image])


def test_stop_and_go_on_gives_what_an_uninterrupted_scan_gives(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batches, "batch", 8)
    executor = Stepping()
    path = tmp_path / "scan.npz"
    view = PatchView(classifier, source=data(), path=path, active=False)
    view.interval = 0
    view.scan_job._requests._executor = view.sheet_job._requests._executor = executor
    view.active = True
    # The data set, two batches, and the patches of the first of them.
    executor.work(3)
    assert view.patches is not None and 0 < view.patches.done < 30
    assert view.status.kind == "busy" and 0 < view.status.progress < 1
    view.stop_here()
    done = view.patches.done
    executor.work()
    assert view.patches.done == done and view.status.kind == "info" and view.run_button.description == "Go on"
    view.run_button.click()
    executor.work(2)
    view.active = False
    done = view.patches.done
    executor.work()
    assert view.patches.done == done < 30
    view.active = True
    executor.work()
    assert view.patches.done == 30 and view.run_button.disabled
    layers = list(view.patches.layers)
    whole = last(scan(classifier, data(), layers))
    for layer in layers:
        np.testing.assert_array_equal(view.patches.layers[layer].images, whole.layers[layer].images)
        np.testing.assert_array_equal(view.patches.layers[layer].cells, whole.layers[layer].cells)
    np.testing.assert_array_equal(
        Patches.load(path).layers[layers[0]].sample_cells, whole.layers[layers[0]].sample_cells
    )
    view.close()


@pytest.mark.usefixtures("inline")
def test_without_data_it_says_what_to_pass(classifier: Classifier, network: Counting) -> None:
    view = PatchView(classifier)
    assert "PatchView(model, source=folder)" in view.status.text and view.patches is None
    view.source = data(5)
    assert view.patches is not None and len(view.tiles.labels) == 5
    view.source = "no such folder"
    assert view.status.kind == "error" and "is no folder" in view.status.text and view.patches is None
    network.breaks = "raise"
    view.source = data(6)
    assert view.status.kind == "error" and "the cable is loose" in view.status.text


@pytest.mark.usefixtures("inline")
def test_embedded_classifiers_bring_their_pictures_and_unreadable_ones_are_told() -> None:
    view = PatchView(demo.shapes_classifier())
    assert view.source is not None and len(view.source) == 600 and len(view.tiles.labels) == 9
    view.source = [b"no picture", *demo.shapes(3).pictures]
    assert "1 of them unreadable" in view.status.text
    # Another classifier begins anew.
    view.session.classifier = demo.shapes_classifier(biased=True)
    assert view.patches is not None and view.patches.done == 4


def test_a_view_that_is_not_active_does_nothing(classifier: Classifier, network: Counting) -> None:
    with schedule.inline():
        _ = classifier.layers
        calls = network.calls
        view = PatchView(classifier, source=data(), active=False)
        view.session.channel = 1
        assert network.calls == calls and view.patches is None


@pytest.mark.usefixtures("inline")
def test_the_share_below_is_that_of_the_least_of_the_patches(classifier: Classifier) -> None:
    view = PatchView(Session(classifier, channel=2, layer="body.0"), source=data(), k=4)
    view.rank = "random"
    assert view.sheet is not None and view.patches is not None
    values = [spot.value for spot in view.sheet.locations]
    shares = [view.patches.fraction_below("body.0", 2, value) for value in (min(values), values[-1])]
    assert f"{shares[0]:.0%}" != f"{shares[1]:.0%}", "the sample must not end with its least"
    assert f"; {shares[0]:.0%} of a sample" in view.status.text


@pytest.mark.usefixtures("inline")
def test_after_a_scan_that_failed_the_button_goes_on(classifier: Classifier, network: Counting) -> None:
    session = Session(classifier)
    network.breaks = "raise"
    view = PatchView(session, source=data())
    assert view.status.kind == "error" and view.run_button.description == "Go on"
    network.breaks = ""
    view.run_button.click()
    assert view.run_button.description == "Scanned" and view.run_button.disabled
    view.source = "no such folder"
    assert view.run_button.description == "Go on" and not view.run_button.disabled


def test_the_nearest_scanned_layer_by_order_of_execution(classifier: Classifier) -> None:
    order = [layer.name for layer in classifier.layers]
    assert order == ["body.0", "body.1", "body.2", "body.3"]
    assert [nearest_scanned(classifier, ["body.0", "body.2"], layer) for layer in order] == [
        "body.0", "body.0", "body.2", "body.2",
    ]  # fmt: skip
    assert nearest_scanned(classifier, ["body.3"], "body.0") == "body.3"


class Clipping(nn.Module):
    """Ends in a ReLU6 that is at 6 for nearly every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU6())
        self.head = nn.Linear(5, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        after = self.body[:3](pixels)
        logits: Tensor = self.head(self.body[3](100 * after).mean((2, 3)))
        return logits


@pytest.mark.usefixtures("inline")
def test_it_opens_on_the_channel_that_gives_most_to_the_class_before_what_makes_all_maxima_the_same() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = Clipping()
    classifier = Classifier(network, class_names=["ant", "bee", "cow"], input_size=(24, 32))
    pictures = data()
    session = Session(classifier, pictures[3])
    view = PatchView(session, source=(pictures, [index % 2 for index in range(30)]))
    pixels, target = session.example.pixels, session.example.predicted
    with torch.no_grad():
        means = network.body[3](100 * network.body[:3](pixels)).mean((2, 3))[0]
    shares = network.head.weight[target].detach() * means
    best = int(shares.argmax())
    assert session.layer == "body.3" and session.channel is None
    assert view.patches is not None and {spot.value for spot in view.patches.top("body.3", best)} == {6.0}
    assert view.sheet is not None and (view.sheet.layer, view.sheet.channel) == ("body.2", best)
    assert view.channel_slider.index == best and view.layer_slider.names[view.layer_slider.index] == "body.2"
    values = [spot.value for spot in view.sheet.locations]
    assert len(set(values)) == 9
    even = sum(spot.image % 2 == 0 for spot in view.sheet.locations)
    counts = sorted([(even, "0"), (9 - even, "1")], key=lambda pair: -pair[0])
    said = ", ".join(f"{count} show {label}" for count, label in counts if count)
    assert view.status.text.startswith(
        f"Channel {best} gives most to {classifier.class_names[target]}. Of its 9 strongest pictures {said}."
    )
    assert "At body.3 its strongest are equally strong: these are from body.2 before it." in view.status.text
    # A look at one of these pictures moves nothing under the hand, and the claim about the class is dropped.
    pick(view, 0)
    assert (view.sheet.layer, view.sheet.channel) == ("body.2", best) and "gives most" not in view.status.text
    # What is chosen counts, ties or not.
    press(view.layer_slider, view.layer_slider.names.index("body.3"))
    assert view.sheet.layer == "body.3"
    press(view.channel_slider, 2)
    assert view.sheet.channel == session.channel == 2
    # The median of them is no claim about the strongest.
    view.rank = "median"
    assert view.answer is None
