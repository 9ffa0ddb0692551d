"""The targets of a data set as labels: whole numbers as they are, names as their index, others left out."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.errors import PictureError

Labels = NDArray[np.int64]

#: The label of an item that has none.
UNKNOWN = -1

#: Labels are int64, whose numbers are below this.
_INT64_END = 2**63
_WANTED = "Labels are one whole number, or one name, for each picture; pass a list of them."
#: What pandas writes for a missing value; it compares with nothing.
_MISSING = ("NAType", "NaTType")
#: What names of picture files end with, in lower case.
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Targets:
    """The labels that were read from a data set's targets.

    `labels` int64 (N,), -1 where there is none, or None where no target is a label; `class_names` are the names of
    the classes by label; `note` is a sentence about what was left out, "" where nothing was.
    """

    labels: Labels | None
    class_names: tuple[str, ...] | None
    note: str = ""


class NoLabel(Exception):
    """A target is no label; the message says what it is instead, as the middle of a sentence."""


def plain_value(value: object) -> int | float | str | None:
    """One target as a number or name, None where it is missing. Raises NoLabel for anything else.

    Whole floats become whole numbers; scalars of NumPy and torch are what they hold.
    """
    if isinstance(value, Tensor | np.ndarray | np.generic):
        value = _scalar(value)
    if value is None or type(value).__name__ in _MISSING:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value) or None
    try:
        whole = operator.index(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _real(value)
    if abs(whole) >= _INT64_END:
        raise NoLabel("numbers too large")
    return whole


def _scalar(value: Any) -> object:
    """The value of an array of one value. Raises NoLabel for others, such as masks and multi-hot rows."""
    if value is np.ma.masked:
        return None
    if value.ndim > 1 or (value.ndim == 1 and value.shape[0] != 1):
        kind = "several numbers each" if value.ndim == 1 else "tables or masks"
        raise NoLabel(kind)
    try:
        held: object = value.reshape(-1)[0].item()
    except (RuntimeError, NotImplementedError):  # a tensor without values
        raise NoLabel("tensors that cannot be read") from None
    return held


def _real(value: object) -> int | float | None:
    if not isinstance(value, Real):
        raise NoLabel(f"of type {type(value).__name__}")
    number = float(value)
    if number != number:
        return None
    if not number.is_integer() or abs(number) >= _INT64_END:
        return number
    return int(number)


def read_targets(values: object, class_names: Sequence[str] | None = None) -> Targets:
    """The labels in `values`, one target a picture. Nothing is raised for what the targets are.

    Whole numbers are kept as they are; names become their index in `class_names`, or among the sorted names where
    there are none. What is no label (fractions, rows of several, boxes, masks) is left out, and the note says so.
    """
    names = None if class_names is None else tuple(str(name) for name in class_names)
    if isinstance(quick := _whole_numbers(values), np.ndarray):
        return _targets_of_numbers(quick.astype(np.int64), names, Counter())
    found: list[int | float | str | None] = []
    left_out: Counter[str] = Counter()
    for value in _each(values):
        try:
            found.append(plain_value(value))
        except NoLabel as what:
            found.append(None)
            left_out[str(what)] += 1
    if left_out and left_out.total() == len(found):
        return Targets(
            None, names, f"The targets are {_most_frequent(left_out)} and no classes: pictures have no labels."
        )
    if any(isinstance(value, float) for value in found):
        return Targets(None, names, "The targets are fractions and no classes: pictures have no labels.")
    if any(isinstance(value, str) for value in found):
        return _targets_of_names(found, names, left_out)
    numbers = np.array([UNKNOWN if value is None else value for value in found], np.int64)
    return _targets_of_numbers(numbers, names, left_out)


def _whole_numbers(values: Any) -> NDArray[Any] | None:
    """Values as an array of whole numbers (N,), or None where they are none or must be looked at one by one."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        if not values.is_sparse and not values.is_complex() and not values.is_quantized:
            values = (values.double() if values.is_floating_point() else values).numpy()
    if isinstance(values, list | tuple) and values and set(map(type, values)) <= {int, bool}:
        values = np.array(values, object) if max(map(abs, values)) >= _INT64_END else np.array(values)
    if not isinstance(values, np.ndarray) or isinstance(values, np.ma.MaskedArray) or values.dtype.kind not in "biuf":
        return None
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.shape[1] > 1 and len(values) and _one_hot(values):
        values = values.argmax(axis=1)
    if values.ndim != 1:
        return None
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), UNKNOWN, values)
        if not ((values == np.rint(values)) & (np.abs(values) < _INT64_END)).all():
            return None
    return None if values.dtype.kind == "u" and len(values) and int(values.max()) >= _INT64_END else values


def _one_hot(values: NDArray[Any]) -> bool:
    """Whether each row has a single 1 among zeros."""
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())


def _each(values: Any) -> Iterator[object]:
    """The targets one by one; categories of pandas as the values that they stand for."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = values.double().numpy() if values.is_floating_point() and not values.is_sparse else values
    if hasattr(values, "to_numpy"):
        values = values.to_numpy().tolist()
    if isinstance(values, np.ma.MaskedArray) and values.ndim == 1:
        values = values.tolist()  # None where masked
    yield from values


def _targets_of_names(
    found: list[int | float | str | None], names: tuple[str, ...] | None, left_out: Counter[str]
) -> Targets:
    """Names of classes as their index; texts such as "7" are numbers where they are no names of classes."""
    written = {value: number_of(value) for value in found if isinstance(value, str)}
    if names is None or not set(written) <= set(names):
        if all(number is not None for number in written.values()):
            numbers = [written[value] if isinstance(value, str) else value for value in found]
            return _targets_of_numbers(
                np.array([UNKNOWN if n is None else n for n in numbers], np.int64), names, left_out
            )
        if any(isinstance(value, int) for value in found):
            return Targets(None, names, "Some targets are numbers and some are names: pictures have no labels.")
        if all(text.lower().endswith(PICTURE_SUFFIXES) for text in written):
            return Targets(None, names, "The targets are picture files and no classes: pictures have no labels.")
        names = tuple(sorted({*(names or ()), *written})) if names is None else (*names, *sorted({*written} - {*names}))
    place = {name: index for index, name in reversed(list(enumerate(names)))}
    labels = [place[value] if isinstance(value, str) else UNKNOWN if value is None else value for value in found]
    return _targets_of_numbers(np.array(labels, np.int64), names, left_out)


def number_of(text: str) -> int | None:
    """The number that a text such as "7" is, None for other texts, such as "07" and "7.0"."""
    return int(text) if text.isascii() and text.isdigit() and str(int(text[:18])) == text else None


def _targets_of_numbers(labels: Labels, names: tuple[str, ...] | None, left_out: Counter[str]) -> Targets:
    """Labels without numbers below -1, and class names only where there is one for each label; notes say so."""
    notes = []
    if left_out:
        some = f"{left_out.total()} of {len(labels)} pictures"
        notes.append(f"Left without a label: {some}, whose targets are {_most_frequent(left_out)} and no classes.")
    if below := int((labels < UNKNOWN).sum()):
        least = int(labels.min())
        labels = np.where(labels < UNKNOWN, UNKNOWN, labels)
        notes.append(f"Left without a label: {below} of {len(labels)} pictures, whose labels are below -1, as {least}.")
    if names is not None and len(labels) and int(labels.max()) >= len(names):
        notes.append(
            f"The data set names {len(names)} classes but has a label {int(labels.max())}: the names are left out."
        )
        names = None
    return Targets(labels, names, " ".join(notes))


def _most_frequent(left_out: Counter[str]) -> str:
    return left_out.most_common(1)[0][0]


def check_labels(labels: object, class_names: Sequence[str] | None) -> tuple[Labels, tuple[str, ...] | None]:
    """Labels (N,) that a caller passed, and their class names. Raises PictureError where they are no labels."""
    names = None if class_names is None else tuple(str(name) for name in class_names)
    try:
        found = read_targets(labels, names)
    except (TypeError, ValueError) as error:
        raise PictureError(_WANTED) from error
    if found.labels is None:
        raise PictureError(_WANTED)
    known = {names[index] for index in range(len(names))} if names is not None else set()
    if names is not None and found.class_names is not None and (new := set(found.class_names) - known):
        raise PictureError(f"{min(new)!r} is none of the class names; add it to them.")
    if names is not None and found.class_names is None:
        raise PictureError(f"There are {len(names)} class names, but a label {int(found.labels.max())}; name them all.")
    if found.note:
        raise PictureError("A label is the index of a class, or -1 where it is unknown.")
    return found.labels, found.class_names


def names_of_classes(data: object) -> tuple[str, ...] | None:
    """The class names by label of a data set with `classes` or `class_to_idx`, such as torchvision's, or None."""
    classes = getattr(data, "classes", None)
    places = getattr(data, "class_to_idx", None)
    names: tuple[str, ...] | None = None
    if isinstance(classes, Sequence | np.ndarray) and not isinstance(classes, str | bytes):
        names = tuple(_name(name) for name in classes)
    if not isinstance(places, Mapping) or not places or not all(_is_place(place) for place in places.values()):
        return names
    if names is not None and all(places.get(name, index) == index for index, name in enumerate(names)):
        return names
    by_place: dict[int, str] = {}
    for name, place in places.items():
        by_place.setdefault(int(place), _name(name))
    most = max(by_place)
    return None if most > 2**20 else tuple(by_place.get(place, str(place)) for place in range(most + 1))


def _is_place(place: object) -> bool:
    return isinstance(place, int | np.integer) and not isinstance(place, bool) and int(place) >= 0


def _name(name: object) -> str:
    """A class name as one text; ImageNet's are tuples of synonyms."""
    return ", ".join(map(str, name)) if isinstance(name, tuple | list) else str(name)
