"""Features, labels, names and thumbnails of a data set, made by one network at one layer, in memory or on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import quickly
from cnnviz_widgets.collection.disk import INDEX_FROM, DiskStorage, prepare_folder
from cnnviz_widgets.collection.distributed import Cluster, RayPictures, pictures_of
from cnnviz_widgets.collection.extraction import features_and_logits, layer_name
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.labels import UNKNOWN
from cnnviz_widgets.collection.neighbours import METRICS, Metric, Neighbours, nearest
from cnnviz_widgets.collection.reading import MAX_BATCH, ReadBatch
from cnnviz_widgets.collection.rows import further_rows
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.collection.storage import FeatureStorage, InMemoryStorage, RowBatch, StoreMetadata
from cnnviz_widgets.errors import PictureError, StoreError
from cnnviz_widgets.picture import Picture


class FeatureStore:
    """One row per picture of a data set: its features at a layer of a network, label, name, thumbnail and logits.

    Features are the spatial mean of the layer's maps, float32 (N, D); a layer after the pooling is taken as it is.
    `build` makes a store, `build_steps` makes it step by step, `open` reads one from disk. A store that is being
    built can be used as far as it has got, by other threads too: rows are only ever added, and arrays that it has
    handed out do not change. Rows are numbered from 0; `items` are their indices in the data set, which has more
    pictures than the store has rows where some could not be read (`skipped` says why).
    """

    def __init__(self, metadata: StoreMetadata, storage: FeatureStorage, source: Source | None) -> None:
        self.metadata = metadata
        #: The data set, or None for a store that was opened without it.
        self.source = source
        #: For each item that could not be read, one sentence that says why. A new dict whenever there are more.
        self.skipped: dict[int, str] = {}
        self._storage = storage
        self._visited = _visited_items(metadata, self.items)

    # -- making one -----------------------------------------------------------------------------------------------

    @classmethod
    def build(
        cls,
        classifier: Classifier,
        source: object,
        layer: str | None = None,
        *,
        path: str | Path | None = None,
        batch: int | None = None,
        labels: Any = None,
        class_names: Sequence[str] | None = None,
        cluster: Cluster | None = None,
    ) -> FeatureStore:
        """The features of all pictures of `source` (anything `source_of` takes) at `layer`, or the last spatial one.

        Pictures are read and run `batch` at a time, by default up to 32, as many as this computer does quickly.
        `labels` (N,) and `class_names` replace those of the data set. With `path`, a folder, rows are kept on disk,
        a batch at a time (`pip install cnnviz-widgets[scale]`); a build that was interrupted goes on where it
        stopped. With a `cluster` its workers run shards of the data set, which may be a Ray dataset (`pip install
        cnnviz-widgets[ray]`). Raises StoreError when the folder has the features of other weights, another layer or
        another data set, MissingExtra, LayerError, PictureError, ClassifierError, ClusterError.
        """
        whole = cluster is not None and labels is None and class_names is None
        data = source if whole else source_of(source, labels, class_names)
        steps = cls.build_steps(classifier, data, layer, path=path, batch=batch, cluster=cluster)
        (store,) = deque(steps, maxlen=1)
        return store

    @classmethod
    def build_steps(
        cls,
        classifier: Classifier,
        source: object,
        layer: str | None = None,
        *,
        path: str | Path | None = None,
        batch: int | None = None,
        cluster: Cluster | None = None,
    ) -> Iterator[FeatureStore]:
        """Build step by step: yields one store, empty or as far as `path` has got, and again after each batch.

        Parameters and errors are those of `build`. The generator writes to the store that it has made, to `path` and
        to nothing else; closing it keeps what there is.
        """
        data = source_of(source) if cluster is None else pictures_of(source)
        if not len(data):
            raise PictureError("The data set holds no pictures; pass one with pictures.")
        batch = quickly(classifier, "features", MAX_BATCH) if batch is None else batch
        if batch < 1:
            raise StoreError(f"A batch of {batch} pictures is none; use one of at least 1.")
        metadata = metadata_of(classifier, data, layer, batch)
        if path is None:
            yield from _grow(cls(metadata, InMemoryStorage(), _local(data)), classifier, data, cluster)
            return
        folder = Path(path)
        with prepare_folder(folder) as lock:
            disk = DiskStorage(folder, asdict(metadata), lock)
            stored = metadata if disk.metadata is None else StoreMetadata.of_mapping(disk.metadata)
            stored.check_same(metadata)
            store = cls(stored, disk, _local(data))
            yield from _grow(store, classifier, data, cluster)
            if len(store) >= INDEX_FROM and not disk.recall:
                store.build_index()
                yield store

    @classmethod
    def open(cls, path: str | Path, source: object = None) -> FeatureStore:
        """The store in a folder, finished or not; `source`, if given, must be the data set it was made of.

        Raises StoreError when there is no store, or one of another data set, and MissingExtra without LanceDB.
        """
        disk = DiskStorage(Path(path))
        if disk.metadata is None:
            raise StoreError(f"{Path(path).name!r} does not say what its features are of; build them anew.")
        metadata = StoreMetadata.of_mapping(disk.metadata)
        data = None if source is None else source_of(source)
        if data is not None and data.fingerprint != metadata.source:
            raise StoreError(f"The features at {Path(path).name!r} are of another data set; pass that one.")
        return cls(metadata, disk, data)

    def extend(self, rows: RowBatch | None, skipped: dict[int, str], visited: int) -> None:
        """Add the rows of further pictures: the data set was gone through up to item `visited`, exclusive."""
        if rows is not None:
            self._storage.append(rows)
        if skipped:
            self.skipped = {**self.skipped, **skipped}  # readers on other threads may be going through the old one
        self._visited = visited

    def after(self, read: ReadBatch, rows: RowBatch | None) -> FeatureStore:
        """The same store, with the rows of further pictures."""
        self.extend(rows, {item: str(error) for item, error in read.refused.items()}, read.items[-1] + 1)
        return self

    # -- what is in it --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._storage)

    def __repr__(self) -> str:
        made = f"{self.metadata.classifier} at {self.layer}"
        return f"<FeatureStore of {len(self)} pictures, {made}, {self.progress:.0%}>"

    @property
    def layer(self) -> str:
        """The layer whose features these are."""
        return self.metadata.layer

    @property
    def visited(self) -> int:
        """How many pictures of the data set have been gone through, those that could not be read included."""
        return self._visited

    @property
    def progress(self) -> float:
        """The fraction of the data set that has been gone through, 0..1."""
        return self._visited / self.metadata.total

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, by label, or None."""
        return self.metadata.class_names

    @property
    def items(self) -> NDArray[np.int64]:
        """The index in the data set of each row, int64 (N,), increasing."""
        return self._storage.column("items")

    @property
    def features(self) -> NDArray[np.float32]:
        """The features of each row, float32 (N, D)."""
        return self._storage.column("features")

    @property
    def logits(self) -> NDArray[np.float32]:
        """Class scores before the softmax, float32 (N, K)."""
        return self._storage.column("logits")

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each row, int64 (N,), -1 where unknown."""
        return self._storage.column("labels")

    @property
    def names(self) -> NDArray[Any]:
        """The name of each picture, str (N,)."""
        return self._storage.column("names")

    def thumbnails(self, rows: Sequence[int] | NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        """What the network saw of some rows, or of all, at most 64 pixels a side: uint8 (n, h, w, 3)."""
        return self._storage.thumbnails(np.arange(len(self)) if rows is None else np.asarray(rows, np.intp))

    def label_name(self, row: int) -> str:
        """The name of a row's label, its number where classes have no names, "" where it is unknown."""
        label = int(self.labels[row])
        if label == UNKNOWN:
            return ""
        names = self.class_names
        return names[label] if names is not None and label < len(names) else str(label)

    def rows_of(self, items: Sequence[int]) -> NDArray[np.intp]:
        """The rows (n,) of those items of the data set that are stored, in increasing order."""
        return np.flatnonzero(np.isin(self.items, np.asarray(list(items), np.int64)))

    def picture(self, row: int) -> Picture:
        """The picture of a row, from the data set; its thumbnail where the store has none. Raises PictureError."""
        if self.source is not None:
            return self.source.picture(int(self.items[row]))
        from PIL import Image

        return Picture(Image.fromarray(self.thumbnails([row])[0]), name=str(self.names[row]))

    # -- asking it ------------------------------------------------------------------------------------------------

    def check(self, classifier: Classifier) -> None:
        """Raise StoreError unless `classifier` has the weights that the features were made with."""
        if weights_fingerprint(classifier) != self.metadata.weights:
            raise StoreError(
                f"These features are of {self.metadata.classifier} with other weights or another preprocessing than "
                f"{classifier.name} has; build features with this network."
            )

    def features_of(self, classifier: Classifier, pixels: Tensor) -> NDArray[np.float32]:
        """The features (n, D) of network inputs (n, C, H, W) at the store's layer. Raises StoreError as `check`."""
        self.check(classifier)
        return features_and_logits(classifier, pixels, self.layer)[0]

    def nearest(
        self, query: NDArray[np.float32], k: int, metric: Metric = "cosine", exclude: Sequence[int] = ()
    ) -> Neighbours:
        """The `k` rows nearest to a feature vector (D,), without the rows in `exclude`.

        Exact, or by an index where `build_index` has made one for the metric. Raises StoreError for an empty store,
        a vector of another length or an unknown metric.
        """
        if not len(self):
            raise StoreError("There are no features yet; wait for the first batch.")
        if isinstance(self._storage, DiskStorage) and metric in METRICS:
            found = self._storage.search(query, k + len(exclude), metric)
            if found is not None:
                kept = ~np.isin(found.rows, list(exclude))
                return Neighbours(found.rows[kept][:k], found.distances[kept][:k], metric, found.recall)
        return nearest(self.features, query, k, metric, exclude)

    def build_index(self, metric: Metric = "cosine") -> float:
        """Make an index of a store on disk; returns its recall@10, 0..1, measured against exact search.

        Raises StoreError for a store in memory.
        """
        if not isinstance(self._storage, DiskStorage):
            raise StoreError("Features in memory are searched exactly and need no index; give a `path` for one.")
        return self._storage.build_index(metric)


def metadata_of(classifier: Classifier, data: Source | RayPictures, layer: str | None, batch: int) -> StoreMetadata:
    """What a store of features at `layer`, None for the default one, is said to be of. Raises LayerError."""
    return StoreMetadata(
        classifier.name, weights_fingerprint(classifier), layer_name(classifier, layer), data.fingerprint, len(data),
        batch, data.class_names,
    )  # fmt: skip


def _visited_items(metadata: StoreMetadata, items: NDArray[np.int64]) -> int:
    """Up to which item a store with rows of `items` was built: the end of the batch that the last of them was in."""
    # Batches begin where they would have begun in one go: what a network answers may depend on the batch's size.
    return min(metadata.total, (int(items[-1]) // metadata.batch + 1) * metadata.batch) if len(items) else 0


def _local(data: Source | RayPictures) -> Source | None:
    return data if isinstance(data, Source) else None


def _grow(
    store: FeatureStore, classifier: Classifier, data: Source | RayPictures, cluster: Cluster | None
) -> Iterator[FeatureStore]:
    """Yields the store, then again after each batch that was added to it."""
    yield store
    start, batch = store.visited, store.metadata.batch
    if isinstance(data, RayPictures):  # whose batches begin anew with each block
        start = int(store.items[-1]) + 1 if len(store) else 0
    for further in further_rows(classifier, data, store.layer, batch, start, cluster=cluster):
        store.extend(*further)
        yield store
    if not len(store):
        total = store.metadata.total
        raise PictureError(f"None of the {total} pictures could be read: {next(iter(store.skipped.values()))}")
