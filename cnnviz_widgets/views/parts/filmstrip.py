"""The same features mapped with several perplexities, side by side: what stays the same may be true."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.features import FeatureStore
from cnnviz_widgets.collection.projection import TSNE, trustworthiness
from cnnviz_widgets.schedule import LatestWins
from cnnviz_widgets.views.parts.palette import small_map
from cnnviz_widgets.views.parts.scatter import fitted, frame_of
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

PERPLEXITIES = (5, 15, 30, 50, 100)
#: So many points, evenly spaced, are mapped: it is the shapes that are compared.
POINTS = 400
_BRIEF = TSNE(early_iterations=100, iterations=250)


@dataclasses.dataclass(frozen=True, eq=False)
class _Film:
    maps: list[NDArray[np.uint8]]
    perplexities: list[float]
    trusts: list[float]


class Filmstrip(ipywidgets.VBox):
    """Small maps, one for each perplexity; a picked one's perplexity is handed to `on_pick`."""

    def __init__(self, run: Callable[..., None], on_pick: Callable[[float], None]) -> None:
        self._run, self._on_pick = run, on_pick
        self._films = LatestWins()
        self._store: FeatureStore | None = None
        self._shown: list[float] = []
        self.button = ipywidgets.Button(
            description="Several perplexities", disabled=True, layout=ipywidgets.Layout(width="170px")
        )
        self.button.on_click(lambda _: self.compute())
        self.tiles = Tiles(tile_width=92, height=280, description="maps with other perplexities")
        self.tiles.on_event(self._picked)
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
            self._run(self._films, _filming(self._store), self._draw)

    def stop(self) -> None:
        """Stop making maps."""
        self._films.cancel()

    def _draw(self, film: _Film) -> None:
        self._shown = film.perplexities
        labels = [f"perplexity {perplexity:g}" for perplexity in film.perplexities]
        self.tiles.show(np.stack(film.maps), labels, [f"{trust:.3f}" for trust in film.trusts])

    def _picked(self, event: Any, done: Callable[[], None]) -> None:
        try:
            if isinstance(event, TilePicked):
                self._on_pick(self._shown[event.index])
        finally:
            done()


def _filming(store: FeatureStore) -> Work:
    rows = np.linspace(0, len(store) - 1, min(len(store), POINTS)).astype(int)
    features, groups = store.features[rows], store.labels[rows]
    if not (groups >= 0).any():
        groups = store.logits[rows].argmax(axis=1)
    film = _Film([], [], [])
    for perplexity in dict.fromkeys(
        dataclasses.replace(_BRIEF, perplexity=wanted).clamped(len(rows)) for wanted in PERPLEXITIES
    ):
        method = dataclasses.replace(_BRIEF, perplexity=perplexity)
        positions = np.zeros((0, 2), np.float32)
        steps = method.steps(features)
        made = Aside("t-SNE", partial(next, steps, None))
        yield made
        ahead = made.result()
        while ahead is not None:
            positions = ahead.positions
            yield None  # at each step the work can be dropped
            ahead = next(steps, None)
        trust = Aside("measure", partial(trustworthiness, features, positions))
        yield trust
        film = _Film(
            [*film.maps, small_map(fitted(positions, frame_of(positions)), groups)],
            [*film.perplexities, perplexity],
            [*film.trusts, trust.result()],
        )
        yield film
