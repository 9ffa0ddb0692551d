"""Many variants of a picture at once, in whatever memory there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain import Instance
from cnnviz_widgets.explain.perturbation import Variants
from tests.support import networks
from tests.support.networks import Crowded, seeded
from tests.support.oracles import Recorded


def test_copies_are_fresh_each_time_and_the_picture_is_private() -> None:
    network = Recorded(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    original = pixels.clone()
    runs = Instance.of(classifier, pixels, 0).variants()
    pixels.zero_()

    def erase_first(copies: Tensor) -> None:
        copies[0] = 0

    network.seen.clear()
    for count in (2, 5, 3):
        assert runs.logits(count, erase_first).shape == (count, networks.CLASSES)
    for start, count in ((0, 2), (2, 5), (7, 3)):
        assert not network.seen[start].any()
        assert all(torch.equal(seen, original[0]) for seen in network.seen[start + 1 : start + count])
    assert len(network.seen) == 10


def test_a_failure_is_tried_again_in_the_usual_layout_once() -> None:
    failing = networks.Failing()
    network = torch.nn.Sequential(failing, seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    runs = Variants(classifier, networks.picture(classifier))
    failing.left = 0
    with pytest.raises(ClassifierError, match="the failing module was called"):
        runs.logits(2, lambda copies: None)
    assert failing.left == -2
    failing.left = 1
    runs.logits(2, lambda copies: None)
    with pytest.raises(ClassifierError):
        runs.logits(2, lambda copies: None)
    assert failing.left == -1


class Flattening(nn.Module):
    """Flattens by `flatten(pixels, count)` what may lie in memory in any order."""

    def __init__(self, flatten: Callable[[Tensor, int], Tensor], channels: int) -> None:
        super().__init__()
        self.flatten = flatten
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.fc = nn.Linear(channels * networks.SIZE[0] * networks.SIZE[1] + 4, networks.CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        pooled = self.conv(pixels).relu().mean((2, 3))
        return self.fc(torch.cat([self.flatten(pixels, len(pixels)), pooled], 1))


MEAN = torch.linspace(0, 1, networks.SIZE[0] * networks.SIZE[1]).reshape(1, 1, *networks.SIZE)


def strided(pixels: Tensor, count: int) -> Tensor:
    size = pixels[0].numel()
    return torch.as_strided(pixels, (count, size), (size, 1), pixels.storage_offset())


def negative(pixels: Tensor, count: int) -> Tensor:
    return (pixels if pixels.is_contiguous() else -pixels).reshape(count, -1)


FLATTENINGS = {
    "view": lambda pixels, count: pixels.view(count, -1),
    "view after a mean picture": lambda pixels, count: (pixels - MEAN).view(count, -1),
    "view after a mask": lambda pixels, count: (pixels * (MEAN > 0.5)).view(count, -1),
    "as_strided": strided,
    "is_contiguous": negative,
    "stride": lambda pixels, count: pixels.reshape(count, -1) * pixels.stride(3),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("flatten", FLATTENINGS.values(), ids=FLATTENINGS.keys())
@pytest.mark.parametrize("counts", [(1, 7), (7, 1), (3, 2)])
def test_networks_that_mind_how_a_batch_lies_in_memory(
    flatten: Callable[[Tensor, int], Tensor], channels: int, counts: tuple[int, int]
) -> None:
    network = seeded(lambda: Flattening(flatten, channels))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    variants = Variants(classifier, pixels)
    for count in counts:
        shades = torch.linspace(0, 1, count)[:, None, None, None]
        found = variants.logits(count, lambda copies, shades=shades: copies.mul_(shades))
        expected = torch.cat([network(pixels * shade).detach() for shade in shades])
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    # What was found out holds for the next map of the same network, which asks no more.
    again = Recorded(network)
    other = networks.classifier(again)
    for _ in range(2):
        again.seen.clear()
        Variants(other, pixels).logits(5, lambda copies: None)
    assert len(again.seen) == 5


def test_variants_that_do_not_fit_into_memory_are_run_in_parts() -> None:
    network = Recorded(Crowded(seeded(networks.ConvGapLinear), most=3))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    shades = torch.linspace(0, 1, 10)

    def shade(copies: Tensor) -> None:
        copies.mul_(shades[:, None, None, None])

    expected = classifier.network.network.network(pixels * shades[:, None, None, None]).detach()
    network.seen.clear()
    runs = Variants(classifier, pixels)
    torch.testing.assert_close(runs.logits(10, shade), expected, rtol=1e-5, atol=1e-6)
    assert len(network.seen) == 10 + 4 + 10, "ten and then four were too many, two at once were not"
    assert runs.batch <= 2
    network.seen.clear()
    torch.testing.assert_close(Variants(classifier, pixels).logits(10, shade), expected, rtol=1e-5, atol=1e-6)
    assert len(network.seen) == 10, "it is remembered"
