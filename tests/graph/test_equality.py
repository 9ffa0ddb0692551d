"""The engine against the network itself, window by window."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain.occlusion.occluder import Occluder
from cnnviz_widgets.graph import Engine, boxes, engine_for, ops
from cnnviz_widgets.graph.engine import plan_for
from tests.support.occluding import Box, Branching, Odd, hand_made, inputs, of_torchvision, slowly, spread


def boxes_in(height: int, width: int, tall: int, wide: int) -> list[Box]:
    """Windows of one size in all corners, at the sides and inside, at odd places; a single pixel; nearly everything."""
    tops, lefts = (0, (height - tall) // 2 - 1, height - tall), (0, (width - wide) // 3, width - wide)
    windows = [(top, left, tall, wide) for top in tops for left in lefts]
    windows += [(height // 2, 1, 1, 1), (1, 2, height - 4, width - 3), (0, 0, height, width)]
    return [Box(*window) for window in windows]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("vgg11", 64),
        ("resnet18", 96),
        ("resnet50", 64),
        ("mobilenet_v2", 96),
        ("densenet121", 64),
        ("squeezenet1_1", 96),
        ("googlenet", 64),
        ("efficientnet_b0", 64),
        ("shufflenet_v2_x0_5", 64),
    ],
)
def test_torchvision(name: str, size: int) -> None:
    check(of_torchvision(name, size), 13, 11)


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_hand_made(kind: type[Odd] | type[Branching]) -> None:
    check(hand_made(kind), 7, 9)


def check(classifier: Classifier, tall: int, wide: int) -> None:
    pixels, filling = inputs(classifier)
    windows = boxes_in(*classifier.input_size, tall, wide)
    expected = slowly(classifier, pixels, filling, windows)
    engine = built(classifier)
    whole = classifier.logits(pixels).detach()
    tolerance = 1e-4 * spread(expected)
    # The windows say something, so that the comparison does.
    assert float((expected - whole).abs().max()) > 100 * tolerance
    torch.testing.assert_close(engine.whole, whole, atol=tolerance, rtol=0)
    torch.testing.assert_close(engine.logits(windows), expected, atol=tolerance, rtol=0)
    apart = torch.cat([engine.logits([window]) for window in windows[-4:]])
    torch.testing.assert_close(apart, expected[-4:], atol=tolerance, rtol=0)
    # Whatever the plan prefers, both ways are right.
    with torch.no_grad():
        moved = boxes.changes(engine._plan.program, windows)
        for way in (engine._base.by_boxes, engine._base.by_planes):
            torch.testing.assert_close(way(moved), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_the_logits_are_those_before_a_softmax_or_sigmoid(end: nn.Module) -> None:
    bare = hand_made(Odd)
    classifier = Classifier(nn.Sequential(bare.network, end), input_size=Odd.size)
    check(classifier, 7, 9)
    pixels, filling = inputs(classifier)
    windows = boxes_in(*Odd.size, 7, 9)
    expected = slowly(bare, pixels, filling, windows)
    torch.testing.assert_close(built(classifier).logits(windows), expected, atol=1e-4 * spread(expected), rtol=0)


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_without_onednn(kind: type[Odd] | type[Branching], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "_ONEDNN", False)
    check(hand_made(kind), 4, 15)


@torch.no_grad()
def built(classifier: Classifier) -> Engine:
    pixels, filling = inputs(classifier)
    plan = plan_for(classifier, pixels, filling)
    assert plan is not None
    return Engine(plan, classifier, pixels, filling)


kept = cache(built)


@st.composite
def groups(draw: st.DrawFn, size: tuple[int, int]) -> list[Box]:
    """A few windows, of one size or of several."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        tall, wide = (draw(st.integers(1, side)) for side in size)
        found.append((draw(st.integers(0, size[0] - tall)), draw(st.integers(0, size[1] - wide)), tall, wide))
    return found


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_any_windows(kind: type[Odd] | type[Branching]) -> None:
    classifier = hand_made(kind)
    pixels, filling = inputs(classifier)

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(groups(kind.size))
    def holds(windows: list[Box]) -> None:
        expected = slowly(classifier, pixels, filling, windows)
        with torch.no_grad():
            found = kept(classifier)._base.by_boxes(boxes.changes(kept(classifier)._plan.program, windows))
        torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)

    holds()


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_any_window_and_stride(kind: type[Odd] | type[Branching]) -> None:
    """Grids as maps have them, in the groups that the plan makes of them."""
    classifier = hand_made(kind)
    pixels, filling = inputs(classifier)
    engine = kept(classifier)

    @settings(max_examples=12, deadline=None, derandomize=True, database=None)
    @given(st.integers(1, 20), st.integers(1, 20), st.integers(5, 11))
    def holds(tall: int, wide: int, stride: int) -> None:
        height, width = kind.size
        windows = [
            (top, left, tall, wide)
            for top in range(0, height - tall + 1, stride)
            for left in range(0, width - wide + 1, stride)
        ]
        runs = engine.runs(windows)
        assert sorted(number for run in runs for number in run) == list(range(len(windows)))
        expected = slowly(classifier, pixels, filling, windows)
        torch.testing.assert_close(engine.logits(windows), expected, atol=2e-4, rtol=0)

    holds()


def test_the_demo_network() -> None:
    """Through the front door, with what everybody gets."""
    classifier = demo.classifier()
    pixels = classifier.pixels(demo.pictures()[0])
    filling = pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels).clone()
    occluder = Occluder(classifier, pixels, filling)
    windows = [(top, left, 48, 48) for top in range(0, 177, 44) for left in range(0, 177, 44)]
    found = occluder.logits(windows)
    assert occluder._engine is not None
    expected = slowly(classifier, pixels, filling, windows[::6])
    torch.testing.assert_close(found[::6], expected, atol=1e-4 * spread(expected), rtol=0)


def test_double_precision_is_exact() -> None:
    """What differs in single precision is rounding, not the boxes."""
    single = hand_made(Odd)
    classifier = Classifier(single.network.double(), input_size=Odd.size)
    try:
        pixels, filling = (values.double() for values in inputs(classifier))
        engine = engine_for(classifier, pixels, filling, lambda windows: slowly(classifier, pixels, filling, windows))
        assert engine is None  # too small a picture to be worth it
        plan = plan_for(classifier, pixels, filling)
        assert plan is not None
        windows = boxes_in(*Odd.size, 6, 5)
        with torch.no_grad():
            found = Engine(plan, classifier, pixels, filling)._base.by_boxes(boxes.changes(plan.program, windows))
        expected = []
        for top, left, tall, wide in windows:
            covered = pixels.clone()
            covered[..., top : top + tall, left : left + wide] = filling[..., top : top + tall, left : left + wide]
            with torch.no_grad():
                expected.append(classifier.network(covered).float())
        torch.testing.assert_close(found, torch.cat(expected), atol=1e-6, rtol=0)
    finally:
        single.network.float()
