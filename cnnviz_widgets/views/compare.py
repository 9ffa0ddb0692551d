"""Two panels under one hand: two networks, two pictures or two techniques, on one scale."""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets

from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.layout import row
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.widgets.status import Status

#: What both panels may have of their own and that one hand moves in both.
_OF_A_PANEL = ("window", "rank", "metric", "k")
#: Two panels share a scale of this name, as long as their maps are of one quantity.
SHARED_SCALE = "both maps"


class Comparison(ipywidgets.VBox):
    """Two panels beside each other: what one hand does to the one happens to the other.

    The sessions share the picture and, where both networks name the same classes, the target; where they have the
    same layers, the layer and the channel. The panels share what they have in common: `window`, `rank`, `metric`, `k`.
    Two heatmaps of one quantity get a scale that both are drawn on.
    """

    def __init__(self, first: Panel, second: Panel) -> None:
        self.panels = (first, second)
        self._links: list[traitlets.link] = []
        with between_callbacks():
            titles = [Status(text=panel.session.classifier.name) for panel in self.panels]
            columns = [
                ipywidgets.VBox([title, panel], layout=ipywidgets.Layout(flex="1 1 420px", min_width="0"))
                for title, panel in zip(titles, self.panels, strict=True)
            ]
            super().__init__([row(*columns)])
            self.add_class("cnnviz-comparison")
            self._link(first, second)
            for panel in self.panels:
                if panel.has_trait("heatmap"):
                    panel.link(self._share_scale, ["heatmap"])
            self._share_scale(None)

    def _link(self, first: Panel, second: Panel) -> None:
        one, other = first.session, second.session
        if one is not other:
            for name in shared_of(one, other):
                self._links.append(traitlets.link((one, name), (other, name)))
        for name in _OF_A_PANEL:
            if first.has_trait(name) and second.has_trait(name):
                self._links.append(traitlets.link((first, name), (second, name)))

    @in_turn
    def _share_scale(self, _: Any) -> None:
        maps = [panel.heatmap for panel in self.panels if getattr(panel, "heatmap", None) is not None]
        if len(maps) < 2 or maps[0].quantity != maps[1].quantity:
            return
        signed = any(found.signed for found in maps)
        end = max(float(abs(found.cells).max()) for found in maps) or 1.0
        for panel in self.panels:
            panel.canvas.add_scale(SHARED_SCALE, -end if signed else 0.0, end)

    @in_turn
    def close(self) -> None:
        """Part the two panels and remove them from the page."""
        for linked in self._links:
            linked.unlink()
        self._links.clear()
        for panel in self.panels:
            if panel.has_trait("heatmap"):
                panel.unlink(self._share_scale, ["heatmap"])
            panel.close()
        discard_contents(self)
        super().close()


def compare(first: Panel, second: Panel) -> Comparison:
    """Two panels of one kind beside each other, under one hand and on one scale.

    `compare(CAMView(network, picture), CAMView(other, picture))`. Raises TypeError for panels of different kinds.
    """
    if not isinstance(first, Panel) or not isinstance(second, Panel):
        raise TypeError("compare takes two views, such as compare(CAMView(a, picture), CAMView(b, picture)).")
    if not (isinstance(first, type(second)) or isinstance(second, type(first))):
        kinds = f"{type(first).__name__} and {type(second).__name__}"
        raise TypeError(f"compare takes two views of one kind, not {kinds}.")
    return Comparison(first, second)


def shared_of(one: Session, other: Session) -> list[str]:
    """The traits of a session that make sense for both networks."""
    names = ["picture"]
    if one.classifier.class_names == other.classifier.class_names:
        names += ["target", "against"]
    if [layer.name for layer in one.classifier.layers] == [layer.name for layer in other.classifier.layers]:
        names += ["layer", "channel"]
    return names
