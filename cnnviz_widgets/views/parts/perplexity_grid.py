"""The same features mapped with several perplexities, side by side: what stays the same may be true."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.projection import TSNE, trustworthiness
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.mapping import groups_of
from cnnviz_widgets.views.parts.palette import small_map
from cnnviz_widgets.views.parts.scatter import extent_of, normalise
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

PERPLEXITIES = (5, 15, 30, 50, 100)
#: So many points, evenly spaced, are mapped: it is the shapes that are compared.
POINTS = 400
_BRIEF = TSNE(early_iterations=100, iterations=250)


@dataclasses.dataclass(frozen=True, eq=False)
class _SmallMaps:
    """Maps so far as pictures, uint8 (side, side, 3), each with its perplexity and trustworthiness."""

    pictures: list[NDArray[np.uint8]]
    perplexities: list[float]
    trustworthiness: list[float]


class PerplexityGrid(ipywidgets.VBox):
    """Small maps, one for each perplexity; `pick(perplexity)` is called with that of the one that is picked."""

    def __init__(self, panel: Panel, pick: Callable[[float], None]) -> None:
        self._pick = pick
        self._store: FeatureStore | None = None
        self._perplexities: list[float] = []
        self._job = panel.job(self._show, rests=False)
        self.button = panel.button(
            "Several perplexities", self.compute, disabled=True, layout=ipywidgets.Layout(width="170px")
        )
        self.tiles = Tiles(tile_width=92, height=280, description="maps with other perplexities")
        panel.on(self.tiles, TilePicked, lambda event: self._pick(self._perplexities[event.index]))
        super().__init__([self.button, self.tiles])

    def offer(self, store: FeatureStore) -> None:
        """Let small maps of `store` be made."""
        if store is not self._store:
            self._store = store
            self.tiles.show(None)
        self.button.disabled = len(store) < 4

    def clear(self) -> None:
        """Forget the store and its maps."""
        self.stop()
        self._store = None
        self.tiles.show(None)
        self.button.disabled = True

    def compute(self) -> None:
        """Make the small maps, one after the other, in the background."""
        if self._store is not None:
            if not _BRIEF.prepared:
                self.tiles.show(None)
                self.tiles.placeholder = "preparing t-SNE (once, this can take a minute) ..."
            self._job.start(map_perplexities(self._store))

    def stop(self) -> None:
        """Stop making maps."""
        self._job.cancel()

    def _show(self, maps: _SmallMaps) -> None:
        self._perplexities = maps.perplexities
        labels = [f"perplexity {perplexity:g}" for perplexity in maps.perplexities]
        self.tiles.show(np.stack(maps.pictures), labels, [f"{value:.3f}" for value in maps.trustworthiness])


def map_perplexities(store: FeatureStore) -> Steps:
    """The small maps, after each further one, and None at each step between."""
    rows = np.linspace(0, len(store) - 1, min(len(store), POINTS)).astype(int)
    features, groups = store.features[rows], groups_of(store, rows)
    maps = _SmallMaps([], [], [])
    for perplexity in dict.fromkeys(
        dataclasses.replace(_BRIEF, perplexity=wanted).effective_perplexity(len(rows)) for wanted in PERPLEXITIES
    ):
        technique = dataclasses.replace(_BRIEF, perplexity=perplexity)
        positions = np.zeros((0, 2), np.float32)
        steps = technique.steps(features)
        made = Aside("t-SNE", partial(next, steps, None))
        yield made
        ahead = made.result()
        while ahead is not None:
            positions = ahead.positions
            yield None  # at each step the work can be dropped
            ahead = next(steps, None)
        measured = Aside("measure", partial(trustworthiness, features, positions))
        yield measured
        maps = _SmallMaps(
            [*maps.pictures, small_map(normalise(positions, extent_of(positions)), groups)],
            [*maps.perplexities, perplexity],
            [*maps.trustworthiness, measured.result()],
        )
        yield maps
