"""Networks in fewer bits: only where it is asked for, how far from float32, and nothing of the user's changed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError
from tests.support.tally import Tally


class Net(nn.Module):
    """Five scores; says in which types its convolution answered, for the gradients of which passes."""

    types = Tally()

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 8, 3)
            self.head = nn.Linear(8, 5)
        self.scale = scale
        self.types = []

    def forward(self, pixels: Tensor) -> Any:
        values = self.conv(pixels)
        self.types.append(values.dtype)
        return self.head((values * self.scale).relu().mean(dim=(2, 3)))


def picture(count: int = 1) -> Tensor:
    return torch.randn(count, 3, 12, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("autocast", ["bfloat16", "float16"])
def test_the_network_is_run_in_fewer_bits_and_answers_in_float32(autocast: Any) -> None:
    network = Net()
    classifier = Classifier(network, input_size=(12, 16), autocast=autocast)
    weights = {name: weight.clone() for name, weight in network.state_dict().items()}
    with torch.no_grad():
        logits = classifier.logits(picture(3))
    assert network.types[-1] == getattr(torch, autocast) and logits.dtype == torch.float32
    exact = network(picture(3)).detach()
    assert not torch.equal(logits, exact) and torch.allclose(logits, exact, atol=0.01)
    assert network.types[-1] == torch.float32, "the user's own passes are as they were"
    assert all(torch.equal(weight, weights[name]) for name, weight in network.state_dict().items())
    assert not torch.is_autocast_enabled("cpu")


def test_float16_is_not_for_gradients() -> None:
    """The smallest number it has is 6e-8; a logit's gradient for a pixel is often less."""
    for autocast, expected in (("float16", torch.float32), ("bfloat16", torch.bfloat16)):
        network = Net(scale=1e-7)
        classifier = Classifier(network, input_size=(12, 16), autocast=autocast)
        pixels = picture().requires_grad_()
        (found,) = torch.autograd.grad(classifier.logits(pixels)[0, 1], pixels)
        assert network.types[-1] == expected and found.dtype == torch.float32
        (exact,) = torch.autograd.grad(network(pixels)[0, 1], pixels)
        assert 0 < exact.abs().max() < 6e-8
        assert torch.allclose(found, exact, rtol=0.1, atol=float(0.05 * exact.abs().max()))


@pytest.mark.parametrize("autocast", ["float32", "half", torch.bfloat16, True, "", 16])
def test_other_types_are_refused(autocast: Any) -> None:
    with pytest.raises(ClassifierError, match="`autocast` is 'bfloat16' or 'float16', or None for float32, not"):
        Classifier(Net(), input_size=(12, 16), autocast=autocast)
    with pytest.raises(ClassifierError, match="`autocast` is 'bfloat16' or 'float16'"):
        Classifier(Net(), input_size=(12, 16)).with_autocast(autocast)


def test_a_network_that_does_not_run_in_that_type() -> None:
    class Picky(Net):
        def forward(self, pixels: Tensor) -> Any:
            if self.conv(pixels).dtype == torch.float16:
                raise RuntimeError("not implemented for 'Half'")
            return super().forward(pixels)

    classifier = Classifier(Picky(), input_size=(12, 16))
    sentence = r"Picky does not run in float16 on cpu \(RuntimeError: not implemented for 'Half'\); choose another"
    with pytest.raises(ClassifierError, match=sentence):
        classifier.with_autocast("float16")
    assert classifier.autocast is None and classifier.with_autocast("bfloat16").autocast == "bfloat16"


def test_what_is_too_large_for_float16_is_said() -> None:
    network = Net()
    classifier = Classifier(network, input_size=(12, 16), autocast="float16")
    with torch.no_grad():
        network.head.weight.mul_(1e6)
        with pytest.raises(ClassifierError, match=r"NaN or infinite scores; .* or choose bfloat16 for `autocast`\.$"):
            classifier.logits(picture())
        assert torch.isfinite(classifier.with_autocast("bfloat16").logits(picture())).all()


def test_the_error_is_a_share_of_the_range_of_the_scores() -> None:
    network = Net()
    classifier = Classifier(network, input_size=(12, 16), autocast="bfloat16")
    pixels = picture(4)
    with torch.no_grad():
        exact, cast = network(pixels), classifier.logits(pixels)
    shares = [float((a - b).abs().max() / (a.max() - a.min())) for a, b in zip(exact, cast, strict=True)]
    assert classifier.autocast_error(pixels) == pytest.approx(max(shares), rel=1e-5)
    assert classifier.autocast_error(pixels[:1]) == pytest.approx(shares[0], rel=1e-3)
    assert 1e-4 < max(shares) < 0.05
    with torch.autocast("cpu", torch.bfloat16):
        assert classifier.autocast_error(pixels) == pytest.approx(max(shares), rel=1e-5)
    calls = len(network.types)
    assert classifier.with_autocast(None).autocast_error(pixels) == 0 and len(network.types) == calls


def test_another_arithmetic_is_another_classifier() -> None:
    exact = Classifier(Net(), input_size=(12, 16), class_names=list("abcde"), name="mine")
    assert exact.layers
    cast = exact.with_autocast("bfloat16")
    assert exact.autocast is None and cast.autocast == "bfloat16"
    assert (cast.network, cast.class_names, cast.name, cast.layers) == (
        exact.network,
        exact.class_names,
        exact.name,
        exact.layers,
    )
    with torch.no_grad():
        assert not torch.equal(exact.logits(picture()), cast.logits(picture()))


def test_without_it_the_user_s_own_autocast_holds() -> None:
    network = Net()
    classifier = Classifier(network, input_size=(12, 16))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        classifier.logits(picture())
    assert network.types[-1] == torch.bfloat16
    with torch.no_grad():
        classifier.logits(picture())
    assert network.types[-1] == torch.float32


def test_a_network_that_ends_in_a_softmax() -> None:
    classifier = Classifier(nn.Sequential(Net(), nn.Softmax(dim=1)), input_size=(12, 16), autocast="bfloat16")
    assert classifier.outputs_probabilities
    with torch.no_grad():
        assert torch.allclose(classifier.probabilities(picture()), Net()(picture()).softmax(dim=1), atol=0.01)


def test_a_torchvision_network() -> None:
    classifier = Classifier.of("squeezenet1_1", weights=None, autocast="bfloat16")
    assert classifier.autocast == "bfloat16" and classifier.input_size == (224, 224)
