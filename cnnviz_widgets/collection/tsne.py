"""t-SNE, live by openTSNE, or in one go by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from cnnviz_widgets.collection.embedding import COMPONENTS, Embedding, FloatArray, Placement, Projection, fit_pca
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.parameters import Range

#: Up to so many points neighbours are found exactly; for more, approximately by annoy, which is then quicker.
_EXACT_NEIGHBOURS = 5000
#: Below so many points repulsion is computed by Barnes and Hut's tree; for more, by interpolation, then quicker.
_BARNES_HUT = 3000
#: Neighbours whose median position a vector is given by scikit-learn's t-SNE, which cannot place any itself.
_PLACED_BY = 10


@dataclass(frozen=True)
class TSNE(Projection):
    """t-SNE (van der Maaten and Hinton, 2008) by openTSNE, after PCA to 50 dimensions.

    `perplexity` is about how many neighbours each point has, at most a third of the points. In the first
    `early_iterations` attraction is multiplied by `exaggeration`. Started from the principal components, embeddings
    of different seeds look alike; started at random they show what is chance. Without openTSNE, scikit-learn's
    version answers once, at the end.
    """

    label: ClassVar[str] = "t-SNE"
    library: ClassVar[str] = "openTSNE"

    perplexity: Annotated[float, Range(2, 100)] = 30
    exaggeration: Annotated[float, Range(1, 32)] = 12
    seed: Annotated[int, Range(0, 20)] = 0
    start: Literal["PCA", "random"] = "PCA"
    early_iterations: int = 250
    iterations: int = 500

    def effective_perplexity(self, count: int) -> float:
        """The perplexity that is used for so many points: at most (count - 1) / 3."""
        return float(min(self.perplexity, (count - 1) / 3))

    def steps(self, features: FloatArray, start: Embedding | None = None) -> Iterator[Embedding]:
        """Yield an embedding every few iterations, about ten times a second for a thousand points."""
        if start is not None and isinstance(start.run, _Run):
            run = start.run
        else:
            reduce = fit_pca(features, COMPONENTS, self.seed)
            note = self._note(len(features))
            try:
                run = _begin(self, reduce(features), reduce, note)
            except ImportError:
                yield _fit_with_scikit_learn(self, features, reduce, note)
                return
            yield run.embedding(self)
        while run.iteration < self.early_iterations + self.iterations:
            run.advance(self)
            yield run.embedding(self)

    def _note(self, count: int) -> str:
        used = self.effective_perplexity(count)
        return f"perplexity {used:g}: at most a third of {count} points" if used < self.perplexity else ""


class _Run:
    """An embedding that is being optimised, and how far it is. Only one thread at a time advances it."""

    def __init__(self, points: Any, reduced: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str) -> None:
        self._points = points
        self._reduced = reduced
        self._reduce = reduce
        self._note = note
        self.iteration = 0
        self._kl = float("nan")

    def advance(self, method: TSNE) -> None:
        """Make a few iterations: fewer for more points, so that a person sees the points move."""
        count = 10 if len(self._points) <= 1000 else 5 if len(self._points) <= 10_000 else 2
        early = self.iteration < method.early_iterations
        end = method.early_iterations if early else method.early_iterations + method.iterations
        count = min(count, end - self.iteration)
        # In place: momentum and gains of the optimiser are carried on.
        self._points = self._points.optimize(
            count, inplace=True, exaggeration=method.exaggeration if early else 1, momentum=0.8
        )
        self._kl = float(self._points.kl_divergence)
        self.iteration += count

    def embedding(self, method: TSNE) -> Embedding:
        """The embedding as it is now, copied."""
        positions = np.array(self._points, np.float32)
        return Embedding(
            positions,
            self.iteration,
            method.early_iterations + method.iterations,
            self._kl,
            Placement(self._reduced, positions, self._reduce, partial(self._transform, positions)),
            self.iteration < method.early_iterations,
            self._note,
            self,
        )

    def _transform(self, positions: FloatArray, reduced: FloatArray) -> FloatArray:
        """Where vectors lie on the embedding that was at `positions`.

        openTSNE centres the embedding that it places on: it is given a copy, and what it took away is added again.
        """
        count, centre = len(positions), (positions.max(axis=0) + positions.min(axis=0)) / 2
        points = self._points
        copy = type(points)(
            positions, points.affinities, random_state=points.random_state, **points.gradient_descent_params
        )
        placed = copy.transform(reduced, perplexity=min(5, (count - 1) / 3), k=min(25, count - 1), n_iter=100)
        return np.array(placed + centre, np.float32)


def _begin(method: TSNE, reduced: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str) -> _Run:
    """A run before its first iteration. Raises ImportError without openTSNE."""
    from openTSNE import TSNEEmbedding, affinity, initialization

    count = len(reduced)
    affinities = affinity.PerplexityBasedNN(
        reduced,
        perplexity=method.effective_perplexity(count),
        method="exact" if count <= _EXACT_NEIGHBOURS else "annoy",
        random_state=method.seed,
        n_jobs=1,
    )
    if method.start == "PCA":
        begin = initialization.pca(reduced, random_state=method.seed)
    else:
        begin = initialization.random(reduced, random_state=method.seed)
    points = TSNEEmbedding(
        begin,
        affinities,
        negative_gradient_method="bh" if count < _BARNES_HUT else "fft",
        random_state=method.seed,
        n_jobs=1,  # its threads wait for one another on a busy machine, and are several times slower
    )
    return _Run(points, reduced, reduce, note)


def _fit_with_scikit_learn(
    method: TSNE, features: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str
) -> Embedding:
    from sklearn.manifold import TSNE as Whole

    reduced = reduce(features)
    total = method.early_iterations + method.iterations
    model = Whole(
        perplexity=max(1.0, method.effective_perplexity(len(features))),
        early_exaggeration=method.exaggeration,
        init="pca" if method.start == "PCA" else "random",
        random_state=method.seed,
        max_iter=max(total, 250),
    )
    positions = np.asarray(model.fit_transform(reduced), np.float32)
    instead = 'scikit-learn\'s t-SNE, which does not move while it runs; for a live map pip install "openTSNE"'
    return Embedding(
        positions,
        total,
        total,
        float(model.kl_divergence_),
        Placement(reduced, positions, reduce, partial(_median_of_neighbours, reduced, positions)),
        note="; ".join(filter(None, [instead, note])),
    )


def _median_of_neighbours(reduced: FloatArray, positions: FloatArray, vectors: FloatArray) -> FloatArray:
    placed = [
        np.median(positions[nearest(reduced, vector, _PLACED_BY, "euclidean").rows], axis=0) for vector in vectors
    ]
    return np.array(placed, np.float32)
