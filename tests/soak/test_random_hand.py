"""Thousands of random interactions: nothing stale, nothing raised, every event acknowledged, nothing left behind."""

from __future__ import annotations

import threading
from collections import Counter

import psutil
import pytest
import torch

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier

from .hand import Hand
from .stage import complaints, live_widgets, made_app, state_of
from .truth import faults

#: Interactions between two looks at what is shown, on average.
_BETWEEN = 6
#: Seconds within which the worker is done; far more than it needs.
_PATIENCE = 120


@pytest.mark.timeout(0)
def test_whatever_a_hand_does_every_view_shows_what_the_session_says(
    classifier: Classifier, interactions: int, seed: int
) -> None:
    before, threads, widgets = state_of(classifier.network), threading.active_count(), live_widgets()
    with complaints() as said:
        app = made_app(classifier)
        hand = Hand(app, seed)
        done: Counter[str] = Counter()
        wrong: list[str] = []
        for number in range(interactions):
            done[hand.act()] += 1
            if hand.random.random() < 1 / _BETWEEN:
                assert schedule.WORKER.drain(_PATIENCE), f"the worker is stuck in {type(app.view).__name__}"
                wrong += [f"after {number} (seed {seed}): {fault}" for fault in faults(app)]
                wrong += [f"not acknowledged: {event}" for event in hand.unanswered.values()]
                hand.unanswered.clear()
            if number % 1000 == 999:
                print(f"{number + 1} interactions, {psutil.Process().memory_info().rss >> 20} MiB", flush=True)
        app.close()
        assert schedule.WORKER.drain(_PATIENCE)
    assert not wrong
    assert not hand.wrongly_answered
    assert not [line for line in said if "refused a browser message" not in line]
    assert live_widgets() == widgets, "widgets that were not closed"
    after = state_of(classifier.network)
    assert after["modules"] == before["modules"] and after["grad"] == before["grad"]
    torch.testing.assert_close(after["tensors"], before["tensors"], rtol=0, atol=0)
    for name, (learns, gradient) in before["learning"].items():
        assert after["learning"][name][0] == learns
        torch.testing.assert_close(after["learning"][name][1], gradient, rtol=0, atol=0)
    for thread in threading.enumerate():
        if thread.name.startswith("cnnviz-aside"):
            thread.join(_PATIENCE)  # they linger for a while, one for each kind of call
    assert threading.active_count() <= threads + 1  # the worker, which lingers too
    assert len(done) > min(20, interactions // 5), done
