"""The charts of the tests of a map, as parts of a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnnviz_widgets.explain import Agreement, Evaluation, RandomizedMap
from cnnviz_widgets.explain.evaluation.insertion import Mode
from cnnviz_widgets.views.take.marks import ACCENT, GHOST, PALE
from cnnviz_widgets.views.take.parts import BarsPart, CurvesPart


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
