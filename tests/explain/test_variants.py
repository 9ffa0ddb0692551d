"""Many variants of a picture at once, in whatever memory there is."""

from __future__ import annotations

import networks
import pytest
import torch
from networks import Crowded, seeded
from oracles import Recorded
from torch import Tensor

from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain.variants import Variants


def test_copies_are_fresh_each_time_and_the_picture_is_private() -> None:
    network = Recorded(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    original = pixels.clone()
    runs = Variants(classifier, pixels)
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
