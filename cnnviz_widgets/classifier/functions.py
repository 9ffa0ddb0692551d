"""Results of functions that a network calls in a `forward` of its own, as others are of modules: noted and replaced."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as trees

from cnnviz_widgets.classifier.hooks import See

_Function = Callable[..., Any]


@dataclass(frozen=True)
class FunctionCall:
    """A call of `function` inside the call number `call` of a module.

    Of the calls there whose results have the shape `shape`, the batch apart, it is number `place`.
    """

    module: str
    call: int
    function: _Function
    shape: tuple[int, ...]
    place: int

    @property
    def name(self) -> str:
        """What the function is called, such as "cat"; torch's maximum poolings are all called "fn"."""
        return str(getattr(self.function, "__name__", "")).split(".")[0].strip("_")


class Noting(TorchFunctionMode):
    """Calls `note(call, result)` for the tensors that functions make while it is on.

    `frames` are the calls of modules that are going on, outermost first, `grids` the (rows, columns) of maps so far.
    """

    def __init__(
        self,
        frames: Sequence[tuple[str, int]],
        grids: Iterable[tuple[int, int]],
        note: Callable[[FunctionCall, Tensor], None],
    ) -> None:
        super().__init__()
        self._frames = frames
        self._grids = grids
        self._note = note
        #: Whether places were weighed against each other, as in a transformer.
        self.attends = False
        self._counts: Counter[tuple[tuple[str, int], _Function, tuple[int, ...]]] = Counter()

    def __torch_function__(
        self, func: _Function, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.attends = self.attends or _is_attention(func, result, self._grids)
        if isinstance(result, Tensor) and result.ndim > 2 and self._frames:
            shape = tuple(result.shape[1:])
            module, call = self._frames[-1]
            self._note(FunctionCall(module, call, func, shape, self._counts[self._frames[-1], func, shape]), result)
            for frame in self._frames:
                self._counts[frame, func, shape] += 1
        return result


def _is_attention(function: _Function, result: object, grids: Iterable[tuple[int, int]]) -> bool:
    """Whether each place of a grid, or each in its window, weighs others; channels may weigh each other too."""
    name = str(getattr(function, "__name__", ""))
    if "softmax" not in name or not isinstance(result, Tensor):
        return name in ("multi_head_attention_forward", "scaled_dot_product_attention")
    if result.ndim < 3 or result.shape[-1] == 1:
        return False
    queries, windows = result.shape[-2], result.shape[:2]
    side = math.isqrt(queries)
    for rows, columns in grids:
        # In front of a grid's tokens there may be a class token, and one for distillation; windows may reach beyond it.
        whole = queries - rows * columns in (0, 1, 2)
        square = queries == side * side > 0
        padded = math.ceil(rows / side) * math.ceil(columns / side) * queries if square else 0
        if queries > 1 and rows * columns > 1 and (whole or {rows * columns, padded} & {queries * w for w in windows}):
            return True
    return False


class _Listening(TorchFunctionMode):
    def __init__(self, wanted: FunctionCall, names: list[str], see: See) -> None:
        super().__init__()
        self._wanted = wanted
        self._names = names
        self._see = see
        self._inside = False
        self._count = 0
        self._replaced: tuple[Tensor, Tensor] | None = None

    def restart(self) -> None:
        self._inside, self._count, self._replaced = False, 0, None

    def enter(self) -> None:
        self._inside = True

    def leave(self) -> None:
        self._inside = False

    def __torch_function__(
        self, func: _Function, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._replaced is not None:
            # Of a function that works in place the network may go on with what it gave it.
            old, new = self._replaced
            args, kwargs = trees.tree_map(lambda leaf: new if leaf is old else leaf, (args, kwargs))
        result = func(*args, **kwargs)
        wanted = self._wanted
        if not (self._inside and func == wanted.function and isinstance(result, Tensor)):
            return result
        if tuple(result.shape[1:]) != wanted.shape:
            return result
        self._count += 1
        if self._count != wanted.place + 1:
            return result
        seen = self._see(self._names, [args, kwargs], result)
        if seen is not None:
            self._replaced = result, seen
        return result if seen is None else seen


@contextmanager
def listening(network: nn.Module, wanted: FunctionCall, names: list[str], see: See) -> Iterator[None]:
    """Call `see` for one function call of each forward pass that this thread makes inside the block.

    What it returns, if anything, takes the place of the result for all that follows. For the `root` of a Runner while
    it is `evaluating`.
    """
    thread = threading.get_ident()
    mode = _Listening(wanted, names, see)
    owner = network.get_submodule(wanted.module)
    calls = 0

    def restart(_: nn.Module, __: Any) -> None:
        nonlocal calls
        if threading.get_ident() == thread:
            calls = 0
            mode.restart()

    def enter(_: nn.Module, __: Any) -> None:
        nonlocal calls
        if threading.get_ident() == thread:
            calls += 1
            if calls == wanted.call + 1:
                mode.enter()

    def leave(_: nn.Module, __: Any, ___: Any) -> None:
        if threading.get_ident() == thread and calls == wanted.call + 1:
            mode.leave()

    handles = []
    try:
        handles.append(network.register_forward_pre_hook(restart))
        handles.append(owner.register_forward_pre_hook(enter))
        handles.append(owner.register_forward_hook(leave))
        with mode:
            yield
    finally:
        for handle in handles:
            handle.remove()
