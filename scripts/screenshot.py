"""Record README's picture, a patch dragged over a photograph in Voila: `.venv/bin/python scripts/screenshot.py`."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import PIL.Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
TARGET = ROOT / "scripts" / "explorer.gif"
SIZE = {"width": 1120, "height": 760}
STEPS = 14


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"JUPYTER_{what}_DIR": f"{home}/{what}" for what in ("CONFIG", "DATA", "RUNTIME")})
        os.environ["PYTHONPATH"] = str(ROOT)
        folder = Path(home, "notebooks")
        folder.mkdir()
        frames = record(folder)
    first, *rest = [frame.convert("P", palette=PIL.Image.Palette.ADAPTIVE, colors=128) for frame in frames]
    first.save(TARGET, save_all=True, append_images=rest, duration=[160] * len(rest) + [1600], loop=0, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {len(frames)} frames, {TARGET.stat().st_size / 1e6:.1f} MB")


def record(folder: Path) -> list[PIL.Image.Image]:
    from playwright.sync_api import sync_playwright

    from tests.support.fake_page import chromium_path
    from tests.support.servers import OpenNotebook, start_voila, write_notebook

    path = write_notebook(["from cnnviz_widgets import explore\napp = explore()\napp"], folder / "explorer.ipynb")
    server = start_voila(folder)
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
            page = OpenNotebook("voila", server, chromium, path, {"viewport": SIZE})
            page.open(ready="canvas.cnnviz-picture-canvas")
            page.kernel.until("app.view.probe is not None", 120)
            frames = drag(page)
            page.close()
            chromium.close()
    finally:
        server.stop()
    return frames


def drag(page: object) -> list[PIL.Image.Image]:
    """Drag the patch from one corner of the picture to the middle, then compute the whole map."""
    frames: list[PIL.Image.Image] = []

    def shoot() -> None:
        frames.append(PIL.Image.open(io.BytesIO(page.page.screenshot())).convert("RGB"))  # type: ignore[attr-defined]

    browser, kernel = page.page, page.kernel  # type: ignore[attr-defined]
    box = browser.locator("canvas.cnnviz-picture-canvas").bounding_box()
    mouse = browser.mouse
    kernel.run("app.view.window = (80, 80, 64, 64)")
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    for step in range(STEPS + 1):
        share = step / STEPS
        mouse.move(box["x"] + box["width"] * (0.5 - 0.28 * share), box["y"] + box["height"] * (0.5 - 0.12 * share))
        kernel.until("tuple(app.view.probe.box) == tuple(app.view.window)")
        browser.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        shoot()
    mouse.up()
    browser.get_by_role("button", name="Whole map").click()
    for share in (0.2, 0.5, 1.0):
        kernel.until(f"app.view.heatmap is not None and app.view.heatmap.progress >= {share}", 300)
        browser.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        shoot()
    return frames


if __name__ == "__main__":
    main()
