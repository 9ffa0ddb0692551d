"""Where in a data set each channel reacts most: one pass over the pictures, for all channels of all chosen layers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches, quickly
from cnnviz_widgets.classifier.replicas import parts_of
from cnnviz_widgets.collection.distributed import Cluster, RayPictures, Shard, pictures_of, run_shards, shards_of
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.locations import LayerLocations, Location, Maxima, sampling_keys
from cnnviz_widgets.collection.maxima import maxima_of
from cnnviz_widgets.collection.reading import MAX_BATCH, ReadBatch, read_in_turn
from cnnviz_widgets.collection.scan_file import open_arrays, remove_unfinished, write_arrays
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.errors import ClassifierError, MethodError, PictureError, TargetError

__all__ = ["LayerLocations", "Location", "Patches", "scan"]

_ARRAYS = ("values", "images", "cells", "sample_values", "sample_cells")


@dataclass(frozen=True, eq=False)
class Patches:
    """What a scan has found in the first `done` of `total` pictures, and all that it needs to go on.

    `layers` are the locations by the layer's name. `sampled` int64 (S,) are the pictures of a random sample, S at
    most what was asked for; they stand for the whole where the strongest mislead. `unreadable` is the number of
    pictures that were left out; `identity` tells which network, data and parameters the scan is of.
    """

    layers: Mapping[str, LayerLocations]
    sampled: NDArray[np.int64]
    done: int
    total: int
    unreadable: int
    identity: str

    def __repr__(self) -> str:
        return f"<Patches of {len(self.layers)} layers in {self.done} of {self.total} pictures>"

    @property
    def progress(self) -> float:
        """The fraction of the pictures that were scanned, 0..1."""
        return self.done / self.total if self.total else 1.0

    def top(self, layer: str, channel: int, count: int | None = None) -> list[Location]:
        """The strongest locations of a channel, at most one a picture, strongest first, equal ones by index.

        Raises TargetError for a layer that was not scanned or a channel that it does not have.
        """
        found = self._of(layer, channel)
        known = [j for j in range(found.values.shape[1]) if found.images[channel, j] >= 0][:count]
        return [
            found.location(found.images[channel, j], found.cells[channel, j], found.values[channel, j]) for j in known
        ]

    def around(self, layer: str, channel: int, quantile: float, count: int = 9) -> list[Location]:
        """`count` pictures of the sample around a quantile of their maxima, 0 the weakest to 1, strongest first.

        Raises TargetError.
        """
        found = self._of(layer, channel)
        values = found.sample_values[:, channel]
        order = np.lexsort((self.sampled, -values))
        count = min(count, len(order))
        middle = (1 - min(max(quantile, 0.0), 1.0)) * (len(order) - 1)
        start = int(min(max(round(middle - (count - 1) / 2), 0), len(order) - count))
        return [self._sampled(found, channel, j) for j in order[start : start + count]]

    def random(self, layer: str, channel: int, count: int = 9) -> list[Location]:
        """The maxima of a channel in `count` pictures of the sample, the same ones for every channel.

        Raises TargetError.
        """
        found = self._of(layer, channel)
        # In the order of their keys: by index the first ones would be neighbours in the data set.
        order = np.argsort(sampling_keys(self.sampled), kind="stable")[:count]
        return [self._sampled(found, channel, j) for j in order]

    def fraction_below(self, layer: str, channel: int, value: float) -> float:
        """The fraction of the sample's maxima, 0..1, that are less than `value`. Raises TargetError."""
        values = self._of(layer, channel).sample_values[:, channel]
        return float((values < value).mean()) if len(values) else 0.0

    def after(self, read: ReadBatch, maxima: Mapping[str, Maxima], sample: int) -> Patches:
        """These with the maxima of further pictures, by layer, and a sample of at most so many; these stay as they are.

        Raises ClassifierError where a maximum is no number, PictureError where no picture at all could be read.
        """
        images = np.array(read.indices, np.int64)
        pool, chosen = self._sample_with(images, sample)
        layers = dict(self.layers)
        for name, found in maxima.items():
            if not np.isfinite(found.values).all():
                raise ClassifierError(f"The network answered with NaN or infinity in {name}; check its weights.")
            layers[name] = layers[name].merge(found, images, chosen)
        done, unreadable = read.items[-1] + 1, self.unreadable + len(read.refused)
        if unreadable == self.total:
            raise next(reversed(read.refused.values()))
        return replace(self, layers=layers, sampled=pool[chosen], done=done, unreadable=unreadable)

    def join(self, further: Patches, sample: int) -> Patches:
        """These with what was found in further pictures, whose indices are larger, and a sample of at most so many.

        Raises PictureError where no picture at all could be read.
        """
        pool, chosen = self._sample_with(further.sampled, sample)
        layers = {name: found.join(further.layers[name], chosen) for name, found in self.layers.items()}
        unreadable = self.unreadable + further.unreadable
        if unreadable == self.total:
            raise PictureError(f"None of the {self.total} pictures could be read; check the data set.")
        return replace(self, layers=layers, sampled=pool[chosen], done=further.done, unreadable=unreadable)

    def _sample_with(self, images: NDArray[np.int64], sample: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sampled pictures and `images` behind them, and the places there of at most so many that are kept."""
        pool = np.concatenate([self.sampled, images])
        return pool, np.sort(np.argsort(sampling_keys(pool), kind="stable")[:sample])

    def emptied(self) -> Patches:
        """A scan of the same layers that goes on where this one is and has found nothing."""
        layers = {
            name: LayerLocations.empty((len(found.values), *found.grid), found.values.shape[1])
            for name, found in self.layers.items()
        }
        return replace(self, layers=layers, sampled=np.empty(0, np.int64), unreadable=0)

    def _of(self, layer: str, channel: int) -> LayerLocations:
        if layer not in self.layers:
            raise TargetError(
                f"The layer {layer!r} was not scanned; choose one that was, as {next(iter(self.layers))!r}."
            )
        found = self.layers[layer]
        if not 0 <= channel < len(found.values):
            raise TargetError(f"{layer} has channels 0 to {len(found.values) - 1}, not {channel}.")
        return found

    def _sampled(self, found: LayerLocations, channel: int, j: int) -> Location:
        return found.location(self.sampled[j], found.sample_cells[j, channel], found.sample_values[j, channel])

    def save(self, path: str | Path) -> None:
        """Write to `path` (.npz), replacing what is there in one go. Raises MethodError where it cannot be written."""
        arrays: dict[str, NDArray[np.generic]] = {
            "about": np.array([self.done, self.total, self.unreadable]),
            "identity": np.array(self.identity),
            "names": np.array(list(self.layers), dtype=np.str_),
            "sampled": self.sampled,
        }
        for number, found in enumerate(self.layers.values()):
            arrays[f"{number} grid"] = np.array(found.grid)
            for name in _ARRAYS:
                arrays[f"{number} {name}"] = getattr(found, name)
        write_arrays(Path(path), arrays)

    @classmethod
    def load(cls, path: str | Path) -> Patches:
        """What `save` wrote to `path`. Raises MethodError when the file cannot be read or is something else."""
        with open_arrays(Path(path)) as file:
            done, total, unreadable = (int(value) for value in file["about"])
            layers = {
                str(name): LayerLocations(
                    (int(file[f"{number} grid"][0]), int(file[f"{number} grid"][1])),
                    *(file[f"{number} {array}"] for array in _ARRAYS),
                )
                for number, name in enumerate(file["names"])
            }
            return cls(layers, file["sampled"], done, total, unreadable, str(file["identity"]))


def scan(
    classifier: Classifier,
    data: object,
    layers: Sequence[str] | None = None,
    *,
    k: int = 9,
    sample: int = 64,
    batch: int | None = None,
    start: Patches | None = None,
    path: str | Path | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Patches]:
    """Yield, after each batch, the `k` strongest locations of every channel of `layers` so far, one a picture.

    `data` is anything `source_of` takes; `layers` are by default the convolutions, the blocks and the default layer.
    Goes on from `start`, or from `path` if it is there, to which each batch's result is saved before it is yielded.
    What was yielded, `start` included, stays as it is. `batch` pictures are read and run at a time, by default up to
    32, as many as this computer does quickly. Memory is O(channels x (k + sample)), whatever the number of pictures.
    With a `cluster` its workers run shards of the data set, which may be a Ray dataset; it yields after each shard.
    Zeiler and Fergus 2014, section 4, figure 2, over all channels at once. Raises LayerError, ClassifierError,
    PictureError, ClusterError, and MethodError when `start` or `path` belong to other data, another network or other
    parameters.
    """
    batch = quickly(classifier, "maxima", MAX_BATCH) if batch is None else batch
    if min(k, batch) < 1 or sample < 0:
        raise MethodError(f"`k` and `batch` are at least 1 and `sample` at least 0, not {k}, {batch} and {sample}.")
    source = source_of(data) if cluster is None else pictures_of(data)
    fresh = begin(classifier, source, layers, k, sample)
    found = _stored_or(start, path) or fresh
    if found.identity != fresh.identity:
        raise MethodError("The scan was begun with another network, other data or other parameters; begin a new one.")
    if found.done >= found.total:
        yield found
    for further in _further(classifier, source, found, (batch, sample), cluster):
        if path is not None:
            further.save(path)
        yield further


def begin(
    classifier: Classifier, source: Source | RayPictures, layers: Sequence[str] | None, k: int, sample: int
) -> Patches:
    """What is known of a data set before its first picture. Raises LayerError."""
    names = _layers_to_scan(classifier, layers)
    empty = {name: LayerLocations.empty(classifier.layer(name).shape, k) for name in names}
    identity = _identity(classifier, source, names, k, sample)
    return Patches(empty, np.empty(0, np.int64), 0, len(source), 0, identity)


def _stored_or(start: Patches | None, path: str | Path | None) -> Patches | None:
    """What is stored at `path`, or else `start`."""
    if path is None:
        return start
    remove_unfinished(Path(path))
    return Patches.load(path) if Path(path).exists() else start


def _layers_to_scan(classifier: Classifier, layers: Sequence[str] | None) -> list[str]:
    """The layers' own names, each once."""
    if layers is None:
        last = classifier.default_layer
        layers = [layer.name for layer in classifier.layers if layer.role != "other" or layer.name == last]
    return list(dict.fromkeys(classifier.layer(name).name for name in layers))


def _further(
    classifier: Classifier,
    source: Source | RayPictures,
    found: Patches,
    sizes: tuple[int, int],
    cluster: Cluster | None,
) -> Iterator[Patches]:
    """What is found after each further batch, or shard of a cluster; `sizes` are those of a batch and of the sample."""
    local = source if isinstance(source, Source) else None
    if cluster is not None:
        work = PatchWork(classifier, local, found.emptied(), *sizes)
        for _, further in run_shards(cluster, work, shards_of(source, found.done, work.batch, cluster)):
            found = found.join(further, work.sample)
            yield found
    elif local is not None:
        yield from _scanned(classifier, local, found, *sizes)


def _scanned(classifier: Classifier, source: Source, found: Patches, batch: int, sample: int) -> Iterator[Patches]:
    """What is found after each further batch."""
    layers = list(found.layers)

    def calls() -> Iterator[Callable[[Classifier], tuple[ReadBatch, dict[str, Maxima]]]]:
        for read in read_in_turn(source, classifier, range(found.done, found.total), batch):
            yield lambda replica, read=read: (read, maxima_of(replica, read.pixels, layers))  # type: ignore[misc]

    batches = Batches(classifier, (classifier.channels, *classifier.input_size), "maxima")
    for read, maxima in parts_of(batches, found.total - found.done).in_order(calls(), lambda seen: seen):
        found = found.after(read, maxima, sample)
        yield found


@dataclass(frozen=True)
class PatchWork:
    """What a worker of a cluster does with a shard: what is found in its items from `empty.done` on, and only there.

    `empty` is a scan of the whole data set that has found nothing.
    """

    classifier: Classifier
    source: Source | None
    empty: Patches
    batch: int
    sample: int

    def __call__(self, shard: Shard) -> Patches:
        """The Patches of the shard; its `done` is the end of it."""
        found, layers = self.empty, list(self.empty.layers)
        source, first = shard.source(self.source)
        for read in read_in_turn(source, self.classifier, shard.rest(found.done, first), self.batch):
            maxima = maxima_of(self.classifier, read.pixels, layers)
            found = found.after(read.numbered_from(first), maxima, self.sample)
        return found


def _identity(classifier: Classifier, source: Source | RayPictures, layers: Sequence[str], k: int, sample: int) -> str:
    """What a scan can go on with: the same network, data and parameters."""
    about = (weights_fingerprint(classifier), source.fingerprint, list(layers), k, sample)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:32]
