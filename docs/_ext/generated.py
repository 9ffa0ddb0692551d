"""What is made while the documentation is built: the table of techniques, and live figures, which need no kernel."""

from __future__ import annotations

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


def write_live_figures(app: Sphinx, exception: Exception | None) -> None:
    """Write the pages that frames show, into the folder of the built documentation."""
    if exception is not None or app.builder.format != "html":
        return
    from cnnviz_widgets import CAMView, Session, demo, export, schedule

    folder = Path(app.outdir, "live")
    folder.mkdir(exist_ok=True)
    picture = next(each for each in demo.pictures() if each.name == "chelsea")
    with schedule.inline():
        view = CAMView(Session(demo.classifier(), picture, target="Egyptian cat"))
        layers = export.record(view.layer_slider, export.hand_on(view.layer_slider), [view])
        export.write(folder / "gradcam.html", view, title="Grad-CAM of every layer", recorded=[layers])
        view.close()


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("technique-table", TechniqueTable)
    app.add_directive("live", LiveFigure)
    app.connect("build-finished", write_live_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
