"""How panels are laid out: a main part, and a column of controls beside it that wraps below on a narrow page."""

from __future__ import annotations

import ipywidgets


def row(*children: ipywidgets.Widget, gap: int = 16, **layout: str) -> ipywidgets.HBox:
    """`children` beside each other, `gap` pixels apart; those that do not fit wrap below."""
    box = ipywidgets.HBox(children, layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap=f"{gap}px", **layout))
    return box.add_class("cnnviz-row")


def column(*children: ipywidgets.Widget, least: int = 320, most: int = 520) -> ipywidgets.VBox:
    """`children` below each other, in a column that is `least` to `most` pixels wide."""
    box = ipywidgets.VBox(children, layout=ipywidgets.Layout(flex=f"1 1 {least}px", max_width=f"{most}px"))
    return box.add_class("cnnviz-column")


def show_if(shown: bool, *widgets: ipywidgets.Widget) -> None:
    """Let widgets take up room on the page, or none."""
    for widget in widgets:
        widget.layout.display = None if shown else "none"
