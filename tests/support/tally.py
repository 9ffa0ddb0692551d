"""Numbers that networks of tests count with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class Tally:
    """An attribute of a module that is counted on by all its copies: what is run is a shadow of the network."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"tally_of_{name}"

    def __get__(self, module: Any, owner: type | None = None) -> Any:
        return module.__dict__[self._name].value

    def __set__(self, module: Any, value: float) -> None:
        module.__dict__.setdefault(self._name, SimpleNamespace()).value = value
