"""What the modules and functions of a network put out for a few pictures, and which of it are maps of the picture."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge

from cnnviz_widgets.classifier.evaluation import evaluating
from cnnviz_widgets.classifier.evidence import edge_of, reaches
from cnnviz_widgets.classifier.functions import FunctionCall, Noting, listening
from cnnviz_widgets.classifier.hooks import See
from cnnviz_widgets.classifier.maps import Output, is_open, is_two_dimensional, maps_among, without_inner_orders
from cnnviz_widgets.classifier.modules import bypassed, hooked
from cnnviz_widgets.classifier.spatial import (
    FIRST,
    ROUNDS,
    Arrangement,
    Grid,
    Movement,
    arrangements,
    changed_quarters,
    trial_picture,
)
from cnnviz_widgets.errors import ClassifierError

#: Class scores (1, K) of a picture (1, C, H, W), by the network that is observed.
Run = Callable[[Tensor], Tensor]

#: So many results of functions are looked at, the last ones, and so many of them may be what the head is given.
_LOOKED_AT, _KEPT = 200, 3


@dataclass(frozen=True, eq=False)
class Observed:
    """The outputs that are maps of the picture, in execution order, and how often a pass calls each module.

    `scores` of the trial picture and `pixels`, a leaf, are the ends of the graph of its pass; `scores` is None where
    the network cannot be differentiated. `extended` says whether any module put out more than one place, `attends`
    whether places were weighed against each other, as in a transformer.
    """

    outputs: list[Output]
    calls: Counter[str]
    scores: Tensor | None
    pixels: Tensor
    extended: bool
    attends: bool


def observe(network: nn.Module, shape: Sequence[int], run: Run) -> Observed:
    """Run trial pictures (1, C, H, W) of that shape: one with all outputs noted, and four or more to see what moves.

    Raises what `run` raises.
    """
    picture = trial_picture(shape)
    modules = dict(network.named_modules())
    with torch.inference_mode(False), evaluating(network):
        # torch warns of gradients through integer arithmetic, as it gives wrong ones.
        quantised = any("quantized" in type(module).__module__ for module in modules.values())
        try:
            notes = _noted(network, picture, run, with_graph=not quantised)
        except ClassifierError:
            # Weights that were made in inference mode take part in no graph, and a custom step may have no gradient.
            notes = _noted(network, picture, run, with_graph=False)
        functions = _verified(network, picture, run, _fed_to_the_head(notes)) if notes.scores is not None else []
        outputs = sorted([*notes.outputs, *functions], key=lambda output: output.place)
        with torch.no_grad():
            for turn in range(ROUNDS):
                _see(network, outputs, changed_quarters(picture, turn), run)
                maps = maps_among(outputs, modules, notes.size)
                places = {output.key: output for output in maps if output.arrangement == FIRST}
                if not any(is_open(output, modules, places) for output in outputs):
                    break
    maps = without_inner_orders(maps)
    extended = any(output.ways for output in outputs)
    for output in outputs:
        output.ways = []
    return Observed(maps, notes.calls, notes.scores, notes.pixels, extended, notes.attends)


class _Notes:
    """What came by in one forward pass. Keeping the tensors keeps their identities from being used again."""

    def __init__(self, size: Grid, modules: dict[str, nn.Module], pixels: Tensor) -> None:
        self.size = size
        self.pixels = pixels
        self.scores: Tensor | None = None
        self.attends = False
        self.outputs: list[Output] = []
        self.functions: list[Output] = []
        self.calls: Counter[str] = Counter()
        self.frames: list[tuple[str, int]] = []
        self.modules = modules
        self.grids: set[Grid] = set()
        self._given: dict[str, tuple[int, int] | None] = {}
        self._places = itertools.count()

    def enter(self, name: str, inputs: Any) -> None:
        self.frames.append((name, self.calls[name]))
        # Now, as a module may change in place what it is given.
        given = next((value for value in inputs if isinstance(value, Tensor)), None)
        self._given[name] = None if given is None else (id(given), 0 if given.is_inference() else given._version)

    def leave(self, name: str, result: Any) -> None:
        call = self.calls[name]
        if (name, call) in self.frames:
            del self.frames[self.frames.index((name, call)) :]
        self.calls[name] += 1
        if not (isinstance(result, Tensor) and name):
            return
        output = self._output(name, call, result, takes=self._given.get(name))
        self.outputs.append(output)
        output.ways = _ways(result, self.grids, self.size)
        if is_two_dimensional(output, self.modules) and result.ndim == 4:
            self.grids.add((result.shape[2], result.shape[3]))

    def note(self, call: FunctionCall, result: Tensor) -> None:
        # What a module without children calls is inside one step of the network.
        if call.module and next(self.modules[call.module].children(), None) is None:
            return
        if result.ndim in (3, 4) and len(result) == 1 and result.is_floating_point():
            self.functions.append(self._output(call.module, call.call, result, function=call))

    def _output(self, module: str, call: int, tensor: Tensor, **more: Any) -> Output:
        place = next(self._places)
        # Inference tensors count no versions: each of their outputs stands for itself.
        version = -place - 1 if tensor.is_inference() else tensor._version
        return Output(place, module, call, tensor, version, edge_of(tensor), **more)


def _ways(tensor: Tensor, grids: set[Grid], size: Grid) -> list[tuple[Arrangement, Movement]]:
    # A movement keeps a copy, as later steps may change values in place.
    return [(way, Movement(way.maps_of(tensor.detach()))) for way in arrangements(tensor, grids, size)]


def _noted(network: nn.Module, picture: Tensor, run: Run, with_graph: bool) -> _Notes:
    pixels = picture.clone().requires_grad_(with_graph)
    notes = _Notes((picture.shape[2], picture.shape[3]), dict(network.named_modules()), pixels)
    noting = Noting(notes.frames, notes.grids, notes.note)
    with torch.set_grad_enabled(with_graph), _hooks(network, notes.leave, notes.enter), noting:
        scores = run(pixels.clone())
    notes.attends = noting.attends
    if with_graph and reaches(scores, pixels):
        notes.scores = scores
    return notes


def _fed_to_the_head(notes: _Notes) -> list[Output]:
    """The last results of functions that no module puts out and that all evidence passes through, the last first.

    Only those behind the last map of a module of which that is true: of the others none is asked for.
    """
    assert notes.scores is not None
    known = {output.key for output in notes.outputs}
    found: list[Output] = []
    later = [output for output in notes.functions if output.key not in known][-_LOOKED_AT:]
    for output in sorted([*notes.outputs, *later], key=lambda output: -output.place):
        if output.edge is None or output.is_passing(notes.modules[output.module]) or len(found) == _KEPT:
            continue
        if output.function is None and tuple(output.tensor.shape[2:]) not in notes.grids:
            continue
        if not reaches(notes.scores, notes.pixels, without=output.edge):
            if output.function is None:
                break
            if output.key not in known:
                known.add(output.key)
                found.append(output)
    return found


def _verified(network: nn.Module, picture: Tensor, run: Run, outputs: list[Output]) -> list[Output]:
    """Those that can be replaced where they are made: a function may also have changed in place what goes on."""
    if not outputs:
        return []
    pixels = picture.clone().requires_grad_()
    size = picture.shape[2], picture.shape[3]
    edges: dict[int, GradientEdge | None] = {}

    def see_of(output: Output) -> See:
        def see(_: list[str], __: list[Any], result: Tensor) -> Tensor:
            kept = result.clone()
            output.ways = _ways(kept, set(), size)
            edges[output.place] = edge_of(kept)
            return kept.clone()

        return see

    with torch.enable_grad(), ExitStack() as stack:
        for output in outputs:
            assert output.function is not None
            stack.enter_context(listening(network, output.function, [], see_of(output)))
        scores = run(pixels.clone())
    return [
        output
        for output in outputs
        if (edge := edges.get(output.place)) is not None and not reaches(scores, pixels, without=edge)
    ]


def _see(network: nn.Module, outputs: list[Output], pictures: Iterable[Tensor], run: Run) -> None:
    """Show every output's movements what it is for `pictures`, each of which differs in the next quarter."""
    quarter = 0
    by_call = {(output.module, output.call): output for output in outputs if output.ways and output.function is None}
    counts: Counter[str] = Counter()

    def look(output: Output, result: Any) -> None:
        if isinstance(result, Tensor) and result.shape == output.tensor.shape:
            for way, movement in output.ways:
                movement.see(way.maps_of(result), quarter)

    def leave(name: str, result: Any) -> None:
        output = by_call.get((name, counts[name]))
        counts[name] += 1
        if output is not None:
            look(output, result)

    with _hooks(network, leave), ExitStack() as stack:
        for output in outputs:
            if output.function is not None:
                see = partial(lambda output, _, __, result: look(output, result), output)
                stack.enter_context(listening(network, output.function, [], see))
        for quarter, picture in enumerate(pictures):  # noqa: B007 (look reads it)
            counts.clear()
            run(picture)


@contextmanager
def _hooks(
    network: nn.Module, leave: Callable[[str, Any], None], enter: Callable[[str, Any], None] | None = None
) -> Iterator[None]:
    """Calls those for the modules that this thread runs inside."""
    thread = threading.get_ident()
    handles = []

    def after(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if threading.get_ident() == thread:
                # What looks at an output is no step of the network, which a mode that notes functions would note.
                with torch._C.DisableTorchFunction():
                    leave(name, output)

        return hook

    def before(name: str) -> Callable[[nn.Module, Any], None]:
        return lambda _, inputs: enter(name, inputs) if enter is not None and threading.get_ident() == thread else None

    try:
        for name, module in network.named_modules():
            if hooked(module) and not bypassed(module):
                if enter is not None:
                    handles.append(module.register_forward_pre_hook(before(name)))
                handles.append(module.register_forward_hook(after(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
