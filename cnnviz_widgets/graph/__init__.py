"""A small compiler for forward passes: of each layer only what an occlusion window changes is computed.

An occlusion map covers hundreds of windows of one picture, one at a time, and asks the network for its scores each
time. A window changes few cells of the first layers; all others are as in the picture itself, which is run once.
This is how the logits of one window come about, for a network of three layers and a window of 2 x 2 pixels.

>>> import torch
>>> from torch import nn
>>> from cnnviz_widgets.graph.boxes import Box, changes, parts, work
>>> _ = torch.manual_seed(0)
>>> network = nn.Sequential(
...     nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
...     nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU(),
...     nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
...     nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 5),
... ).eval()
>>> picture, grey = torch.rand(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
>>> window = Box(top=2, left=2, height=2, width=2)

1. `trace` runs the network once and writes down which tensor operations it calls, whatever its Python code looks
like. Values have numbers: here the convolution makes value 3 from the picture, its weight and its bias. The batch is
of two pictures, so that its axis can be told from axes of size 1.

>>> from cnnviz_widgets.tracing.trace import BATCH, trace_scores
>>> trace = trace_scores(network, picture.repeat(BATCH, 1, 1, 1), lambda output: output)
>>> for call in trace.calls:
...     print(call.name, call.inputs, "->", call.outputs[0], tuple(trace.shapes[call.outputs[0]]))
convolution (0, 1, 2) -> 3 (2, 16, 8, 8)
...batch_norm... (3, ...) -> ... (2, 16, 8, 8)
relu (...) -> ... (2, 16, 8, 8)
convolution (...) -> ... (2, 16, 4, 4)
relu (...) -> ... (2, 16, 4, 4)
convolution (...) -> ... (2, 32, 4, 4)
relu (...) -> ... (2, 32, 4, 4)
mean (...) -> ... (2, 32, 1, 1)
view (...) -> ... (2, 32)
t (...) -> ... (32, 5)
addmm (...) -> ... (2, 5)

2. `lowering` recognises operations that slide over the plane (their `Stencil` says which cells a cell reads), those
that go cell by cell, and means; all others are `Global`, of which nothing is known but how to run them. `fold` makes
one operation of a convolution, its batch norm and its activation, and `winograd` uses a cheaper algorithm for
3 x 3 convolutions of many channels, of which there are none here.

>>> from cnnviz_widgets.graph.fold import fold
>>> from cnnviz_widgets.graph.lowering import lower
>>> listing = fold(lower(trace))
>>> for op in listing.ops:
...     print(type(op).__name__, listing.shapes[op.output], *getattr(op, "stencils", ())[:1])
Convolution (16, 8, 8) Stencil(kernel=3, stride=1, padding=1, dilation=1)
Convolution (16, 4, 4) Stencil(kernel=3, stride=2, padding=1, dilation=1)
Convolution (32, 4, 4) Stencil(kernel=3, stride=1, padding=1, dilation=1)
Mean (32, 1, 1)
Global (32,)
Global (5,)

3. `regions` groups values that change in the same cells: region 0 is the window, the others follow from their
sources by stencils. `boxes` propagates a window through them: from 2 x 2 pixels to 4 x 4 cells of 8 x 8, to 3 x 3
of 4 x 4, and to all 4 x 4. For each region it decides whether to compute a part or the whole plane (None), by what
costs less. The window itself is no layer: it is only where `grey` is read instead of the picture.

>>> from cnnviz_widgets.graph.regions import Program
>>> program = Program.of(listing)
>>> [region.plane for region in program.regions]
[(8, 8), (8, 8), (4, 4), (4, 4)]
>>> changed = changes(program, [window])
>>> for first, last in zip(changed.first[:, :, 0].tolist(), changed.last[:, :, 0].tolist()):
...     print("rows", first[0], "to", last[0] - 1, "columns", first[1], "to", last[1] - 1)
rows 2 to 3 columns 2 to 3
rows 1 to 4 columns 1 to 4
rows 0 to 2 columns 0 to 2
rows 0 to 3 columns 0 to 3
>>> [None if part is None else part.size for part in parts(program, changed)]
[(2, 2), (4, 4), (3, 3), None]

4. `gather` cuts out what a part reads. For its 3 x 3 cells the second convolution reads 7 x 7 cells of the first
one's output: 16 that the window changed (#), others that were kept of the picture (.), and zeros beyond the border
(0). All are rows of one table: first the picture's 64 cells, then a row of zeros (64) and one of -inf for max poolings,
then what the windows changed. So one look-up cuts out the boxes of many windows.

>>> from cnnviz_widgets.graph.gather import Cutout, index
>>> first, second = parts(program, changed)[1:3]
>>> cutout = Cutout(2 * second.start - 1, (7, 7))  # the stride is 2, the padding 1
>>> for row in index((8, 8), cutout, patches=first)[0]:
...     print(*("0" if cell == 64 else "#" if cell > 64 else "." for cell in row))
0 0 0 0 0 0 0
0 . . . . . .
0 . # # # # .
0 . # # # # .
0 . # # # # .
0 . # # # # .
0 . . . . . .

5. `run` keeps the picture's values, and runs windows on them. The logits are those of the network.

>>> from cnnviz_widgets.graph.run import Base
>>> with torch.no_grad():
...     found = Base(program, picture, grey).by_boxes(changed)
...     covered = picture.clone()
...     covered[..., 2:4, 2:4] = 0.5
...     torch.allclose(found, network(covered), atol=1e-5)
True

6. What it costs, in multiply-adds with reading and writing, beside a whole pass:

>>> print(f"{work(program, changed):,.0f} of {program.work:,.0f}")
112,296 of 153,128

The gain grows with the picture: of 224 x 224 pixels a window changes a far smaller share. `plan` keeps a program for
each classifier until its weights change and puts windows into groups whose boxes are of much the same size; `engine`
tries it on some windows and compares with the network before it is believed. Where a trace holds for one picture
only, or too much is `Global`, `engine_for` returns None and the caller runs the network itself.

Receptive fields start from the same trace: `reach` follows for each value which pixels its elements can see, with
`reach_rules` for each operation.
"""

from __future__ import annotations

from cnnviz_widgets.graph.engine import Engine, engine_for

__all__ = ["Engine", "engine_for"]
