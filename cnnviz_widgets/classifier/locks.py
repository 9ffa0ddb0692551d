"""The lock of all networks, and properties that are computed once under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from cnnviz_widgets.cells import LOCK as network_lock

__all__ = ["locked_property", "network_lock"]

_T = TypeVar("_T")


class locked_property(Generic[_T]):
    """A cached property that is computed once also when several threads ask for it, under `network_lock`.

    `functools.cached_property` of Python 3.11 has a lock of its own for all instances, so that a thread that waits
    for it with `network_lock` in hand and one that computes and waits for `network_lock` would block each other.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> locked_property[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> locked_property[_T] | _T:
        if instance is None:
            return self
        with network_lock:
            # From now on Python finds the value there first.
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._compute(instance)
            value: _T = instance.__dict__[self._name]
        return value
