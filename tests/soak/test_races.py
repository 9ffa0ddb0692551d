"""Interleavings of the hand, the worker and a cell, forced with events: what was done last is what is shown."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.patches import PatchView

from .hand import Hand, custom
from .stage import SIZE, made_app, pictures
from .truth import faults

PATIENCE = 20


@pytest.fixture
def app(classifier: Classifier) -> Iterator[Explorer]:
    opened = made_app(classifier)
    assert schedule.WORKER.drain(60)
    yield opened
    opened.close()


class Elsewhere(threading.Thread):
    """Does something on a thread of its own; what it raises is raised by `done`."""

    def __init__(self, act: Any) -> None:
        super().__init__(daemon=True)
        self._act = act
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self._error = error

    def done(self) -> None:
        self.join(PATIENCE)
        assert not self.is_alive(), "a deadlock"
        if self._error is not None:
            raise self._error


def test_a_pick_takes_the_place_of_strokes_that_are_not_a_picture_yet(app: Explorer, interactions: int) -> None:
    app.draw()
    hand = Hand(app, 0)
    for number in range(interactions // 5):
        custom(app.sketch.sheet, {"event": "mouse_down", "x": hand.random.uniform(0, 300), "y": 20})
        if number % 3 == 0:  # the strokes are a picture by then
            assert schedule.WORKER.drain(60)
        picked = number % len(app.pictures)
        hand.send(app.strip, name="picked", index=picked, revision=app.strip.revision, modifiers=[])
        assert schedule.WORKER.drain(60)
        assert app.session.picture is app.pictures[picked]
        assert faults(app) == []


def test_strokes_after_a_pick_are_the_picture_again(app: Explorer) -> None:
    app.draw()
    for x in (20, 90):
        custom(app.sketch.sheet, {"event": "mouse_down", "x": x, "y": 20})
        assert schedule.WORKER.drain(60)
        assert app.session.picture.name == "sketch"
        app.session.picture = app.pictures[2]
    assert schedule.WORKER.drain(60)
    assert app.session.picture is app.pictures[2] and faults(app) == []


def test_the_older_of_two_pictures_never_wins(app: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main thread is held between its snapshot and its request, while another thread sets a newer picture."""
    here, held, begun = threading.current_thread(), threading.Event(), threading.Event()
    newer = read_picture(pictures(1, seed=9)[0], "newer")
    start = Job.start

    def slow(self: Job, *details: Any) -> Job:
        if self is app.predictions.work and threading.current_thread() is here and not held.is_set():
            held.set()
            assert begun.wait(PATIENCE)
        return start(self, *details)

    def set_newer() -> None:
        assert held.wait(PATIENCE)
        begun.set()
        app.session.picture = newer

    monkeypatch.setattr(Job, "start", slow)
    other = Elsewhere(set_newer)
    app.session.picture = app.pictures[1]
    other.done()
    assert schedule.WORKER.drain(60)
    assert app.session.picture is newer and faults(app) == []


class SlowDisk:
    """Pictures of one grey that, once `gate` is there, take until it opens to be read."""

    def __init__(self, grey: int) -> None:
        self.grey = grey
        self.gate: threading.Event | None = None
        self.reading = threading.Event()

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> np.ndarray:
        if self.gate is not None:
            self.reading.set()
            assert self.gate.wait(PATIENCE)
        return np.full((*SIZE, 3), self.grey, np.uint8)


def test_patches_are_never_cut_out_of_the_data_set_before(classifier: Classifier) -> None:
    black, white = SlowDisk(10), SlowDisk(240)
    view = PatchView(Session(classifier), source=black)
    assert schedule.WORKER.drain(60)
    view.session.layer = "last.0"
    assert schedule.WORKER.drain(60)
    view._scanned.kept.clear()  # as after many other pictures
    black.gate = threading.Event()
    view.session.channel = 3
    assert black.reading.wait(PATIENCE)
    replaced = Elsewhere(lambda: setattr(view, "source", white))
    replaced.done()
    black.gate.set()
    assert schedule.WORKER.drain(60)
    for place in ("strongest", "random"):
        view.rank = place
        assert schedule.WORKER.drain(60)
        assert view.sheet is not None and len(view.sheet.tiles)
        assert all(np.median(tile[40:70, 40:70]) > 200 for tile in view.sheet.tiles)
    view.close()


@pytest.mark.parametrize("tab", ["Top patches", "Filters", "Activations", "CAM", "Map"])
def test_what_changed_in_a_hidden_tab_is_shown_on_return(app: Explorer, tab: str) -> None:
    app.open_tab(tab)
    assert schedule.WORKER.drain(60)
    app.open_tab("Occlusion")
    app.session.layer = "stem.0"
    app.session.channel = 3
    app.session.picture = app.pictures[4]
    app.session.selection = [1, 2]
    app.open_tab(tab)
    assert schedule.WORKER.drain(60)
    assert faults(app) == []
    app.session.channel = 2
    assert schedule.WORKER.drain(60)
    assert faults(app) == []


def test_a_network_that_was_trained_on_meanwhile_is_shown_as_it_is(app: Explorer) -> None:
    app.open_tab("Saliency")
    assert schedule.WORKER.drain(60)
    app.open_tab("Occlusion")
    assert schedule.WORKER.drain(60)
    network = app.session.classifier.network
    with torch.no_grad():
        network.head.weight.mul_(-1)
    before = app._views["Saliency"].canvas.map
    app.open_tab("Saliency")
    assert schedule.WORKER.drain(60)
    assert app.view.canvas.map != before
    app.session.picture = app.pictures[3]
    assert schedule.WORKER.drain(60)
    assert faults(app) == []


def test_an_observer_may_wait_for_the_panels(app: Explorer) -> None:
    """A handler of the user's that waits for what a panel will draw, called by a cell, the hand and the worker."""
    said: list[str] = []
    drawn: list[bool] = []

    def wait(change: Any) -> None:
        assert not schedule.is_between_callbacks()
        if threading.current_thread() is not schedule.WORKER._thread:
            drawn.append(schedule.WORKER.drain(PATIENCE))
        said.append(app.session.picture.name)

    app.session.observe(wait, "picture")
    app.session.picture = app.pictures[1]
    hand = Hand(app, 0)
    hand.send(app.strip, name="picked", index=2, revision=app.strip.revision, modifiers=[])
    app.draw()
    custom(app.sketch.sheet, {"event": "mouse_down", "x": 20, "y": 20})
    assert schedule.WORKER.drain(60)
    assert drawn == [True, True] and said == ["p1", "p2", "sketch"]
    app.session.unobserve(wait, "picture")
    app.session.picture = app.pictures[0]
    assert len(said) == 3


def test_changes_that_come_together_are_told_as_one(classifier: Classifier) -> None:
    session = Session(classifier)
    told: list[tuple[Any, Any]] = []
    session.observe(lambda change: told.append((change["old"], change["new"])), "channel")
    with schedule.between_callbacks():
        for channel in (1, 2, 3):
            session.channel = channel
        assert told == []
    assert told == [(None, 3)]


class Order:
    """A lock that notes when it is taken while `held` says that the other one is."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.mine = threading.local()
        self.taken_inside = 0
        self.other: Order | None = None

    @property
    def held(self) -> bool:
        return getattr(self.mine, "depth", 0) > 0

    def acquire(self, *details: Any) -> Any:
        if self.other is not None and self.other.held and not self.held:
            self.taken_inside += 1
        taken = self.lock.acquire(*details)
        self.mine.depth = getattr(self.mine, "depth", 0) + 1
        return taken

    def release(self) -> None:
        self.mine.depth -= 1
        self.lock.release()

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def test_no_thread_that_runs_the_network_waits_for_the_panels(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, interactions: int
) -> None:
    """One order for both locks: whoever is between two callbacks may take the network's, and never the other way."""
    callbacks, network = Order(threading.RLock()), Order(network_lock)
    callbacks.other = network
    monkeypatch.setattr(schedule.turns, "_CALLBACKS", callbacks)
    for name, module in list(sys.modules.items()):
        if name.startswith("cnnviz_widgets.") and getattr(module, "LOCK", None) is network.lock:
            monkeypatch.setattr(module, "LOCK", network)
    app = made_app(classifier)
    hand = Hand(app, 3)
    for title in app.tabs.titles:
        app.open_tab(title)
        for _ in range(interactions // 15):
            hand._touch()
        assert schedule.WORKER.drain(120)
    app.close()
    assert callbacks.taken_inside == 0


def test_two_threads_that_set_one_session_leave_its_panels_alike(app: Explorer, interactions: int) -> None:
    session = app.session

    def hammer(first: int) -> None:
        for number in range(first, first + interactions // 5):
            session.target = number % 5
            session.picture = app.pictures[number % len(app.pictures)]
            session.layer = session.classifier.layers[number % len(session.classifier.layers)].name

    others = [Elsewhere(lambda first=first: hammer(first)) for first in (0, 1)]
    for other in others:
        other.done()
    assert schedule.WORKER.drain(120)
    assert faults(app) == []
