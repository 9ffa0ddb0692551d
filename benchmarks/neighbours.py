"""Nearest neighbours among 10,000 to 1,000,000 rows: exact in memory, and by the index of a store on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from benchmarks.table import Rival, Row, compare, noted
from cnnviz_widgets.collection.disk import DiskStorage
from cnnviz_widgets.collection.neighbours import METRICS, nearest
from cnnviz_widgets.collection.storage import RowBatch

COUNTS, WIDTH, K = (10_000, 100_000, 1_000_000), 64, 12
#: So many centres with noise around them: features of pictures are no even cloud.
CENTRES = 1000


def rows() -> Iterable[Row]:
    for count in COUNTS:
        vectors = made(count)
        for metric in METRICS:
            peer = NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(vectors)
            yield from compare(
                f"{metric}, {count:,} rows",
                lambda vectors=vectors, metric=metric: nearest(vectors, vectors[0], K, metric),  # type: ignore[misc]
                Rival(
                    "scikit-learn, brute force",
                    lambda vectors=vectors, peer=peer: peer.kneighbors(vectors[:1]),  # type: ignore[misc]
                ),
            )


def made(count: int) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    centres = random.standard_normal((CENTRES, WIDTH), dtype=np.float32)
    noise = random.standard_normal((count, WIDTH), dtype=np.float32)
    return centres[random.integers(CENTRES, size=count)] + noise / 2


def index_rows() -> list[Row]:
    """What a FeatureStore of so many rows on disk does: cosine, by LanceDB's index."""
    vectors = made(COUNTS[-1])
    count = len(vectors)
    nothing = np.zeros((count, 1), np.float32)
    stored = RowBatch(
        np.arange(count), vectors, nothing, np.full(count, -1), np.full(count, "x", object),
        np.zeros((count, 1, 1, 3), np.uint8),
    )  # fmt: skip
    peer = NearestNeighbors(n_neighbors=K, algorithm="brute", metric="cosine").fit(vectors)
    with tempfile.TemporaryDirectory() as folder:
        disk = DiskStorage(Path(folder), {})
        disk.append(stored)
        disk.build_index("cosine")
        queries = np.linspace(0, count - 1, 50).astype(int)
        true = peer.kneighbors(vectors[queries], 10)[1]
        found = [disk.search(vectors[query], 10, "cosine") for query in queries]
        pairs = zip(found, true, strict=True)
        recall = float(np.mean([np.isin(rows, one.rows).mean() for one, rows in pairs if one is not None]))
        timed = compare(
            f"cosine, {count:,} rows on disk, by the index",
            lambda: disk.search(vectors[0], K, "cosine"),
            Rival("scikit-learn, brute force, in memory", lambda: peer.kneighbors(vectors[:1])),
        )
    return noted(timed, f"recall@10 against exact search {recall:.3f}")
