from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.graph import winograd
from cnnviz_widgets.graph.functions import Activation
from cnnviz_widgets.graph.ops import Convolution, Listing, Stencil
from cnnviz_widgets.graph.winograd import Winograd, pays, use_winograd

RELU = Activation(torch.relu_, "relu")


def convolution(weight: Tensor, bias: Tensor | None, padding: int = 1, **changes: object) -> Convolution:
    size = weight.shape[-1]
    options = {"inputs": (0,), "output": 1, "groups": 1, "padding": (padding,) * 4, "activation": RELU}
    options["stencils"] = (Stencil(size, 1, padding, 1), Stencil(size, 1, padding, 1))
    return Convolution(weight=weight, bias=bias, **(options | changes))


def quick(op: Convolution, room: float = 1e9) -> Convolution:
    (found,) = use_winograd(Listing((op,), {}, {}, 0, 1), room).ops
    assert isinstance(found, Convolution)
    return found


def exactly(values: Tensor, op: Convolution, padding: int) -> Tensor:
    bias = None if op.bias is None else op.bias.double()
    return functional.conv2d(values.double(), op.weight.double(), bias, 1, padding).relu()


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(3, 15),
    width=st.integers(3, 15),
    count=st.integers(1, 3),
    padding=st.integers(0, 1),
    channels=st.sampled_from([(96, 130), (128, 100)]),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_tiles_give_what_the_sums_give(
    height: int, width: int, count: int, padding: int, channels: tuple[int, int], bias: bool, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(count, channels[0], height, width, generator=random)
    weight = torch.randn(channels[1], channels[0], 3, 3, generator=random)
    op = quick(convolution(weight, torch.randn(channels[1], generator=random) if bias else None, padding))
    assert isinstance(op, Winograd)
    expected = exactly(values, op, padding)
    tiled = RELU.function(op._by_tiles(values, (expected.shape[2], expected.shape[3]), (padding, padding)))
    for found in (tiled, op.whole(values), op.inside(functional.pad(values, (padding,) * 4))):
        assert found.shape == expected.shape
        assert float((found - expected).abs().max()) < 5e-5 * float(expected.abs().max())


def test_an_error_in_a_transform_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (*winograd._OUTPUT[:3], (0, 1, -1, 8, 8, 1))
    monkeypatch.setattr(winograd, "_OUTPUT", wrong)
    values, weight = torch.randn(1, 128, 8, 8), torch.randn(128, 128, 3, 3)
    op = quick(convolution(weight, None))
    assert float((op.whole(values) - exactly(values, op, 1)).abs().max()) > 1


def test_other_convolutions_stay_as_they_are() -> None:
    wide = torch.randn(128, 128, 3, 3)
    two = (Stencil(3, 2, 1, 1), Stencil(3, 2, 1, 1))
    far = (Stencil(3, 1, 1, 2), Stencil(3, 1, 1, 2))
    for op in (
        convolution(wide, None, stencils=two),
        convolution(wide, None, stencils=far),
        convolution(torch.randn(128, 64, 3, 3), None, groups=2),
        convolution(torch.randn(128, 128, 5, 5), None),
        convolution(torch.randn(128, 128, 1, 1), None),
        convolution(torch.randn(16, 16, 3, 3), None),
        convolution(wide.double(), None),
    ):
        assert quick(op) is op


def test_a_plane_that_fills_little_of_a_tile_is_computed_directly() -> None:
    weight = nn.Conv2d(128, 128, 3).weight
    assert pays(weight, (8, 8)) and pays(weight, (7, 7))
    assert not pays(weight, (5, 1)) and not pays(weight, (1, 1))


def test_kernels_take_no_more_memory_than_there_is() -> None:
    op = convolution(torch.randn(128, 128, 3, 3), None)
    size = 4 * 36 * 128 * 128
    assert isinstance(quick(op, size), Winograd)
    assert quick(op, size - 1) is op
    first, second = use_winograd(Listing((op, op), {}, {}, 0, 1), 1.5 * size).ops
    assert isinstance(first, Winograd) and second is op
