"""The hand on the picture widget, in a real Chromium and without a kernel: mouse, finger, two views."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.fake_page import FakePage
from tests.support.picture_card import BRUSH, DARK, PALE, Finger, Shown, occluded, show


def windows(fake: FakePage) -> list[list[int]]:
    return [message["window"] for message in fake.sent]


@pytest.fixture
def card(fake_page: FakePage) -> Shown:
    return show(fake_page, occluded())


def test_the_window_follows_the_pointer_without_a_kernel(card: Shown) -> None:
    assert card.color(35, 45) == DARK
    card.press(40, 50)
    for row, column in [(50, 60), (20, 30), (60, 70)]:
        card.move(row, column)
        card.is_at(row - 10, column - 10)
        assert card.color(row - 5, column - 5) == DARK
        assert card.color(25, 85) == PALE
    card.release()
    assert card.color(35, 45) == PALE
    assert card.fake.saved == []


def test_one_message_is_in_flight_and_the_last_position_is_always_sent(card: Shown) -> None:
    card.drag((40, 50), (60, 70), (30, 30), (70, 20))
    card.is_at(60, 10)
    assert len(card.fake.sent) == 1
    assert card.fake.sent[0]["final"] is False
    card.fake.ack()
    assert [message["final"] for message in card.fake.sent] == [False, True]
    assert windows(card.fake)[-1] == [60, 10, 20, 20]
    card.fake.update(_window_final=[60, 10, 20, 20])
    card.fake.ack()
    assert len(card.fake.sent) == 2
    card.is_at(60, 10)


def test_a_lost_answer_is_waited_for_one_and_a_half_seconds(fake_page: FakePage) -> None:
    fake_page.page.clock.install()
    card = show(fake_page, occluded())
    card.press(40, 50)
    card.move(60, 70)
    assert len(fake_page.sent) == 1
    fake_page.page.clock.fast_forward(1600)
    assert len(fake_page.sent) == 2
    card.release()
    fake_page.page.clock.fast_forward(1600)
    assert fake_page.sent[-1]["final"] is True
    expect(fake_page.page.get_by_text("waiting for the kernel")).to_be_visible()
    fake_page.ack()
    expect(fake_page.page.get_by_text("waiting for the kernel")).to_be_hidden()


def test_the_kernel_does_not_move_the_window_under_the_hand_but_has_the_last_word(card: Shown) -> None:
    card.press(40, 50)
    card.move(60, 70)
    card.fake.update(_window_final=[0, 0, 10, 10], window_start=[0, 0, 10, 10], label="another")
    card.frame()
    card.is_at(50, 60)
    card.release()
    card.fake.update(_window_final=[1, 1, 10, 10])  # late: the end of the drag has not been heard of
    card.frame()
    card.is_at(50, 60)
    card.fake.ack()
    card.fake.update(_window_final=[50, 60, 20, 20])
    card.fake.ack()
    card.is_at(50, 60)
    card.fake.update(_window_final=[5, 6, 10, 10])
    card.is_at(5, 6, 10, 10)


def test_a_hand_that_only_holds_the_window_gets_the_kernels_when_it_lets_go(card: Shown) -> None:
    card.press(40, 50)
    card.fake.update(_window_final=[5, 6, 20, 20])
    card.frame()
    card.is_at(30, 40)
    card.release()
    card.is_at(5, 6)


def test_a_refused_move_ends_where_the_kernel_has_the_window(card: Shown) -> None:
    card.drag((40, 50), (60, 70))
    card.fake.ack()
    card.is_at(50, 60)
    card.fake.ack()
    card.is_at(30, 40)


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ((30, 40), (20, 35), (20, 35, 30, 25)),
        ((50, 60), (70, 65), (30, 40, 40, 25)),
        ((50, 50), (60, 99), (30, 40, 30, 20)),
        ((40, 40), (99, 20), (30, 20, 20, 40)),
        ((30, 60), (49, 41), (46, 40, 4, 4)),
        ((50, 60), (0, 500), (30, 40, 4, 60)),
    ],
    ids=["top left", "bottom right", "bottom", "left", "not too small", "not too large"],
)
def test_corners_and_sides_resize(
    card: Shown, start: tuple[int, int], end: tuple[int, int], window: tuple[int, int, int, int]
) -> None:
    card.drag(start, end)
    card.is_at(*window)


def test_a_press_elsewhere_fetches_the_window_and_drags_on(card: Shown) -> None:
    card.press(80, 20)
    card.is_at(70, 10)
    card.move(85, 25)
    card.is_at(75, 15)
    card.move(500, -500)
    card.is_at(80, 0)
    card.release()


def test_escape_half_way_through_a_drag_undoes_it(card: Shown) -> None:
    card.fake.acknowledge_all()
    card.press(40, 50)
    card.move(60, 70)
    card.is_at(50, 60)
    card.page.keyboard.press("Escape")
    card.is_at(30, 40)
    card.move(10, 10)
    card.is_at(30, 40)
    card.release()
    card.page.wait_for_function("() => model.sent.at(-1).final")
    assert windows(card.fake)[-1] == [30, 40, 20, 20]


def test_only_the_main_button_drags(card: Shown) -> None:
    card.page.mouse.move(*card.at(40, 50))
    card.page.mouse.down(button="middle")
    card.move(60, 70)
    card.page.mouse.up(button="middle")
    card.is_at(30, 40)
    assert card.fake.sent == []


def test_a_press_that_moves_nothing_sends_nothing(card: Shown) -> None:
    card.press(40, 50)
    card.release()
    assert card.fake.sent == []


def test_the_wheel_scrolls_the_page(fake_page: FakePage) -> None:
    card = show(fake_page, occluded(), css="body { height: 3000px }")
    card.page.mouse.move(*card.at(40, 50))
    card.page.mouse.wheel(0, 300)
    card.page.wait_for_function("() => scrollY > 0")


@pytest.fixture
def finger(open_fake_page: Callable[..., FakePage]) -> Finger:
    fake = open_fake_page(has_touch=True, is_mobile=True, viewport={"width": 400, "height": 500})
    return Finger(show(fake, occluded(brush=BRUSH), css="body { height: 3000px }"))


def test_a_finger_drags_the_window_and_does_not_scroll(finger: Finger) -> None:
    finger.drag((40, 50), *((row, 30) for row in range(42, 72, 5)))
    finger.card.is_at(57, 20)
    finger.fake.ack()
    assert finger.fake.sent[-1]["final"] is True
    assert finger.fake.page.evaluate("() => scrollY") == 0


def test_a_finger_beside_the_window_scrolls_the_page_and_a_tap_fetches_the_window(finger: Finger) -> None:
    finger.drag((90, 10), *((row, 10) for row in range(85, 20, -8)))
    finger.fake.page.wait_for_function("() => scrollY > 20")
    finger.card.is_at(30, 40)
    assert finger.fake.sent == []
    finger.drag((90, 10))
    finger.card.is_at(80, 0)
    finger.fake.ack()
    assert finger.fake.sent[-1]["final"] is True


def test_a_finger_paints_with_the_brush_and_does_not_scroll(finger: Finger) -> None:
    finger.fake.page.get_by_role("button", name="Brush", exact=True).tap()
    finger.drag((20, 20), *((row, 20) for row in range(25, 80, 5)))
    assert finger.card.color(50, 20) == DARK
    assert finger.fake.page.evaluate("() => scrollY") == 0


@pytest.mark.parametrize(("mode", "action"), [("window", "pan-y pinch-zoom"), ("point", "none"), ("view", "auto")])
def test_only_where_the_hand_moves_something_is_a_finger_taken_from_the_page(
    fake_page: FakePage, mode: str, action: str
) -> None:
    expect(show(fake_page, occluded(mode=mode)).canvas).to_have_css("touch-action", action)
    expect(fake_page.page.locator(".cnnviz-picture")).to_have_css("touch-action", "auto")


def test_point_mode_reports_the_pixel_under_the_pointer(fake_page: FakePage) -> None:
    card = show(fake_page, occluded(mode="point"))
    fake_page.acknowledge_all()
    card.drag((10.5, 20.5), (33.2, 44.9), (200, -50))
    fake_page.page.wait_for_function("() => model.sent.at(-1).final")
    points = [message["point"] for message in fake_page.sent]
    assert points[0] == [10, 20]
    assert [33, 44] in points
    assert points[-1] == [99, 0]
    assert all(message["name"] == "picked" for message in fake_page.sent)
    fake_page.update(marker=[99, 0])
    card.page.keyboard.press("ArrowRight")
    card.page.wait_for_function("() => model.sent.at(-1).point[1] === 1")


def test_two_views_of_one_model_move_together(fake_page: FakePage) -> None:
    first = show(fake_page, occluded(), views=2, css="#views { display: flex }")
    second = Shown(fake_page, 1)
    first.press(40, 50)
    first.move(60, 70)
    for view in (first, second):
        view.is_at(50, 60)
    first.release()
    second.drag((60, 70), (20, 20))
    for view in (first, second):
        view.is_at(10, 10)
    assert {message["final"] for message in fake_page.sent} == {False}  # one of each is in flight, unanswered
    fake_page.update(_window_final=[1, 2, 20, 20])
    for message in fake_page.sent:
        fake_page.ack(message["seq"])
    for message in fake_page.sent:
        fake_page.ack(message["seq"])
    for view in (first, second):
        view.is_at(1, 2)


def test_another_page_follows_the_kernel(card: Shown) -> None:
    card.fake.update(_window_final=[70, 5, 12, 14])
    card.is_at(70, 5, 12, 14)
    assert card.fake.sent == []


def test_a_view_leaves_nothing_behind_and_ends_its_gesture(fake_page: FakePage) -> None:
    first = show(fake_page, occluded(), views=2)
    before = fake_page.listeners
    first.press(40, 50)
    first.move(60, 70)
    fake_page.unmount(0)
    assert fake_page.sent[-1]["final"] is True
    assert windows(fake_page)[-1] == [50, 60, 20, 20]
    assert fake_page.listeners == before // 2
    fake_page.unmount(1)
    assert fake_page.listeners == 0
    assert fake_page.page.locator("#views *").count() == 0
