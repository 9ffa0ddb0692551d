"""Data sets of all kinds (torch, Hugging Face, folders, arrays, lists, tables) as a Source of pictures."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset

from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.collection.folder import pictures_in, read_folder
from cnnviz_widgets.collection.items import (
    ACCEPTED,
    IMAGE_KEYS,
    LABEL_KEYS,
    Source,
    columns_of,
    is_frame,
    is_pair,
    is_stack,
    key_of,
    paired_targets,
)
from cnnviz_widgets.collection.labels import (
    UNKNOWN,
    Labels,
    Targets,
    check_labels,
    names_of_classes,
    read_targets,
)
from cnnviz_widgets.errors import PictureError

__all__ = ["UNKNOWN", "Source", "is_data_set", "source_of"]

#: Pictures that a message suggests to take of a data set without random access.
_SOME = 500


def source_of(
    data: object, labels: Sequence[int] | Sequence[str] | Labels | None = None, class_names: Sequence[str] | None = None
) -> Source:
    """The pictures of a data set by number, with names and labels.

    `data` is a torch data set or DataLoader (items are an image, an (image, label) pair, or a dict with "image" or
    "pixel_values" and "label"); a Hugging Face data set; a folder of pictures, or of one folder per class; an array
    (N, H, W) or (N, H, W, C), or a tensor (N, C, H, W); an (images, labels) pair; a list, or a dict by name, of what
    `read_picture` takes, or of (picture, label); a data frame with a column of paths; `demo.shapes(n)`; a Source,
    which is returned as it is unless `labels` or `class_names` are given.

    Labels are optional: whole numbers are kept as they are, names become indices of the sorted names, targets that are
    neither are left out (`notes` says so). `labels` (N,), numbers or names, and `class_names` replace those of the
    data. Nothing is decoded. Raises PictureError for anything else, and for labels that do not fit the pictures.
    """
    source = _source_of(data)
    if labels is None and class_names is None:
        return source
    names = source.class_names if class_names is None else tuple(str(name) for name in class_names)
    known, notes = source.labels, source.notes
    if labels is not None:
        known, names = check_labels(labels, None if class_names is None else names)
        notes = ()
        if len(known) != len(source):
            raise PictureError(f"There are {len(source)} pictures, but {len(known)} labels; give one for each.")
    elif known is not None:
        known, _ = check_labels(known, names)
    return source.with_labels(known, names, notes)


# -- kinds of data sets ---------------------------------------------------------------------------------------


def is_data_set(data: object) -> bool:
    """Whether `data` is a data set, rather than a picture or a few: a flat folder, a list or a dict of them."""
    if isinstance(data, str | Path):
        return Path(data).is_dir() and not pictures_in(Path(data), deep=False)
    if isinstance(data, np.ndarray):
        return data.ndim == 3 and is_stack(data)
    if isinstance(data, list | tuple):
        return is_pair(data) or paired_targets(data) is not None
    if isinstance(data, Mapping):
        return bool(data) and (_columns(data) is not None or any(map(_is_several, data.values())))
    if isinstance(data, Tensor | bytes | bytearray | memoryview):
        return False
    by_number = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    in_turn = isinstance(data, Dataset | DataLoader | Iterator) or hasattr(data, "column_names")
    by_parts = hasattr(data, "pictures") and hasattr(data, "labels")  # as `demo.shapes` has them
    return isinstance(data, Source) or by_number or by_parts or (in_turn and not hasattr(data, "read"))


def _is_several(data: object) -> bool:
    """Whether a value is a data set by itself, or a list of pictures."""
    if isinstance(data, list | Dataset | DataLoader):
        return True
    return hasattr(data, "column_names") or (hasattr(data, "pictures") and hasattr(data, "labels"))


def _source_of(data: Any) -> Source:
    if isinstance(data, Source):
        return data
    if isinstance(data, str | Path):
        return read_folder(Path(data))
    if is_pair(data):
        return _with_targets(_source_of(data[0]), data[1])
    if isinstance(data, Mapping):
        return _of_dict(data)
    if hasattr(data, "pictures") and hasattr(data, "labels"):
        return source_of(data.pictures, data.labels, getattr(data, "class_names", None))
    if isinstance(data, np.ndarray | Tensor):
        if data.ndim not in (3, 4):
            raise PictureError(f"A data set of shape {tuple(data.shape)} is none; pass {ACCEPTED}.")
        return Source(data.__getitem__, len(data))
    if isinstance(data, bytes | bytearray):
        raise PictureError(f"A data set is no {type(data).__name__}; pass {ACCEPTED}.")
    return _of_torch_dataset(data)


def _of_torch_dataset(data: Any) -> Source:
    """A DataLoader's data set, a part of one, several, a data frame, or anything with items by number."""
    if isinstance(data, DataLoader):
        indices = getattr(data.sampler, "indices", None)  # as of a SubsetRandomSampler
        return _source_of(data.dataset if indices is None else Subset(data.dataset, list(indices)))
    if isinstance(data, Subset):
        return _of_subset(data)
    if isinstance(data, ConcatDataset):
        return _of_parts(data)
    if is_frame(data):
        return _of_dict({str(name): list(data[name]) for name in data.columns})
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        some = f"; take some, as list(itertools.islice(data, {_SOME}))" if hasattr(data, "__iter__") else ""
        raise PictureError(f"{type(data).__name__} gives no picture by its number{some or f'; pass {ACCEPTED}'}.")
    return _of_dataset(data)


def _with_targets(source: Source, targets: object) -> Source:
    """`source` with the labels that `targets`, one for each item, are; its notes say what was left out."""
    found = _targets(targets, len(source), None)
    return source.with_labels(found.labels, found.class_names, (*source.notes, found.note))


def _targets(values: Any, length: int, class_names: Sequence[str] | None) -> Targets:
    """The labels in a data set's own list of targets; whatever that holds, a note says so and nothing is raised."""
    names = None if class_names is None else tuple(map(str, class_names))
    try:
        if isinstance(values, str | bytes | Mapping) or len(values) != length:
            return Targets(None, names)
        return read_targets(values, names)
    except Exception as error:
        return Targets(None, names, f"The targets cannot be read ({summarize_error(error)}): pictures have no labels.")


def _of_dict(data: Mapping[Any, Any]) -> Source:
    """Pictures by name, lists of pictures by class, or columns of pictures and targets."""
    if not data:
        return Source([].__getitem__, 0)
    if (keys := _columns(data)) is not None:
        images = _source_of(list(data[keys[0]]) if not is_stack(data[keys[0]]) else data[keys[0]])
        return images if keys[1] is None else _with_targets(images, data[keys[1]])
    pictures = list(data.values())
    if any(_is_several(part) and not isinstance(part, list) for part in pictures):
        parts = ", ".join(map(str, data))
        raise PictureError(f"These are several data sets ({parts}); pass one, as data[{next(iter(data))!r}].")
    if all(isinstance(part, list) for part in pictures):
        files = [picture for part in pictures for picture in part]
        labels = np.repeat(np.arange(len(pictures), dtype=np.int64), [len(part) for part in pictures])
        return Source(files.__getitem__, len(files), labels=labels, class_names=tuple(map(str, data)))
    return Source(pictures.__getitem__, len(pictures), names=[str(name) for name in data])


def _columns(data: Mapping[Any, Any]) -> tuple[str, str | None] | None:
    """The columns of pictures and of targets, where a dict holds those and not pictures by their names."""
    image, label = key_of(data, (*IMAGE_KEYS, "data", "x")), key_of(data, LABEL_KEYS)
    if image is None or not (isinstance(data[image], list) or is_stack(data[image])):
        return None
    if label is None and not is_stack(data[image]):
        return None if len(data) > 1 and all(isinstance(part, list) for part in data.values()) else (image, None)
    return image, label


def _of_subset(data: Subset[Any]) -> Source:
    whole = _source_of(data.dataset)
    chosen = [int(index) for index in data.indices]
    return Source(
        data.__getitem__,
        len(chosen),
        names=[whole.names[index] for index in chosen],
        labels=None if whole.labels is None else whole.labels[chosen],
        class_names=whole.class_names,
        notes=whole.notes,
        keys=whole._keys,
        items_decide=whole._items_decide,
    )


def _of_parts(data: ConcatDataset[Any]) -> Source:
    """Data sets one after the other; labels stay what they are, names of classes where all parts agree on them."""
    parts = [_source_of(part) for part in data.datasets]
    names = {part.class_names for part in parts}
    notes = [note for part in parts for note in part.notes]
    if len(names) > 1:
        notes.append("The parts of the data set name their classes differently: labels are shown as numbers.")
    labels = [np.full(len(part), UNKNOWN, np.int64) if part.labels is None else part.labels for part in parts]
    return Source(
        lambda index: _item_of(parts, data.cumulative_sizes, index),
        len(data),
        names=list(itertools.chain.from_iterable(part.names for part in parts)),
        labels=np.concatenate(labels) if any(part.labels is not None for part in parts) else None,
        class_names=names.pop() if len(names) == 1 else None,
        notes=notes,
        items_decide=all(part._items_decide or part.labels is None for part in parts),
    )


def _item_of(parts: Sequence[Source], ends: Sequence[int], index: int) -> object:
    part = int(np.searchsorted(ends, index, side="right"))
    return parts[part].raw_item(index - (ends[part - 1] if part else 0))


def _of_dataset(data: Any) -> Source:
    """A torch data set, a Hugging Face one, or any sequence; labels where they can be had without decoding."""
    keys = columns_of(data)
    class_names, notes = names_of_classes(data), []
    targets: Any = next((t for t in (getattr(data, key, None) for key in ("targets", "labels")) if _is_list(t)), None)
    if isinstance(tensors := getattr(data, "tensors", None), tuple) and len(tensors) > 1:
        targets = tensors[1]
    if isinstance(data, list | tuple):
        targets = paired_targets(data)
    if getattr(data, "target_transform", None) is not None and targets is not None:
        targets = None
        if class_names is not None:
            class_names = None
            notes.append("The data set changes its targets, so its class names are left out: labels are numbers.")
    if keys[1] is not None:
        targets, class_names = _column(data, keys[1]), getattr(data.features[keys[1]], "names", None)
    names = None
    if isinstance(samples := getattr(data, "samples", None), list) and len(samples) == len(data):
        names = [Path(str(sample[0])).name for sample in samples]
    found = Targets(None, class_names) if targets is None else _targets(targets, len(data), class_names)
    return Source(
        data.__getitem__,
        len(data),
        names=names,
        labels=found.labels,
        class_names=found.class_names,
        notes=[*notes, found.note],
        keys=keys,
        items_decide=found.labels is not None and found.class_names == class_names and keys[1] is None,
    )


def _is_list(value: object) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _column(data: Any, name: str) -> object:
    """A column as it is stored, before the data set's transform, which may need what a column alone has not."""
    try:
        return list((data.with_format(None) if hasattr(data, "with_format") else data)[name])
    except Exception:
        return None
