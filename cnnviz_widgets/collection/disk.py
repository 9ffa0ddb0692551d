"""Rows on disk, in a LanceDB table: each append is a version of its own, so that a crash loses at most one batch."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.file_errors import rephrase_errors
from cnnviz_widgets.collection.lock import NAME, FolderLock
from cnnviz_widgets.collection.neighbours import Metric, Neighbours, nearest
from cnnviz_widgets.collection.storage import COLUMNS, RowBatch, empty_column, no_thumbnails
from cnnviz_widgets.errors import MissingExtra, StoreError

#: Rows from which `FeatureStore.build` makes an index. Below, comparing with every row is as quick, and exact.
INDEX_FROM = 100_000

_TABLE = "features"
#: The key of the metadata in the table's schema; with another one stores that exist would be unreadable.
_METADATA_KEY = b"cnnviz"
#: Appends between two compactions. With more of them, small files slow down appending and searching.
_COMPACT_EVERY = 200
#: Stored rows that are searched for to measure an index's recall. More make the figure surer and take longer.
_RECALL_QUERIES = 50
#: Partitions of an index that are searched, and candidates per neighbour whose true distance is computed. Larger
#: numbers raise the recall and the time of a search.
_PROBES, _REFINE = 50, 30


class DiskStorage:
    """Rows in a folder with one LanceDB table.

    `metadata`, the fields of a StoreMetadata, is written with the first row; where the folder holds rows, theirs is
    kept instead. Appending needs the folder's `lock`; reading does not. Raises MissingExtra without LanceDB, and
    StoreError when the folder holds something else, or nothing and no `metadata` is given.
    """

    def __init__(self, path: Path, metadata: dict[str, Any] | None = None, lock: FolderLock | None = None) -> None:
        lancedb, self._pa = _libraries()
        self._path = path
        self._lock = lock
        #: By metric that there is an index for: its measured recall@10.
        self.recall: dict[str, float] = {}
        self._metadata = metadata
        self._columns: dict[str, tuple[int, NDArray[Any]]] = {}
        self._table: Any = None
        check_folder(path)
        if not path.exists() and metadata is None:
            raise StoreError(f"There are no features at {path.name!r}; build them with FeatureStore.build.")
        with self._rephrase_errors():
            self._database = lancedb.connect(str(path))
            if (path / f"{_TABLE}.lance").exists():
                self._table = self._database.open_table(_TABLE)
                self._metadata = json.loads((self._table.schema.metadata or {}).get(_METADATA_KEY, b"null"))
        if self._table is not None:
            self._shape = tuple(self._metadata["thumbnail"]) if self._metadata else (1, 1, 3)
            self._remember_recall()
        elif metadata is None:
            raise StoreError(f"There are no features at {path.name!r}; build them with FeatureStore.build.")

    def _rephrase_errors(self) -> AbstractContextManager[None]:
        """Within the block what goes wrong is raised as a StoreError."""
        name = repr(self._path.name)
        return rephrase_errors(f"the store {name}", f"delete {name} and build the features anew", StoreError)

    @property
    def metadata(self) -> dict[str, Any] | None:
        """The metadata that was written with the first row, and the thumbnails' shape as "thumbnail"; None: unknown."""
        return self._metadata

    @property
    def version(self) -> int:
        """The number of the table's version; each append makes a larger one."""
        with self._rephrase_errors():
            return 0 if self._table is None else int(self._table.version)

    def __len__(self) -> int:
        with self._rephrase_errors():
            return 0 if self._table is None else int(self._table.count_rows())

    def append(self, rows: RowBatch) -> None:
        """Add `rows` at the end, all or, if the process dies, none of them."""
        with self._rephrase_errors(), nullcontext() if self._lock is None else self._lock.writing():
            self._append(rows)

    def _append(self, rows: RowBatch) -> None:
        pa = self._pa
        if self._table is None:
            self._create(rows)
        columns = {
            "items": pa.array(rows.items),
            "features": _vectors(pa, rows.features),
            "logits": _vectors(pa, rows.logits),
            "labels": pa.array(rows.labels),
            "names": pa.array([str(name) for name in rows.names]),
            "thumbnails": pa.array([thumbnail.tobytes() for thumbnail in rows.thumbnails]),
        }
        self._table.add(pa.table(columns, schema=self._table.schema))
        self.recall = {}
        if self.version % _COMPACT_EVERY == 0:
            # Many small files make every later append and search slower.
            self._table.optimize()

    def _create(self, rows: RowBatch) -> None:
        pa = self._pa
        self._shape = rows.thumbnails.shape[1:]
        self._metadata = {**(self._metadata or {}), "thumbnail": list(self._shape)}
        types = [
            pa.int64(),
            pa.list_(pa.float32(), rows.features.shape[1]),
            pa.list_(pa.float32(), rows.logits.shape[1]),
            pa.int64(),
            pa.string(),
            pa.binary(),
        ]
        schema = pa.schema(
            list(zip(COLUMNS, types, strict=True)), metadata={_METADATA_KEY: json.dumps(self._metadata).encode()}
        )
        self._table = self._database.create_table(_TABLE, schema=schema)

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows, (N, ...), read from disk once per version. Raises StoreError for a damaged table."""
        if self._table is None:
            return empty_column(name)
        version, values = self._columns.get(name, (-1, np.zeros(0)))
        if version != self.version:
            version = self.version
            wanted = ["items"] if name == "items" else ["items", name]
            with self._rephrase_errors():
                read = self._table.search().select(wanted).to_arrow()
                items = read["items"].to_numpy()
                values = _array(read[name].combine_chunks())
            if len(items) and (int(items[0]) < 0 or (np.diff(items) <= 0).any()):
                raise StoreError(
                    f"The features at {self._path.name!r} are mixed, as two builders at once leave them: pictures come "
                    f"twice or out of turn; delete {self._path.name!r} and build the features anew."
                )
            self._columns[name] = (version, values)
        return values

    def thumbnails(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The thumbnails of some rows, uint8 (n, h, w, 3); the others stay on disk."""
        if self._table is None or not len(rows):
            return no_thumbnails()
        items = self.column("items")[rows]
        listed = ", ".join(str(int(item)) for item in np.unique(items))
        with self._rephrase_errors():
            read = self._table.search().where(f"items IN ({listed})").select(["items", "thumbnails"]).to_arrow()
        found = dict(zip(read["items"].to_pylist(), read["thumbnails"].to_pylist(), strict=True))
        return np.stack([np.frombuffer(found[int(item)], np.uint8).reshape(self._shape) for item in items])

    # -- searching many rows --------------------------------------------------------------------------------------

    def build_index(self, metric: Metric = "cosine") -> float:
        """Make an index for one metric; returns its recall@10, 0..1, against exact search for stored rows."""
        with self._rephrase_errors():
            return self._build_index(metric)

    def _build_index(self, metric: Metric) -> float:
        from lancedb.index import IvfPq

        partitions = max(1, int(np.sqrt(len(self)) / 2))
        width = self.column("features").shape[1]
        parts = next(count for count in range(max(1, width // 8), 0, -1) if width % count == 0)
        config = IvfPq(
            distance_type="l2" if metric == "euclidean" else metric, num_partitions=partitions, num_sub_vectors=parts
        )
        self._table.create_index("features", config=config, replace=True, wait_timeout=timedelta(minutes=30))
        features = self.column("features")
        queries = np.linspace(0, len(features) - 1, min(_RECALL_QUERIES, len(features))).astype(int)
        hits = [
            np.isin(nearest(features, features[row], 10, metric).rows, self._search(features[row], 10, metric).rows)
            for row in queries
        ]
        self.recall = {metric: float(np.mean(hits))}
        self._recall_file.write_text(json.dumps({"rows": len(self), "recall": self.recall}), encoding="utf-8")
        return self.recall[metric]

    @property
    def _recall_file(self) -> Path:
        return self._path / "recall.json"

    def _remember_recall(self) -> None:
        try:
            known = json.loads(self._recall_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        # An index knows nothing of rows that came after it.
        if known.get("rows") == len(self):
            self.recall = dict(known["recall"])

    def search(self, query: NDArray[np.float32], k: int, metric: Metric) -> Neighbours | None:
        """The `k` rows nearest to a vector (D,) by the index for this metric; None when there is no index."""
        return self._search(query, k, metric) if metric in self.recall else None

    def _search(self, query: NDArray[np.float32], k: int, metric: Metric) -> Neighbours:
        with self._rephrase_errors():
            search = self._table.search(query, vector_column_name="features")
            search = search.distance_type("l2" if metric == "euclidean" else metric).limit(k)
            read = search.nprobes(_PROBES).refine_factor(_REFINE).select(["items", "_distance"]).to_arrow()
        distances = read["_distance"].to_numpy().astype(np.float64)
        rows = np.searchsorted(self.column("items"), read["items"].to_numpy())
        distances = np.sqrt(np.maximum(distances, 0)) if metric == "euclidean" else distances
        order = np.lexsort((rows, distances))
        return Neighbours(rows[order], distances[order].astype(np.float32), metric, self.recall.get(metric))


def _vectors(pa: Any, values: NDArray[np.float32]) -> Any:
    flat = np.ascontiguousarray(values, np.float32).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), values.shape[1])


def _array(column: Any) -> NDArray[Any]:
    if hasattr(column, "chunks"):  # combined to one, or none
        column = column.chunk(0) if column.num_chunks else column
    if hasattr(column.type, "list_size"):
        flat = column.flatten().to_numpy(zero_copy_only=False)
        return np.array(flat, np.float32).reshape(len(column), column.type.list_size)
    return np.array(column.to_pylist()) if str(column.type) != "int64" else column.to_numpy()


def prepare_folder(path: Path) -> FolderLock:
    """The lock of a folder, held; the folder is made where there is none.

    Raises StoreError where it holds something else than features, cannot be made, or another process builds there.
    """
    check_folder(path)
    with rephrase_errors(f"the folder {path.name!r}", "choose another path", StoreError):
        path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(path)
        lock.take()
    return lock


def check_folder(path: Path) -> None:
    """Raise StoreError where `path` exists and holds something else than features."""
    with rephrase_errors(f"the folder {path.name!r}", "choose another path", StoreError):
        if path.is_dir():
            held = {inner.name for inner in path.iterdir()} - {NAME}
            other = bool(held) and f"{_TABLE}.lance" not in held
        else:
            other = path.exists()
    if other:
        raise StoreError(f"{path.name!r} holds something else than features; choose another path.")


def _libraries() -> tuple[Any, Any]:
    try:
        import lancedb
        import pyarrow
    except ImportError as error:
        raise MissingExtra(
            'Features on disk need LanceDB: pip install "cnnviz-widgets[scale]", or leave `path` out.'
        ) from error
    return lancedb, pyarrow
