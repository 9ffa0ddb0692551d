"""Each operation that has an ONNX form, run on other pictures than those of the trace, against torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.errors import EngineError
from tests.support.onnx_forms import FORMS, Function, model_of, network_of, pictures, run, seeded


@pytest.mark.parametrize("name", FORMS)
def test_an_operation_does_what_torch_does(name: str) -> None:
    network = network_of(name)
    model = model_of(network)
    for count in (1, 3):
        pixels = pictures(count)
        with torch.no_grad():
            torch.testing.assert_close(run(model, pixels=pixels), network(pixels), rtol=1e-5, atol=1e-5)


def test_weights_in_half_precision_are_stored_in_half_the_bytes() -> None:
    network = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(252, 200), nn.ReLU(), nn.Linear(200, 5)))
    whole, half = model_of(network), model_of(network, half=True)
    assert len(half) < 0.55 * len(whole)
    pixels = pictures(3)
    rounded = nn.Sequential(*network)
    with torch.no_grad():
        for weight in (rounded[1].weight, rounded[3].weight):
            weight.copy_(weight.half().float())
        torch.testing.assert_close(run(half, pixels=pixels), rounded(pixels), rtol=1e-5, atol=1e-5)


def test_what_16_bits_do_not_hold_is_kept_in_32() -> None:
    network = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(252, 5)))
    with torch.no_grad():
        network[1].weight[0, 0] = 1e6
        found = run(model_of(network, half=True), pixels=pictures(3))
        torch.testing.assert_close(found, network(pictures(3)), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("function", "word"),
    [
        (lambda v: torch.fft.rfft(v).abs(), "fft_r2c"),
        (lambda v: v.cumsum(2), "cumsum"),
        (lambda v: v - v.mean(0, keepdim=True), "mean over the batch axis"),
        (lambda v: v.double(), "to_copy of float32, float64"),
        (lambda v: torch.where(v > 0, v, 0), "`gt`"),
        (lambda v: functional.conv2d(v, v[:, :1].expand(2, 4, 7, 9)), "convolution of weights that depend"),
        (lambda v: v.permute(1, 0, 2, 3).reshape(4, -1)[:, :126].t(), "view with the batch on another axis"),
        (lambda v: v.permute(1, 0, 2, 3).relu(), "relu with the batch on another axis"),
        (lambda v: v.unbind(0)[0][None], "unbind along the batch axis"),
    ],
)
def test_what_has_no_form_is_named(function: Callable[[Tensor], Tensor], word: str) -> None:
    with pytest.raises(EngineError, match=word):
        model_of(Function(function))


def test_a_model_is_the_network_as_it_was() -> None:
    network = seeded(lambda: nn.Sequential(nn.Conv2d(4, 2, 3), nn.Flatten()))
    before = network(pictures(2)).detach()
    model = model_of(network)
    with torch.no_grad():
        network[0].weight.zero_()
    np.testing.assert_allclose(run(model, pixels=pictures(2)), before, atol=1e-5)
