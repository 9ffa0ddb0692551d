"""A checksum tells any change of any weight, however it was made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.checksum import Checksum, checksum_of_values
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.explain import EigenCAM, Occlusion
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.explain.occlusion.occluder import Occluder
from cnnviz_widgets.session import Session
from tests.support.techniques import on_tape


def made(*sizes: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, generator=generator) for size in sizes]


CHANGES: dict[str, Callable[[list[Tensor]], object]] = {
    "one bit": lambda t: t[0].view(torch.int32)[70_001].bitwise_xor_(1),
    "one bit at the end": lambda t: t[0].view(torch.int32)[-1].bitwise_xor_(1),
    "one bit of a small one": lambda t: t[1].view(torch.int32)[-1].bitwise_xor_(1),
    "a sign": lambda t: t[0][5].neg_(),
    "a filter of zeros": lambda t: t[0][9 * 64 : 2 * 9 * 64].zero_(),
    "two values change places": lambda t: t[0].__setitem__([3, 90_000], t[0][[90_000, 3]]),
    "two filters change places": lambda t: t[0].view(-1, 576)[:100].copy_(t[0].view(-1, 576)[:100].flip(0)),
    "two tensors change places": lambda t: t.__setitem__(slice(1, 3), [t[2], t[1]]),
    "one is added to, another loses as much": lambda t: (t[0][0].add_(1), t[0][1].sub_(1)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("compute", [lambda t: Checksum().of(t), checksum_of_values], ids=["memory", "values"])
def test_it_is_another_after_any_change(change: str, compute: Callable[[list[Tensor]], bytes]) -> None:
    tensors = made(576 * 200, 37, 37, 1)
    before = compute(tensors)
    assert compute(tensors) == before
    CHANGES[change](tensors)
    assert compute(tensors) != before


def test_what_is_kept_is_found_again_where_memory_moves() -> None:
    checksum = Checksum()
    tensors = made(10_000, 3)
    before = checksum.of(tensors)
    tensors[0].data = tensors[0].data.clone()
    assert checksum.of(tensors) == before
    tensors[0].data = tensors[0].data + 1
    assert checksum.of(tensors) != before


def test_values_count_and_not_where_they_are() -> None:
    images = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    elsewhere = images.to(memory_format=torch.channels_last)
    part = torch.cat([images, images])[2:]
    assert checksum_of_values([images]) == checksum_of_values([elsewhere]) == checksum_of_values([part])


@pytest.mark.parametrize("kind", [torch.float16, torch.float64, torch.int64, torch.bool, torch.complex64])
def test_types_and_sizes_of_any_kind(kind: torch.dtype) -> None:
    tensors = [torch.zeros(size, dtype=kind) for size in (0, 1, 3, 10_001)]
    before = Checksum().of(tensors)
    tensors[3][10_000] = 1
    after = Checksum().of(tensors)
    tensors[2][2] = 1
    assert len({before, after, Checksum().of(tensors)}) == 3


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3))
        self.head = nn.Linear(32, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.body(pixels).relu().mean((2, 3)))


def network() -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Net().eval()


WRITTEN: dict[str, Callable[[Net], object]] = {
    "a filter": lambda n: n.body[0].weight.data[3].zero_(),
    "a value": lambda n: n.body[3].weight.data[3, 2, 1, 1].add_(1),
    "a column of the head": lambda n: n.head.weight.data[:, 4:].zero_(),
    "running statistics": lambda n: n.body[1].running_mean.data.add_(1),
    "through NumPy": lambda n: n.body[0].weight.detach().numpy().__setitem__(0, 0),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_weights_written_through_data_are_followed_by_all_that_is_kept(written: str) -> None:
    net = network()
    classifier = Classifier(net, input_size=96)
    picture = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0))
    session = Session(classifier, picture)
    pixels = session.example.pixels
    occluder = Occluder(classifier, pixels, torch.zeros_like(pixels))
    boxes = [(row, column, 24, 24) for row in range(0, 72, 12) for column in range(0, 72, 12)]
    tape = Tape(classifier, pixels)
    before = occluder.logits(boxes), weights_fingerprint(classifier), session.example.logits
    assert session.example.logits is before[2]

    WRITTEN[written](net)

    with torch.no_grad():
        own = net(pixels)[0].numpy()
    assert np.abs(own - before[2]).max() > 1e-4
    np.testing.assert_allclose(session.example.logits, own, atol=1e-5)
    fresh = Classifier(net, input_size=96)
    expected = Occluder(fresh, pixels, torch.zeros_like(pixels)).logits(boxes)
    torch.testing.assert_close(occluder.logits(boxes), expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(before[0], expected, atol=1e-5)
    assert weights_fingerprint(classifier) == weights_fingerprint(fresh) != before[1]
    kept, new = (on_tape(EigenCAM(), one, 0).values for one in (tape, Tape(fresh, pixels)))
    np.testing.assert_array_equal(kept, new)


def test_a_map_that_begins_anew_sees_what_was_written_without_a_session() -> None:
    net = network()
    classifier = Classifier(net, input_size=96)
    pixels = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    technique = Occlusion(24, 12)
    before = technique(classifier, pixels, 0)
    net.body[0].weight.data[5:] = 0
    after = technique(classifier, pixels, 0)
    expected = technique(Classifier(net, input_size=96), pixels, 0)
    np.testing.assert_allclose(after.cells, expected.cells, rtol=1e-3, atol=1e-5)
    assert not np.allclose(after.cells, before.cells, rtol=1e-3, atol=1e-5)
