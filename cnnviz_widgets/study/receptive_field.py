"""Which pixels a cell of a layer can see, exactly: from the operations of a forward pass, whatever its control flow.

The receptive field arithmetic is Araujo, Norris and Sim's (Distill 2019, 10.23915/distill.00021), but carried out
for each cell on boxes that are clipped at every layer, so that borders, branches and paddings come out exactly.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.graph.boxes import Box
from cnnviz_widgets.graph.reach import follow_supports
from cnnviz_widgets.graph.reach_rules import Axes
from cnnviz_widgets.study.positive_copy import gradient_boxes
from cnnviz_widgets.tracing.trace import Recorder, Trace

__all__ = ["Box", "ReceptiveField", "receptive_field"]

_KNOWN: weakref.WeakKeyDictionary[Classifier, dict[str, ReceptiveField]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """What each cell of a layer sees of the network's input, the union over its channels.

    `boxes` is int64 (h, w, 4): top, left, height, width of each cell's box within the picture, in pixels, all zero
    where a cell sees none of it. Were there no borders, the cell (r, c) would see `size` (height, width) pixels from
    `start + stride * (r, c)` on. Where something global stands before the layer, such as squeeze-and-excite, that is
    not so, `regular` is False, and `size` is the largest of `boxes`.

    `source` says where that is known from: "graph", the recorded operations; "gradient", the support of the gradient
    on a copy with positive weights, where an operation is not known; "assumed", the whole picture, where that failed.
    """

    layer: str
    boxes: NDArray[np.int64]
    size: tuple[int, int]
    stride: tuple[float, float]
    start: tuple[float, float]
    regular: bool
    source: Literal["graph", "gradient", "assumed"]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        rows, columns = self.boxes.shape[:2]
        return rows, columns

    def box(self, row: int, column: int) -> Box:
        """What a cell sees, clipped to the input. Raises LayerError."""
        self._check(row, column)
        return Box(*(int(number) for number in self.boxes[row, column]))

    def unclipped(self, row: int, column: int) -> Box:
        """What a cell would see of a picture without borders. Raises LayerError.

        It is what the cell sees of this one where the field is not regular.
        """
        if not self.regular:
            return self.box(row, column)
        self._check(row, column)
        top, left = (round(s + i * j) for s, i, j in zip(self.start, (row, column), self.stride, strict=True))
        return Box(top, left, *self.size)

    def _check(self, row: int, column: int) -> None:
        rows, columns = self.grid
        if not (0 <= row < rows and 0 <= column < columns):
            raise LayerError(f"{self.layer} has {rows} x {columns} cells; ({row}, {column}) is none of them.")


def receptive_field(classifier: Classifier, layer: str) -> ReceptiveField:
    """What the cells of `layer` see of an input of the classifier's size.

    One forward pass answers for all layers of a classifier; it is made once. Raises LayerError, and ClassifierError
    when the network fails.
    """
    name = classifier.layer(layer).name
    with network_lock:
        known = _KNOWN.get(classifier)
        if known is None:
            known = _KNOWN[classifier] = _from_graph(classifier)
        field = known.get(name)
        if field is None:
            field = known[name] = _from_gradient(classifier, name)
    return field


def _from_graph(classifier: Classifier) -> dict[str, ReceptiveField]:
    """The fields of the layers before which every operation is known."""
    trace, values = _record_layers(classifier)
    layers: dict[int, list[str]] = {}
    for layer, value in values.items():
        layers.setdefault(value, []).append(layer)
    return {
        layer: _field(layer, support.boxes(), classifier, support.axes)
        for value, support in follow_supports(trace)
        if support.exact
        for layer in layers[value]
    }


def _record_layers(classifier: Classifier) -> tuple[Trace, dict[str, int]]:
    """A forward pass of one picture, and the number of each layer's output in it."""
    height, width = classifier.input_size
    names = [layer.name for layer in classifier.layers]
    # Composite operations come apart into known ones only outside inference mode.
    with torch.inference_mode(False), torch.no_grad(), classifier.recording(*names) as outputs:
        pixels = torch.linspace(0, 1, classifier.channels * height * width).reshape(1, -1, height, width)
        recorder = Recorder(pixels)
        with recorder:
            classifier.logits(pixels)
    values = {name: recorder.number(output) for name, output in outputs.items()}
    return recorder.trace(*values.values()), values


def _from_gradient(classifier: Classifier, layer: str) -> ReceptiveField:
    boxes = gradient_boxes(classifier, layer)
    if boxes is not None:
        return _field(layer, boxes, classifier, source="gradient")
    rows, columns = classifier.layer(layer).shape[1:]
    boxes = torch.tensor([0, 0, *classifier.input_size]).expand(rows, columns, 4)
    return _field(layer, boxes, classifier, source="assumed")


def _field(
    name: str,
    boxes: Tensor,
    classifier: Classifier,
    axes: Axes | None = None,
    source: Literal["graph", "gradient", "assumed"] = "graph",
) -> ReceptiveField:
    cells = boxes.numpy().astype(np.int64)
    if axes is not None:
        size, stride, start = ((getattr(axes[0], of), getattr(axes[1], of)) for of in ("size", "stride", "start"))
        field = ReceptiveField(name, cells, size, stride, start, True, source)
        if _fits(field, classifier.input_size):
            return field
    height, width = (int(cells[..., side].max()) for side in (2, 3))
    top, left = (float(start) for start in cells[0, 0, :2])
    return ReceptiveField(name, cells, (height, width), classifier.layer(name).stride, (top, left), False, source)


def _fits(field: ReceptiveField, size: tuple[int, int]) -> bool:
    """Whether the arithmetic covers all that is seen and for some cell no more.

    It does not where elements have changed places, or where channels that see more were left behind.
    """
    for side, along in ((0, field.boxes.swapaxes(0, 1)), (1, field.boxes)):
        start = field.start[side] + field.stride[side] * np.arange(field.grid[side])
        low, high = np.clip(start, 0, size[side]), np.clip(start + field.size[side], 0, size[side])
        first, last = along[..., side], along[..., side] + along[..., side + 2]
        covered = (first >= low) & (last <= high) | (first == last)
        if not covered.all() or not ((first == low) & (last == high)).any():
            return False
    return True
