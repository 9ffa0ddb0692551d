"""The network itself in a page: what it answers there is what it answers in the notebook."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Browser, expect

pytest.importorskip("onnxruntime")

from cnnviz_widgets import demo, schedule
from cnnviz_widgets.views.occlusion import OcclusionView
from tests.support.exported import content_of
from tests.support.living import STRICT_WITH_NETWORK, LivingPage, open_from_disk, open_from_server

LIVE = re.compile(r" \(computed in this page, \d+ ms\)$")


@pytest.fixture(scope="module")
def view() -> Iterator[OcclusionView]:
    with schedule.inline():
        made = OcclusionView(demo.shapes_classifier(), demo.pictures()[0])
    yield made
    made.close()


@pytest.fixture(scope="module")
def written(view: OcclusionView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "live.html"
    with schedule.inline():
        saved = view.to_html(path, live="network", weights="float32", tell=None)
    assert saved.size < 6
    return path


@pytest.fixture(params=["from disk", "from a server"])
def living(request: pytest.FixtureRequest, chromium: Browser, written: Path) -> Iterator[LivingPage]:
    opened = (
        open_from_disk(chromium, written)
        if request.param == "from disk"
        else open_from_server(chromium, written, STRICT_WITH_NETWORK)
    )
    with opened as page:
        page.page.wait_for_selector("html[data-cnnviz-network=ready]", state="attached", timeout=60_000)
        yield page
    assert page.problems == []
    asked = [
        address for address in page.requests if not address.startswith("blob:")
    ]  # the worker is a part of the page
    assert len(asked) == 1, page.requests


def test_any_patch_is_answered_as_in_the_notebook(living: LivingPage, view: OcclusionView, written: Path) -> None:
    (patch,) = [one for one in content_of(written.read_text(encoding="utf-8"))["players"] if one["kind"] == "patch"]
    hand = random.Random(2)
    with schedule.inline():
        view.resting.drop_map()
        for number in range(8):
            height, width = hand.randrange(3, 40), hand.randrange(3, 40)
            window = (hand.randrange(64 - height), hand.randrange(64 - width), height, width)
            view.window = window
            living.send(patch["canvas"], name="moved", window=list(window), final=number % 2 == 0)
            said = living.trait(patch["status"], "text")
            assert LIVE.search(said), said
            for bars in ("now", "before"):
                np.testing.assert_allclose(living.trait(patch["bars"], bars), getattr(view.bars, bars), atol=2e-3)
            assert living.trait(patch["bars"], "names") == view.bars.names
            numbers = r"-?\d+(\.\d+)?"
            assert re.sub(numbers, "", LIVE.sub("", said)) == re.sub(numbers, "", view.status.text)


def test_the_brush_covers_any_shape(living: LivingPage, view: OcclusionView, written: Path) -> None:
    (patch,) = [one for one in content_of(written.read_text(encoding="utf-8"))["players"] if one["kind"] == "patch"]
    rows, columns = np.mgrid[:64, :64]
    mask = (rows - 30) ** 2 + (columns - 25) ** 2 < 150
    with schedule.inline():
        view.mask = mask
        answer = view.bars.now
        view.mask = None
    bits = np.packbits(mask).tolist()
    living.page.evaluate(
        """async ([widget, bits]) => {
          const model = cnnvizHost.page.models[widget];
          const revision = model.get("_mask").revision;
          const event = { kind: "event", seq: 0, final: true, name: "painted", revision };
          await model.answer(event, [Uint8Array.from(bits).buffer]);
        }""",
        [patch["canvas"], bits],
    )
    np.testing.assert_allclose(living.trait(patch["bars"], "now"), answer, atol=2e-3)
    assert living.trait(patch["canvas"], "_mask")["bits"] == bits


def test_a_picture_of_ones_own_is_looked_at(living: LivingPage, written: Path) -> None:
    (patch,) = [one for one in content_of(written.read_text(encoding="utf-8"))["players"] if one["kind"] == "patch"]
    own = demo.pictures()[1].image
    assert own is not None
    file = io.BytesIO()
    PIL.Image.fromarray(np.asarray(own.convert("RGB").resize((64, 64)))).save(file, "PNG")
    picture = {"name": "own.png", "mimeType": "image/png", "buffer": file.getvalue()}
    living.page.set_input_files(".own-picture input", picture)
    classifier = demo.shapes_classifier()
    with schedule.inline():
        there = OcclusionView(classifier, PIL.Image.open(file))
    name = classifier.class_names[there.session.example.predicted]
    expect(living.page.locator(".cnnviz-status").filter(has_text=f"{name}:")).to_have_count(1)
    assert living.trait(patch["canvas"], "label") == "Your picture"
    shown = np.array(living.trait(patch["canvas"], "_picture")["pixels"], np.uint8).reshape(64, 64, 3)
    assert np.abs(shown.astype(int) - np.asarray(there.session.example.appearance).astype(int)).max() <= 1
    there.close()
