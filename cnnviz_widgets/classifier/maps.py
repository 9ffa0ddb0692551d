"""Which outputs of a network are maps of the picture, by how their activity follows what changes in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.autograd.graph import GradientEdge

from cnnviz_widgets.classifier.functions import FunctionCall
from cnnviz_widgets.classifier.spatial import FIRST, TINY, Arrangement, Grid, Movement, in_proportion

#: Layers of these kinds only pass on, or thin out, what the layer before them saw.
_PASSING_MODULES = ("Pool", "Dropout", "Identity", "Flatten", "Upsample")
#: Functions of these names do, or reorder it. torch's maximum pooling functions are all called fn.
_PASSING_FUNCTIONS = {
    "alias", "bfloat16", "clone", "contiguous", "detach", "expand", "flatten", "float", "fn", "getitem", "half",
    "interpolate", "movedim", "narrow", "permute", "reshape", "roll", "select", "slice", "squeeze", "swapaxes", "to",
    "transpose", "type", "type_as", "unflatten", "unsqueeze", "upsample", "view", "view_as",
}  # fmt: skip


@dataclass(eq=False)
class Output:
    """The output of a call of a module, or of a function inside one, for the first trial picture."""

    place: int
    module: str
    call: int
    tensor: Tensor
    version: int
    edge: GradientEdge | None
    function: FunctionCall | None = None
    #: Which tensor the module was given.
    takes: tuple[int, int] | None = None
    ways: list[tuple[Arrangement, Movement]] = field(default_factory=list)
    #: How it holds its maps, once it is known to have some.
    arrangement: Arrangement = FIRST

    def is_passing(self, module: nn.Module | None) -> bool:
        """Whether it only passes on, thins out or reorders what was there before."""
        if self.function is not None:
            name = self.function.name
            return name in _PASSING_FUNCTIONS or any(word in name for word in ("pool", "dropout"))
        childless = module is not None and next(module.children(), None) is None
        return childless and any(word in type(module).__name__ for word in _PASSING_MODULES)

    def may_be_layer(self, way: Arrangement, modules: dict[str, nn.Module]) -> bool:
        """Whether maps that are held so are worth a layer: in another order than (N, C, h, w), those of blocks are."""
        if self.function is not None:
            return False
        return way == FIRST or next(modules[self.module].children(), None) is not None

    @property
    def key(self) -> tuple[int, int]:
        """Equal for outputs that are the very same tensor with the same values."""
        return id(self.tensor), self.version

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, h, w)"""
        channels, rows, columns = self.arrangement.maps_of(self.tensor).shape[1:]
        return channels, rows, columns


def maps_among(outputs: list[Output], modules: dict[str, nn.Module], size: Grid) -> list[Output]:
    """The outputs that are maps of the picture, in order, their `arrangement` chosen."""
    grids = {
        (output.tensor.shape[2], output.tensor.shape[3])
        for output in outputs
        if output.ways and output.ways[0][0] == FIRST and is_two_dimensional(output, modules)
    }
    found: list[Output] = []
    places: dict[tuple[int, int] | None, Output] = {}
    for output in outputs:
        moving = next((way for way, movement in output.ways if movement.verdict == "moves"), None)
        if moving is None and output.ways and output.ways[0][0] == FIRST and output.function is None:
            module, verdict = modules[output.module], output.ways[0][1].verdict
            doubtful = verdict == "flat" and _may_be_flat(output, module, grids)
            if verdict == "silent":
                doubtful = _may_be_silent(output, module, grids, size)
            if doubtful or (output.takes in places and _keeps_places(module, places[output.takes], output)):
                moving = FIRST
        if moving is not None:
            output.arrangement = moving
            found.append(output)
            if moving == FIRST:
                places[output.key] = output
    return found


def _keeps_places(module: nn.Module, before: Output, output: Output) -> bool:
    """Whether a module of torch's makes a map of a map, whatever its weights: places then need no evidence."""
    if not type(module).__module__.startswith("torch.nn.modules") or isinstance(module, nn.Linear | nn.LayerNorm):
        return False
    same = output.tensor.shape == before.tensor.shape
    return next(module.children(), None) is None and (same or type(module).__name__.endswith("2d"))


def _may_be_flat(output: Output, module: nn.Module, grids: set[Grid]) -> bool:
    """Whether an output is a map although it does not move: one convolution may mix all of a small grid."""
    rows, columns = output.tensor.shape[2:]
    if (rows, columns) not in grids:
        return False
    if isinstance(module, nn.Conv2d):
        reach = [step * (side - 1) + 1 for side, step in zip(module.kernel_size, module.dilation, strict=True)]
        return rows * columns <= TINY or (reach[0] * 2 >= rows and reach[1] * 2 >= columns)
    return rows * columns <= TINY


def _may_be_silent(output: Output, module: nn.Module, grids: set[Grid], size: Grid) -> bool:
    """Whether what hardly answers to the trial pictures is computed from them, and has the shape of a map."""
    if output.edge is None or isinstance(module, nn.LayerNorm | nn.Linear):
        return False
    rows, columns = output.tensor.shape[2:]
    largest = max((grid[0] * grid[1] for grid in grids), default=0)
    return (rows, columns) in grids or (rows * columns < largest and in_proportion((rows, columns), size))


def is_two_dimensional(output: Output, modules: dict[str, nn.Module]) -> bool:
    module = modules[output.module]
    named = type(module).__name__.endswith("2d") or isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    return named and output.function is None


def without_inner_orders(maps: list[Output]) -> list[Output]:
    """Leaves out what only a block that puts out (1, C, h, w) itself holds in another order inside."""
    first = {output.module: output.arrangement == FIRST for output in maps if output.function is None}

    def is_inner(output: Output) -> bool:
        if output.arrangement == FIRST or output.function is not None:
            return False
        parent = output.module.rpartition(".")[0]
        while parent and parent not in first:
            parent = parent.rpartition(".")[0]
        return first.get(parent, False)

    return [output for output in maps if not is_inner(output)]


def is_open(output: Output, modules: dict[str, nn.Module], places: dict[tuple[int, int], Output]) -> bool:
    """Whether more pictures may show that an output is a map, and that would matter; `places` are known maps."""
    if output.takes in places and _keeps_places(modules[output.module], places[output.takes], output):
        return False
    if any(movement.verdict == "moves" and not movement.is_open for _, movement in output.ways):
        return False
    return any(movement.is_open and output.may_be_layer(way, modules) for way, movement in output.ways)
