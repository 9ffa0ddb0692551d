"""How many variants of a picture are run at once."""

from __future__ import annotations

import networks
import pytest
import torch
from networks import seeded
from oracles import Recorded
from torch import Tensor

from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain.variants import Variants, batch_size


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((3, 224, 224), 4), ((3, 448, 448), 1), ((3, 2000, 2000), 1), ((3, 112, 112), 16), ((1, 28, 28), 64)],
)
def test_larger_pictures_come_in_smaller_batches(shape: tuple[int, int, int], expected: int) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    assert batch_size(classifier, torch.zeros(1, *shape)) == expected


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
