"""Groups of windows: what is asked of the network, what is kept between them, how many there are."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.workers import WORKERS
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Occluder
from cnnviz_widgets.graph import engine, plan
from cnnviz_widgets.graph.boxes import Changes, changes, group_windows
from cnnviz_widgets.graph.functions import Clamp, join_channels
from cnnviz_widgets.graph.run import Base
from tests.support.occluding import Branching, Odd, hand_made, inputs, slowly

MAP = Occlusion((9, 10), (6, 6))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the picture, the engine is used if it can be."""
    monkeypatch.setattr(engine, "_MIN_PIXELS", 0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the network was asked for each time."""
    counts: list[int] = []
    logits = Classifier.logits

    def counted(self: Classifier, pixels: Tensor) -> Tensor:
        counts.append(len(pixels))
        return logits(self, pixels)

    monkeypatch.setattr(Classifier, "logits", counted)
    return counts


def test_the_network_is_asked_for_the_picture_once_a_map(asked: list[int]) -> None:
    classifier = hand_made(Odd)
    pixels, _ = inputs(classifier)
    first = MAP(classifier, pixels, 1)
    asked.clear()
    found = MAP(classifier, pixels, 1)
    assert asked == [1]
    with torch.no_grad():
        np.testing.assert_array_equal(found.whole, classifier.logits(pixels)[0].numpy())
    np.testing.assert_array_equal(found.logits, first.logits)


@pytest.mark.parametrize("ends", ["run to its end", "dropped"])
def test_room_is_kept_between_groups_and_given_back(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = hand_made(Odd)
    pixels, filling = inputs(classifier)
    occluder = Occluder(classifier, pixels, filling)
    occluder.prepare()
    assert occluder._engine is not None
    monkeypatch.setattr(occluder._engine._plan, "room", 1e9)
    lent: list[weakref.ref[Base]] = []
    shared = Base.shared

    def noted(self: Base) -> Base:
        made = shared(self)
        lent.append(weakref.ref(made))
        return made

    def large(base: Base | None) -> int:
        tables = [] if base is None else base.tables.values()
        return sum(len(table.rows) > 2 * (table.cells + 2) for table in tables)

    monkeypatch.setattr(Base, "shared", noted)
    seen = []
    steps = MAP.sliding(occluder, 1)
    for step in steps:
        seen.append(max(large(base()) for base in lent))
        if ends == "dropped" and step.progress > 0.5:
            steps.close()
    assert max(seen) > 0
    assert large(occluder._engine._base) == 0
    del steps
    WORKERS.wait_for(lambda: not WORKERS.busy)
    gc.collect()
    assert all(base() is None for base in lent)


def test_windows_beside_a_map_change_nothing() -> None:
    """A hand that probes while the map is under way works with the same memory."""
    classifier = hand_made(Branching)
    pixels, filling = inputs(classifier)
    alone = list(MAP.sliding(Occluder(classifier, pixels, filling), 1))[-1]
    occluder = Occluder(classifier, pixels, filling)
    box = (3, 5, 11, 7)
    expected = slowly(classifier, pixels, filling, [box])
    for step in MAP.sliding(occluder, 1):  # noqa: B007
        torch.testing.assert_close(occluder.logits([box]), expected, atol=2e-4, rtol=0)
    np.testing.assert_allclose(step.logits, alone.logits, atol=1e-5)


def test_groups_are_the_same_however_fast_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = hand_made(Odd)
    pixels, filling = inputs(classifier)
    windows = MAP.windows(classifier.input_size).boxes
    occluder = Occluder(classifier, pixels, filling)
    occluder.prepare()
    assert occluder._engine is not None
    before = occluder.runs(windows)
    occluder.logits(windows)
    after = occluder.runs(windows)
    assert [list(group) for group in before] == [list(group) for group in after]
    monkeypatch.setattr(plan, "_MAX_GROUP_WORK", 5 * occluder._engine._plan.program.work)
    assert len(occluder.runs(windows)) > len(before)


def test_a_map_runs_nothing_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even its first windows, which are spread over the picture."""
    classifier = hand_made(Odd)
    pixels, filling = inputs(classifier)
    together: list[int] = []
    run = plan.Plan.run

    def counted(self: plan.Plan, base: Base, changes: Changes) -> Tensor:
        together.append(len(changes))
        return run(self, base, changes)

    occluder = Occluder(classifier, pixels, filling)
    occluder.prepare()
    monkeypatch.setattr(plan.Plan, "run", counted)
    windows = Occlusion((9, 10), (2, 3))
    *_, last = windows.sliding(occluder, 1)
    assert together[:2] == [4, 4]
    assert min(together) > 1
    assert sum(together) == len(windows.windows(classifier.input_size).boxes) == 198
    assert last.progress == 1


@pytest.mark.parametrize("most", [4, 7, 16])
def test_batches_are_nearly_full(most: int) -> None:
    """Of windows on a lattice, whatever cuts save work: a group has a price of its own."""
    classifier = hand_made(Odd)
    pixels, filling = inputs(classifier)
    occluder = Occluder(classifier, pixels, filling)
    occluder.prepare()
    assert occluder._engine is not None
    program = occluder._engine._plan.program
    moved = changes(program, Occlusion(8, 3).windows(classifier.input_size).boxes)
    groups = group_windows(program, moved, most)
    assert sorted(np.concatenate(groups)) == list(range(len(moved)))
    assert max(map(len, groups)) <= most
    assert len(groups) <= 1.25 * len(moved) / most


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_onednn_switched_off_behind_our_back(
    kind: type[Odd] | type[Branching], monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch's own convolutions take over."""
    classifier = hand_made(kind)
    pixels, filling = inputs(classifier)
    occluder = Occluder(classifier, pixels, filling)
    occluder.prepare()
    assert occluder._engine is not None
    boxes = [(0, 0, 9, 9), (12, 14, 9, 9)]
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    expected = slowly(classifier, pixels, filling, boxes)
    torch.testing.assert_close(occluder.logits(boxes), expected, atol=2e-4, rtol=0)
    assert occluder._engine is not None, "the network had to step in"


@pytest.mark.parametrize("high", [None, 0.7])
def test_a_clamp_of_pieces_is_that_of_their_join(high: float | None) -> None:
    random = torch.Generator().manual_seed(0)
    pieces = [
        torch.randn(2, channels, 5, 4, generator=random).contiguous(memory_format=torch.channels_last)
        for channels in (3, 1, 4)
    ]
    low = torch.randn(1, 8, 1, 1, generator=random) - 1
    clamp = Clamp(low, None if high is None else low + high)
    assert torch.equal(clamp.apply_to_pieces(pieces), clamp(join_channels(*pieces)))


def test_batches_of_a_map_without_the_engine_grow(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    """Each batch as many as are wanted by then; two halves of a chessboard end with what is left over."""
    monkeypatch.setattr(engine, "_MIN_PIXELS", 10**9)
    classifier = hand_made(Odd)
    pixels, filling = inputs(classifier)
    windows = MAP.windows(classifier.input_size).boxes
    # One more with every pass, as though each were found to be cheaper.
    monkeypatch.setattr(Batches, "batch", property(lambda _: max(1, len(asked) - 1)))
    occluder = Occluder(classifier, pixels, filling)
    *_, last = MAP.sliding(occluder, 1)
    batches = asked[1:]
    assert asked[0] == 1 and sum(batches) == len(windows)
    assert max(batches) > 4
    expected = slowly(classifier, pixels, filling, windows).numpy()
    np.testing.assert_allclose(last.logits.reshape(expected.shape), expected, atol=2e-4)
