"""Groups of windows on several cores: the same numbers to the last bit, and nothing goes on that nobody wants."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cnnviz_widgets.classifier import workers
from cnnviz_widgets.classifier.workers import OutdatedError
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Occluder
from cnnviz_widgets.graph import engine
from cnnviz_widgets.graph.boxes import Box
from tests.support.occluding import Branching, hand_made, inputs


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(engine, "_MIN_PIXELS", 0)
    monkeypatch.setattr(workers.WORKERS, "count", 2)
    yield
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)


def test_a_map_by_the_engine_is_the_same_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = hand_made(Branching)
    pixels, _ = inputs(classifier)
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(workers.WORKERS, "count", count)
        found.append(Occlusion(9, 3)(classifier, pixels, 1))
    for other in found[1:]:
        np.testing.assert_array_equal(other.logits, found[0].logits)
        np.testing.assert_array_equal(other.values, found[0].values)


@pytest.mark.parametrize("kind", ["engine", "network"])
def test_a_map_that_is_dropped_leaves_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_MIN_PIXELS", 0 if kind == "engine" else 10**9)
    classifier = hand_made(Branching)
    pixels, _ = inputs(classifier)
    steps = Occlusion(9, 1).steps(classifier, pixels, 1)
    assert next(steps).progress < 0.2
    steps.close()
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)
    assert not workers.WORKERS._calls


def test_an_engine_for_another_thread_shares_the_picture_and_stops_when_it_is_told() -> None:
    classifier = hand_made(Branching)
    occluder = Occluder(classifier, *inputs(classifier))
    occluder.prepare()
    own = occluder._engine
    assert own is not None
    dropped: list[int] = []
    shared = own.shared(lambda: bool(dropped))
    boxes = [Box(top, 4, 7, 9) for top in range(0, 20, 3)]
    expected = own.logits(boxes)
    np.testing.assert_array_equal(shared.logits(boxes), expected)
    np.testing.assert_array_equal(own.logits(boxes), expected)
    dropped.append(1)
    with pytest.raises(OutdatedError):
        shared.logits(boxes)
    np.testing.assert_array_equal(own.logits(boxes), expected)
