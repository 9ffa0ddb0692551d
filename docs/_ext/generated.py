"""What is made while the documentation is built: the table of techniques, and live figures, which need no kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import techniques
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cnnviz_widgets.explain import TECHNIQUES

#: Pixels of the page; what is higher scrolls in its frame.
HEIGHT = 760


class TechniqueTable(SphinxDirective):
    """`{technique-table} cam`: the techniques of a family, or without an argument all."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        families = self.arguments or list(techniques.VIEWS)
        shown = [each for each in TECHNIQUES if each.family in families]
        return self.parse_text_to_nodes(techniques.table(shown))


class LiveFigure(SphinxDirective):
    """`{live} gradcam`: an exported page in a frame."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (name,) = self.arguments
        frame = f'<iframe src="../live/{name}.html" height="{HEIGHT}" loading="lazy" title="live figure"></iframe>'
        return [nodes.raw("", frame, format="html")]


def occlusion(path: Path) -> None:
    from cnnviz_widgets import OcclusionView, demo

    view = OcclusionView(demo.classifier(), picture("coffee"))
    view.compute_map()
    view.to_html(path, live="tables", classes=5, tell=None)
    view.close()


def gradcam(path: Path) -> None:
    from cnnviz_widgets import CAMView, Session, demo, export

    view = CAMView(Session(demo.classifier(), picture("chelsea"), target="Egyptian cat"))
    layers = export.record(view.layer_slider, export.hand_on(view.layer_slider), [view])
    export.write(path, view, title="Grad-CAM of every layer", recorded=[layers])
    view.close()


#: What writes the page of each figure.
LIVE: dict[str, Callable[[Path], None]] = {"gradcam": gradcam, "occlusion": occlusion}


def picture(name: str) -> object:
    from cnnviz_widgets import demo

    return next(each for each in demo.pictures() if each.name == name)


def write_live_figures(app: Sphinx, exception: Exception | None) -> None:
    """Write the pages that frames show, into the folder of the built documentation."""
    if exception is not None or app.builder.format != "html":
        return
    from cnnviz_widgets import schedule

    folder = Path(app.outdir, "live")
    folder.mkdir(exist_ok=True)
    with schedule.inline():
        for name, write in LIVE.items():
            write(folder / f"{name}.html")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("technique-table", TechniqueTable)
    app.add_directive("live", LiveFigure)
    app.connect("build-finished", write_live_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
