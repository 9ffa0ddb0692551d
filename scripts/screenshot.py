"""Record README's picture, a patch that moves over a photograph in Voila: `.venv/bin/python scripts/screenshot.py`."""

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
SIZE = {"width": 1280, "height": 720}
#: Of the picture, in pixels: no wider than a page shows it, as its readers load 1.5 MB at most.
SHOWN = (1024, 576)
STEPS = 10
#: Through which Grad-CAM goes, from fine to coarse; the last is where it opens.
LAYERS = ("_blocks.4", "_blocks.9", "_blocks.14", "_conv_head")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"JUPYTER_{what}_DIR": f"{home}/{what}" for what in ("CONFIG", "DATA", "RUNTIME")})
        os.environ["PYTHONPATH"] = str(ROOT)
        folder = Path(home, "notebooks")
        folder.mkdir()
        frames = record(folder)
    small = [frame.resize(SHOWN, PIL.Image.Resampling.LANCZOS) for frame, _ in frames]
    first, *rest = [frame.convert("P", palette=PIL.Image.Palette.ADAPTIVE, colors=96) for frame in small]
    durations = [milliseconds for _, milliseconds in frames]
    first.save(TARGET, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {len(frames)} frames, {TARGET.stat().st_size / 1e6:.1f} MB")


def record(folder: Path) -> list[tuple[PIL.Image.Image, int]]:
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
            frames = play(page)
            page.close()
            chromium.close()
    finally:
        server.stop()
    return frames


def play(page: object) -> list[tuple[PIL.Image.Image, int]]:
    """Move the patch over the cup, compute the whole map, then go through the layers of Grad-CAM; with milliseconds."""
    frames: list[tuple[PIL.Image.Image, int]] = []
    browser, kernel = page.page, page.kernel  # type: ignore[attr-defined]

    def shoot(milliseconds: int) -> None:
        browser.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        frames.append((PIL.Image.open(io.BytesIO(browser.screenshot())).convert("RGB"), milliseconds))

    kernel.run("app.view.clear_map()")
    for step in range(STEPS + 1):
        share = step / STEPS
        kernel.run(f"app.view.window = ({round(130 - 118 * share)}, {round(150 - 92 * share)}, 64, 64)")
        kernel.until("tuple(app.view.probe.box) == tuple(app.view.window)")
        shoot(1500 if step == STEPS else 160)
    kernel.run("app.view.compute_map()")
    for share in (0.2, 0.5, 1.0):
        kernel.until(f"app.view.heatmap is not None and app.view.heatmap.progress >= {share}", 300)
        shoot(2000 if share == 1 else 300)
    kernel.run("app.open_tab('CAM')")
    for layer in LAYERS:
        kernel.run(f"app.session.layer = {layer!r}")
        kernel.until("app.view.heatmap is not None and not app.view.busy", 120)
        shoot(2000 if layer == LAYERS[-1] else 700)
    return frames


if __name__ == "__main__":
    main()
