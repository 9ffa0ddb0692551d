"""What the tests of a map are taken away as: numbers, and charts of a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from cnnviz_widgets.explain import Agreement, Evaluation, Explainer, OtherClass, RandomizedMap
from cnnviz_widgets.explain.evaluation.insertion import Mode
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.marks import ACCENT, GHOST, PALE
from cnnviz_widgets.views.take.parts import BarsPart, CurvesPart
from cnnviz_widgets.views.take.table import Columns, required


class Tested(Protocol):
    """The view that shows the tests: which is open, and what they have found."""

    section: str
    mode: Mode
    evaluation: Evaluation | None
    randomization: tuple[RandomizedMap, ...]
    agreement: Agreement | None
    other_class: OtherClass | None

    @property
    def technique(self) -> Explainer: ...


def numbers_of(view: Tested) -> Columns:
    """The numbers behind the test that is open. Raises ExportError while there are none."""
    if view.section == "order":
        return table.of_curves(required(view.evaluation))
    if view.section == "randomization":
        return table.of_randomized(required(view.randomization or None))
    if view.section == "agreement":
        return table.of_agreement(required(view.agreement))
    return table.of_heatmap(required(view.other_class).difference)


def chart_of(view: Tested) -> CurvesPart | BarsPart | None:
    """The chart of the test that is open; None where there is none."""
    if view.section == "order" and view.evaluation is not None:
        return order_part(view.evaluation, view.mode)
    if view.section == "randomization" and view.randomization:
        return random_part(view.randomization)
    if view.section == "agreement" and view.agreement is not None:
        return agreement_part(view.agreement, view.technique.label)
    return None


def order_part(found: Evaluation, mode: Mode) -> CurvesPart:
    """The curves of a test: the map's in the accent, the blob's darker than those of the random orders."""
    curves = [(curve if mode == "insertion" else curve.reversed, GHOST) for curve in found.random]
    curves += [(curve, colour) for curve, colour in ((found.middle(mode), PALE), (found.curve(mode), ACCENT)) if curve]
    done = "revealed" if mode == "insertion" else "covered"
    return CurvesPart(
        "blue: the map; dark: a blob in the middle; pale: random orders",
        f"share {done}",
        found.quantity,
        [list(zip(curve.shares.tolist(), curve.scores.tolist(), strict=True)) for curve, _ in curves],
        [colour for _, colour in curves],
    )


def random_part(maps: Sequence[RandomizedMap]) -> CurvesPart:
    """The correlations of the maps of more and more random networks with the trained one's."""
    line = [(one.count / one.total, one.correlation) for one in maps if not math.isnan(one.correlation)]
    low = min([-0.5, *(y for _, y in line)])
    caption = "with the trained network's map"
    return CurvesPart(caption, "share of the layers drawn anew", "rank correlation", [line], [ACCENT], (low, 1.0))


def agreement_part(found: Agreement, own: str) -> BarsPart:
    """The correlation of each other technique's map with that of `own`."""
    others = [name for name in found.names if name != own and not math.isnan(found.between(own, name))]
    values = [found.between(own, name) for name in others]
    return BarsPart(f"rank correlation with the map of {own}", others, values, [], min([0.0, *values]), 1.0)
