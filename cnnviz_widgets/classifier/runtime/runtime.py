"""Scores of a network by ONNX Runtime, for as long as that is right and quicker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.classifier.modules import modules, tensors
from cnnviz_widgets.classifier.runner import Runner
from cnnviz_widgets.classifier.runtime import sessions
from cnnviz_widgets.classifier.runtime.engine import Engine, EngineChoice
from cnnviz_widgets.classifier.runtime.written import Traceable, onnx_model
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import EngineError, ExplanationError
from cnnviz_widgets.forks import Renewed

_log = logging.getLogger("cnnviz_widgets")

#: Largest difference from torch's logits, as a share of their range. It leaves room for rounding; if larger, an error
#: that changes little would not be noticed.
TOLERANCE = 1e-4
#: So many pictures are asked for before "auto" looks for a quicker engine: for fewer it takes longer than it saves.
ENOUGH = 24
#: Pixels of the smallest picture for which "auto" does: below, a pass is quick enough as it is.
_MIN_PIXELS = 64 * 64
#: How many times as quick as torch another engine has to be.
_MIN_GAIN = 1.1
#: Share of the memory that is left that weights may take again, which an engine keeps in an order of its own.
_MEMORY_SHARE = 1 / 4

_Pass = Callable[[Tensor], Tensor]


class Runnable(Traceable, Protocol):
    """What of a `Classifier` is looked at to choose its engine."""

    network: nn.Module
    runner: Runner


@dataclass(frozen=True)
class _Known:
    """What was found for a network in a `state`; without a session torch runs it."""

    engine: Engine
    state: Hashable
    session: Any = None
    error: ExplanationError | None = None


class Runtime(Renewed):
    """The engine of one classifier: found when enough pictures were asked for, given up when the network changes.

    One object serves several threads. In a forked child, a copy and a pickle nothing is known yet.
    """

    def __init__(self, choice: EngineChoice) -> None:
        super().__init__()
        self._choice = choice
        self.renew()

    def renew(self) -> None:
        self._known: _Known | None = None
        self._asked = 0
        # Nobody waits for it: who holds the lock of all networks may come here, and who is here may wait for that.
        self._choosing = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Runtime, (self._choice,)

    def engine(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> Engine:
        """The engine of a network as it is now; found out by trying it on `pixels` (1, C, H, W) if it is not known."""
        known = self._current(of) or self._choose(of, by_torch, pixels)
        return Engine("torch", "another engine is being tried out.") if known is None else known.engine

    def require(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> None:
        """Raise EngineError or MissingExtra where ONNX Runtime was asked for and cannot be used."""
        if self._choice == "onnxruntime":
            known = self._found(of, by_torch, pixels)
            if known.error is not None:
                raise known.error
            self._known = known

    def logits(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> Tensor | None:
        """Logits (N, K) of pixels (N, C, H, W), or None where they are for torch to compute."""
        if self._choice == "torch" or not _suits(of, pixels):
            return None
        session = self._session_for(of, by_torch, pixels)
        if session is None:
            return None
        try:
            found = sessions.run(session, pixels)["logits"]
        except Exception as error:
            self._give_up(of, f"ONNX Runtime failed ({summarize_error(error)})")
            return None
        # With numbers that are none the network itself has the last word.
        return found if bool(torch.isfinite(found).all()) else None

    def of_replica(self, original: Runnable, replica: Runnable) -> Runtime:
        """One for a replica of the network, which goes on as this one runs it now: by torch once anything changes."""
        known, state = self._current(original), _state(replica)
        same = known is not None and state is not None and _apart_from_builds(state) == _apart_from_builds(known.state)
        return _OfReplica(replace(known, state=state) if known is not None and same else None)

    def _session_for(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> Any:
        """The session to run a network by as it is now, or None."""
        known, self._asked = self._known, self._asked + len(pixels)
        # What torch runs is not looked at before each pass.
        wanted = known is None and self._choice == "onnxruntime"
        if (known is None or known.session is None) and self._asked < ENOUGH and not wanted:
            return None
        known = self._current(of)
        if known is None and (self._choice == "onnxruntime" or self._asked >= ENOUGH):
            known = self._choose(of, by_torch, pixels[:1])
        if known is None:
            return None
        self._asked = 0
        return known.session

    def _current(self, of: Runnable) -> _Known | None:
        """What is known of a network as it is now."""
        known = self._known
        if known is not None and known.state != _state(of):
            known = self._known = None
        return known

    def _choose(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> _Known | None:
        """Find out which engine to use; None where that is being done already."""
        if not self._choosing.acquire(blocking=False):
            return None
        try:
            self._known = self._found(of, by_torch, pixels)
            return self._known
        finally:
            self._choosing.release()

    def _found(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> _Known:
        state = _state(of)
        if self._choice == "torch":
            return _Known(Engine("torch", 'it was asked for by `engine="torch"`.'), state)
        if self._choice == "auto" and pixels.shape[2] * pixels.shape[3] < _MIN_PIXELS:
            return _Known(Engine("torch", "a pass of pictures as small as these is quick enough."), state)
        try:
            session, torch_seconds, own_seconds = _tried(of, by_torch, pixels)
        except ExplanationError as error:
            return _Known(Engine("torch", str(error)), state, error=error)
        except Exception as error:  # whatever an engine raises for a model that it does not bear
            return self._refused(of, f"ONNX Runtime does not take it ({summarize_error(error)})", state)
        figures = f"{1000 * own_seconds:.1f} ms a picture against {1000 * torch_seconds:.1f} by torch, in batches of 3."
        if self._choice == "auto" and torch_seconds < _MIN_GAIN * own_seconds:
            return _Known(Engine("torch", f"ONNX Runtime takes {figures}"), state)
        return _Known(Engine("onnxruntime", figures), state, session)

    def _give_up(self, of: Runnable, reason: str) -> None:
        self._known = self._refused(of, reason, _state(of))

    def _refused(self, of: Runnable, reason: str, state: Hashable) -> _Known:
        _log.warning("%s is run by torch, because %s.", of.name, reason)
        error = EngineError(f'{of.name} is not run by ONNX Runtime: {reason}; use `engine="torch"`.')
        return _Known(Engine("torch", f"{reason}."), state, error=error)


class _OfReplica(Runtime):
    """See `Runtime.of_replica`."""

    def __init__(self, known: _Known | None) -> None:
        super().__init__("auto")
        self._known = known

    def _session_for(self, of: Runnable, by_torch: _Pass, pixels: Tensor) -> Any:
        known = self._current(of)
        return None if known is None else known.session


@torch.no_grad()
def _tried(of: Runnable, by_torch: _Pass, pixels: Tensor) -> tuple[Any, float, float]:
    """A session, compared with torch, and the seconds of a picture by torch and by the session.

    Raises EngineError, MissingExtra, and whatever ONNX Runtime raises.
    """
    reason = _hindrance(of)
    if reason:
        raise EngineError(f'{of.name} is not run by ONNX Runtime: {reason}; use `engine="torch"`.')
    session = sessions.session_of(onnx_model(of))
    trials = _altered(pixels)
    torch_seconds = own_seconds = float("inf")
    for _ in range(2):
        began = perf_counter()
        expected = by_torch(trials)
        between = perf_counter()
        _state(of)  # asked for before each pass by another engine
        found = sessions.run(session, trials)["logits"]
        torch_seconds = min(torch_seconds, between - began)
        own_seconds = min(own_seconds, perf_counter() - between)
    spread = expected.max() - expected.min() if expected.shape[1] > 1 else expected.abs().max()
    error = float((found - expected).abs().max() / spread.clamp_min(1e-12))
    if not error <= TOLERANCE:
        raise EngineError(
            f"{of.name} is not run by ONNX Runtime: its logits differ by {error:.0e} of their range; "
            'use `engine="torch"`.'
        )
    return session, torch_seconds / len(trials), own_seconds / len(trials)


def _suits(of: Runnable, pixels: Tensor) -> bool:
    """Whether this pass may be run elsewhere: nobody listens to it or differentiates it, and it is as it was traced."""
    plain = (
        len(pixels) > 0
        and tuple(pixels.shape[1:]) == (of.channels, *of.input_size)
        and type(pixels) is Tensor
        and pixels.device.type == "cpu"
        and pixels.dtype == torch.float32
        and not (torch.is_grad_enabled() and pixels.requires_grad)
    )
    return plain and not of.runner.is_open and not _is_watched()


def _is_watched() -> bool:
    """Whether torch's operations are recorded, transformed or cast in this thread."""
    return (
        torch._C._len_torch_dispatch_stack() + torch._C._len_torch_function_stack() > 0
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch.is_autocast_enabled("cpu")
    )


def _state(of: Runnable) -> Hashable:
    """What changes when the network, its weights or what it is run with does; through `.data` too."""
    form = of.runner.form()
    return None if form is None else (form, of.runner.weights(anew=True), of.arithmetic, bool(_global_hooks()))


def _apart_from_builds(state: Any) -> Hashable:
    """What of a state is the same for a replica."""
    return None if state is None else (state[0][1:], state[1:])


def _global_hooks() -> bool:
    module = torch.nn.modules.module
    return bool(module._global_forward_hooks or module._global_forward_pre_hooks)


def _hindrance(of: Runnable) -> str:
    """What stands against running the network elsewhere, apart from its operations, or ""."""
    runner = of.runner
    if runner.form() is None:
        return "its modules have attributes that cannot be copied"
    if runner.is_random:
        return "it draws random numbers"
    found = modules(of.network)
    if _global_hooks() or any(module._forward_hooks or module._forward_pre_hooks for module in found):
        return "hooks are set on it, which only torch calls"
    weights = sum(tensor.numel() * tensor.itemsize for tensor in tensors(found))
    if weights > _MEMORY_SHARE * memory.left("cpu"):
        return "its weights would not fit into memory a second time"
    return ""


def _altered(pixels: Tensor) -> Tensor:
    """A picture (1, C, H, W), the same mirrored, and noise of the same range."""
    low, high = float(pixels.min()), float(pixels.max())
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0)) * (high - low) + low
    return torch.cat([pixels, pixels.flip(-1), noise])
