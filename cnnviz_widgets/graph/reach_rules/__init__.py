"""What the outputs of single tensor operations see of the picture, given what their inputs see.

Each module has rules for some operations: functions of a call and what is known, which return the bounds of the
first output, or None for a form of the operation that they do not know. `table` says which is for which.
"""

from __future__ import annotations

from cnnviz_widgets.graph.reach_rules.bounds import Axes, Axis, Bounds, Known, without_repeats
from cnnviz_widgets.graph.reach_rules.table import axes_of, bounds_of, everything, sees_nothing

__all__ = ["Axes", "Axis", "Bounds", "Known", "axes_of", "bounds_of", "everything", "sees_nothing", "without_repeats"]
