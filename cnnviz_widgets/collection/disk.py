"""Rows on disk, in a LanceDB table: each append is a version of its own, so that a crash loses at most one batch."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.disk_errors import told
from cnnviz_widgets.collection.lock import NAME, Lock
from cnnviz_widgets.collection.neighbours import Metric, Neighbours, nearest
from cnnviz_widgets.collection.rows import COLUMNS, Rows
from cnnviz_widgets.errors import MissingExtra, StoreError

#: From so many rows on an index answers; below, comparing with every row is as quick and exact.
INDEX_FROM = 100_000

_TABLE = "features"
_ABOUT = b"cnnviz"
_COMPACT_EVERY = 200
_RECALL_QUERIES = 50
#: How far an index looks: parts of it, and candidates per neighbour whose true distance is computed.
_PROBES, _REFINE = 50, 30


class Disk:
    """A folder with one LanceDB table. `about` says what the rows are of; a folder that has one keeps it.

    Whoever appends has the folder's `lock`.

    Raises MissingExtra without lancedb, and StoreError when the folder holds something else.
    """

    def __init__(self, path: Path, about: dict[str, Any] | None = None, lock: Lock | None = None) -> None:
        lancedb, self._pa = _libraries()
        self._path = path
        self._lock = lock
        #: By metric that there is an index for: its measured recall@10.
        self.recall: dict[str, float] = {}
        self._about = about
        self._columns: dict[str, tuple[int, NDArray[Any]]] = {}
        self._table: Any = None
        check_folder(path)
        if not path.exists() and about is None:
            raise StoreError(f"There are no features at {path.name!r}; build them with FeatureStore.build.")
        with self._told():
            self._database = lancedb.connect(str(path))
            if (path / f"{_TABLE}.lance").exists():
                self._table = self._database.open_table(_TABLE)
                self._about = json.loads((self._table.schema.metadata or {}).get(_ABOUT, b"null"))
        if self._table is not None:
            self._shape = tuple(self._about["thumbnail"]) if self._about else (1, 1, 3)
            self._remember_recall()
        elif about is None:
            raise StoreError(f"There are no features at {path.name!r}; build them with FeatureStore.build.")

    def _told(self) -> AbstractContextManager[None]:
        """Within the block what goes wrong is raised as a StoreError."""
        name = repr(self._path.name)
        return told(f"the store {name}", f"delete {name} and build the features anew", StoreError)

    @property
    def about(self) -> dict[str, Any] | None:
        """What the rows are of, as it was given when the first row was stored."""
        return self._about

    @property
    def version(self) -> int:
        """Grows with every append."""
        with self._told():
            return 0 if self._table is None else int(self._table.version)

    def __len__(self) -> int:
        with self._told():
            return 0 if self._table is None else int(self._table.count_rows())

    def append(self, rows: Rows) -> None:
        """Add `rows` at the end, all or, if the process dies, none of them."""
        with self._told(), nullcontext() if self._lock is None else self._lock.writing():
            self._append(rows)

    def _append(self, rows: Rows) -> None:
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

    def _create(self, rows: Rows) -> None:
        pa = self._pa
        self._shape = rows.thumbnails.shape[1:]
        self._about = {**(self._about or {}), "thumbnail": list(self._shape)}
        types = [
            pa.int64(),
            pa.list_(pa.float32(), rows.features.shape[1]),
            pa.list_(pa.float32(), rows.logits.shape[1]),
            pa.int64(),
            pa.string(),
            pa.binary(),
        ]
        schema = pa.schema(list(zip(COLUMNS, types, strict=True)), metadata={_ABOUT: json.dumps(self._about).encode()})
        self._table = self._database.create_table(_TABLE, schema=schema)

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows, read from disk once per version."""
        if self._table is None:
            return np.zeros((0, 0), np.float32) if name in ("features", "logits") else np.zeros(0, np.int64)
        version, values = self._columns.get(name, (-1, np.zeros(0)))
        if version != self.version:
            version = self.version
            wanted = ["items"] if name == "items" else ["items", name]
            with self._told():
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
            return np.zeros((0, 1, 1, 3), np.uint8)
        items = self.column("items")[rows]
        listed = ", ".join(str(int(item)) for item in np.unique(items))
        with self._told():
            read = self._table.search().where(f"items IN ({listed})").select(["items", "thumbnails"]).to_arrow()
        found = dict(zip(read["items"].to_pylist(), read["thumbnails"].to_pylist(), strict=True))
        return np.stack([np.frombuffer(found[int(item)], np.uint8).reshape(self._shape) for item in items])

    # -- searching many rows --------------------------------------------------------------------------------------

    def build_index(self, metric: Metric = "cosine") -> float:
        """Make an index for one metric and return its recall@10 against exact search, measured on stored rows."""
        with self._told():
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
        """The nearest rows by the index for this metric; None when there is none."""
        return self._search(query, k, metric) if metric in self.recall else None

    def _search(self, query: NDArray[np.float32], k: int, metric: Metric) -> Neighbours:
        with self._told():
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


def check_folder(path: Path) -> None:
    """Raise StoreError where `path` is there and holds something else than features."""
    with told(f"the folder {path.name!r}", "choose another path", StoreError):
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
