"""All that a notebook displays, as the data of one page: called in the notebook's kernel when its cells have run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ipywidgets.widgets.widget import _instances  # the only list of all widgets that is not deprecated

from cnnviz_widgets import export, schedule
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.export.tree import widgets_of
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.take.page.html import FINEST_OF_APP, Plan, plan_of_app, plan_of_panel
from cnnviz_widgets.views.take.page.panel_page import kept_as_it_is
from cnnviz_widgets.views.take.page.wanted import Wanted


def write_displayed(models: Sequence[str], path: str, *, classes: int = 5, runtime: str | None = None) -> None:
    """Write what a page needs of the displayed widgets, by the ids of their models, as JSON to the file `path`.

    It has for each id the number of its root, the `data` that stands below all of them, a `note` and a `policy`.
    """
    known: dict[str, Any] = _instances
    roots = {model: known[model] for model in models if model in known}
    schedule.WORKER.drain()
    plans = {model: _plan_of(root, Wanted(classes, brief=True)) for model, root in roots.items()}
    whole = Plan(None, [], [])
    for plan in plans.values():
        whole.recordings += plan.recordings
        whole.players += plan.players
    placed = list(dict.fromkeys(plan.root for plan in plans.values()))
    packing = export.Packing(placed, whole.recordings, whole.players, finest=FINEST_OF_APP, checked=False)
    content = {
        "roots": {model: placed.index(plan.root) for model, plan in plans.items()},
        "data": export.data_of(packing, runtime),
        "note": export.note(packing),
        "policy": export.policy(packing, runtime),
        "style": export.style(),
    }
    Path(path).write_text(json.dumps(content), encoding="utf-8")


def _plan_of(root: Any, wanted: Wanted) -> Plan:
    """The page of one displayed widget: an app, a panel, or whatever has panels in it."""
    if isinstance(root, Explorer):
        with kept_as_it_is(root):
            return plan_of_app(root, list(root.tabs.titles), wanted, None)
    if isinstance(root, Panel):
        return _plan_of_panel(root, wanted)
    plan = Plan(root, [], [])
    for panel in _panels_in([root]):
        inner = _plan_of_panel(panel, wanted)
        plan.recordings += inner.recordings
        plan.players += inner.players
    return plan


def _panels_in(roots: Iterable[Any]) -> list[Panel]:
    return [widget for widget in widgets_of(roots) if isinstance(widget, Panel)]


def _plan_of_panel(panel: Panel, wanted: Wanted) -> Plan:
    try:
        _settle(panel)
        panel.table()
    except ExplanationError:  # it has nothing to show, or is none that shows a result
        return Plan(panel, [], [])
    with kept_as_it_is(panel):
        return plan_of_panel(panel, None, wanted, None)


def _settle(panel: Panel) -> None:
    """Let a panel finish what it shows: work in the background waits for a page, which is not there."""
    with schedule.inline():
        if panel.active and panel.busy:
            panel.refresh()
