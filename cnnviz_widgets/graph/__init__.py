"""Exact incremental occlusion: of each layer only what a window changes is computed.

A forward pass is written down (trace), its operations are recognised (lower) and made fewer (fold), the boxes in
which each value can change follow (regions, boxes), and windows are run on crops of the whole picture's values
(gather, run). What the network does outside known operations is run whole, or not at all: then `engine_for` has no
answer, and the caller runs the network itself.
"""

from __future__ import annotations

from cnnviz_widgets.graph.engine import Engine, engine_for

__all__ = ["Engine", "engine_for"]
