"""How a network is run: by a shadow of it, or in place where there can be none."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils._pytree import tree_leaves

from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.classifier import locks
from cnnviz_widgets.classifier.checksum import Checksum
from cnnviz_widgets.classifier.evaluation import Attributes, evaluating
from cnnviz_widgets.classifier.modules import modules, tensors, weights
from cnnviz_widgets.classifier.randomness import OwnRandomness
from cnnviz_widgets.classifier.shadow import NoShadowError, Shadow
from cnnviz_widgets.classifier.shadow_values import state_of
from cnnviz_widgets.classifier.workers import OutdatedError
from cnnviz_widgets.forks import Renewed, is_mine, lock

_UNUSUAL = "has modules of an unusual kind"


class Runner(Renewed):
    """A network, and how it is run so that nothing of it changes for anybody: by a shadow that shares its weights.

    Where no shadow does what the network does, its own modules are put into eval mode for the length of a pass;
    notebook cells are waited for.
    """

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network = network
        self._name = name
        #: A sentence for those who look at the network, where it is run itself, else "".
        self.note: str = ""
        self._shadow: Shadow | None = None
        self._tried = False
        self._makeup: tuple[int, ...] = ()
        self._first: tuple[Tensor, object] | None = None
        #: Whether the network itself gave the shadow's first answer again, to the last digit and by no random numbers.
        self.repeats = False
        #: What the shadow has raised, and the network too.
        self._failures: set[type[Exception]] = set()
        self._depth = 0
        #: Whether a pass leaves something behind in a module; None as long as none was looked at.
        self.leaves_traces: bool | None = None
        #: What the network draws random numbers from.
        self.randomness = OwnRandomness()
        self._checksum = Checksum()
        self._sum: bytes | None = None
        try:
            self._shadow = Shadow(network)
        except Exception as error:  # besides NoShadowError, whatever an unusual class raises
            self._in_place(str(error) if isinstance(error, NoShadowError) else _UNUSUAL)

    @property
    def root(self) -> nn.Module:
        """What to run, and to set hooks on while it is `evaluating`: the shadow, or else the network."""
        return self.network if self._shadow is None else self._shadow.root

    @property
    def lock(self) -> Any:
        """Held while `root` is run."""
        return locks.network_lock

    @property
    def is_random(self) -> bool:
        """Whether a pass so far has drawn random numbers of torch."""
        return self.randomness.used

    @property
    def is_open(self) -> bool:
        """Whether this thread is in a block of `evaluating`, where hooks may be set."""
        return bool(self._depth) and is_mine(self.lock)

    def form(self) -> Hashable | None:
        """What changes when anything of the network but its weights does; None where that is not known."""
        with self.evaluating():
            return None if self._shadow is None else self._shadow.form()

    def weights(self, *, anew: bool = False) -> Hashable:
        """What changes when a weight or a buffer does; through `.data`, as of the last time it was asked `anew`."""
        found = modules(self.network)
        if anew or self._sum is None:
            self._sum = self._checksum.of(tensors(found))
        return weights(found), self._sum

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Inside, `root` is in eval mode with frozen parameters and as the network is now, and this thread's alone."""
        with ExitStack() as stack:
            if self._shadow is None and not (self._depth and is_mine(self.lock)):
                CELLS.give_way()
            stack.enter_context(self.lock)
            if not self._depth and self._shadow is not None:
                self._follow(self._shadow)
            if self._shadow is None:
                stack.enter_context(evaluating(self.network, self._buffers))
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """As `evaluating`, but on copies of all weights: several passes can be compared, whatever a cell trains."""
        with self.evaluating():
            shared = self._shadow
            if shared is not None:
                self._shadow = Shadow(self.network)
            try:
                yield
            finally:
                self._shadow = shared

    def settle(self) -> None:
        """Passes so far were on copies of all weights; from now on share those that they have not written to."""
        with self.lock:
            if self._shadow is not None:
                self._shadow.settle()

    def __call__(self, pixels: Tensor) -> object:
        """What the network answers, in a block of `evaluating`."""
        if self._first is not None:
            self._compare(*self._first)
        if self._shadow is not None and not (self._tried and self._makeup == self._shadow.makeup):
            with self.randomness:
                return self._tried_out(self._shadow, pixels)
        with self.randomness if self.is_random else nullcontext():
            return self.root(pixels) if self.leaves_traces is not None else self._traced(pixels)

    def __reduce__(self) -> tuple[Any, ...]:
        return _settled, (self.network, self._name)

    def renew(self) -> None:
        if not is_mine(self.lock):
            self._depth = 0

    @property
    def may_be_replicated(self) -> bool:
        """Whether several threads may run replicas at the same time without anybody telling that from one by one."""
        with self.evaluating():
            shadow = self._shadow
            settled = self._tried and self._first is None and self.leaves_traces is False and not self.is_random
            return shadow is not None and settled and self._makeup == shadow.makeup and shadow.is_plain

    def replica(self) -> Runner:
        """A runner with a shadow and a lock of its own. It raises OutdatedError for a network that is made up anew."""
        assert self._shadow is not None
        return _Replica(self, self._shadow.twin())

    def is_replica_of(self, original: Runner) -> bool:
        """Whether it was made of what the other's network is now."""
        return self.network is original.network and self._makeup == original._makeup

    def _follow(self, shadow: Shadow) -> None:
        try:
            shadow.refresh()
        except Exception as error:
            self._in_place(str(error) if isinstance(error, NoShadowError) else _UNUSUAL)

    def _in_place(self, reason: str) -> None:
        self._shadow = None
        self.note = (
            f"While {self._name} is looked at its own modules are in eval mode, because it {reason}: notebook cells "
            "are waited for, but do not train it in another thread meanwhile."
        )
        CELLS.follow()

    def _tried_out(self, shadow: Shadow, pixels: Tensor) -> object:
        """The answer of a shadow that is new, or of one that is no good of the network itself."""
        kept = pixels.detach().clone()
        reason = ""
        try:
            with _originals_refused(shadow):
                output = shadow.root(pixels)
        except _OriginalCalled:
            reason = "calls its modules by other ways than through each other"
        except Exception as error:
            if self._tried or type(error) in self._failures:
                raise
            self._failures.add(type(error))
            reason = _UNUSUAL
        if reason:
            with evaluating(self.network, self._buffers):
                output = self.network(kept)
            self._in_place(reason)
        elif not self._tried and not shadow.was_written():
            self._first = kept, output
        self._tried, self._makeup, self.leaves_traces = True, shadow.makeup, None
        return output

    def _traced(self, pixels: Tensor) -> object:
        """The answer, and whether the pass changes an attribute of a module or something that one leads to."""
        before = state_of(self.root)
        output = self.root(pixels)
        self.leaves_traces = state_of(self.root) != before
        return output

    def _compare(self, pixels: Tensor, output: object) -> None:
        """Run the network itself, this once, to see whether it gives this output in eval mode.

        Later that is not done: it may be at work elsewhere. One that is random gives no output twice, unless its
        numbers are torch's.
        """
        self._first = None
        attributes = Attributes(self.network)
        try:
            with torch.no_grad(), self.randomness, evaluating(self.network):
                if self.is_random and self._shadow is not None:
                    self.randomness.restart()
                    output = self._shadow.root(pixels.clone())
                    self.randomness.restart()
                own = self.network(pixels.clone())
                self.repeats = not self.is_random and _alike(output, own, share=0)
                same = self.repeats or _alike(output, own) or not _alike(self.network(pixels.clone()), own)
        except Exception:
            return  # as with backward hooks of the user's, which the shadow has not
        finally:
            attributes.restore()
        if not same:
            self._in_place(_UNUSUAL)

    @property
    def _buffers(self) -> list[str]:
        return [name for name, _ in self.network.named_buffers()]


class _Replica(Runner):
    """See `Runner.replica`."""

    def __init__(self, original: Runner, shadow: Shadow) -> None:
        self.__dict__.update(original.__dict__)
        self._lock, self._depth, self._shadow = lock(), 0, shadow
        Renewed.__init__(self)

    @property
    def lock(self) -> Any:
        return self._lock

    def _in_place(self, reason: str) -> None:
        raise OutdatedError(reason)

    def _tried_out(self, shadow: Shadow, pixels: Tensor) -> object:
        raise OutdatedError


def _settled(network: nn.Module, name: str) -> Runner:
    runner = Runner(network, name)
    runner.settle()
    return runner


class _OriginalCalled(BaseException):
    """A pass of the shadow has come to a module of the network's own. No `except Exception` of the network stops it."""


@contextmanager
def _originals_refused(shadow: Shadow) -> Iterator[None]:
    """Inside, this thread raises _OriginalCalled instead of calling one of the network's own modules."""
    thread = threading.get_ident()

    def look(module: nn.Module, _: Any) -> None:
        if threading.get_ident() == thread and shadow.has(module):
            raise _OriginalCalled

    handle = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


def _alike(first: object, second: object, share: float = 1e-3) -> bool:
    """Whether the tensors of two outputs differ by no more than `share` of their largest value."""
    pairs = [[leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)] for output in (first, second)]
    if len(pairs[0]) != len(pairs[1]):
        return False
    for one, other in zip(*pairs, strict=True):
        if one.shape != other.shape:
            return False
        one, other = one.detach().double(), other.detach().double()
        slack = share * float(other.abs().max()) if other.numel() else 0.0
        if not torch.allclose(one, other, rtol=0, atol=slack, equal_nan=True):
            return False
    return True
