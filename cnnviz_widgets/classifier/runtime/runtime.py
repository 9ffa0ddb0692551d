"""Scores of a network by ONNX Runtime, for as long as that is right and quicker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, TypeVar

import torch
from torch import Tensor

from cnnviz_widgets.classifier.runtime import sessions
from cnnviz_widgets.classifier.runtime.engine import Engine, EngineChoice
from cnnviz_widgets.classifier.runtime.suitability import (
    Runnable,
    altered,
    apart_from_builds,
    hindrance,
    state_of,
    suits,
)
from cnnviz_widgets.classifier.runtime.written import activation_name, onnx_model
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
#: So many sessions with layers are kept, each with weights of its own: for features and for a scan.
_MOST_LAYERED = 2
_LAYERS_BY_TORCH = "%s's layers are run by torch, because ONNX Runtime does not: %s"

_Pass = Callable[[Tensor], Tensor]
_T = TypeVar("_T")
#: Of one picture: "logits" (1, K), and the maps (1, c, h, w) of layers by name.
Maps = dict[str, Tensor]


@dataclass(frozen=True)
class _Known:
    """What was found for a network in a `state`; without a session torch runs it."""

    engine: Engine
    state: Hashable
    session: Any = None
    error: ExplanationError | None = None
    #: Sessions that also put out what layers do, by these; None where torch is quicker.
    layered: dict[tuple[str, ...], Any] = field(default_factory=dict)


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
        if self._choice == "torch" or not suits(of, pixels):
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

    def each(
        self, of: Runnable, by_torch: _Pass, pixels: Tensor, layers: Sequence[str], reduce: Callable[[Maps], _T]
    ) -> list[_T] | None:
        """What `reduce` makes of each picture's "logits" (1, K) and maps (1, c, h, w) by layer; None: torch runs them.

        It is called by several threads.
        """
        if self._choice == "torch" or not suits(of, pixels) or self._session_for(of, by_torch, pixels) is None:
            return None
        known, session = self._known, self._layered(of, pixels, tuple(layers), reduce)
        if session is None:
            return None
        try:
            return sessions.each(session, pixels, _by_layer(reduce))
        except Exception as error:
            if known is not None:
                known.layered[tuple(layers)] = None
            _log.warning(_LAYERS_BY_TORCH, of.name, error)
            return None

    def _layered(self, of: Runnable, pixels: Tensor, layers: tuple[str, ...], reduce: Callable[[Maps], object]) -> Any:
        """A session that puts out what layers do, or None; found out with some of the pictures."""
        known = self._known
        if known is None or layers in known.layered or not self._choosing.acquire(blocking=False):
            return None if known is None else known.layered.get(layers)
        try:
            if len(known.layered) >= _MOST_LAYERED:
                known.layered.clear()
            known.layered[layers] = None
            session = sessions.session_of(onnx_model(of, layers))
            if _is_right_and_quicker(of, session, pixels[: torch.get_num_threads()], layers, reduce):
                known.layered[layers] = session
        except Exception as error:  # whatever an engine raises for a model that it does not bear
            _log.warning(_LAYERS_BY_TORCH, of.name, error)
        finally:
            self._choosing.release()
        return known.layered.get(layers)

    def of_replica(self, original: Runnable, replica: Runnable) -> Runtime:
        """One for a replica of the network, which goes on as this one runs it now: by torch once anything changes."""
        known, state = self._current(original), state_of(replica)
        same = known is not None and state is not None and apart_from_builds(state) == apart_from_builds(known.state)
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
        if known is not None and known.state != state_of(of):
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
        state = state_of(of)
        if self._choice == "torch":
            return _Known(Engine("torch", 'it was asked for by `engine="torch"`.'), state)
        if self._choice == "auto" and pixels.shape[2] * pixels.shape[3] < _MIN_PIXELS:
            return _Known(Engine("torch", "a pass of pictures as small as these is quick enough."), state)
        if self._choice == "auto" and of.runner.leaves_traces:
            return _Known(
                Engine("torch", "a pass leaves something behind in a module, which only torch's does."), state
            )
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
        self._known = self._refused(of, reason, state_of(of))

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
    reason = hindrance(of)
    if reason:
        raise EngineError(f'{of.name} is not run by ONNX Runtime: {reason}; use `engine="torch"`.')
    session = sessions.session_of(onnx_model(of))
    trials = altered(pixels)
    torch_seconds = own_seconds = float("inf")
    for _ in range(2):
        began = perf_counter()
        expected = by_torch(trials)
        between = perf_counter()
        state_of(of)  # asked for before each pass by another engine
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


def _by_layer(reduce: Callable[[Maps], _T]) -> Callable[[Maps], _T]:
    prefix = activation_name("")
    return lambda found: reduce({name.removeprefix(prefix): values for name, values in found.items()})


@torch.no_grad()
def _is_right_and_quicker(
    of: Runnable, session: Any, pixels: Tensor, layers: tuple[str, ...], reduce: Callable[[Maps], object]
) -> bool:
    """Whether a session puts out what layers do as torch has it, and in less time."""
    maps: list[Maps] = []
    torch_seconds = own_seconds = float("inf")
    for _ in range(2):
        began = perf_counter()
        with of.recording(*layers) as recorded:
            logits = of.logits(pixels)
        reduce({**recorded, "logits": logits})
        torch_seconds = min(torch_seconds, perf_counter() - began)
        began = perf_counter()
        sessions.each(session, pixels, _by_layer(reduce))
        own_seconds = min(own_seconds, perf_counter() - began)
    sessions.each(session, pixels, _by_layer(maps.append))
    ranges = {name: float(values.max() - values.min()) for name, values in recorded.items()}
    right = all(
        float((values - recorded[name][place]).abs().max()) <= TOLERANCE * ranges[name]
        for place, found in enumerate(maps)
        for name, values in found.items()
        if name in ranges
    )
    return right and recorded.keys() == set(layers) and own_seconds < torch_seconds
