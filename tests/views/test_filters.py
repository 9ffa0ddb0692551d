"""The panel of kernels, driven by browser messages without a browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import study
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.filters import ORDERS, FilterView
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.widgets.tiles import Tiles

from .conftest import Counting

pytestmark = pytest.mark.usefixtures("inline")


def send(widget: Any, **message: Any) -> list[Any]:
    sent: list[Any] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    widget._receive(None, {"kind": "event", "seq": 1, "final": True, **message}, [])
    return sent


def click(tiles: Tiles, index: int) -> list[Any]:
    return send(tiles, name="picked", index=index, modifiers=[], revision=tiles.revision)


def pick(control: Any, index: int) -> None:
    assert send(control, index=index, option=control.options[index]) == [{"kind": "ack", "seq": 1}]


def sheet(tiles: Tiles) -> np.ndarray:
    return np.frombuffer(tiles.sheet, np.uint8).reshape(tiles.count, *tiles.tile_size, tiles.channels)


@pytest.fixture
def view(classifier: Classifier) -> FilterView:
    view = FilterView(Session(classifier, layer="body.0"))
    pick(view.order_picker, ORDERS.index("index"))
    return view


def test_it_opens_on_the_first_convolution_by_norm_and_says_what_the_strongest_answers(
    classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    session = Session(classifier, picture)
    view = FilterView(session)
    assert session.layer == "body.3" == classifier.default_layer
    weights = network.body[0].weight.detach()
    order = weights.flatten(1).norm(dim=1).argsort(descending=True).tolist()
    assert view.filters is not None and view.filters.layer == "body.0"
    assert view.tiles.labels == [f"#{index}" for index in order]
    assert view.layer_slider.index == 0 and view.layer_slider.names[0] == "body.0"
    with torch.no_grad():
        response = network.body[0](session.example.pixels)[0]
    strongest = next(k for k in order if response[k].max() > 0)
    strong = float((response[strongest] > response[strongest].max() / 2).float().mean())
    assert view.status.text.startswith(
        f"Filter {strongest} is number {order.index(strongest) + 1} of 6 by strength; here it responds strongly "
        f"(above half its peak) over {answers.number(100 * strong)} % of the picture. 0 are dead, 0 are copies."
    )
    # A layer that is chosen counts from then on, also the one where the session is already.
    pick(view.layer_slider, 1)
    assert view.filters.layer == "body.2"
    # Another picture is answered otherwise, and without one nothing is said of it.
    said = view.status.text
    session.picture = np.full((24, 32, 3), 90, np.uint8)
    assert view.status.text != said and "of the picture" in view.status.text
    session.picture = None
    assert "of the picture" not in view.status.text and view.answer is not None


def test_the_first_layer_is_shown_in_colour_with_grey_for_zero(view: FilterView, network: Counting) -> None:
    weights = network.body[0].weight.detach().numpy()
    extent = np.abs(weights).max()
    expected = np.rint((weights / extent + 1) * 127.5).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(sheet(view.tiles), expected)
    assert view.tiles.labels == [f"#{index}" for index in range(6)]
    assert "6 filters of 3 x 3 x 3" in view.status.text and f"\N{PLUS-MINUS SIGN}{extent:.3g}" in view.status.text
    assert view.slice_picker.layout.display == "none"


def test_deeper_layers_are_shown_one_input_at_a_time_around_white(view: FilterView, network: Counting) -> None:
    view.session.layer = "body.2"
    weights = network.body[2].weight.detach().numpy()
    assert view.slice_picker.layout.display is None and len(view.input_slider.options) == 6
    pick(view.input_slider, 4)
    tiles = sheet(view.tiles)
    assert tiles.shape == (8, 3, 3, 3)
    # Red and blue sides of the table: what is positive is redder than it is blue, or the other way round.
    side = np.sign(tiles[..., 0].astype(int) - tiles[..., 2])
    strong = np.abs(weights[:, 4]) > 0.2 * np.abs(weights).max()
    assert len(set((side * np.sign(weights[:, 4]))[strong])) == 1
    pick(view.slice_picker, 1)
    assert view.tiles.labels == [f"input {index}" for index in range(6)]
    assert view.order_picker.disabled


def test_a_click_chooses_layer_and_channel_and_a_choice_elsewhere_is_marked(view: FilterView) -> None:
    pick(view.order_picker, 1)
    order = np.argsort(-view.filters.norms)  # type: ignore[union-attr]
    assert view.tiles.labels == [f"#{index}" for index in order]
    assert click(view.tiles, 2) == [{"kind": "ack", "seq": 1}]
    assert (view.session.layer, view.session.channel) == ("body.0", order[2])
    assert view.tiles.selected == 2
    view.session.channel = int(order[5])
    assert view.tiles.selected == 5 and f"Filter {order[5]}: norm" in view.status.text


def test_of_a_layer_without_kernels_the_convolution_before_is_shown(view: FilterView) -> None:
    view.session.layer = "body.3"
    assert view.filters is not None and view.filters.layer == "body.2"
    assert "(the convolution before body.3)" in view.status.text
    click(view.tiles, 1)
    assert view.session.layer == "body.2" and view.session.channel == 1


def test_dead_and_duplicate_filters_carry_badges(view: FilterView, network: Counting) -> None:
    with torch.no_grad():
        network.body[0].weight[3] = network.body[0].weight[1]
        network.body[0].weight[4] = 0
    view.refresh()
    assert view.tiles.badges[3:5] == ["= 1", "dead"]
    assert "1 dead, 1 duplicates" in view.status.text


def test_the_same_layer_untrained_is_shown_on_one_scale(
    view: FilterView, classifier: Classifier, network: Counting
) -> None:
    with torch.no_grad():
        network.body[0].weight.mul_(3)
    view.refresh()
    assert view.drawn_tiles.layout.display == "none"
    state = torch.get_rng_state()
    pick(view.beside_picker, 1)
    assert view.drawn_tiles.layout.display is None and view.drawn_tiles.count == 6
    assert "torch's default draw, which this network need not begin with" in view.drawn_tiles.description
    assert torch.equal(torch.get_rng_state(), state)
    extents = [
        kernels.extent for kernels in (study.filters(classifier, "body.0"), study.initial_filters(classifier, "body.0"))
    ]
    assert f"\N{PLUS-MINUS SIGN}{max(extents):.3g}" in view.status.text
    reached = [np.abs(sheet(tiles) / 127.5 - 1).max() for tiles in (view.tiles, view.drawn_tiles)]
    assert reached == pytest.approx([extent / max(extents) for extent in extents], abs=0.01)
    pick(view.beside_picker, 0)
    assert view.drawn_tiles.layout.display == "none"


def test_each_tile_by_itself_says_so(view: FilterView) -> None:
    pick(view.scale_picker, 1)
    tiles = sheet(view.tiles).astype(int)
    assert (np.maximum(tiles.max(axis=(1, 2, 3)), 255 - tiles.min(axis=(1, 2, 3))) == 255).all()
    assert "each tile is stretched" in view.status.text


def test_kernels_of_a_greyscale_network_are_grey() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    view = FilterView(Classifier(network, input_size=(12, 12)))
    tiles = sheet(view.tiles)
    assert (tiles[..., 0] == tiles[..., 1]).all() and tiles.std() > 0


def test_a_slider_event_chooses_the_layer(view: FilterView) -> None:
    view.session.channel = 5
    pick(view.layer_slider, 1)
    assert view.session.layer == "body.2" and view.session.channel is None
    assert view.filters is not None and view.filters.layer == "body.2"


def test_a_hidden_panel_computes_nothing_and_a_new_classifier_is_followed(classifier: Classifier) -> None:
    view = FilterView(Session(classifier), active=False)
    assert view.filters is None and view.tiles.count == 0
    view.active = True
    assert view.filters is not None
    other = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 6 * 6, 2))
    view.session.classifier = Classifier(other, input_size=(8, 8))
    assert view.tiles.count == 5 and view.layer_slider.names == ["0"]
    view.close()
    view.close()


class Joining(nn.Module):
    """Joins a convolution's input and output, as a dense block does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1), nn.ReLU()
        self.joined, self.head = nn.Identity(), nn.Linear(12, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        before = self.first(pixels)
        after = self.joined(torch.cat([before, self.relu(self.second(before))], dim=1))
        logits: Tensor = self.head(after.mean((2, 3)))
        return logits


def test_a_channel_of_a_layer_that_joins_others_is_no_filter() -> None:
    view = FilterView(Session(Classifier(Joining(), input_size=(12, 12)), layer="joined", channel=5))
    pick(view.order_picker, ORDERS.index("index"))
    assert view.filters is not None and view.filters.layer == "second" and view.tiles.count == 8
    assert view.tiles.selected is None and "Filter 5: norm" not in view.status.text
    # None is chosen, so the sentence is about the strongest.
    assert view.status.text.startswith(f"Filter {view.filters.norms.argmax()} is number 1 of 8 by strength.")
    pick(view.slice_picker, 1)
    assert f"Shown is filter {view.filters.norms.argmax()}." in view.status.text
    pick(view.slice_picker, 0)
    # After a ReLU it is still the filter's.
    view.session.layer = "relu"
    assert view.tiles.selected == 5 and "Filter 5: norm" in view.status.text
    view.session.layer = "joined"
    assert view.tiles.selected is None and "Filter 5: norm" not in view.status.text
