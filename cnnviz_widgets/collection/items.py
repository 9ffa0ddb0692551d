"""Items of data sets, in which the picture and the target are found, and a Source of such items."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.collection.labels import UNKNOWN, Labels, NoLabel, number_of, plain_value
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture

#: What `source_of` takes, for messages.
ACCEPTED = "a torch data set, a folder, an array (N, H, W) or (N, H, W, C), or a list or dict of pictures"
#: Names under which items have their picture, and their target. The first that an item has is taken.
IMAGE_KEYS = (
    "image", "pixel_values", "img", "picture", "images", "jpg", "jpeg", "png", "webp",
    "path", "file", "filename", "file_name", "image_path", "filepath", "file_path",
)  # fmt: skip
LABEL_KEYS = ("label", "labels", "target", "targets", "class", "cls", "category", "y")


class Source:
    """The pictures of a data set by number; each is decoded when it is asked for. `source_of` makes one.

    `names` has one name per item, "" where unknown. `labels` is the class of each item, int64 (N,), -1 where
    unknown; None when no label can be had without decoding (`item` may still find one). `class_names` are the names
    of the classes by label. `notes` are sentences about what was left out, such as targets that are no labels;
    reading items may add some.

    `read(index)` gives an item as the data set has it, `keys` are the names of its picture and target where items
    are dicts. With `items_decide` the label of an item comes before that in `labels`.
    """

    def __init__(
        self,
        read: Callable[[int], object],
        length: int,
        *,
        names: Sequence[str] | None = None,
        labels: Labels | None = None,
        class_names: tuple[str, ...] | None = None,
        notes: Sequence[str] = (),
        keys: tuple[str | None, str | None] = (None, None),
        items_decide: bool = False,
    ) -> None:
        self._read = read
        self._length = length
        self.names: Sequence[str] = [""] * length if names is None else names
        self.labels = labels
        self.class_names = class_names
        self.notes: tuple[str, ...] = tuple(dict.fromkeys(filter(None, notes)))
        self._keys = keys
        # Where they differ from the data set's list, the network was trained on the labels of items.
        self._items_decide = items_decide

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        classes = "" if self.class_names is None else f" in {len(self.class_names)} classes"
        return f"<Source of {self._length} pictures{classes}>"

    def with_labels(
        self, labels: Labels | None, class_names: tuple[str, ...] | None, notes: Sequence[str] = ()
    ) -> Source:
        """The same pictures and names with `labels` (N,), their class names, and `notes` on them."""
        return Source(
            self._read, self._length, names=self.names, labels=labels, class_names=class_names, notes=notes,
            keys=self._keys,
        )  # fmt: skip

    def raw_item(self, index: int) -> tuple[object, object]:
        """The picture and the target, or None, of item `index` as the data set has them."""
        return unpack(self._read(index), *self._keys)

    def picture(self, index: int) -> Picture:
        """The picture of item `index`. Raises PictureError, which names the item."""
        return self.item(index)[0]

    def item(self, index: int) -> tuple[Picture, int]:
        """The picture and the label of item `index`, -1 where it has none. Raises PictureError."""
        if not 0 <= index < self._length:
            raise PictureError(f"There is no item {index}; the data set has {self._length}.")
        name = self.names[index] or f"item {index}"
        try:
            image, target = self.raw_item(index)
        except PictureError:
            raise
        # A data set of the user's may raise anything.
        except Exception as error:
            raise PictureError(
                f"The data set cannot read {name} ({summarize_error(error)}); repair or remove it."
            ) from error
        return read_picture(image, name), self._label(index, target)

    def _label(self, index: int, target: object) -> int:
        known = UNKNOWN if self.labels is None else int(self.labels[index])
        if known != UNKNOWN and not self._items_decide:
            return known
        own = self._own_label(index, target)
        if own in (UNKNOWN, known):
            return known
        if known != UNKNOWN:
            self._remark("Items of the data set have other labels than its list of targets: those of items are shown.")
        return own

    def _own_label(self, index: int, target: object) -> int:
        """The label that an item brings, or -1; what is no label is left out, and said once."""
        silent = self.labels is not None and int(self.labels[index]) != UNKNOWN
        try:
            value = plain_value(target)
        except NoLabel as what:
            value = None
            if self.labels is None:
                self._remark(f"The targets of items are {what} and no classes: pictures with those have no label.")
        if isinstance(value, float):
            self._remark(f"Targets are fractions, as {value:g}, and no classes: pictures with those have no label.")
        if isinstance(value, str):
            names = self.class_names or ()
            place = names.index(value) if value in names else number_of(value)
            if place is None and not silent:
                self._remark("Targets are names that the data set does not list: pass labels= to see them.")
            value = place
        if isinstance(value, int) and value < UNKNOWN and not silent:
            self._remark(f"Labels below -1, as {value}, are no class: pictures with those have no label.")
        return value if isinstance(value, int) and value > UNKNOWN else UNKNOWN

    def _remark(self, note: str) -> None:
        kind = note.split(",")[0]
        if not any(known.startswith(kind) for known in self.notes):
            self.notes += (note,)

    @cached_property
    def fingerprint(self) -> str:
        """A digest, hexadecimal, of length, names, labels, and the first, middle and last picture, which are read."""
        digest = hashlib.sha256(repr((self._length, list(self.names), self.class_names)).encode())
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).tobytes())
        for index in sorted({0, self._length // 2, self._length - 1}) if self._length else []:
            values = self._values(index)
            if not index and values != self._values(index):
                self._remark("The data set's pictures are random, as by augmentation: each look at one shows another.")
                break
            digest.update(values)
        return digest.hexdigest()[:32]

    def _values(self, index: int) -> bytes:
        try:
            picture = self.picture(index)
        except PictureError:
            return b"unreadable"
        values = np.asarray(picture.image) if picture.tensor is None else picture.tensor.numpy()
        return repr(values.shape).encode() + np.ascontiguousarray(values).tobytes()


def unpack(item: Any, image_key: str | None = None, label_key: str | None = None) -> tuple[object, object]:
    """The picture and the target, or None, of one item: a picture, a (picture, target) pair, or a dict of such.

    Raises PictureError for a dict without a picture.
    """
    if isinstance(item, Mapping):
        image_key = image_key or key_of(item, IMAGE_KEYS)
        if image_key not in item:
            raise PictureError(f"An item has no key {' or '.join(map(repr, IMAGE_KEYS[:2]))}; name its image so.")
        label_key = label_key or key_of(item, LABEL_KEYS)
        return _file_of(item[image_key]), item.get(label_key)
    # A named tuple is a pair too; a list of numbers is none.
    if isinstance(item, tuple | list) and item:
        return _file_of(item[0]), item[1] if len(item) > 1 else None
    return item, None


def _file_of(image: Any) -> object:
    """The bytes or the path of a picture that is not decoded, as Hugging Face and parquet files have it."""
    if isinstance(image, Mapping) and ("bytes" in image or "path" in image):
        return image.get("bytes") or image.get("path")
    return image


def key_of(names: Any, wanted: Sequence[str]) -> str | None:
    """The first of `wanted` that is among `names`, or None."""
    return next((key for key in wanted if key in names), None)


def columns_of(data: Any) -> tuple[str | None, str | None]:
    """The names of the columns with the pictures and the targets in a data set of Hugging Face's kind, or None.

    By their names, or else by their types: the one column of images, and the one of class labels.
    """
    names = list(getattr(data, "column_names", None) or ())
    features = getattr(data, "features", None)
    features = features if isinstance(features, Mapping) else {}
    images = [name for name in names if type(features.get(name)).__name__ == "Image"]
    classes = [name for name in names if getattr(features.get(name), "names", None) is not None]
    image = images[0] if images else key_of(names, IMAGE_KEYS)
    label = key_of(names, LABEL_KEYS)
    if classes and label not in classes:
        label = classes[0]
    return image, label


def is_frame(data: object) -> bool:
    """Whether `data` is a table with columns, such as a data frame of pandas or polars."""
    return hasattr(data, "columns") and (hasattr(data, "iloc") or hasattr(data, "get_column"))


def is_stack(data: object) -> bool:
    """Whether `data` is an array of several pictures: (N, H, W, C), (N, C, H, W) or (N, H, W), not one in colour."""
    if not isinstance(data, np.ndarray | Tensor) or data.ndim not in (3, 4):
        return False
    if data.ndim == 4:
        return True
    # One picture is (H, W, C) as an array and (C, H, W) as a tensor.
    return data.shape[2] not in (1, 3, 4) and data.shape[0] not in (1, 3, 4) and isinstance(data, np.ndarray)


def is_pair(data: object) -> bool:
    """Whether `data` is (pictures, targets), one target a picture, and not two items."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        return False
    images, targets = data
    if isinstance(targets, str | bytes | Mapping) or not hasattr(targets, "__len__") or not hasattr(images, "__len__"):
        return False
    if isinstance(targets, Tensor | np.ndarray) and not targets.ndim:
        return False
    if len(images) != len(targets):
        return False
    if is_stack(images):
        return not isinstance(targets, np.ndarray | Tensor) or targets.shape != images.shape
    if isinstance(images, np.ndarray | Tensor):  # (H, W, C) and as many labels as rows, of (N, H, W) with W = 3
        return images.ndim == 3 and not isinstance(targets, list | tuple) and getattr(targets, "ndim", 0) == 1
    if isinstance(data, list) or isinstance(images, str | bytes | Mapping):
        return False
    if isinstance(targets, np.ndarray | Tensor):
        return targets.ndim == 1 or isinstance(images, list)
    if isinstance(targets, list | tuple):
        return all(_is_target(target) for target in targets)
    return hasattr(targets, "to_numpy")  # a column


def _is_target(value: object) -> bool:
    """Whether a value may be a target (a number, a name, None, boxes) rather than a picture."""
    if isinstance(value, np.ndarray | Tensor | np.generic):
        return value.ndim < 2
    return value is None or isinstance(value, str | bytes | bool | int | float | Mapping)


def paired_targets(items: Sequence[Any]) -> list[object] | None:
    """The targets of a list of (picture, target) pairs, or of dicts that have one; None where it is neither."""
    if items and all(isinstance(item, tuple | list) and len(item) > 1 for item in items):
        return [item[1] for item in items]
    if items and all(isinstance(item, Mapping) for item in items):
        key = key_of(items[0], LABEL_KEYS)
        if key is not None:
            return [item.get(key) for item in items]
    return None
