"""The names of classes, and classes by their names."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence

from cnnviz_widgets.classifier.wording import close_matches, short_repr
from cnnviz_widgets.errors import ClassifierError, TargetError


def names_of_classes(
    names: Sequence[str] | Mapping[int, str] | Mapping[str, int] | None, count: int
) -> tuple[str, ...]:
    """`count` class names, of a sequence or of a dict {index: name} or {name: index}. Raises ClassifierError.

    A dict need not name all classes.
    """
    if names is None:
        names = {}
    if isinstance(names, Mapping):
        return _names_in(names, count)
    if isinstance(names, str | bytes | set | frozenset) or not hasattr(names, "__len__"):
        raise ClassifierError(f"`class_names` must be a list or a dict of {count} names, not a {type(names).__name__}.")
    if len(names) != count:
        raise ClassifierError(
            f"`class_names` must be {count} names, one for each score of the network, not {len(names)}."
        )
    return tuple(str(name) for name in names)


def name_all(names: object, count: int) -> bool:
    """Whether `names` are those of `count` classes, none left out."""
    try:
        return names is not None and len(names_of_classes(names, count)) == len(names)  # type: ignore[arg-type]
    except ClassifierError:
        return False


def _names_in(names: Mapping[int, str] | Mapping[str, int], count: int) -> tuple[str, ...]:
    listed = [f"class {index}" for index in range(count)]
    for key, value in names.items():
        # As `class_to_idx` of torchvision's data sets; or, from a JSON file, with indices that became strings.
        index, name = (value, key) if hasattr(value, "__index__") else (key, value)
        try:
            place = int(index)
        except (TypeError, ValueError):
            place = -1
        if not 0 <= place < count:
            raise ClassifierError(
                f"`class_names` must map the indices 0 to {count - 1} to names; {key!r}: {value!r} is no such pair."
            )
        listed[place] = str(name)
    return tuple(listed)


def class_index(target: object, names: Sequence[str], network: str) -> int:
    """`target`, a class index or name, as a valid index. Raises TargetError with close matches."""
    if isinstance(target, str):
        if target not in names:
            raise TargetError(f"{network} has no class {target!r}{close_matches(target, names)}.")
        if names.count(target) > 1:
            indices = ", ".join(str(index) for index, name in enumerate(names) if name == target)
            raise TargetError(f"{network} has several classes {target!r}; give the index, one of {indices}.")
        return names.index(target)
    boolean = isinstance(target, bool) or str(getattr(target, "dtype", "")) == "bool"  # NumPy 1 takes its for 0 or 1
    try:
        index = None if boolean else operator.index(target)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        index = None
    if index is None:
        raise TargetError(f"A class is an index from 0 to {len(names) - 1} or a name, not {short_repr(target)}.")
    if not 0 <= index < len(names):
        raise TargetError(f"{network} has classes 0 to {len(names) - 1}; {index} is not one of them.")
    return index
