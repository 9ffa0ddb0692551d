"""From a trace to a listing: which tensor operations slide over a plane, which go cell by cell, which are global.

Each module recognises some operations: its functions take a `Builder` and a call, append what the call does to the
listing, and return False where it is a form that they do not know.
"""

from __future__ import annotations

from cnnviz_widgets.graph.lowering.lower import lower

__all__ = ["lower"]
