from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.widgets.matrix import CellPicked, Matrix

COUNTS = np.array([[5, 1], [0, 7]])


@pytest.fixture
def matrix() -> Matrix:
    made = Matrix()
    made.show(["ant", "<b>bee</b>"], COUNTS)
    return made


def test_a_cell_a_row_and_a_column_can_be_picked(matrix: Matrix, browser_of: Any) -> None:
    browser = browser_of(matrix)
    for row, column in ((0, 1), (1, -1), (-1, 0)):
        browser.send({"row": row, "column": column, "revision": 1})
    assert browser.events == [CellPicked(0, 1), CellPicked(1, None), CellPicked(None, 0)]


@pytest.mark.parametrize(
    "content",
    [
        {"row": -1, "column": -1, "revision": 1},
        {"row": 2, "column": 0, "revision": 1},
        {"row": 0, "column": -2, "revision": 1},
        {"row": 0.0, "column": 0, "revision": 1},
        {"row": True, "column": 0, "revision": 1},
        {"row": "0", "column": 0, "revision": 1},
        {"row": None, "column": 0, "revision": 1},
        {"row": 0, "column": 0},
        {"row": 0, "revision": 1},
        {"row": 0, "column": 0, "revision": 0},
        {"row": 0, "column": 0, "revision": 2},
    ],
)
def test_a_bad_message_is_refused(content: dict[str, Any], matrix: Matrix, browser_of: Any) -> None:
    assert browser_of(matrix).refused(content)


def test_binary_data_is_refused(matrix: Matrix, browser_of: Any) -> None:
    assert browser_of(matrix).refused({"row": 0, "column": 0, "revision": 1}, [memoryview(b"x")])


def test_a_new_table_outdates_the_cells_of_the_one_before(matrix: Matrix, browser_of: Any) -> None:
    matrix.selected = [0, 1]
    matrix.show(["ant", "bee"], COUNTS)
    assert matrix.selected is None and matrix.counts == [5, 1, 0, 7]
    assert browser_of(matrix).refused({"row": 0, "column": 0, "revision": 1})
    with pytest.raises(ValueError, match="counts of 1 classes"):
        matrix.show(["ant"], COUNTS)
