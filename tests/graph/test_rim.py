"""Boxes put together of patches and what lies around them, against the same boxes gathered cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnviz_widgets.graph.boxes import Part
from cnnviz_widgets.graph.gather import Cutout, Table, index, rim

PLANE = (7, 9)


def table(channels: tuple[int, ...] = (5,)) -> Table:
    return Table(torch.randn(1, *channels, *PLANE, generator=torch.Generator().manual_seed(0)))


def gathered(
    start: np.ndarray, size: tuple[int, int], fill: float, patches: Part, values: torch.Tensor
) -> torch.Tensor:
    slow = table(tuple(values.shape[1:-2]))
    slow.write(values)
    return slow.read(torch.from_numpy(index(PLANE, Cutout(start, size, fill=fill), patches)))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=3),
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    st.tuples(*[st.integers(0, 2)] * 4),
    st.sampled_from([0.0, -float("inf")]),
)
def test_boxes_around_patches(
    corners: list[tuple[int, int]], inner: tuple[int, int], margins: tuple[int, int, int, int], fill: float
) -> None:
    """They may reach beyond the border, on some sides or on none."""
    patches = Part(np.array(corners).T, inner)
    top, left, bottom, right = margins
    start, size = patches.start - [[top], [left]], (top + inner[0] + bottom, left + inner[1] + right)
    values = torch.randn(len(corners), 5, *inner, generator=torch.Generator().manual_seed(1))
    found = rim(PLANE, Cutout(start, size, fill=fill), patches)
    if found is None:
        assert 2 * inner[0] * inner[1] < size[0] * size[1]
        return
    expected = gathered(start, size, fill, patches, values)
    boxes = found.read(table(), values)
    assert torch.equal(boxes, expected)
    assert boxes.stride() == expected.stride()
    assert torch.equal(found.read(table(), values[:, :2], values[:, 2:]), expected), "side by side"


def test_values_of_several_axes() -> None:
    patches = Part(np.array([[1, 2], [3, 0]]), (3, 3))
    values = torch.randn(2, 2, 4, 3, 3)
    found = rim(PLANE, Cutout(patches.start - 1, (4, 4)), patches)
    assert found is not None
    expected = gathered(patches.start - 1, (4, 4), 0.0, patches, values)
    assert torch.equal(found.read(table((2, 4)), values), expected)


@pytest.mark.parametrize(
    ("start", "size"),
    [
        ([[0, 1], [1, 2]], (4, 4)),  # the second patch lies elsewhere in its box
        ([[2, 3], [1, 1]], (4, 4)),  # the first row of the patch is outside
        ([[0, 0], [0, 0]], (3, 4)),  # the last one is
        ([[0, 0], [0, 0]], (7, 9)),  # the patch is the lesser part
    ],
)
def test_other_boxes_have_no_rim(start: list[list[int]], size: tuple[int, int]) -> None:
    patches = Part(np.array([[1, 1], [1, 1]]), (3, 3))
    assert rim(PLANE, Cutout(np.array(start), size), patches) is None
