"""Where in a data set each channel reacts most: one pass over the pictures, for all channels of all chosen layers."""

from __future__ import annotations

import glob
import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches, quickly
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.collection.disk_errors import told
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.lock import try_lock
from cnnviz_widgets.collection.source import Source, batches, source_of
from cnnviz_widgets.errors import ClassifierError, MethodError, PictureError, TargetError

_T = TypeVar("_T", np.float32, np.int64)

#: So many pictures are at most held, and lost when a scan is stopped.
_MOST = 32


@dataclass(frozen=True)
class Spot:
    """A cell of an activation map: which picture, (row, column) of the layer's grid, and the activation there."""

    image: int
    row: int
    column: int
    value: float


@dataclass(frozen=True, eq=False)
class LayerSpots:
    """For each of C channels the `k` pictures with the highest maxima, and those of a random sample of pictures.

    `values` float32 (C, k), highest first, -inf where there are fewer pictures; `images` int64 (C, k), their index,
    or -1; `cells` int64 (C, k), row x columns + column of the maximum, the first of equal ones. `sample_values` and
    `sample_cells` (S, C) are the maxima of the sampled pictures. `grid` is (rows, columns).
    """

    grid: tuple[int, int]
    values: NDArray[np.float32]
    images: NDArray[np.int64]
    cells: NDArray[np.int64]
    sample_values: NDArray[np.float32]
    sample_cells: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patches:
    """What a scan has found in the first `done` of `total` pictures, and all that it needs to go on.

    `sampled` int64 (S,) are the pictures of a random sample, S at most what was asked for; they stand for the whole
    where the strongest mislead. `unreadable` is the number of pictures that were left out.
    """

    layers: Mapping[str, LayerSpots]
    sampled: NDArray[np.int64]
    done: int
    total: int
    unreadable: int
    identity: str

    @property
    def progress(self) -> float:
        return self.done / self.total if self.total else 1.0

    def top(self, layer: str, channel: int, count: int | None = None) -> list[Spot]:
        """The pictures' strongest spots, at most one a picture, equal ones by index. Raises TargetError."""
        spots = self._of(layer, channel)
        known = [j for j in range(spots.values.shape[1]) if spots.images[channel, j] >= 0][:count]
        return [
            _spot(spots, spots.images[channel, j], spots.cells[channel, j], spots.values[channel, j]) for j in known
        ]

    def around(self, layer: str, channel: int, quantile: float, count: int = 9) -> list[Spot]:
        """`count` pictures of the sample around a quantile of their maxima, 0 the weakest to 1, strongest first.

        Raises TargetError.
        """
        spots = self._of(layer, channel)
        values = spots.sample_values[:, channel]
        order = np.lexsort((self.sampled, -values))
        count = min(count, len(order))
        middle = (1 - min(max(quantile, 0.0), 1.0)) * (len(order) - 1)
        start = int(min(max(round(middle - (count - 1) / 2), 0), len(order) - count))
        return [self._sampled(spots, channel, j) for j in order[start : start + count]]

    def random(self, layer: str, channel: int, count: int = 9) -> list[Spot]:
        """`count` pictures of the sample, the same ones for every channel. Raises TargetError."""
        spots = self._of(layer, channel)
        # In the order of their keys: by index the first ones would be neighbours in the data set.
        order = np.argsort(_keys(self.sampled), kind="stable")[:count]
        return [self._sampled(spots, channel, j) for j in order]

    def share_below(self, layer: str, channel: int, value: float) -> float:
        """Which share of the sample's maxima is less than `value`. Raises TargetError."""
        values = self._of(layer, channel).sample_values[:, channel]
        return float((values < value).mean()) if len(values) else 0.0

    def _of(self, layer: str, channel: int) -> LayerSpots:
        if layer not in self.layers:
            raise TargetError(
                f"The layer {layer!r} was not scanned; choose one that was, as {next(iter(self.layers))!r}."
            )
        spots = self.layers[layer]
        if not 0 <= channel < len(spots.values):
            raise TargetError(f"{layer} has channels 0 to {len(spots.values) - 1}, not {channel}.")
        return spots

    def _sampled(self, spots: LayerSpots, channel: int, j: int) -> Spot:
        return _spot(spots, self.sampled[j], spots.sample_cells[j, channel], spots.sample_values[j, channel])

    # -- on disk -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write to `path` (.npz), replacing what is there in one go. Raises MethodError."""
        path = Path(path)
        arrays: dict[str, NDArray[np.generic]] = {
            "about": np.array([self.done, self.total, self.unreadable]),
            "identity": np.array(self.identity),
            "names": np.array(list(self.layers), dtype=np.str_),
            "sampled": self.sampled,
        }
        for number, spots in enumerate(self.layers.values()):
            arrays[f"{number} grid"] = np.array(spots.grid)
            for name in _ARRAYS:
                arrays[f"{number} {name}"] = getattr(spots, name)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        with _told(path):
            try:
                with unfinished.open("wb") as file:
                    try_lock(file)  # the system's, and gone with the file: whoever sweeps up sees that it is written
                    np.savez(file, allow_pickle=False, **arrays)
                unfinished.replace(path)
            finally:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> Patches:
        """What `save` wrote. Raises MethodError when the file is something else."""
        try:
            # numpy leaves a file open that it opened itself and cannot read.
            with _opened(Path(path)) as stream, np.load(stream, allow_pickle=False) as file:
                done, total, unreadable = (int(value) for value in file["about"])
                layers = {
                    str(name): LayerSpots(
                        (int(file[f"{number} grid"][0]), int(file[f"{number} grid"][1])),
                        *(file[f"{number} {array}"] for array in _ARRAYS),
                    )
                    for number, name in enumerate(file["names"])
                }
                return cls(layers, file["sampled"], done, total, unreadable, str(file["identity"]))
        except (ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
            raise MethodError(f"{Path(path).name!r} holds no scan; delete it, or choose another file.") from error


def _told(path: Path) -> AbstractContextManager[None]:
    return told(f"the scan at {path.name!r}", "choose another file", MethodError)


def _opened(path: Path) -> BinaryIO:
    with _told(path):
        return path.open("rb")


def _sweep(path: Path) -> None:
    """Remove what scanners that were killed while they saved have left beside `path`."""
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError), unfinished.open("ab") as file:
            if try_lock(file):  # else somebody is writing it
                unfinished.unlink()


_ARRAYS = ("values", "images", "cells", "sample_values", "sample_cells")


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
) -> Iterator[Patches]:
    """Yield, after each batch, the `k` strongest spots of every channel of `layers` so far, one spot a picture.

    `data` is anything `source_of` takes; `layers` are by default the convolutions, the blocks and the default layer.
    Goes on from `start`, or from `path` if it is there, to which each batch's result is saved before it is yielded.
    Memory is O(channels x (k + sample)), whatever the number of pictures. `batch` pictures are read and run at a time,
    by default up to 32, as many as this computer does quickly.

    Zeiler and Fergus 2014, section 4, figure 2, over all channels at once. Raises LayerError, ClassifierError,
    PictureError, and MethodError when `start` or `path` belong to other data, another network or other parameters.
    """
    if batch is None:
        batch = quickly(classifier, "maxima", _MOST)
    if min(k, batch) < 1 or sample < 0:
        raise MethodError(f"`k` and `batch` are at least 1 and `sample` at least 0, not {k}, {batch} and {sample}.")
    source = source_of(data)
    if layers is None:
        last = classifier.default_layer
        layers = [layer.name for layer in classifier.layers if layer.role != "other" or layer.name == last]
    names = list(dict.fromkeys(classifier.layer(name).name for name in layers))
    identity = _identity(classifier, source, names, k, sample)
    if path is not None:
        _sweep(Path(path))
        start = Patches.load(path) if Path(path).exists() else start
    if start is None:
        nothing = {name: _nothing(classifier.layer(name).shape, k) for name in names}
        start = Patches(nothing, np.empty(0, np.int64), 0, len(source), 0, identity)
    elif start.identity != identity:
        raise MethodError("The scan was begun with another network, other data or other parameters; begin a new one.")
    yield from _scanned(classifier, source, start, sample, batch, path)


def _scanned(
    classifier: Classifier, source: Source, found: Patches, sample: int, batch: int, path: str | Path | None
) -> Iterator[Patches]:
    if found.done >= found.total:
        yield found
    for first in range(found.done, found.total, batch):
        indices = range(first, min(first + batch, found.total))
        found = _after_batch(classifier, source, found, indices, sample)
        if path is not None:
            found.save(path)
        yield found


def _after_batch(
    classifier: Classifier, source: Source, found: Patches, indices: Sequence[int], sample: int
) -> Patches:
    """What is found after the pictures `indices` too; `found` stays as it is."""
    refused: list[PictureError] = []
    layers, sampled = dict(found.layers), found.sampled
    for read, pixels in batches(source, classifier, indices, len(indices), lambda _, error: refused.append(error)):
        images = np.array(read, np.int64)
        # The lowest keys of all so far: a random sample that depends on nothing but how many pictures there are.
        pool = np.concatenate([sampled, images])
        chosen = np.sort(np.argsort(_keys(pool), kind="stable")[:sample])
        for name, (values, cells) in _maxima(classifier, pixels, layers).items():
            if not np.isfinite(values).all():
                raise ClassifierError(f"{classifier.name} answered with NaN or infinity in {name}; check its weights.")
            layers[name] = _merged(layers[name], values, images, cells, chosen)
        sampled = pool[chosen]
    done, unreadable = indices[-1] + 1, found.unreadable + len(refused)
    if unreadable == found.total:
        raise refused[-1]
    return replace(found, layers=layers, sampled=sampled, done=done, unreadable=unreadable)


def _maxima(
    classifier: Classifier, pixels: Tensor, layers: Mapping[str, LayerSpots]
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """The maximum of each map of each layer and its cell, (n, C) each."""
    batches = Batches(classifier, pixels.shape[1:], "maxima")
    parts = batches.run(len(pixels), lambda part: _maxima_of_part(classifier, pixels[part], layers))
    return {
        name: (np.concatenate([part[name][0] for part in parts]), np.concatenate([part[name][1] for part in parts]))
        for name in parts[0]
    }


def _maxima_of_part(
    classifier: Classifier, pixels: Tensor, layers: Mapping[str, LayerSpots]
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Taken as soon as a layer's output is there."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def see(name: str, output: Tensor) -> None:
        maps = output.detach().flatten(2).float()
        if maps.device.type == "cpu":
            # Four times as fast as torch's on each core. Of equal cells either takes the first.
            parts = np.array_split(maps.numpy(), torch.get_num_threads())
            cells = torch.from_numpy(np.concatenate(list(cores.map(lambda part: part.argmax(2), parts))))
        else:
            cells = maps.argmax(dim=2)
        found[name] = maps.gather(2, cells[..., None])[..., 0], cells

    with ThreadPoolExecutor(torch.get_num_threads()) as cores, torch.inference_mode(False), torch.no_grad():
        watch(classifier, pixels, layers, see)
    return {name: (values.cpu().numpy(), cells.cpu().numpy()) for name, (values, cells) in found.items()}


def _merged(
    spots: LayerSpots,
    values: NDArray[np.float32],
    images: NDArray[np.int64],
    cells: NDArray[np.int64],
    chosen: NDArray[np.intp],
) -> LayerSpots:
    """`spots` with the maxima (n, C) of further pictures, whose indices are larger than those before."""
    # Few channels have a new best once many pictures were seen. Equal ones lose to those of lower index.
    new = np.flatnonzero(values.max(axis=0) > spots.values[:, -1])
    k = spots.values.shape[1]
    pool = np.concatenate([spots.values[new], values.T[new]], axis=1)
    order = np.argsort(-pool, axis=1, kind="stable")[:, :k]
    order += pool.shape[1] * np.arange(len(new))[:, None]

    def best(kept: NDArray[_T], pool: NDArray[_T]) -> NDArray[_T]:
        kept = kept.copy()
        kept[new] = pool.take(order)
        return kept

    sample = spots.sample_values, spots.sample_cells
    if not np.array_equal(chosen, np.arange(len(sample[0]))):
        sample = np.concatenate([sample[0], values])[chosen], np.concatenate([sample[1], cells])[chosen]
    return LayerSpots(
        spots.grid,
        best(spots.values, pool),
        best(
            spots.images, np.concatenate([spots.images[new], np.broadcast_to(images, (len(new), len(images)))], axis=1)
        ),
        best(spots.cells, np.concatenate([spots.cells[new], cells.T[new]], axis=1)),
        *sample,
    )


def _nothing(shape: tuple[int, int, int], k: int) -> LayerSpots:
    channels, rows, columns = shape
    return LayerSpots(
        (rows, columns),
        np.full((channels, k), -np.inf, np.float32),
        np.full((channels, k), -1, np.int64),
        np.full((channels, k), -1, np.int64),
        np.empty((0, channels), np.float32),
        np.empty((0, channels), np.int64),
    )


def _spot(spots: LayerSpots, image: int, cell: int, value: float) -> Spot:
    row, column = divmod(int(cell), spots.grid[1])
    return Spot(int(image), row, column, float(value))


def _keys(indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A well mixed number for each index, always the same (Steele et al. 2014, splitmix64)."""
    mixed = indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _identity(classifier: Classifier, source: Source, layers: Sequence[str], k: int, sample: int) -> str:
    """What a scan can go on with: the same network, data and parameters."""
    about = (weights_fingerprint(classifier), source.fingerprint, list(layers), k, sample)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:32]
