"""The gradient of each operation that has one as ONNX, against autograd."""

from __future__ import annotations

import pytest
import torch

from cnnviz_widgets.errors import EngineError
from tests.support.onnx_forms import FORMS, gradient_model_of, network_of, pictures, run

#: What has an ONNX form but no gradient, and the operation that is named.
NONE = {
    "transposed convolution": "convolution differentiated, transposed",
    "group norm": "native_group_norm",
    "group norm without weights": "native_group_norm",
    "largest": "amax",
    "norm": "linalg_vector_norm",
    "erf": "erf",
    "log_sigmoid": "log_sigmoid_forward",
    "between channels": "slice differentiated, with a step",
    "chosen channels": "index_select",
    "heads": "stack",
    "padding": "replication_pad2d",
    "padding by reflection": "reflection_pad2d",
    "prelu": "prelu_kernel",
    "roots and powers": "rsqrt",
    "upsampling": "upsample_bilinear2d",
    "upsampling to the nearest": "upsample_nearest2d",
    "upsampling, corners aligned": "upsample_bilinear2d",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_gradient_is_that_of_autograd(name: str) -> None:
    network = network_of(name)
    if name in NONE:
        with pytest.raises(EngineError, match=NONE[name]):
            gradient_model_of(network)
        return
    model = gradient_model_of(network)
    for count in (1, 3):
        pixels = pictures(count).requires_grad_()
        logits = network(pixels)
        target = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
        (expected,) = torch.autograd.grad((logits * target).sum(), pixels)
        found = run(model, pixels=pixels.detach(), target=target)
        assert float(expected.abs().max()) > 0
        assert float((found - expected).abs().max()) <= 1e-4 * float(expected.max() - expected.min())
