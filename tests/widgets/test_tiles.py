from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import traitlets

from cnnviz_widgets.widgets.tiles import TileEntered, TilePicked, Tiles


@pytest.fixture
def tiles() -> Tiles:
    widget = Tiles()
    widget.show(np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3), labels=list("abcde"))
    return widget


def entered(index: Any, **more: Any) -> dict[str, Any]:
    return {"name": "entered", "index": index, "revision": 1, **more}


def picked(index: Any, **more: Any) -> dict[str, Any]:
    return {"name": "picked", "index": index, "revision": 1, "modifiers": [], **more}


def test_show_lays_the_tiles_out_row_by_row(tiles: Tiles) -> None:
    assert tiles.sheet == bytes(range(30))
    assert (tiles.count, tiles.tile_size, tiles.channels, tiles.revision) == (5, (2, 3), 1, 1)
    colour = np.random.default_rng(0).integers(0, 256, (4, 6, 2, 3), np.uint8)
    tiles.show(colour[:, ::2], badges=["dead"], selected=3)  # not contiguous
    assert np.array_equal(np.frombuffer(tiles.sheet, np.uint8).reshape(4, 3, 2, 3), colour[:, ::2])
    assert (tiles.count, tiles.tile_size, tiles.channels, tiles.revision) == (4, (3, 2), 3, 2)
    assert (tiles.labels, tiles.badges, tiles.selected) == ([], ["dead"], 3)


def test_show_is_one_message(tiles: Tiles, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[Any] = []
    monkeypatch.setattr(tiles, "send_state", lambda key=None: states.append(set(key)))
    tiles.show(np.zeros((2, 1, 1, 3), np.uint8), selected=1)
    assert len(states) == 1
    assert {"sheet", "count", "tile_size", "channels", "labels", "selected", "revision"} <= states[0]


def test_no_tiles_can_be_shown(tiles: Tiles, browser_of: Any) -> None:
    tiles.show(None)
    assert (tiles.count, tiles.sheet) == (0, b"")
    browser = browser_of(tiles)
    assert browser.refused({**picked(0), "revision": 2})
    tiles.show(np.zeros((0, 7, 7), np.uint8))
    assert tiles.count == 0


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 3), np.float32),
        np.zeros((2, 3, 3), bool),
        np.zeros((2, 3, 3, 4), np.uint8),
        np.zeros((2, 3, 3, 2), np.uint8),
        np.zeros((3, 3), np.uint8),
        np.zeros((1, 2, 3, 3, 3), np.uint8),
        np.zeros((2, 0, 3), np.uint8),
    ],
)
def test_what_cannot_be_drawn_is_an_error_and_changes_nothing(array: Any, tiles: Tiles) -> None:
    with pytest.raises(ValueError, match="tiles are uint8"):
        tiles.show(array)
    assert (tiles.count, tiles.revision) == (5, 1)


def test_events_are_delivered_and_selected_follows_picks_alone(tiles: Tiles, browser_of: Any) -> None:
    browser = browser_of(tiles)
    browser.send(entered(4, final=False))
    browser.send(entered(None))
    assert tiles.selected is None
    browser.send(picked(2, modifiers=["shift", "ctrl"]))
    assert browser.events == [
        TileEntered(4),
        TileEntered(None, final=True),
        TilePicked(2, modifiers=frozenset({"shift", "ctrl"})),
    ]
    assert tiles.selected == 2


@pytest.mark.parametrize(
    "content",
    [
        {},
        picked(5),
        picked(-1),
        picked(None),
        picked(True),
        picked(1.0),
        picked(float("nan")),
        picked(2**64),
        picked("1"),
        picked([1]),
        picked(1, revision=0),
        picked(1, revision=True),
        picked(1, revision=1.0),
        picked(1, revision=None),
        picked(1, modifiers=None),
        picked(1, modifiers="shift"),
        picked(1, modifiers=["hyper"]),
        picked(1, modifiers=[["shift"]]),
        picked(1, modifiers=[{}]),
        picked(1, modifiers=["shift"] * 5),
        picked(1, final=0),
        {"name": "picked", "index": 1, "revision": 1},
        {"name": "dropped", "index": 1, "revision": 1},
        {"name": ["picked"], "index": 1, "revision": 1},
        {"index": 1, "revision": 1},
        entered(5),
        entered(-1),
        entered(False),
        entered(0.5),
        entered(1, revision=2),
    ],
)
def test_a_bad_message_is_refused_with_a_log_line(
    content: dict[str, Any], tiles: Tiles, browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(tiles)
    with caplog.at_level(logging.DEBUG, "cnnviz_widgets"):
        assert browser.refused(content)
    assert "Tiles" in caplog.text


def test_binary_data_is_refused(tiles: Tiles, browser_of: Any) -> None:
    assert browser_of(tiles).refused(picked(1), [memoryview(b"x")])


def test_a_pick_of_a_replaced_sheet_is_not_taken_for_the_new_one(tiles: Tiles, browser_of: Any) -> None:
    browser = browser_of(tiles)
    tiles.show(np.zeros((5, 2, 3), np.uint8))
    assert browser.refused(picked(1))
    browser.send(picked(1, revision=2))
    assert tiles.selected == 1


def test_selected_is_none_or_a_tile(tiles: Tiles) -> None:
    with pytest.raises(traitlets.TraitError, match="outside the 5 tiles"):
        tiles.selected = 5
    tiles.selected = 4
    with pytest.raises(ValueError, match="tile 2 is outside the 2 tiles"):
        tiles.show(np.zeros((2, 3, 3), np.uint8), selected=2)
    assert (tiles.count, tiles.revision, tiles.selected) == (5, 1, 4)


def test_state_from_the_browser_is_dropped(tiles: Tiles) -> None:
    tiles._handle_msg({"content": {"data": {"method": "update", "state": {"count": 10**9}}}, "buffers": []})
    assert tiles.count == 5
