"""The panel of activation maps, driven by browser messages without a browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import LayerError, TargetError
from cnnviz_widgets.session import Session
from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.receptive_field import receptive_field
from cnnviz_widgets.views.activation import ORDERS, QUANTILES, ActivationView
from cnnviz_widgets.views.filters import ORDERS as FILTER_ORDERS
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.parts.scales import short

from .conftest import NAMES, Counting
from .test_filters import click, pick, send, sheet

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def view(classifier: Classifier, picture: np.ndarray) -> ActivationView:
    view = ActivationView(Session(classifier, picture, layer="body.1"))
    pick(view.order_picker, ORDERS.index("mean"))
    return view


def expected_maps(view: ActivationView) -> np.ndarray:
    session = view.session
    with session.classifier.recording(session.layer) as outputs:
        session.classifier.logits(session.example.pixels)
    return outputs[session.layer][0].detach().numpy()


def overlay(view: ActivationView) -> np.ndarray:
    return np.frombuffer(view.canvas.map, "<f4").reshape(view.canvas.map_size)


def hover(view: ActivationView, index: int | None) -> list[Any]:
    return send(view.tiles, name="entered", index=index, revision=view.tiles.revision)


def test_it_opens_on_the_channels_that_give_most_to_the_class(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    session = Session(classifier, picture, target=2)
    view = ActivationView(session)
    assert session.layer == "body.3"
    weights = 50 * network.head.weight.detach().numpy()
    shares = weights[2] * expected_maps(view).mean(axis=(1, 2))
    order = np.argsort(-shares, kind="stable")
    assert view.tiles.labels == [f"#{channel}" for channel in order]
    # By hand: what the channels give and the bias are the score.
    score = shares.sum() + network.head.bias.detach().numpy()[2]
    assert score == pytest.approx(session.example.logits[2], rel=1e-4)
    assert view.status.text.startswith(
        f"Channel {order[0]} adds {short(shares[order[0]])} to {NAMES[2]}'s score of {short(score)}. "
        f"The 8 channels shown first add {short(shares.sum())}; all 8 and the bias add up to it."
    )
    view.session.channel = int(order[3])
    assert view.status.text.startswith(f"Channel {order[3]} adds {short(shares[order[3]])} to")
    # Another class has other channels, at no call of the network.
    calls = network.calls
    session.target = 0
    order = np.argsort(-weights[0] * expected_maps(view).mean(axis=(1, 2)), kind="stable")
    assert view.tiles.labels == [f"#{channel}" for channel in order] and network.calls == calls + 1, "the reference's"
    # Inside the network only the product with the gradient is known, and said.
    session.layer = "body.1"
    maps = network.body[:2](session.example.pixels).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network.head(50 * network.body[2:](maps).mean((2, 3)))[0, 0], maps)
    shares = (gradient * maps).sum((2, 3))[0].detach().numpy()
    session.channel = best = int(shares.argmax())
    assert view.tiles.labels[0] == f"#{best}"
    assert view.status.text.startswith(
        f"Channel {best} matters most for ant here: its activations times their gradients add up to "
        f"{short(shares[best])}."
    )
    # Of another one nothing of the kind is said.
    session.channel = int(shares.argmin())
    assert view.answer is None


def test_maps_are_sorted_by_strength_on_one_scale(view: ActivationView) -> None:
    maps = expected_maps(view)
    order = np.argsort(-maps.mean(axis=(1, 2)), kind="stable")
    assert view.tiles.labels == [f"#{channel}" for channel in order]
    np.testing.assert_allclose(sheet(view.tiles)[..., 0], maps[order] / maps.max() * 255, atol=0.51)
    assert f"colours from 0 to {maps.max():.3g}" in view.tiles.description
    pick(view.order_picker, ORDERS.index("max"))
    assert view.tiles.labels[0] == f"#{maps.max(axis=(1, 2)).argmax()}"
    pick(view.scale_picker, 1)
    tops = sheet(view.tiles).max(axis=(1, 2, 3))
    assert set(tops) <= {0, 255} and "each map on its own scale" in view.tiles.description


def test_maps_with_negative_values_are_drawn_around_zero(view: ActivationView) -> None:
    view.session.layer = "body.0"
    maps = expected_maps(view)
    assert maps.min() < 0
    order = np.argsort(-maps.mean(axis=(1, 2)), kind="stable")
    np.testing.assert_allclose(sheet(view.tiles)[..., 0], (maps[order] / np.abs(maps).max() + 1) * 127.5, atol=0.51)
    hover(view, 0)
    assert view.canvas.signed


def test_hovering_lays_a_map_over_the_picture_without_the_network(view: ActivationView, network: Counting) -> None:
    maps, calls = expected_maps(view), network.calls
    assert hover(view, 2) == [{"kind": "ack", "seq": 1}]
    channel = int(view.tiles.labels[2].removeprefix("#"))
    np.testing.assert_array_equal(overlay(view), maps[channel])
    assert view.canvas.quantity == f"activation of channel {channel}"
    assert [name for name, *_ in view.canvas.scales] == ["all channels", "this map"]
    hover(view, None)
    assert view.canvas.map_size == (0, 0)
    assert network.calls == calls


def test_a_click_chooses_the_channel_and_a_choice_elsewhere_is_marked(view: ActivationView, network: Counting) -> None:
    filters = FilterView(view.session)
    pick(filters.order_picker, FILTER_ORDERS.index("index"))
    calls = network.calls
    click(view.tiles, 1)
    channel = int(view.tiles.labels[1].removeprefix("#"))
    assert view.session.channel == channel and view.tiles.selected == 1
    assert filters.tiles.selected == channel
    other = (channel + 1) % 6
    click(filters.tiles, other)
    assert view.session.layer == "body.0" and view.tiles.labels[view.tiles.selected] == f"#{other}"  # type: ignore[index]
    np.testing.assert_array_equal(overlay(view), expected_maps(view)[other])
    assert network.calls <= calls + 2


def test_the_region_above_the_quantile_stays_lit(view: ActivationView) -> None:
    view.session.channel = 3
    pick(view.quantile_slider, QUANTILES.index(0.8))
    assert view.shown_picker.index == 1 and view.canvas.map_size == (0, 0)
    assert view.activations is not None
    region, threshold = view.activations.region(3, 0.8)
    shown = np.frombuffer(view.canvas.picture, np.uint8).reshape(24, 32, 3)
    whole = view.session.example.appearance
    np.testing.assert_array_equal(shown[region], whole[region])
    np.testing.assert_array_equal(shown[~region], whole[~region] // 4)
    assert f"exceeds {threshold:.3g} in" in view.status.text
    pick(view.shown_picker, 0)
    assert view.canvas.picture == whole.tobytes() and view.canvas.map_size == (12, 16)


def test_switching_channels_off_moves_the_scores_and_back(view: ActivationView, classifier: Classifier) -> None:
    click(view.tiles, 0)
    channel = view.session.channel
    view.off_button.click()
    example = view.session.example
    logits = ablate(classifier, example.pixels, "body.1", [channel])
    now, whole = classifier.readout.probabilities(logits), example.probabilities
    assert view.off == {channel} and view.tiles.badges[0] == "off"
    assert view.bars.values == pytest.approx({i: float(now[i]) for i in range(4)}, abs=1e-6)
    np.testing.assert_allclose(sorted(view.bars.before), sorted(whole), atol=1e-6)
    assert f"Without {channel}: " in view.status.text and "\N{RIGHTWARDS ARROW}" in view.status.text
    assert view.off_button.description == "Switch channel on"
    send(view.tiles, name="picked", index=1, modifiers=["shift"], revision=view.tiles.revision)
    assert len(view.off) == 2 and view.session.channel == channel
    view.on_button.click()
    assert view.off == frozenset() and view.on_button.disabled
    assert view.bars.values == pytest.approx({i: float(whole[i]) for i in range(4)}, abs=1e-6)


def test_what_is_off_stays_off_for_another_picture_but_not_in_another_layer(
    view: ActivationView, classifier: Classifier, picture: np.ndarray
) -> None:
    view.off = {2, 4}
    view.session.picture = 255 - picture
    logits = ablate(classifier, view.session.example.pixels, "body.1", [2, 4])
    now = classifier.readout.probabilities(logits)
    assert view.bars.values == pytest.approx({i: float(now[i]) for i in range(4)}, abs=1e-6)
    view.session.layer = "body.2"
    assert view.off == frozenset()
    assert view.bars.now == view.bars.before
    with pytest.raises(TargetError, match="channels 0 to 7"):
        view.off = {99}
    with pytest.raises(TargetError):
        view.session.channel = 99


@pytest.mark.parametrize(("pixel", "cell"), [((0, 0), (0, 0)), ((23, 31), (11, 15)), ((9, 14), (4, 7))])
def test_a_click_on_the_picture_shows_what_the_cell_sees_and_says(
    view: ActivationView, classifier: Classifier, pixel: tuple[int, int], cell: tuple[int, int]
) -> None:
    assert send(view.canvas, name="picked", point=list(pixel)) == [{"kind": "ack", "seq": 1}]
    top, left, height, width = receptive_field(classifier, "body.1").box(*cell)
    assert view.canvas.box == (top, left, top + height, left + width)
    vector = expected_maps(view)[:, cell[0], cell[1]]
    assert view.vector.values == pytest.approx({i: float(vector[i]) for i in range(6)}, abs=1e-5)
    assert list(view.vector.values.values()) == sorted(view.vector.values.values(), key=abs, reverse=True)
    assert len(view.vector.children) == 1
    assert f"Cell {cell} of body.1 can see {height} x {width} pixels" in view.status.text
    view.session.layer = "body.2"
    assert view.canvas.box is None and view.vector.children == ()


def picture_of(view: ActivationView) -> np.ndarray:
    return np.frombuffer(view.canvas.picture, np.uint8).reshape(24, 32, 3)


def test_the_box_is_shaded_where_the_cell_answers_once_the_hand_rests(
    view: ActivationView, classifier: Classifier, network: Counting
) -> None:
    view.session.layer = "body.0"
    view.session.channel = 2
    appearance, calls = view.session.example.appearance, network.calls
    send(view.canvas, name="picked", point=[9, 14], final=False)
    assert "can see 3 x 3 pixels" in view.status.text and "Shaded" not in view.status.text
    np.testing.assert_array_equal(picture_of(view), appearance)
    send(view.canvas, name="picked", point=[9, 14])
    assert network.calls <= calls + 2  # for all layers' fields, once, and for this cell
    assert "box: what a cell can see" in view.canvas.label
    assert "Shaded: what channel 2 answers to" in view.status.text
    strength = np.zeros((24, 32, 1))
    kernel = classifier.network.body[0].weight[2].detach().abs().sum(0).numpy()
    strength[7:10, 13:16, 0] = 0.75 * kernel / kernel.max()
    expected = appearance * (1 - strength) + np.array([230, 159, 0]) * strength
    np.testing.assert_allclose(picture_of(view), expected, atol=1)
    view.session.channel = 3
    np.testing.assert_array_equal(picture_of(view), appearance)
    view.session.layer = "body.2"
    assert view.canvas.box is None


def test_a_layer_without_gradients_has_a_box_and_a_sentence(classifier: Classifier, picture: np.ndarray) -> None:
    class Frozen(Counting):
        def forward(self, pixels: Any) -> Any:
            with torch.no_grad():
                values = self.body(pixels)
            return self.head(values.mean((2, 3)))

    view = ActivationView(Session(Classifier(Frozen(), input_size=(24, 32)), picture, layer="body.1"))
    send(view.canvas, name="picked", point=[9, 14])
    assert view.canvas.box is not None
    assert "What it answers to is not known" in view.status.text and "no_grad" in view.status.text


def test_a_layer_that_is_not_there_is_a_sentence(view: ActivationView) -> None:
    with pytest.raises(LayerError, match=r"Counting has no layer 'body\.9'; did you mean 'body"):
        view.session.layer = "body.9"
    assert view.session.layer == "body.1"


def test_the_same_picture_and_layer_are_looked_at_once(view: ActivationView, network: Counting) -> None:
    calls = network.calls
    view.session.channel = 2
    view.session.target = 1
    pick(view.order_picker, ORDERS.index("max"))
    assert network.calls == calls
    view.off = {1}
    assert network.calls == calls + 1


def test_two_thousand_channels_are_one_small_sheet(picture: np.ndarray) -> None:
    from torch import nn

    body = nn.Sequential(nn.Conv2d(3, 2048, 1), nn.ReLU())
    network = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 4))
    view = ActivationView(Session(Classifier(network, input_size=(48, 64)), np.zeros((48, 64, 3), np.uint8)))
    assert view.tiles.count == 2048 and len(view.tiles.sheet) <= 1 << 19
    revision = view.tiles.revision
    view.session.channel = 7
    assert view.tiles.revision == revision, "choosing a channel sends no new sheet"


@pytest.mark.parametrize(
    "message",
    [{"name": "picked", "point": [24, 0]}, {"name": "picked", "point": [0.5, 0]}, {"name": "picked"}, {"name": "x"}],
)
def test_a_bad_message_changes_nothing_and_is_answered(view: ActivationView, message: dict[str, Any]) -> None:
    text = view.status.text
    assert send(view.canvas, **message) == [{"kind": "ack", "seq": 1}]
    assert view.canvas.box is None and view.status.text == text


def test_without_a_picture_or_with_a_broken_network_there_is_a_sentence(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    view = ActivationView(Session(classifier))
    assert view.status.text == "There is no picture yet; choose or upload one."
    hover(view, None)
    send(view.canvas, name="picked", point=[0, 0])
    network.breaks = "raise"
    view.session.picture = picture
    assert view.status.kind == "error" and "the cable is loose" in view.status.text
    view.close()
    view.close()
    assert not network.body[0]._forward_hooks
