"""A data set as pictures with names and labels, whatever it comes as."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.scores import brief

__all__ = ["Source", "batches", "source_of"]

#: The label of an item that has none.
UNKNOWN = -1

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_IMAGE_KEYS = ("image", "pixel_values", "img", "picture")
_LABEL_KEYS = ("label", "labels", "target")
_TAKEN = "a torch data set, a folder, an array (N, H, W) or (N, H, W, C), or a list or dict of pictures"

Labels = NDArray[np.int64]


class Source:
    """A data set as pictures, with random access: nothing is decoded before it is asked for.

    `names` has one name per item, "" where unknown. `labels` is the class of each item, int64 (N,), -1 where
    unknown; None when no label can be had without decoding (`item` may still find one). `class_names` says what
    labels mean. Make one with `source_of`.
    """

    def __init__(
        self,
        read: Callable[[int], object],
        length: int,
        *,
        names: Sequence[str] | None = None,
        labels: Labels | None = None,
        class_names: tuple[str, ...] | None = None,
    ) -> None:
        self._read = read
        self._length = length
        self.names: Sequence[str] = [""] * length if names is None else names
        self.labels = labels
        self.class_names = class_names

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<Source of {self._length} pictures>"

    def picture(self, index: int) -> Picture:
        """The picture of item `index`. Raises PictureError, which names the item."""
        return self.item(index)[0]

    def item(self, index: int) -> tuple[Picture, int]:
        """The picture and the label of item `index`, -1 where it has none. Raises PictureError."""
        if not 0 <= index < self._length:
            raise PictureError(f"There is no item {index}; the data set has {self._length}.")
        name = self.names[index] or f"item {index}"
        try:
            image, label = _unpacked(self._read(index))
        except PictureError:
            raise
        # A data set of the user's may raise anything.
        except Exception as error:
            raise PictureError(f"The data set cannot read {name} ({brief(error)}); repair or remove it.") from error
        known = UNKNOWN if self.labels is None else int(self.labels[index])
        return read_picture(image, name), label if known == UNKNOWN else known

    @cached_property
    def fingerprint(self) -> str:
        """A cheap identity: a digest of length, names, labels, and the first, middle and last picture."""
        digest = hashlib.sha256(repr((self._length, list(self.names), self.class_names)).encode())
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).tobytes())
        for index in sorted({0, self._length // 2, self._length - 1}) if self._length else []:
            try:
                picture = self.picture(index)
            except PictureError:
                digest.update(b"unreadable")
                continue
            values = np.asarray(picture.image) if picture.tensor is None else picture.tensor.numpy()
            digest.update(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:32]


def source_of(
    data: object, labels: Sequence[int] | Sequence[str] | Labels | None = None, class_names: Sequence[str] | None = None
) -> Source:
    """`data` as a Source.

    `data`: a torch data set or DataLoader (items are an image, an (image, label) pair, or a dict with "image" or
    "pixel_values" and "label"); a folder of pictures, or of one folder per class; an array (N, H, W) or (N, H, W, C),
    or a tensor (N, C, H, W); an (images, labels) pair; a list, or a dict by name, of what `read_picture` takes;
    `demo.shapes(n)`; a Source, which is returned as it is unless `labels` or `class_names` are given.

    `labels` may be names of classes. Raises PictureError for everything else.
    """
    source = _source_of(data)
    if labels is None and class_names is None:
        return source
    names = source.class_names if class_names is None else tuple(str(name) for name in class_names)
    known = source.labels
    if labels is not None:
        known, names = _labels_of(labels, None if class_names is None else names)
        if len(known) != len(source):
            raise PictureError(f"There are {len(source)} pictures, but {len(known)} labels; give one for each.")
    _check_labels(known, names)
    return Source(source._read, len(source), names=source.names, labels=known, class_names=names)


def batches(
    source: Source,
    classifier: Classifier,
    indices: Sequence[int],
    size: int,
    report: Callable[[int, PictureError], None] | None = None,
) -> Iterator[tuple[list[int], Tensor]]:
    """Network inputs of the items `indices`, `size` at a time: (their indices, pixels (n, C, H, W)).

    A picture that cannot be read is left out of its batch, and `report(index, error)` is called.
    """
    for start in range(0, len(indices), size):
        read: list[int] = []
        pixels: list[Tensor] = []
        for index in indices[start : start + size]:
            try:
                pixels.append(classifier.pixels(source.picture(index)))
            except PictureError as error:
                if report is not None:
                    report(index, error)
            else:
                read.append(index)
        if read:
            yield read, torch.cat(pixels)


# -- kinds of data sets ---------------------------------------------------------------------------------------


def _source_of(data: Any) -> Source:
    if isinstance(data, Source):
        return data
    if isinstance(data, str | Path):
        return _of_folder(Path(data))
    if isinstance(data, DataLoader):
        return _source_of(data.dataset)
    if _is_pair(data):
        images = _source_of(data[0])
        labels, class_names = _labels_of(data[1], None)
        return Source(images._read, len(images), names=images.names, labels=labels, class_names=class_names)
    if isinstance(data, Mapping):
        pictures = list(data.values())
        return Source(pictures.__getitem__, len(pictures), names=[str(name) for name in data])
    if hasattr(data, "pictures") and hasattr(data, "labels"):
        names = getattr(data, "class_names", None)
        return source_of(data.pictures, data.labels, names)
    if isinstance(data, np.ndarray | Tensor):
        if data.ndim not in (3, 4):
            raise PictureError(f"A data set of shape {tuple(data.shape)} is none; pass {_TAKEN}.")
        return Source(data.__getitem__, len(data))
    if isinstance(data, Subset):
        return _of_subset(data)
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise PictureError(f"{type(data).__name__} gives no picture by its number; pass {_TAKEN}.")
    if isinstance(data, bytes | bytearray):
        raise PictureError(f"A data set is no {type(data).__name__}; pass {_TAKEN}.")
    return _of_dataset(data)


def _of_folder(folder: Path) -> Source:
    if not folder.is_dir():
        raise PictureError(f"{folder.name!r} is no folder; pass {_TAKEN}.")
    by_class = [(inner, _pictures_in(inner)) for inner in sorted(folder.iterdir()) if inner.is_dir()]
    by_class = [(inner, files) for inner, files in by_class if files]
    files = [file for _, inner in by_class for file in inner] if by_class else _pictures_in(folder)
    if not files:
        raise PictureError(f"The folder {folder.name!r} holds no pictures; pass one with pictures or folders of them.")
    labels = np.repeat(np.arange(len(by_class), dtype=np.int64), [len(inner) for _, inner in by_class])
    return Source(
        files.__getitem__,
        len(files),
        names=[file.relative_to(folder).as_posix() for file in files],
        labels=labels if by_class else None,
        class_names=tuple(inner.name for inner, _ in by_class) if by_class else None,
    )


def _pictures_in(folder: Path) -> list[Path]:
    found = folder.rglob("*")
    return sorted(path for path in found if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."))


def _of_subset(data: Subset[Any]) -> Source:
    whole = _source_of(data.dataset)
    chosen = [int(index) for index in data.indices]
    return Source(
        data.__getitem__,
        len(chosen),
        names=[whole.names[index] for index in chosen],
        labels=None if whole.labels is None else whole.labels[chosen],
        class_names=whole.class_names,
    )


def _of_dataset(data: Any) -> Source:
    """A torch data set, a Hugging Face one, or any sequence; labels where they can be had without decoding."""
    labels = getattr(data, "targets", None)
    class_names = getattr(data, "classes", None)
    names = None
    if isinstance(samples := getattr(data, "samples", None), list) and len(samples) == len(data):
        names = [Path(str(sample[0])).name for sample in samples]
    if isinstance(tensors := getattr(data, "tensors", None), tuple) and len(tensors) > 1 and tensors[1].ndim == 1:
        labels = tensors[1]
    for key in _LABEL_KEYS:
        if key in (getattr(data, "column_names", None) or ()):
            labels = data[key]
            class_names = getattr(data.features[key], "names", class_names)
            break
    known = None
    if labels is not None and len(labels) == len(data):
        known, class_names = _labels_of(labels, class_names)
    class_names = None if class_names is None else tuple(str(name) for name in class_names)
    return Source(data.__getitem__, len(data), names=names, labels=known, class_names=class_names)


# -- items and labels -----------------------------------------------------------------------------------------


def _unpacked(item: Any) -> tuple[object, int]:
    """The image and the label, or -1, of one item of a data set."""
    if isinstance(item, Mapping):
        image = next((item[key] for key in _IMAGE_KEYS if key in item), None)
        if image is None:
            raise PictureError(f"An item has no key {' or '.join(map(repr, _IMAGE_KEYS[:2]))}; name its image so.")
        return image, _label(next((item[key] for key in _LABEL_KEYS if key in item), None))
    if isinstance(item, tuple | list) and item:
        return item[0], _label(item[1]) if len(item) > 1 else UNKNOWN
    return item, UNKNOWN


def _label(value: object) -> int:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return UNKNOWN


def _is_pair(data: object) -> bool:
    """Whether `data` is (images, labels), and not two pictures."""
    if not isinstance(data, tuple) or len(data) != 2 or not all(hasattr(part, "__len__") for part in data):
        return False
    images, labels = data
    if isinstance(images, str | bytes) or isinstance(labels, str | bytes) or len(images) != len(labels):
        return False
    if isinstance(labels, np.ndarray | Tensor):
        return labels.ndim == 1
    return isinstance(labels, list | tuple) and all(isinstance(label, str) or _label(label) >= 0 for label in labels)


def _labels_of(labels: Any, class_names: Sequence[str] | None) -> tuple[Labels, tuple[str, ...] | None]:
    """Labels as int64 (N,); names of classes as indices of the sorted names."""
    names = None if class_names is None else tuple(str(name) for name in class_names)
    values = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if values.ndim != 1 or values.dtype.kind not in "biuUO":
        raise PictureError("Labels are one whole number, or one name, for each picture; pass a list of them.")
    if values.dtype.kind in "UO":
        texts = [str(value) for value in values]
        names = tuple(sorted(set(texts))) if names is None else names
        unknown = sorted(set(texts) - set(names))
        if unknown:
            raise PictureError(f"{unknown[0]!r} is none of the class names; add it to them.")
        values = np.array([names.index(text) for text in texts], np.int64)
    return values.astype(np.int64), names


def _check_labels(labels: Labels | None, class_names: tuple[str, ...] | None) -> None:
    if labels is not None and len(labels) and int(labels.min()) < UNKNOWN:
        raise PictureError("A label is the index of a class, or -1 where it is unknown.")
    if labels is not None and class_names is not None and len(labels) and int(labels.max()) >= len(class_names):
        raise PictureError(f"There are {len(class_names)} class names, but a label {int(labels.max())}; name them all.")
