"""Features, labels, names and thumbnails of a data set, made by one network at one layer, in memory or on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, hooks
from cnnviz_widgets.classifier.batching import Batches, quickly
from cnnviz_widgets.collection.disk import INDEX_FROM, Disk, check_folder
from cnnviz_widgets.collection.disk_errors import told
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.lock import Lock
from cnnviz_widgets.collection.neighbours import METRICS, Metric, Neighbours, nearest
from cnnviz_widgets.collection.rows import Memory, Rows, Shelf
from cnnviz_widgets.collection.source import UNKNOWN, Source, source_of
from cnnviz_widgets.errors import ClassifierError, LayerError, PictureError, StoreError
from cnnviz_widgets.picture import Picture

#: So many pictures, decoded and not, are at most held and, when work is dropped, lost.
_MOST = 32
#: The longer side of a thumbnail, in pixels.
THUMBNAIL = 64


@dataclass(frozen=True)
class About:
    """What a store was made of, and by what."""

    classifier: str
    weights: str
    layer: str
    source: str
    total: int
    batch: int
    class_names: tuple[str, ...] | None


class FeatureStore:
    """One row per picture of a data set: its features at a layer of a network, label, name, thumbnail and logits.

    Features are the spatial mean of the layer's maps, float32 (N, D); a layer after the pooling is taken as it is.
    `build` makes a store, `building` makes it step by step; a store under way can be used as far as it has got.
    Rows are numbered from 0; `items` are their indices in the data set, which is shorter where pictures could not
    be read (`skipped` says why).
    """

    def __init__(self, about: About, shelf: Shelf, source: Source | None) -> None:
        self.about = about
        self.source = source
        #: Sentences about pictures that could not be read, by item.
        self.skipped: dict[int, str] = {}
        self._shelf = shelf
        self._visited = 0

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
    ) -> FeatureStore:
        """The features of all pictures of `source` (anything `source_of` takes) at `layer`, or the last spatial one.

        Pictures are read and run `batch` at a time, by default up to 32, as many as this computer does quickly.
        With `path`, a folder, rows are kept on disk, a batch at a time (`pip install cnnviz-widgets[scale]`); a
        build that was interrupted goes on where it stopped. Raises StoreError when the folder has the features of
        other weights, another layer or another data set, MissingExtra, LayerError, PictureError, ClassifierError.
        """
        steps = cls.building(classifier, source, layer, path=path, batch=batch, labels=labels, class_names=class_names)
        (store,) = deque(steps, maxlen=1)
        return store

    @classmethod
    def building(
        cls,
        classifier: Classifier,
        source: object,
        layer: str | None = None,
        *,
        path: str | Path | None = None,
        batch: int | None = None,
        labels: Any = None,
        class_names: Sequence[str] | None = None,
    ) -> Iterator[FeatureStore]:
        """Build step by step: yields the store, empty at first, then after each batch, as it grows."""
        data = source_of(source, labels, class_names)
        if not len(data):
            raise PictureError("The data set holds no pictures; pass one with pictures.")
        if batch is None:
            batch = quickly(classifier, "features", _MOST)
        if batch < 1:
            raise StoreError(f"A batch of {batch} pictures is none; use one of at least 1.")
        layer = layer_name(classifier, layer)
        about = About(
            classifier.name, weights_fingerprint(classifier), layer, data.fingerprint, len(data), batch,
            data.class_names,
        )  # fmt: skip
        if path is None:
            yield from cls(about, Memory(), data)._growing(classifier)
            return
        folder = Path(path)
        check_folder(folder)
        with told(f"the folder {folder.name!r}", "choose another path", StoreError):
            folder.mkdir(parents=True, exist_ok=True)
            lock = Lock(folder)
            lock.take()
        with lock:
            disk = Disk(folder, asdict(about), lock)
            store = cls(_kept(disk.about, about), disk, data)
            yield from store._growing(classifier)
            if len(store) >= INDEX_FROM and not disk.recall:
                store.build_index()
                yield store

    def _growing(self, classifier: Classifier) -> Iterator[FeatureStore]:
        """Yields itself, as far as it has got, then after each further batch."""
        assert self.source is not None
        items, batch, total = self.items, self.about.batch, len(self.source)
        # Batches begin where they would have begun in one go: what a network answers may depend on the batch's size.
        self._visited = 0 if not len(items) else (int(items[-1]) // batch + 1) * batch
        yield self
        for start in range(self._visited, total, batch):
            self._add(classifier, range(start, min(start + batch, total)))
            yield self
        if not len(self):
            raise PictureError(f"None of the {total} pictures could be read: {next(iter(self.skipped.values()))}")

    @classmethod
    def open(cls, path: str | Path, source: object = None) -> FeatureStore:
        """The store in a folder, finished or not; `source`, if given, must be the data set it was made of.

        Raises StoreError, MissingExtra.
        """
        disk = Disk(Path(path))
        if disk.about is None:
            raise StoreError(f"{Path(path).name!r} does not say what its features are of; build them anew.")
        about = _about_of(disk.about)
        data = None if source is None else source_of(source)
        if data is not None and data.fingerprint != about.source:
            raise StoreError(f"The features at {Path(path).name!r} are of another data set; pass that one.")
        store = cls(about, disk, data)
        items = disk.column("items")
        store._visited = min(about.total, (int(items[-1]) // about.batch + 1) * about.batch) if len(items) else 0
        return store

    def _add(self, classifier: Classifier, items: range) -> None:
        """Append the rows of one batch of items."""
        read: list[int] = []
        labels: list[int] = []
        inputs: list[Tensor] = []
        assert self.source is not None
        for item in items:
            try:
                picture, label = self.source.item(item)
                inputs.append(classifier.pixels(picture))
            except PictureError as error:
                self.skipped[item] = str(error)
                continue
            read.append(item)
            labels.append(label)
        if read:
            pixels = torch.cat(inputs)
            features, logits = features_and_logits(classifier, pixels, self.about.layer)
            names = np.array([self.source.names[item] or f"item {item}" for item in read], object)
            thumbnails = np.stack([thumbnail_of(classifier, one) for one in inputs])
            self._shelf.append(
                Rows(np.array(read, np.int64), features, logits, np.array(labels, np.int64), names, thumbnails)
            )
        self._visited = items.stop

    # -- what is in it --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._shelf)

    def __repr__(self) -> str:
        return f"<FeatureStore of {len(self)} pictures, {self.about.classifier} at {self.layer}, {self.progress:.0%}>"

    @property
    def layer(self) -> str:
        """The layer whose features these are."""
        return self.about.layer

    @property
    def progress(self) -> float:
        """How much of the data set has been gone through, 0..1."""
        return self._visited / self.about.total

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """What the labels mean."""
        return self.about.class_names

    @property
    def items(self) -> NDArray[np.int64]:
        """The index in the data set of each row, (N,), increasing."""
        return self._shelf.column("items")

    @property
    def features(self) -> NDArray[np.float32]:
        """Float32 (N, D)."""
        return self._shelf.column("features")

    @property
    def logits(self) -> NDArray[np.float32]:
        """Class scores before the softmax, float32 (N, K)."""
        return self._shelf.column("logits")

    @property
    def labels(self) -> NDArray[np.int64]:
        """Int64 (N,), -1 where unknown."""
        return self._shelf.column("labels")

    @property
    def names(self) -> NDArray[Any]:
        """Str (N,)."""
        return self._shelf.column("names")

    def thumbnails(self, rows: Sequence[int] | NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        """What the network saw of some rows, or of all, at most 64 pixels a side: uint8 (n, h, w, 3)."""
        return self._shelf.thumbnails(np.arange(len(self)) if rows is None else np.asarray(rows, np.intp))

    def label_name(self, row: int) -> str:
        """The name of a row's label, "" where unknown."""
        label = int(self.labels[row])
        if label == UNKNOWN:
            return ""
        names = self.class_names
        return names[label] if names is not None and label < len(names) else str(label)

    def rows_of(self, items: Sequence[int]) -> NDArray[np.intp]:
        """The rows of those items of the data set that are stored, in the order of the rows."""
        return np.flatnonzero(np.isin(self.items, np.asarray(list(items), np.int64)))

    def picture(self, row: int) -> Picture:
        """The picture of a row, from the data set; its thumbnail where the data set is not at hand."""
        if self.source is not None:
            return self.source.picture(int(self.items[row]))
        from PIL import Image

        return Picture(Image.fromarray(self.thumbnails([row])[0]), name=str(self.names[row]))

    # -- asking it ------------------------------------------------------------------------------------------------

    def check(self, classifier: Classifier) -> None:
        """Raise StoreError unless `classifier` has the weights that the features were made with."""
        if weights_fingerprint(classifier) != self.about.weights:
            raise StoreError(
                f"These features are of {self.about.classifier} with other weights or another preprocessing than "
                f"{classifier.name} has; build features with this network."
            )

    def features_of(self, classifier: Classifier, pixels: Tensor) -> NDArray[np.float32]:
        """The features of network inputs (n, C, H, W) at the store's layer, (n, D). Raises StoreError."""
        self.check(classifier)
        return features_and_logits(classifier, pixels, self.layer)[0]

    def nearest(
        self, query: NDArray[np.float32], k: int, metric: Metric = "cosine", exclude: Sequence[int] = ()
    ) -> Neighbours:
        """The `k` rows nearest to a feature vector (D,), without rows in `exclude`; exact unless there is an index."""
        if not len(self):
            raise StoreError("There are no features yet; wait for the first batch.")
        if isinstance(self._shelf, Disk) and metric in METRICS:
            found = self._shelf.search(query, k + len(exclude), metric)
            if found is not None:
                kept = ~np.isin(found.rows, list(exclude))
                return Neighbours(found.rows[kept][:k], found.distances[kept][:k], metric, found.recall)
        return nearest(self.features, query, k, metric, exclude)

    def build_index(self, metric: Metric = "cosine") -> float:
        """Make an index of rows on disk and return its recall@10, measured against exact search."""
        if not isinstance(self._shelf, Disk):
            raise StoreError("Features in memory are searched exactly and need no index; give a `path` for one.")
        return self._shelf.build_index(metric)


# -- features of pictures -----------------------------------------------------------------------------------------


@torch.no_grad()
def features_and_logits(
    classifier: Classifier, pixels: Tensor, layer: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The features (n, D) at `layer` of network inputs (n, C, H, W), and their logits (n, K), by one forward pass.

    By several where memory runs out. Raises LayerError, ClassifierError.
    """
    batches = Batches(classifier, pixels.shape[1:], "features")
    parts = batches.run(len(pixels), lambda part: _features_and_logits(classifier, pixels[part], layer))
    return np.concatenate([features for features, _ in parts]), np.concatenate([logits for _, logits in parts])


def _features_and_logits(
    classifier: Classifier, pixels: Tensor, layer: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    with classifier.evaluating(), _recording(classifier, layer) as outputs:
        logits = classifier.logits(pixels)
    if layer not in outputs:
        raise LayerError(f"{classifier.name} skipped the layer {layer!r} on this picture; choose another one.")
    output = outputs[layer].detach().float()
    if output.ndim > 2:
        # Maps (n, C, h, w) are averaged over space; tokens (n, T, D) over tokens.
        output = output.mean(dim=(2, 3)) if output.ndim == 4 else output.flatten(1, -2).mean(dim=1)
    if len(output) != len(pixels) or output.ndim != 2:
        raise LayerError(f"The layer {layer!r} gives no row for each picture; choose {classifier.default_layer!r}.")
    if not bool(torch.isfinite(output).all()):
        raise ClassifierError(f"The layer {layer!r} of {classifier.name} answered with NaN or infinite values.")
    return output.cpu().numpy(), logits.cpu().numpy()


def _recording(classifier: Classifier, layer: str) -> AbstractContextManager[dict[str, Tensor]]:
    if _is_spatial(classifier, layer):
        return classifier.recording(layer)
    # Behind the pooling: of a module that is called several times, the last call.
    return hooks.recording(classifier.shadow, {layer: {0: [layer]}}, {layer: 1})


def _is_spatial(classifier: Classifier, layer: str) -> bool:
    return any(layer == known.name or layer in known.aliases for known in classifier.layers)


def layer_name(classifier: Classifier, layer: str | None) -> str:
    """The name of the layer meant: its own where an alias was given, the default one for None. Raises LayerError."""
    if layer is None:
        return classifier.default_layer
    if not _is_spatial(classifier, layer) and layer in dict(classifier.shadow.named_modules()):
        return layer
    return classifier.layer(layer).name


def thumbnail_of(classifier: Classifier, pixels: Tensor) -> NDArray[np.uint8]:
    """What the network sees of one input (1, C, H, W), uint8 (h, w, 3), at most 64 pixels a side."""
    seen = torch.from_numpy(classifier.appearance(pixels)).permute(2, 0, 1)[None]
    longest = max(seen.shape[-2:])
    if longest > THUMBNAIL:
        size = [max(1, round(side * THUMBNAIL / longest)) for side in seen.shape[-2:]]
        seen = functional.interpolate(seen.float(), size, mode="bilinear", antialias=True).round().to(torch.uint8)
    return seen[0].permute(1, 2, 0).contiguous().numpy()


def _about_of(kept: dict[str, Any]) -> About:
    names = kept["class_names"]
    fields = {name: kept[name] for name in About.__dataclass_fields__ if name != "class_names"}
    return About(**fields, class_names=None if names is None else tuple(names))


def _kept(kept: dict[str, Any] | None, wanted: About) -> About:
    """What the folder says it holds, if that is what is wanted. Raises StoreError, which says what differs."""
    found = wanted if kept is None else _about_of(kept)
    if found.weights != wanted.weights:
        raise StoreError(
            f"The folder has features of {found.classifier} with other weights or another preprocessing; "
            "choose another path."
        )
    if found.layer != wanted.layer:
        raise StoreError(
            f"The folder has features of the layer {found.layer!r}, not {wanted.layer!r}; choose another path."
        )
    if found.source != wanted.source:
        raise StoreError("The folder has features of another data set; choose another path.")
    return found
