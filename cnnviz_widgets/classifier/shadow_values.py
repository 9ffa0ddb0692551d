"""Attributes of modules, and of what they refer to, with the network's modules and tensors replaced by others."""

from __future__ import annotations

import enum
import functools
import types
import weakref
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Set
from typing import Any

import torch
from torch import Tensor, nn

#: Values that refer to nothing else.
_PLAIN = (
    int, float, complex, str, bytes, bool, type(None), type, range, torch.Size, torch.dtype, torch.device,
    torch.memory_format, types.BuiltinFunctionType, types.ModuleType, enum.Enum,
)  # fmt: skip
_LISTS = (list, set, frozenset, deque)
_DICTS = (dict, OrderedDict, defaultdict, Counter)
#: A container of more items is taken as it is: it holds data.
_MOST_ITEMS = 1000
#: So deep objects of classes of the user's are looked into.
_DEPTH = 3


class Values:
    """Copies of values in which `module` and `tensor` say what stands for a module or a tensor.

    Lists, dicts and sets of a module are copied, so that what a pass adds to them does not stay. Functions, methods,
    partials and other objects are copied only where they lead to a module or a parameter: by a closure, a global name
    or an attribute. `registered` are the identities of the network's modules.
    """

    def __init__(
        self, module: Callable[[nn.Module], nn.Module], tensor: Callable[[Tensor], Tensor], registered: Set[int]
    ) -> None:
        self._module = module
        self._tensor = tensor
        self._registered = registered
        self._known: dict[int, tuple[Any, Any]] = {}

    def forget(self) -> None:
        """Make new copies from now on."""
        self._known.clear()

    def may_vary(self, value: object) -> bool:
        """Whether a copy may have to be made anew although the value is the same object."""
        if isinstance(value, tuple):
            return any(self.may_vary(item) for item in value)
        if isinstance(value, types.FunctionType):
            return value.__closure__ is not None or self._leads(value)
        return not isinstance(value, _PLAIN) and not isinstance(value, nn.Module | Tensor)

    def of(self, value: Any) -> Any:
        """What stands for `value` in the copy: itself, where it leads to nothing that is replaced."""
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, nn.Module):
            return self._module(value)
        if isinstance(value, Tensor):
            return self._tensor(value)
        known = self._known.get(id(value))
        if known is None:
            kind = type(value)
            if kind in _LISTS or kind in _DICTS or isinstance(value, tuple):
                if len(value) > _MOST_ITEMS:
                    return value
                return self._container(value)
            if not self._leads(value):
                return value
            return self._object(value)
        return known[1]

    def _keep(self, value: Any, copy: Any) -> Any:
        self._known[id(value)] = value, copy
        return copy

    def _container(self, value: Any) -> Any:
        if isinstance(value, tuple):
            items = [self.of(item) for item in value]
            if all(item is other for item, other in zip(items, value, strict=True)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if isinstance(value, frozenset):
            return frozenset(map(self.of, value))
        copy = self._keep(value, value.copy())
        copy.clear()
        if isinstance(value, dict):
            copy.update({self.of(key): self.of(item) for key, item in value.copy().items()})
        else:
            (copy.update if isinstance(value, set) else copy.extend)([self.of(item) for item in value.copy()])
        return copy

    def _object(self, value: Any) -> Any:
        original = getattr(value, "_torchdynamo_orig_callable", None)
        if original is not None:
            return self.of(original)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.of(value.__func__), self.of(value.__self__))
        if isinstance(value, functools.partial):
            keywords = {name: self._passed(item) for name, item in value.keywords.items()}
            return functools.partial(self.of(value.func), *map(self._passed, value.args), **keywords)
        if isinstance(value, weakref.ref):
            return weakref.ref(self.of(value()))
        if isinstance(value, types.FunctionType):
            return self._function(value)
        try:
            plain = isinstance(value, types.SimpleNamespace)
            copy = self._keep(value, type(value)() if plain else object.__new__(type(value)))
        except TypeError:
            return value  # of a class that has more to it than attributes
        copy.__dict__.update({name: self._passed(item) for name, item in vars(value).copy().items()})
        return copy

    def _passed(self, value: Any) -> Any:
        """A value that something else may hold too: copied only where it leads to what is replaced."""
        return self.of(value) if id(value) in self._known or self._leads(value) else value

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        cells = None if function.__closure__ is None else tuple(types.CellType() for _ in function.__closure__)
        names = {name: self._module(module) for name, module in self._globals(function)}
        space = {**function.__globals__, **names} if names else function.__globals__
        copy = types.FunctionType(function.__code__, space, function.__name__, None, cells)
        self._keep(function, copy)
        copy.__defaults__ = function.__defaults__ and tuple(map(self._passed, function.__defaults__))
        copy.__kwdefaults__ = function.__kwdefaults__
        copy.__qualname__ = function.__qualname__
        copy.__dict__.update(function.__dict__)
        for new, cell in zip(cells or (), function.__closure__ or (), strict=True):
            for content in _contents(cell):
                new.cell_contents = self._passed(content)
        return copy

    def _globals(self, function: types.FunctionType) -> Iterator[tuple[str, nn.Module]]:
        """Modules of the network that a function knows by global names."""
        space = function.__globals__
        for name in _names(function.__code__):
            value = space.get(name)
            if isinstance(value, nn.Module) and id(value) in self._registered:
                yield name, value

    def _leads(self, value: Any, seen: set[int] | None = None, depth: int = _DEPTH) -> bool:
        """Whether `value` refers to a module or a parameter, itself included."""
        if isinstance(value, nn.Module | nn.Parameter):
            return True
        if isinstance(value, (*_PLAIN, Tensor)):
            return False
        seen = set() if seen is None else seen
        if id(value) in seen:
            return False
        seen.add(id(value))
        if isinstance(value, types.FunctionType) and next(self._globals(value), None) is not None:
            return True
        objects = _inside(value) if depth else ()
        deeper = depth - 1 if is_own(value) else depth
        return any(self._leads(item, seen, deeper) for item in objects)


def _inside(value: Any) -> Iterable[Any]:
    """What a value refers to."""
    if isinstance(value, types.MethodType):
        return value.__func__, value.__self__
    if isinstance(value, functools.partial):
        return value.func, *value.args, *value.keywords.values()
    if isinstance(value, weakref.ref):
        return (value(),) if isinstance(value(), nn.Module) else ()
    if isinstance(value, types.FunctionType):
        contents = [content for cell in value.__closure__ or () for content in _contents(cell)]
        return *contents, *(value.__defaults__ or ())
    if isinstance(value, (*_LISTS, tuple, dict)):
        if len(value) > _MOST_ITEMS:
            return ()
        return [*value.copy().keys(), *value.copy().values()] if isinstance(value, dict) else list(value)
    return list(vars(value).values()) if is_own(value) else ()


def comparable(value: Any, seen: frozenset[int] = frozenset()) -> Hashable:
    """What is another when `value`, or something that it leads to, has been changed in place or replaced."""
    if isinstance(value, (int, float, complex, str, bytes)):
        return type(value), value
    if id(value) in seen or isinstance(value, (*_PLAIN, Tensor, nn.Module)):
        return id(value)
    if len(seen) > 2 * _DEPTH:
        return 0
    inner = tuple(comparable(item, seen | {id(value)}) for item in _inside(value))
    code = getattr(value, "__code__", None)
    return type(value), code, inner if inner or type(value) in (*_LISTS, *_DICTS) else id(value)


def is_own(value: Any) -> bool:
    """Whether it is an ordinary object of a class of Python, and not one of torch's or of Python's own."""
    kind = type(value)
    return (
        type(getattr(value, "__dict__", None)) is dict
        and (kind.__flags__ & (1 << 9) != 0 or kind is types.SimpleNamespace)
        and kind.__module__.partition(".")[0] not in ("torch", "builtins", "threading", "logging", __package__)
    )


def state_of(network: nn.Module) -> list[Any]:
    """What differs after a pass that has changed an attribute of a module, or something that one leads to.

    Keeps all of it alive, as an identity may be given again.
    """
    state: list[Any] = []
    waiting: list[tuple[Any, int]] = [(network, _DEPTH)]
    seen: set[int] = set()
    while waiting:
        value, depth = waiting.pop()
        if id(value) in seen or isinstance(value, (*_PLAIN, Tensor)):
            continue
        seen.add(id(value))
        if isinstance(value, nn.Module):
            items, deeper = [*value.__dict__.keys(), *value.__dict__.values()], _DEPTH
        elif isinstance(value, dict) or depth > 0:
            items, deeper = list(_inside(value)), depth - 1 if is_own(value) else depth
        else:
            continue
        state.append([_Same(item) for item in items])
        waiting.extend((item, deeper) for item in items)
    return state


class _Same:
    """Equal only where it is of the very same object, or of an equal number or text."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        value = other._value if isinstance(other, _Same) else other
        plain = isinstance(value, int | float | str) and type(value) is type(self._value)
        return value is self._value or (plain and value == self._value)

    __hash__ = None  # type: ignore[assignment]


def _contents(cell: types.CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:
        return  # not bound yet


@functools.lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Global names that a function's code, and functions inside it, may use."""
    inner = [name for item in code.co_consts if isinstance(item, types.CodeType) for name in _names(item)]
    return (*code.co_names, *inner)
