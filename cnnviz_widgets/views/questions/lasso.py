"""Which points of a map belong together: a lasso is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.views.guess import Question, Verdict
from cnnviz_widgets.views.job import one_step
from cnnviz_widgets.views.parts.guess_scores import LETTERS, overlap
from cnnviz_widgets.views.parts.mapping import EmbeddingFrame
from cnnviz_widgets.views.parts.scatter import extent_of, normalise, point_map
from cnnviz_widgets.widgets.tiles import Tiles

CIRCLE = "The points have lost their colours. Circle those of {label}: {count} of {whole} pictures."
CIRCLED = "{inside} of your {marked} pictures are of {label}, and {missed} more lie outside. {best} holds most of them."


def group_on_map(view: Any, frame: EmbeddingFrame) -> Question:
    """The pictures of the most frequent label, on a map without colours; revealed as the view's selection."""
    store, groups = frame.store, frame.groups
    labels, counts = np.unique(groups, return_counts=True)
    members = np.flatnonzero(groups == labels[counts.argmax()])
    label = store.label_name(int(members[0])) or "the class that is predicted most"
    positions = normalise(frame.embedding.positions, extent_of(frame.embedding.positions))

    def drawing(mark: Callable[[Any], None]) -> ipywidgets.Widget:
        hovered = Tiles(tile_width=96, height=130, description="the picture under the pointer", placeholder=" ")

        def hover(row: int | None) -> None:
            if row is not None and 0 <= row < len(groups):
                hovered.show(store.thumbnails([row]))

        plain = np.zeros_like(groups)
        points = point_map(view, plain, positions, on_lasso=mark, on_hover=hover, on_click=lambda row: None)
        return ipywidgets.VBox([points, hovered])

    @one_step
    def judge(guess: tuple[int, ...]) -> Verdict:
        return _lasso_verdict(view, store, label, members, positions, guess=guess)

    text = CIRCLE.format(label=label, count=len(members), whole=len(groups))
    return Question("lasso", text, (frame.store, len(groups), label), LETTERS, judge, drawing=drawing)


def _lasso_verdict(
    view: Any,
    store: Any,
    label: str,
    members: NDArray[np.intp],
    positions: NDArray[np.float32],
    *,
    guess: tuple[int, ...],
) -> Verdict:
    marked = [row for row in guess if 0 <= row < len(positions)]
    inside = len(set(marked) & set(members.tolist()))
    low, right = positions[:, 1] < 0, positions[:, 0] >= 0
    quarter = 2 * low[members].astype(int) + right[members]
    shares = {letter: float((quarter == place).mean()) for place, letter in enumerate(LETTERS)}
    winner = max(shares, key=lambda letter: shares[letter])
    said = CIRCLED.format(
        inside=inside,
        marked=len(marked),
        label=label,
        missed=len(members) - inside,
        best=f"Of the map's quarters {winner}",
    )
    figures = {letter: (f"{share:.0%}", share) for letter, share in shares.items()}
    items = store.items[marked].tolist()
    return Verdict(
        f"{len(members)} pictures of {label}",
        overlap(marked, members.tolist()),
        said,
        figures,
        lambda: setattr(view, "selection", items),
    )
