"""Two views under one hand: two networks, pictures, methods or classes, on one scale, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
import traitlets

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.session.observing import SetInTurn
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.comparison import sentences
from cnnviz_widgets.views.comparison.difference import MapDifference, difference_of
from cnnviz_widgets.views.comparison.linking import PanelLinks
from cnnviz_widgets.views.comparison.matching import differences
from cnnviz_widgets.views.comparison.panes import PANE, faint, pane, take_out
from cnnviz_widgets.views.comparison.session_links import SessionLinks
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.status import Status

#: The scale that two maps of one quantity share.
SHARED_SCALE = "A and B"
#: A table of its own: what it shows is no map of either view.
_TABLE = "green-white-purple"


class Comparison(SetInTurn, ipywidgets.VBox):
    """Two views beside each other that look at the same but for what `differs`, some of "networks", "pictures",
    "methods" and "classes"; where both have a heatmap, a third pane shows B minus A.

    What one hand does to the one happens to the other. Classes are matched by name, layers of other networks by their
    share of the depth. Two maps of one quantity are drawn on one scale. `agreement` is Spearman's rank correlation of
    the two maps, negative values included where the views cut them off; `difference` is B minus A.
    """

    difference = traitlets.Instance(
        Heatmap, None, allow_none=True, read_only=True, help="B minus A, when both are there."
    )
    agreement = traitlets.Float(
        None, allow_none=True, read_only=True, help="Rank correlation of the maps, -1 to 1; None without two maps."
    )

    def __init__(self, first: Panel, second: Panel, *, linked: SessionLinks | None = None) -> None:
        """`linked`: the sessions are linked already, by one who parts them too."""
        self.panels = (first, second)
        self.differs = differences(first, second) if linked is None else linked.differs
        self._open = True
        self._given_links = linked is not None
        self._found: MapDifference | None = None
        self._compared: tuple[Any, ...] | None = None
        self._drawn_on: object = None
        for panel in self.panels:  # no comparison in a comparison
            panel.actions.comparer = None
            panel.actions.show()
        with between_callbacks():
            super().__init__()
            self.add_class("cnnviz-comparison")
            self._links = linked or SessionLinks(first.session, second.session, self.differs)
            self._panel_links = PanelLinks(first, second, self.differs, self._links.names)
            self._lay_out()
            self._followed = [
                (panel, [name for name in ("heatmap", "probe", "busy") if panel.has_trait(name)])
                for panel in self.panels
            ]
            for panel, names in self._followed:
                panel.link(self._changed, names)
            for session in set(self.sessions):
                session.link(self._told, ["classifier", "picture", "target", "against", "layer"])
            self._told(None)
            self._changed(None)

    @property
    def sessions(self) -> tuple[Session, Session]:
        """What each side looks at; one session twice where only the methods differ."""
        first, second = self.panels
        return first.session, second.session

    # -- how it looks --------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        maps = all(panel.has_trait("heatmap") for panel in self.panels)
        self.titles = tuple(Status() for _ in self.panels)
        self.answer = Status()
        self.note = Status()
        self.figures = (Status(), Status())
        self.canvas = PictureCanvas(label="no difference yet", display_width=PANE, view_state={"diverging": _TABLE})
        self.most_button = ipywidgets.Button(
            description="Go where they differ most", disabled=True, layout=ipywidgets.Layout(width="auto")
        )
        self.most_button.on_click(lambda _: self.go_where_they_differ_most())
        self.map_title = Status(text="B minus A")
        panes = [pane(title, panel, narrow=maps) for title, panel in zip(self.titles, self.panels, strict=True)]
        if maps:
            for panel in self.panels:
                panel.canvas.display_width = PANE
            panes.append(pane(self.map_title, self._difference_box(), *self.figures, narrow=True))
            # What moves both stands beside them, and not in the first as if it were its own.
            shared = self._panel_links.shared
            take_out(self.panels[0], shared)
            panes.append(column(*shared, least=PANE, most=352).add_class("cnnviz-view"))
        self.panes = row(*panes)
        self.children = (self.answer, self.panes, self.note)
        self._has_maps = maps

    def _difference_box(self) -> ipywidgets.VBox:
        """The map of the difference, as high on the page as those of the panels: below a row of buttons."""
        bar = ipywidgets.HBox([self.most_button]).add_class("cnnviz-bar")
        body = ipywidgets.VBox([row(self.canvas)]).add_class("cnnviz-body")
        return ipywidgets.VBox([ipywidgets.HBox([bar]).add_class("cnnviz-top-row"), body]).add_class("cnnviz-view")

    @in_turn
    def _told(self, _: Any) -> None:
        """Say anew what is compared."""
        self._say_titles()
        self._say_notes()
        if not self._has_maps:
            self.answer.say(sentences.differing(self.differs))

    def _say_titles(self, answers: Sequence[str] = ("", "")) -> None:
        """Say what each side is, and what it answers where that is known."""
        for panel, status, letter, answer in zip(self.panels, self.titles, "AB", answers, strict=True):
            title = sentences.title(panel, letter, self.differs)
            status.say(f"{title} \N{MIDDLE DOT} {answer}" if answer else title)

    def _say_notes(self) -> None:
        notes = [*self._links.notes(), "" if self._found is None else self._found.note]
        text = " ".join(filter(None, notes))
        show_if(bool(text), self.note)
        self.note.say(text)

    # -- the maps ------------------------------------------------------------------------------------------------

    @in_turn
    def _changed(self, _: Any) -> None:
        if not self._open:
            return
        if self._has_maps:
            heatmaps = tuple(panel.heatmap for panel in self.panels)
            waits = any(panel.busy for panel in self.panels if panel.works_on_map)
            if waits:
                if None in heatmaps:  # of the picture before: never shown under this one
                    self._forget()
                self.answer.say("comparing ...", "busy", 0)
                return
            self._compare(heatmaps)
            self._say()
            self._say_notes()

    def _compare(self, heatmaps: Any) -> None:
        """Find the difference of two maps, and show it, unless that was done."""
        if None in heatmaps:
            self._forget()
        elif heatmaps != self._compared:
            self._compared = heatmaps
            self._found = found = difference_of(*heatmaps, one_unit="methods" not in self.differs)
            if found.end is not None:
                for panel in self.panels:
                    panel.canvas.add_scale(SHARED_SCALE, -found.end if found.signed else 0.0, found.end)
            self._show_difference(found)
            self.set_trait("agreement", found.agreement)
            self.set_trait("difference", found.heatmap)
        self.most_button.disabled = self._found is None

    def _show_difference(self, found: MapDifference) -> None:
        example = self.sessions[0].example
        if self._drawn_on is not example:
            self._drawn_on = example
            self.canvas.show(faint(example.appearance, blank="pictures" in self.differs))
            self.canvas.set_trait("marker", None)
        # The map is drawn as the views draw theirs.
        heatmap = found.heatmap
        values = heatmap.cells if self.panels[0].works_on_map else heatmap.values
        end = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
        self.canvas.overlay(values, "in B more than in A", signed=True, scales=[("this map", -end, end)])
        self.canvas.label = f"B minus A, {heatmap.quantity}"

    def _forget(self) -> None:
        """There are no two maps now."""
        self._found = None
        self._compared = None
        self.canvas.overlay(None)
        self.set_trait("agreement", None)
        self.set_trait("difference", None)

    def _say(self) -> None:
        probes = [getattr(panel, "probe", None) for panel in self.panels]
        found = self._found
        try:
            examples = [session.example for session in self.sessions]
        except ExplanationError as error:
            self.answer.say(str(error))
            self._say_titles()
            return
        known = [probe for probe, example in zip(probes, examples, strict=True) if probe and probe.example is example]
        if len(known) == 2:
            self.answer.say(sentences.covered(known[0], known[1], found))
        elif found is not None and self._compared is not None:
            self.answer.say(sentences.mapped(self.panels, self._compared, found))
        else:
            self.answer.say(sentences.differing(self.differs))
        self.figures[0].say("" if found is None else sentences.counted(found))
        if len(known) == 2 or found is not None:
            self.figures[1].say(sentences.answers(examples, known))
            pairs = zip(examples, self.panels, strict=True)
            self._say_titles([sentences.answer(example, panel, self.differs) for example, panel in pairs])
        else:
            self._say_titles()
        self._show_patch(known)
        if found is None:
            self._show_picture(examples[0], len(known) == 2)

    def _show_picture(self, example: Any, known: bool) -> None:
        """The picture without a map, and what is to be done to see one."""
        if known and self._drawn_on is not example:
            self._drawn_on = example
            self.canvas.show(faint(example.appearance, blank="pictures" in self.differs))
        if known:
            self.figures[0].say("Whole map: where covering matters to A and to B, and where they differ.")

    def _show_patch(self, probes: Sequence[Any]) -> None:
        if len(probes) == 2:
            top, left, height, width = probes[0].box
            self.canvas.box = (top, left, top + height, left + width)

    @in_turn
    def go_where_they_differ_most(self) -> None:
        """Put the patch where the two maps differ most, or mark that place where there is no patch."""
        if self._found is None:
            return
        values = np.abs(self._found.heatmap.values)
        place = np.unravel_index(np.nanargmax(values), values.shape)
        spot = int(place[0]), int(place[1])
        first = self.panels[0]
        window = getattr(first, "window", None)
        if window is None:
            self.canvas.marker = spot
            for panel in self.panels:
                if panel.canvas.picture_size == values.shape:
                    panel.canvas.marker = spot
        else:
            height, width = window[2:]
            first.window = (spot[0] - height // 2, spot[1] - width // 2, height, width)

    def add(self, control: ipywidgets.Widget) -> None:
        """Put a control above what is compared."""
        children: tuple[ipywidgets.Widget, ...] = self.children
        self.children = (control, *children)

    @in_turn
    def close(self) -> None:
        """Part the two views and remove them from the page."""
        if not self.__dict__.get("_open"):
            return
        self._open = False
        self._panel_links.close()
        if not self._given_links:
            self._links.close()
        for panel, names in self._followed:
            panel.unlink(self._changed, names)
        for session in set(self.sessions):
            session.unlink(self._told, ["classifier", "picture", "target", "against", "layer"])
        for panel in self.panels:
            panel.close()
        discard_contents(self)
        super().close()

    def __repr__(self) -> str:
        first, second = self.panels
        return f"<Comparison of {first!r} and {second!r}, which differ in {', '.join(self.differs) or 'nothing'}>"


def compare(first: Panel, second: Panel) -> Comparison:
    """Two views beside each other, under one hand and on one scale, and the difference of their maps.

    `compare(OcclusionView(network, picture), OcclusionView(other, picture))`; two pictures, methods or classes are
    compared in the same way. What differs is found out, and everything else is linked. Raises TypeError for views of
    which neither both have a heatmap nor both are of one kind.
    """
    if not isinstance(first, Panel) or not isinstance(second, Panel):
        raise TypeError("compare takes two views, such as compare(CAMView(a, picture), CAMView(b, picture)).")
    if first is second:
        raise TypeError("compare takes two views, not one twice.")
    mapped = first.has_trait("heatmap") and second.has_trait("heatmap")
    if not mapped and not isinstance(first, type(second)) and not isinstance(second, type(first)):
        kinds = f"{type(first).__name__} and {type(second).__name__}"
        raise TypeError(f"compare takes two views of one kind, or two with a heatmap, not {kinds}.")
    return Comparison(first, second)
