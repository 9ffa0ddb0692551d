"""Upload in a real Chromium: what a picture looks like when it leaves the browser."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.fake_page import FakePage

UPLOAD: dict[str, Any] = {
    "description": "Upload a picture",
    "message": "",
    "failed": False,
    "disabled": False,
    "max_side": 1024,
    "max_bytes": 2**20,
}
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250)


def quarters(width: int, height: int) -> Image.Image:
    """Red, green / blue, white: any turn shows."""
    small = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """Colours in the middle of the quarters, row by row."""
    pixels = np.asarray(picture.convert("RGB"))
    rows, columns = pixels.shape[:2]
    return [tuple(int(c) for c in pixels[rows * i // 4, columns * j // 4]) for i in (1, 3) for j in (1, 3)]


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


class Uploads:
    """The widget on a page, with the bytes that it sends."""

    def __init__(self, page: FakePage, **state: Any) -> None:
        self.fake = page
        page.load("upload", UPLOAD | state)
        page.page.evaluate(
            "() => { model.files = []; const send = model.send.bind(model);"
            " model.send = (c, k, b) => { model.files.push(...b); send(c, k, b); } }"
        )
        self.line = page.page.locator(".cnnviz-upload-line")

    def choose(self, data: bytes, name: str, kind: str) -> None:
        self.fake.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": data})

    def hand_over(self, event: str, data: bytes, name: str, kind: str) -> bool:
        """Drop or paste a file on the button; whether the widget took the event."""
        return self.fake.page.get_by_role("button", name="Upload").evaluate(
            """(button, [event, data, name, type]) => {
              const transfer = new DataTransfer();
              const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
              transfer.items.add(new File([bytes], name, { type }));
              const init = { bubbles: true, cancelable: true };
              const made = event === "paste"
                ? new ClipboardEvent(event, { ...init, clipboardData: transfer })
                : new DragEvent(event, { ...init, dataTransfer: transfer });
              return !button.dispatchEvent(made);
            }""",
            [event, base64.b64encode(data).decode(), name, kind],
        )

    def received(self, count: int = 1) -> bytes:
        """The bytes of the newest message, once `count` have been sent."""
        self.fake.page.wait_for_function("count => model.sent.length >= count", arg=count)
        text = self.fake.page.evaluate(
            """() => new Promise(resolve => {
              const reader = new FileReader();
              reader.onload = () => resolve(reader.result.split(",")[1]);
              reader.readAsDataURL(new Blob([model.files.at(-1)]));
            })"""
        )
        assert len(self.fake.sent) == count
        return base64.b64decode(text)


def close(found: list[tuple[int, ...]], wanted: list[tuple[int, ...]]) -> bool:
    return bool(np.abs(np.array(found) - np.array(wanted)).max() <= 6)


def test_a_large_turned_photograph_arrives_small_and_upright(fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise to look at it
    data = encoded(quarters(4000, 3000), "JPEG", quality=90, exif=exif)
    uploads.choose(data, "IMG_0001.jpg", "image/jpeg")
    picture = Image.open(io.BytesIO(uploads.received()))
    assert (picture.format, picture.size) == ("JPEG", (768, 1024))
    assert picture.getexif().get(0x0112) is None
    assert close(corners(picture), [BLUE, RED, WHITE, GREEN])
    assert fake_page.sent[0]["name"] == "IMG_0001.jpg" and fake_page.sent[0]["final"] is True
    assert fake_page.saved == []


def test_a_small_picture_travels_byte_for_byte(fake_page: FakePage) -> None:
    data = encoded(quarters(28, 28), "PNG")
    uploads = Uploads(fake_page)
    uploads.choose(data, "digit.png", "image/png")
    assert uploads.received() == data


def test_transparency_survives_shrinking(fake_page: FakePage) -> None:
    picture = quarters(3000, 600)
    picture.putalpha(128)
    uploads = Uploads(fake_page)
    uploads.choose(encoded(picture, "WEBP", lossless=True), "cut.webp", "image/webp")
    shrunk = Image.open(io.BytesIO(uploads.received()))
    assert (shrunk.format, shrunk.mode, shrunk.size) == ("PNG", "RGBA", (1024, 205))


def test_what_is_still_too_large_as_png_goes_as_jpeg_on_white(fake_page: FakePage) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 4), np.uint8)
    noise[..., 3] = 255
    noise[:600, :, 3] = 0
    uploads = Uploads(fake_page)
    uploads.choose(encoded(Image.fromarray(noise), "PNG"), "noise.png", "image/png")
    data = uploads.received()
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG" and len(data) <= 2**20
    assert np.asarray(picture)[:300].mean() > 250


def test_what_the_browser_cannot_decode_goes_to_python_if_it_is_small(fake_page: FakePage) -> None:
    data = encoded(quarters(20, 10), "TIFF")
    uploads = Uploads(fake_page)
    uploads.choose(data, "scan.tif", "image/tiff")
    assert uploads.received() == data


def test_what_cannot_be_decoded_and_is_too_large_is_refused_in_a_sentence(fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    uploads.choose(bytes(2**20 + 1), "<b>huge</b>.raw", "")
    expect(uploads.line).to_contain_text("cannot decode this file")
    expect(uploads.line).to_contain_text("over the limit of 1.0 MiB")
    uploads.choose(b"", "empty.png", "image/png")
    expect(uploads.line).to_have_text("This file is empty.")
    assert fake_page.sent == []
    assert fake_page.page.locator(".view b").count() == 0


def test_the_same_file_can_be_chosen_twice(fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    fake_page.acknowledge_all()
    data = encoded(quarters(8, 8), "PNG")
    for count in (1, 2):
        with fake_page.page.expect_file_chooser() as chooser:
            fake_page.page.get_by_role("button", name="Upload").click()
        chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": data})
        assert uploads.received(count) == data
        assert fake_page.page.locator("input[type=file]").input_value() == ""


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted(event: str, fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    data = encoded(quarters(8, 8), "PNG")
    assert uploads.hand_over(event, data, "a.png", "image/png")
    assert uploads.received() == data
    fake_page.update(disabled=True)
    assert not uploads.hand_over(event, data, "a.png", "image/png")
    assert len(fake_page.sent) == 1


def test_a_file_dragged_over_is_welcomed_and_one_dragged_away_forgotten(fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    over = fake_page.page.locator(".cnnviz-upload-over")
    uploads.hand_over("dragenter", b"x", "a.png", "image/png")
    expect(over).to_have_count(1)
    assert uploads.hand_over("dragover", b"x", "a.png", "image/png")
    uploads.hand_over("dragleave", b"x", "a.png", "image/png")
    expect(over).to_have_count(0)


def test_the_kernels_message_is_text_and_shown_again_after_an_equal_answer(fake_page: FakePage) -> None:
    uploads = Uploads(fake_page)
    message = "<img src=x onerror=alert(1)> is not a picture."
    data = encoded(quarters(8, 8), "PNG")
    uploads.choose(data, "a.png", "image/png")
    uploads.received(1)
    expect(uploads.line).to_have_text("Sending a.png…")
    fake_page.update(message=message, failed=True)
    fake_page.ack()
    expect(uploads.line).to_have_text(message)
    expect(fake_page.page.locator(".cnnviz-upload-failed")).to_have_count(1)
    uploads.choose(data, "b.png", "image/png")
    uploads.received(2)
    expect(uploads.line).to_have_text("Sending b.png…")
    fake_page.ack()  # the same message: no trait changes
    expect(uploads.line).to_have_text(message)
    assert fake_page.page.locator("img").count() == 0


def test_while_the_kernel_works_only_the_newest_picture_waits(fake_page: FakePage) -> None:
    fake_page.page.clock.install(time=0)
    uploads = Uploads(fake_page)
    fake_page.page.clock.pause_at(1000)
    pictures = [encoded(quarters(8, side), "PNG") for side in (4, 6, 8)]
    for number, data in enumerate(pictures):
        uploads.choose(data, f"{number}.png", "image/png")
        expect(uploads.line).to_have_text(f"Sending {number}.png…")
    assert uploads.received(1) == pictures[0]
    fake_page.ack()
    assert uploads.received(2) == pictures[2]
    fake_page.page.clock.run_for(8000)
    expect(uploads.line).to_have_text("Sent; the kernel has not answered yet.")


def test_a_removed_view_leaves_nothing_behind(fake_page: FakePage) -> None:
    fake_page.load("upload", UPLOAD, views=2)
    fake_page.unmount(0)
    fake_page.unmount(1)
    assert fake_page.listeners == 0
    assert fake_page.page.locator(".cnnviz").count() == 0
