from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

from cnnviz_widgets.widgets.picture import MaskPainted, PictureCanvas, PointPicked, WindowMoved

PICTURE = np.arange(60 * 80 * 3, dtype=np.uint32).astype(np.uint8).reshape(60, 80, 3)


@pytest.fixture
def canvas() -> PictureCanvas:
    canvas = PictureCanvas(mode="window")
    canvas.show(PICTURE)
    canvas.place_window((10, 20, 8, 12), (4, 40))
    return canvas


@pytest.fixture
def browser(canvas: PictureCanvas, browser_of: Callable[[PictureCanvas], Any]) -> Any:
    return browser_of(canvas)


@pytest.fixture
def states(canvas: PictureCanvas, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The trait values in each message to the browser."""
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(canvas, "_send", lambda message, buffers=None: heard.append(message["state"]))
    return heard


# -- what is shown -----------------------------------------------------------------------------------------


def test_a_picture_is_its_bytes_and_its_size(canvas: PictureCanvas) -> None:
    assert canvas.picture_size == (60, 80)
    assert canvas.picture == PICTURE.tobytes()


def test_without_anything_it_says_so() -> None:
    canvas = PictureCanvas()
    assert (canvas.picture, canvas.picture_size, canvas.window) == (b"", (0, 0), None)
    assert (canvas.map, canvas.map_size, canvas.quantity, canvas.signed, canvas.scales) == (
        b"",
        (0, 0),
        "",
        False,
        [],
    )


@pytest.mark.parametrize(
    "picture",
    [PICTURE[..., 0], PICTURE.astype(float), PICTURE[..., :2], PICTURE[:0], np.zeros((1, 4097, 3), np.uint8)],
    ids=["grey", "float", "two channels", "empty", "too large"],
)
def test_only_a_picture_is_shown(canvas: PictureCanvas, picture: Any) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)|1 to 4096 pixels"):
        canvas.show(picture)
    assert canvas.picture == PICTURE.tobytes()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_a_map_is_sent_as_little_endian_float32(canvas: PictureCanvas, dtype: Any) -> None:
    cells = np.array([[0, 0.5, -2], [np.nan, 3, 4]], dtype)
    canvas.overlay(cells, quantity="drop", signed=True, scales=[("this", -4, 4), ("all", np.float32(-9), 9)])
    assert canvas.map_size == (2, 3)
    np.testing.assert_array_equal(np.frombuffer(canvas.map, "<f4").reshape(2, 3), cells.astype(np.float32))
    assert (canvas.quantity, canvas.signed) == ("drop", True)
    assert canvas.scales == [["this", -4, 4], ["all", -9, 9]]
    canvas.overlay(None)
    assert (canvas.map, canvas.map_size, canvas.quantity) == (b"", (0, 0), "")


@pytest.mark.parametrize(
    "cells", [np.zeros(3), np.zeros((2, 2), int), np.zeros((0, 2)), np.zeros((1, 4097)), np.zeros((1, 2, 2))]
)
def test_only_a_map_is_laid_over(canvas: PictureCanvas, cells: Any) -> None:
    with pytest.raises(ValueError, match=r"numbers \(h, w\)|1 to 4096"):
        canvas.overlay(cells)


@pytest.mark.parametrize("scale", [("s", 0, np.inf), ("s", np.nan, 1), ("s", 2, 1)])
def test_only_a_scale_with_finite_ends_in_order(canvas: PictureCanvas, scale: tuple[str, float, float]) -> None:
    with pytest.raises(ValueError, match="the scale 's' needs finite ends in order"):
        canvas.overlay(np.zeros((1, 1)), scales=[scale])


def test_a_map_and_its_scales_travel_in_one_message(canvas: PictureCanvas, states: list[dict[str, Any]]) -> None:
    canvas.overlay(np.ones((2, 2)), "drop", True, [("s", 0, 1)])
    assert [set(state) for state in states] == [{"_map"}]


def test_maps_from_several_threads_all_arrive_whole(canvas: PictureCanvas, states: list[dict[str, Any]]) -> None:
    def work(number: int) -> None:
        for _ in range(50):
            canvas.overlay(np.full((number, number), number, float), str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in (2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states
    for state in states:
        side = int(state["_map"]["quantity"])
        assert state["_map"]["size"] == [side, side]


def test_traits_that_are_not_there_are_refused() -> None:
    with pytest.raises(TypeError, match="PictureCanvas has no colour"):
        PictureCanvas(colour="red")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "paint"),
        ("box", (1, 2, 3)),
        ("box", (1, 2, 3, float("nan"))),
        ("marker", "ab"),
        ("window_limits", (0, 9)),
    ],
)
def test_traits_are_checked(canvas: PictureCanvas, name: str, value: object) -> None:
    with pytest.raises(traitlets.TraitError):
        setattr(canvas, name, value)


def test_positions_may_be_numpy_numbers(canvas: PictureCanvas) -> None:
    canvas.box = tuple(np.array([-3, 2, 90, 99]))
    canvas.marker = tuple(np.array([1, 2]))
    canvas.place_window(tuple(np.array([1, 2, 8, 8])))
    assert (canvas.box, canvas.marker, canvas.window) == ((-3, 2, 90, 99), (1, 2), (1, 2, 8, 8))
    assert all(type(value) is int for value in (*canvas.box, *canvas.marker, *canvas.window))


# -- the window --------------------------------------------------------------------------------------------


def test_a_first_picture_has_a_window_in_its_middle() -> None:
    canvas = PictureCanvas(mode="window")
    canvas.show(PICTURE)
    assert canvas.window == canvas.window_start == canvas._window_final == (22, 32, 15, 15)


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ((-5, -5, 10, 10), (0, 0, 10, 10)),
        ((59, 79, 10, 12), (50, 68, 10, 12)),
        ((0, 0, 1, 99), (0, 0, 4, 40)),
    ],
)
def test_a_window_is_put_inside_the_picture(canvas: PictureCanvas, wanted: Any, placed: Any) -> None:
    canvas.place_window(wanted)
    assert canvas.window == canvas.window_start == canvas._window_final == placed


def test_limits_beyond_the_picture_end_at_it(canvas: PictureCanvas) -> None:
    canvas.place_window((0, 0, 500, 500), (70, 500))
    assert canvas.window == (0, 0, 60, 80)


def test_another_picture_of_the_same_size_keeps_the_window(canvas: PictureCanvas) -> None:
    canvas.show(PICTURE[::-1])
    assert canvas.window == canvas._window_final == (10, 20, 8, 12)


def test_a_smaller_picture_pulls_the_window_in(canvas: PictureCanvas) -> None:
    canvas.show(PICTURE[:12, :24])
    assert canvas.window == canvas.window_start == canvas._window_final == (4, 12, 8, 12)


# -- what the browser says ---------------------------------------------------------------------------------


def test_a_drag_is_heard_and_only_its_end_is_kept(
    canvas: PictureCanvas, browser: Any, states: list[dict[str, Any]]
) -> None:
    browser.send({"name": "moved", "window": [1, 2, 8, 12], "final": False})
    assert browser.events == [WindowMoved(1, 2, 8, 12, final=False)]
    assert canvas.window == (1, 2, 8, 12)
    assert canvas._window_final == (10, 20, 8, 12)
    assert states == []
    browser.send({"name": "moved", "window": [3, 4, 8, 12], "final": True})
    assert browser.events[1:] == [WindowMoved(3, 4, 8, 12, final=True)]
    assert canvas.window == canvas._window_final == (3, 4, 8, 12)
    assert canvas.window_start == (10, 20, 8, 12)
    assert [set(state) for state in states] == [{"_window_final"}]


def test_the_place_is_kept_before_the_answer(canvas: PictureCanvas, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser takes the kernel's word when the answer comes: it must be the new one by then."""
    order: list[str] = []
    monkeypatch.setattr(canvas, "send", lambda content, buffers=None: order.append("answer"))
    monkeypatch.setattr(canvas, "_send", lambda message, buffers=None: order.append("place"))
    message = {"kind": "event", "seq": 1, "name": "moved", "window": [3, 4, 8, 12], "final": True}
    canvas._handle_custom_msg(message, [])
    assert order == ["place", "answer"]


def test_a_point_is_heard_and_only_the_last_is_marked(canvas: PictureCanvas, browser: Any) -> None:
    browser.send({"name": "picked", "point": [59, 79], "final": False})
    assert canvas.marker is None
    browser.send({"name": "picked", "point": [0, 5], "final": True})
    assert browser.events == [PointPicked(59, 79, final=False), PointPicked(0, 5, final=True)]
    assert canvas.marker == (0, 5)


NAN = float("nan")
HOSTILE: list[dict[str, Any]] = [
    {"name": "moved"},
    {"name": "moved", "window": None},
    {"name": "moved", "window": "0123"},
    {"name": "moved", "window": [1, 2, 8]},
    {"name": "moved", "window": [1, 2, 8, 12, 1]},
    {"name": "moved", "window": [1.0, 2, 8, 12]},
    {"name": "moved", "window": [True, 2, 8, 12]},
    {"name": "moved", "window": [NAN, 2, 8, 12]},
    {"name": "moved", "window": [float("inf"), 2, 8, 12]},
    {"name": "moved", "window": ["1", 2, 8, 12]},
    {"name": "moved", "window": [-1, 2, 8, 12]},
    {"name": "moved", "window": [53, 2, 8, 12]},
    {"name": "moved", "window": [1, 2, 3, 12]},
    {"name": "moved", "window": [1, 2, 8, 41]},
    {"name": "moved", "window": [1, 2, 10**30, 12]},
    {"name": "moved", "window": {"top": 1}},
    {"name": "moved", "window": [1, 2, 8, 12], "final": 1},
    {"name": "moved", "window": [1, 2, 8, 12], "final": None},
    {"name": "picked"},
    {"name": "picked", "point": [60, 0]},
    {"name": "picked", "point": [0, 80]},
    {"name": "picked", "point": [0, -1]},
    {"name": "picked", "point": [0.5, 1]},
    {"name": "picked", "point": [False, True]},
    {"name": ["picked"], "point": [0, 1]},
    {"name": "deleted", "window": [1, 2, 8, 12]},
    {"window": [1, 2, 8, 12]},
]


@pytest.mark.parametrize("content", HOSTILE, ids=repr)
def test_nonsense_from_the_browser_changes_nothing_and_is_answered(
    canvas: PictureCanvas, browser: Any, content: dict[str, Any]
) -> None:
    assert browser.refused(content)
    assert canvas.window == (10, 20, 8, 12)


def test_binary_data_is_refused(browser: Any) -> None:
    content = {"name": "moved", "window": [1, 2, 8, 12]}
    assert browser.refused(content, [memoryview(b"x")])
    assert not browser.refused(content)


def test_before_a_picture_there_is_nothing_to_point_at(browser_of: Callable[[PictureCanvas], Any]) -> None:
    canvas = PictureCanvas()
    browser = browser_of(canvas)
    assert browser.refused({"name": "moved", "window": [0, 0, 0, 0]})
    assert browser.refused({"name": "picked", "point": [0, 0]})
    assert canvas.window is None


def written(canvas: PictureCanvas, **state: Any) -> None:
    """The browser sends trait values."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    canvas._handle_msg({"content": {"data": data}, "buffers": []})


def test_the_browser_writes_its_settings_and_nothing_else(canvas: PictureCanvas) -> None:
    written(canvas, mode="view", _map=5, _picture={}, _window_final=[0, 0, 1, 1], _live=1)
    assert canvas.mode == "window"
    assert canvas.picture_size == (60, 80)
    assert canvas._window_final == (10, 20, 8, 12)
    written(canvas, view_state={"opacity": 0.3}, mode="view")
    assert canvas.view_state == {"opacity": 0.3}
    assert canvas.mode == "window"


@pytest.mark.parametrize("state", [5, None, "x", [1], {"scale": "x" * 3000}])
def test_settings_that_are_none_are_dropped(canvas: PictureCanvas, state: object) -> None:
    canvas.view_state = {"opacity": 0.3}
    written(canvas, view_state=state)
    assert canvas.view_state == {"opacity": 0.3}


# -- the brush ---------------------------------------------------------------------------------------------

MASK = np.random.default_rng(0).random((60, 80)) < 0.3


@pytest.fixture
def painted(canvas: PictureCanvas) -> PictureCanvas:
    canvas.brush = {"en": {"brush": "Brush"}}
    return canvas


def bits(mask: np.ndarray) -> list[memoryview]:
    return [memoryview(np.packbits(mask).tobytes())]


def stroke(final: bool = True, **changes: Any) -> dict[str, Any]:
    return {"name": "painted", "revision": 0, "final": final, **changes}


def test_a_stroke_is_heard_and_kept_where_it_ends(painted: PictureCanvas, browser: Any) -> None:
    browser.send(stroke(final=False), bits(MASK))
    assert painted._mask == {"revision": 0}
    np.testing.assert_array_equal(painted.mask, MASK)
    browser.send(stroke(), bits(~MASK))
    first, last = browser.events
    assert (type(first), first.final, last.final) == (MaskPainted, False, True)
    np.testing.assert_array_equal(first.mask, MASK)
    assert last.mask is painted.mask and not last.mask.flags.writeable
    assert painted._mask == {"revision": 0, "bits": np.packbits(~MASK).tobytes()}


def test_the_window_takes_the_place_of_the_mask_again(painted: PictureCanvas, browser: Any) -> None:
    painted.paint(MASK)
    browser.send({"name": "moved", "window": [1, 2, 8, 12], "final": False})
    assert painted.mask is None and "bits" in painted._mask
    browser.send({"name": "moved", "window": [1, 2, 8, 12], "final": True})
    assert painted._mask == {"revision": 0}


def test_a_mask_ends_with_its_picture(painted: PictureCanvas, browser: Any) -> None:
    painted.paint(MASK)
    painted.show(PICTURE[::-1])
    assert (painted.mask, painted._mask) == (None, {"revision": 1})
    browser.send(stroke(), bits(MASK))  # on the picture before: nobody's fault, and nothing happens
    assert painted.mask is None and browser.events == []
    browser.send(stroke(revision=1), bits(MASK))
    np.testing.assert_array_equal(painted.mask, MASK)


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        (stroke(), []),
        (stroke(), bits(MASK) * 2),
        (stroke(), [memoryview(bytes(599))]),
        (stroke(), [memoryview(bytes(601))]),
        (stroke(), [memoryview(bytes(60 * 80))]),
        (stroke(revision=None), bits(MASK)),
        (stroke(revision=0.0), bits(MASK)),
        (stroke(revision=True), bits(MASK)),
        (stroke(revision=-1), bits(MASK)),
        ({"name": "painted", "final": True}, bits(MASK)),
        (stroke(final=1), bits(MASK)),  # type: ignore[arg-type]
    ],
)
def test_a_mask_of_another_size_or_of_nothing_is_refused(
    painted: PictureCanvas, browser: Any, content: dict[str, Any], buffers: list[memoryview]
) -> None:
    assert browser.refused(content, buffers)
    assert painted.mask is None


def test_without_a_brush_nothing_is_painted(canvas: PictureCanvas, browser: Any) -> None:
    assert browser.refused(stroke(), bits(MASK))
    canvas.brush, canvas.mode = {"en": {}}, "point"
    assert browser.refused(stroke(), bits(MASK))


@pytest.mark.parametrize("mask", [MASK.astype(np.uint8), MASK.T, MASK[None]], ids=["uint8", "turned", "3-d"])
def test_a_mask_is_bool_of_the_pictures_size(painted: PictureCanvas, mask: Any) -> None:
    with pytest.raises(ValueError, match=r"bool \(60, 80\)"):
        painted.paint(mask)
