"""The worked example that explains the compiler."""

from __future__ import annotations

import doctest

from cnnviz_widgets import graph


def test_the_worked_example() -> None:
    found = doctest.testmod(graph, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 20
    assert found.failed == 0
