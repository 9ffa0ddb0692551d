"""Whether what is installed works on this computer: a map, a view, a file, and the page. Needs the extra `demo`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from cnnviz_widgets import CAMView, Session, demo, schedule
from cnnviz_widgets.explain import GradCAM, Occlusion
from cnnviz_widgets.serve import ADDRESS, free_port


def main() -> None:
    classifier, picture = demo.classifier(), demo.pictures()[0]
    pixels = classifier.pixels(picture)
    for technique in (Occlusion(window=64, stride=64), GradCAM()):
        heatmap = technique(classifier, pixels)
        assert heatmap.values.any() and not heatmap.blank, technique
        print(heatmap)
    with tempfile.TemporaryDirectory() as folder, schedule.inline():
        view = CAMView(Session(classifier, picture))
        for suffix in ("png", "svg", "csv", "html"):
            view.save(Path(folder, f"map.{suffix}"))
        assert view.error == "" and Path(folder, "map.html").stat().st_size > 10_000
        view.close()
    print(f"The page has {page_size() / 1e3:.0f} kB.")


def page_size() -> int:
    """Start the demo, and fetch its page; in bytes."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "cnnviz_widgets", "demo", "--no-browser", f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and f":{port}/" in process.stdout.readline()
            with urllib.request.urlopen(f"http://{ADDRESS}:{port}/", timeout=300) as response:
                page = response.read()
        finally:
            process.terminate()
    assert b"application/vnd.jupyter.widget-view+json" in page
    return len(page)


if __name__ == "__main__":
    main()
