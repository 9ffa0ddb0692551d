"""Occlusion against closed forms, slow loops and Captum, and what the network is really shown."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor, nn

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import MethodError, TargetError
from cnnviz_widgets.explain import Occlusion, baseline_pixels
from cnnviz_widgets.explain.occlusion import occluder
from cnnviz_widgets.explain.occlusion.occlusion import positions
from cnnviz_widgets.explain.occlusion.refinement import interpolate_missing
from tests.support import networks
from tests.support.networks import Counted, Linear, seeded
from tests.support.oracles import SIZES, Recorded, torchvision_classifier
from tests.support.tally import Tally

BASELINES = ["mean", "black", "grey", "white", "blur"]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three windows at once."""
    monkeypatch.setattr(Batches, "batch", 3)


# -- where the windows lie ---------------------------------------------------------------------------------


def test_windows_begin_at_the_near_edge_and_end_at_the_far_one() -> None:
    for size, window, stride in itertools.product(range(1, 14), range(1, 14), range(1, 16)):
        if window > size:
            continue
        found = positions(size, window, stride)
        assert found[0] == 0 and found[-1] == size - window
        steps = np.diff(found)
        assert (steps[:-1] == stride).all() and (steps[-1:] <= stride).all() and (steps > 0).all()


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    [
        (224, 32, 16, tuple(range(0, 193, 16))),
        (9, 4, 3, (0, 3, 5)),
        (9, 3, 3, (0, 3, 6)),
        (9, 2, 5, (0, 5, 7)),
        (5, 5, 1, (0,)),
        (5, 1, 1, (0, 1, 2, 3, 4)),
        (1, 1, 7, (0,)),
    ],
)
def test_positions(size: int, window: int, stride: int, expected: tuple[int, ...]) -> None:
    assert positions(size, window, stride) == expected


@pytest.mark.parametrize(
    ("size", "given", "window", "stride"),
    [
        ((224, 224), {}, 64, 32),
        ((28, 28), {}, 8, 4),
        ((299, 448), {}, 85, 42),
        ((2, 3), {}, 1, 1),
        ((224, 224), {"window": 32}, 32, 16),
        ((224, 224), {"window": (20, 31)}, (20, 31), (10, 15)),
        ((224, 224), {"window": 1}, 1, 1),
        ((224, 224), {"stride": 8}, 64, 8),
        ((224, 224), {"window": 32, "stride": 16}, 32, 16),
    ],
)
def test_by_default_a_window_is_two_sevenths_of_the_side_and_the_stride_half_a_window(
    size: tuple[int, int], given: Any, window: object, stride: object
) -> None:
    found = Occlusion(**given).sized(size)
    assert (found.window, found.stride) == (window, stride)
    assert Occlusion(**given).windows(size).boxes == found.windows(size).boxes


def test_a_window_larger_than_the_picture_is_cut_to_its_size() -> None:
    windows = Occlusion(window=(40, 8), stride=4).windows((12, 16))
    assert windows.window == (12, 8)
    assert (windows.tops, windows.lefts) == ((0,), (0, 4, 8))
    classifier = networks.classifier(seeded(Linear))
    pixels = networks.picture(classifier)
    with torch.no_grad():
        whole, none = classifier.logits(torch.cat([pixels, baseline_pixels(classifier, pixels, "mean")]))[:, 1]
    found = Occlusion(window=100)(classifier, pixels, 1)
    np.testing.assert_allclose(found.values, np.full(networks.SIZE, float(whole - none)), atol=1e-5)


# -- what the network is shown -----------------------------------------------------------------------------


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize(
    ("channels", "size", "window", "stride"),
    [
        (3, (12, 16), 5, 4),
        (1, (28, 28), 8, 5),
        (3, (37, 53), (9, 16), (7, 11)),
        (1, (12, 16), 1, 5),
        (3, (12, 16), 3, 7),
        (3, (12, 16), 12, 3),
    ],
)
def test_each_window_is_covered_once_and_nothing_else_is_changed(
    baseline: str, channels: int, size: tuple[int, int], window: Any, stride: Any
) -> None:
    network = Recorded(seeded(lambda: networks.ConvGapLinear(channels)))
    classifier = networks.classifier(network, size)
    pixels = networks.picture(classifier)
    covered = baseline_pixels(classifier, pixels, baseline)[0]
    occlusion = Occlusion(window, stride, baseline)
    network.seen.clear()
    occlusion(classifier, pixels, 1)

    tall, wide = window if isinstance(window, tuple) else (window, window)
    down, across = stride if isinstance(stride, tuple) else (stride, stride)
    wanted = {
        (top, left)
        for top in {*range(0, size[0] - tall + 1, down), size[0] - tall}
        for left in {*range(0, size[1] - wide + 1, across), size[1] - wide}
    }
    assert torch.equal(network.seen[0], pixels[0])
    assert len(network.seen) == 1 + len(wanted)
    for seen in network.seen[1:]:
        rows, columns = torch.nonzero((seen != pixels[0]).any(dim=0), as_tuple=True)
        corner = (int(rows.min()), int(columns.min()))
        wanted.remove(corner)  # each one once
        expected = pixels[0].clone()
        area = (..., slice(corner[0], corner[0] + tall), slice(corner[1], corner[1] + wide))
        expected[area] = covered[area]
        torch.testing.assert_close(seen, expected, rtol=0, atol=0)
    assert not wanted


@pytest.mark.usefixtures("small_batches")
def test_arbitrary_boxes() -> None:
    network = Recorded(seeded(networks.InPlace))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    height, width = networks.SIZE
    boxes = [(0, 0, 1, 1), (0, 0, height, width), (height - 1, width - 2, 1, 2), (3, 5, 4, 7), [2, 0, 5, 16]]
    white = baseline_pixels(classifier, pixels, "white")
    expected = []
    for top, left, tall, wide in boxes:
        copy = pixels.clone()
        copy[..., top : top + tall, left : left + wide] = white[..., :tall, :wide]
        expected.append(copy)
    network.seen.clear()
    found = Occlusion(baseline="white").occluded(classifier, pixels, boxes)
    assert torch.equal(torch.stack(network.seen), torch.cat(expected))
    with torch.no_grad():
        np.testing.assert_allclose(found, classifier.logits(torch.cat(expected)), atol=1e-5)
    assert found.shape == (5, networks.CLASSES) and found.dtype == torch.float32
    assert Occlusion().occluded(classifier, pixels, []).shape == (0, networks.CLASSES)


@pytest.mark.parametrize(
    "box",
    [
        (-1, 0, 4, 4),
        (0, -1, 4, 4),
        (9, 0, 4, 4),
        (0, 13, 4, 4),
        (0, 0, 0, 4),
        (0, 0, 4, 0),
        (0, 0, 4),
        (0, 0, 4, 4, 4),
        (0, 0, 4.0, 4),
        (0, True, 4, 4),
        (0, float("nan"), 4, 4),
        (10**30, 0, 1, 1),
        "0044",
        None,
        {"top": 0},
    ],
)
def test_a_box_that_is_not_in_the_picture(box: Any) -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    network.calls = 0
    with pytest.raises(MethodError, match=r"\(top, left, height, width\) .* 12 x 16 picture, not") as raised:
        Occlusion().occluded(classifier, pixels, [(0, 0, 1, 1), box])
    assert network.calls == 0 and "\n" not in str(raised.value)


# -- the values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize(("window", "stride"), [(5, 4), (1, 1), ((2, 7), (2, 3)), (12, 1), (5, 5)])
def test_a_linear_network(baseline: str, window: Any, stride: Any) -> None:
    """A window's drop is the sum of w (x - baseline) in it, a pixel's value the mean over its windows."""
    classifier = networks.classifier(seeded(Linear))
    pixels = networks.picture(classifier)
    occlusion = Occlusion(window, stride, baseline)
    weights = classifier.network.fc.weight.detach().reshape(networks.CLASSES, 3, *networks.SIZE)[2]
    share = (weights * (pixels - baseline_pixels(classifier, pixels, baseline))[0]).sum(dim=0).double().numpy()
    windows = occlusion.windows(networks.SIZE)
    tall, wide = windows.window
    cells = np.zeros(windows.shape)
    total, count = np.zeros(networks.SIZE), np.zeros(networks.SIZE)
    for row, top in enumerate(windows.tops):
        for column, left in enumerate(windows.lefts):
            drop = 0.0
            for i in range(top, top + tall):
                for j in range(left, left + wide):
                    drop += share[i, j]
            cells[row, column] = drop
            total[top : top + tall, left : left + wide] += drop
            count[top : top + tall, left : left + wide] += 1
    found = occlusion(classifier, pixels, 2)
    np.testing.assert_allclose(found.cells, cells, atol=1e-4)
    np.testing.assert_allclose(found.values, total / count, atol=1e-4)
    assert found.signed and found.quantity == "drop of the logit"


class Sum(nn.Module):
    """Two scores, each the sum of all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.conv.weight)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.conv(pixels).sum((2, 3)).expand(-1, 2)


def test_the_last_window_is_as_large_as_the_others() -> None:
    """Captum cuts it off at the far edge: its map of this picture falls from 16 to 12."""
    classifier = networks.classifier(Sum(), (9, 9))
    found = Occlusion(4, 3, "black")(classifier, torch.ones(1, 1, 9, 9), 0)
    np.testing.assert_array_equal(found.values, np.full((9, 9), 16))
    captum = CaptumOcclusion(classifier.network)
    expected = captum.attribute(torch.ones(1, 1, 9, 9), (1, 4, 4), (1, 3, 3), target=0)
    assert expected[0, 0, 0].tolist() == [16, 16, 16, 16, 16, 16, 14, 12, 12]


def test_gaps_between_windows_have_the_nearest_window_s_value() -> None:
    classifier = networks.classifier(Sum(), (9, 9))
    pixels = torch.arange(81.0).reshape(1, 1, 9, 9)
    found = Occlusion(1, 4, "black")(classifier, pixels, 0)
    np.testing.assert_array_equal(found.cells, pixels[0, 0, ::4, ::4])
    nearest = [0, 0, 0, 4, 4, 4, 4, 8, 8]
    np.testing.assert_array_equal(found.values, pixels[0, 0][np.ix_(nearest, nearest)])
    found = Occlusion(2, 5, "black")(classifier, pixels, 0)
    assert found.windows.tops == (0, 5, 7)
    # Pixel 3 is two away from the end of the first window and from the beginning of the second.
    np.testing.assert_array_equal(found.values[0, :7], found.cells[0, [0, 0, 0, 0, 1, 1, 1]])
    assert len(set(found.cells[0])) == 3


@pytest.mark.parametrize(
    ("name", "baseline", "score"),
    [
        *((name, "mean", "logit") for name in SIZES),
        ("resnet18", "white", "logit"),
        ("densenet121", "black", "probability"),
    ],
)
def test_equals_captum(name: str, baseline: str, score: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    network = classifier.network
    forward = network if score == "logit" else nn.Sequential(network, nn.Softmax(1))
    with torch.no_grad():
        expected = CaptumOcclusion(forward).attribute(
            pixels,
            (3, 32, 32),
            (3, 16, 16),
            baseline_pixels(classifier, pixels, baseline),
            target=7,
            perturbations_per_eval=8,
        )
    expected = expected[0, 0].numpy()
    found = Occlusion(32, 16, baseline, score)(classifier, pixels, 7)
    scale = np.abs(expected).max()
    assert scale > 0
    # A drop is a small difference of two scores, which bounds its digits.
    np.testing.assert_allclose(found.values, expected, atol=1e-4 * scale + 1e-6)
    assert found.quantity == f"drop of the {score}"


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_a_contrast_is_the_difference_of_the_two_maps(score: str) -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    pixels = networks.picture(classifier) * 5
    first, second, found = (
        Occlusion(5, 4, score=score)(classifier, pixels, target).values for target in (1, 3, Target(1, 3))
    )
    np.testing.assert_allclose(found, first - second, atol=1e-6)
    assert np.abs(found).max() > 1e-4


# -- from coarse to fine -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_batches")
def test_a_first_map_comes_early_and_only_gets_finer() -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    network.pictures = 0
    kept = []
    for step in Occlusion(4, 1).steps(classifier, pixels, 1):
        kept.append((step, step.values.copy(), step.logits.copy(), network.pictures))
        assert step.progress == step.known.mean() == (network.pictures - 1) / step.known.size
        # What is not known answers with a window that is, and looks like something between those that are.
        np.testing.assert_array_equal(step.logits[step.known], step.run.measured[step.run.source[step.known]])
        assert step.cells[step.known].min() <= step.cells.min() and step.cells.max() <= step.cells[step.known].max()
    maps = [step for step, *_ in kept]
    last = maps[-1]
    assert len(maps) == 2 + 20 + 18 and last.cells.shape == (9, 13) and last.known.all()
    # The first map, of 5 % of the windows, is made in two steps of at most three.
    assert kept[0][3] == 4 and kept[1][3] == 1 + 5 and kept[-1][3] == 1 + 9 * 13
    for earlier, values, logits, _ in kept:
        np.testing.assert_array_equal(earlier.values, values)
        np.testing.assert_array_equal(earlier.logits, logits)
        np.testing.assert_array_equal(earlier.cells[earlier.known], last.cells[earlier.known])
    errors = [np.abs(step.values - last.values).mean() for step in maps]
    assert errors[12] < 0.6 * errors[0] and errors[-1] == 0
    # The first ones reach into every quarter of the picture.
    early = maps[1].known
    assert all(early[rows, columns].any() for rows in (slice(5), slice(4, 9)) for columns in (slice(6), slice(7, 13)))


def test_the_first_map_is_useful_and_the_next_ones_come_where_it_matters() -> None:
    """Against the same number of windows taken row by row, on photographs and on drawn shapes."""
    photographs, drawn = demo.classifier(), demo.shapes_classifier()
    cases = [(photographs, picture, Occlusion(56, 20)) for picture in demo.pictures()[:3]]
    cases += [(drawn, picture, Occlusion(16, 4)) for picture in demo.shapes(6).pictures]
    first, naive, hits, areas, naive_areas = [], [], [], [], []
    for classifier, picture, occlusion in cases:
        pixels = classifier.pixels(picture)
        maps = list(occlusion.steps(classifier, pixels, int(classifier.logits(pixels).argmax())))
        final = maps[-1].cells
        budget = max(1, int(0.05 * final.size))
        coarse = [step for step in maps if step.known.sum() <= budget][-1]
        assert coarse.known.sum() > 0.8 * budget
        first.append(likeness(coarse.cells, final))
        naive.append(likeness(by_rows(final, int(coarse.known.sum())), final))
        hits.append((final < final.flat[coarse.cells.argmax()]).mean() >= 0.9)
        shares = np.diff([step.known.sum() for step in maps] + [final.size]) / final.size
        areas.append(shares @ [likeness(step.cells, final) for step in maps])
        rows = [likeness(by_rows(final, int(step.known.sum())), final) for step in maps]
        naive_areas.append(shares @ rows)
    assert np.mean(first) > 0.55 and np.mean(first) > np.mean(naive) + 0.3
    assert np.mean(hits) >= 0.6
    assert np.mean(areas) > 0.8 and np.mean(areas) > np.mean(naive_areas) + 0.1


def by_rows(final: np.ndarray, count: int) -> np.ndarray:
    """The map after `count` windows in reading order, the others standing in for by what is known."""
    known = (np.arange(final.size) < count).reshape(final.shape)
    return interpolate_missing(np.where(known, final, 0), known)


def likeness(cells: np.ndarray, final: np.ndarray) -> float:
    """Pearson's correlation; nothing is like a map of one value."""
    return float(np.corrcoef(cells.ravel(), final.ravel())[0, 1]) if cells.std() > 1e-6 * final.std() else 0.0


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_does_not_depend_on_the_batches(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)
    expected = Occlusion(4, 3)(classifier, pixels, 1)
    monkeypatch.setattr(Batches, "batch", size)
    np.testing.assert_allclose(Occlusion(4, 3)(classifier, pixels, 1).values, expected.values, atol=1e-6)


# -- hostile networks and parameters -----------------------------------------------------------------------


class Shifting(nn.Module):
    """Changes its input in place before it looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = seeded(networks.ConvGapLinear)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.inner(pixels.mul_(2).add_(1))


@pytest.mark.usefixtures("small_batches")
def test_a_network_may_change_its_input_in_place() -> None:
    classifier = networks.classifier(Shifting())
    pixels = networks.picture(classifier)
    found = Occlusion(4, 3)(classifier, pixels, 1).cells
    plain = networks.classifier(classifier.network.inner)
    boxes = [(top, left, 4, 4) for top in positions(12, 4, 3) for left in positions(16, 4, 3)]
    drops = []
    for top, left, tall, wide in boxes:
        copy = pixels.clone()
        copy[..., top : top + tall, left : left + wide] = pixels.mean(dim=(2, 3), keepdim=True)
        with torch.no_grad():
            drops.append(float((plain.logits(pixels * 2 + 1) - plain.logits(copy * 2 + 1))[0, 1]))
    np.testing.assert_allclose(found.flatten(), drops, atol=1e-5)


class Viewing(nn.Module):
    """Only works on tensors in the usual memory layout."""

    calls = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.fc = nn.Linear(6 * 12 * 16, networks.CLASSES)
        self.calls = 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        return self.fc(self.conv(pixels).view(len(pixels), -1))


@pytest.mark.usefixtures("small_batches")
def test_a_network_that_does_not_bear_another_memory_layout() -> None:
    classifier = networks.classifier(seeded(Viewing))
    pixels = networks.picture(classifier)
    layout = pixels.expand(3, -1, -1, -1).contiguous(memory_format=torch.channels_last)
    with pytest.raises(RuntimeError, match="view"):
        classifier.network(layout)
    classifier.network.calls = 0
    found = Occlusion(6, 3)(classifier, pixels, 1)
    assert (
        classifier.network.calls == 1 + 1 + 1 + 3 + 2
    )  # the picture, the try, the first window, every second one twice
    copy = pixels.clone()
    copy[..., :6, :6] = pixels.mean(dim=(2, 3), keepdim=True)
    with torch.no_grad():
        expected = classifier.network(pixels)[0, 1] - classifier.network(copy)[0, 1]
    assert found.cells[0, 0] == pytest.approx(float(expected), abs=1e-6)


def test_half_precision() -> None:
    pixels = networks.picture(networks.classifier(seeded(Linear)))
    found = [
        Occlusion(6, 6)(networks.classifier(seeded(Linear).to(dtype)), pixels, 1).values
        for dtype in (torch.float32, torch.bfloat16)
    ]
    np.testing.assert_allclose(*found, atol=0.05 * np.abs(found[0]).max())
    assert (found[0] != found[1]).any()


def test_a_class_that_does_not_exist_costs_no_pass() -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    network.calls = 0
    with pytest.raises(TargetError):
        Occlusion()(classifier, networks.picture(classifier), networks.CLASSES)
    assert network.calls == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"window": 0}, "`window` is a whole number of at least 1, not 0"),
        ({"window": 4.0}, "`window` is a whole number"),
        ({"window": (4, 0)}, "`window` is a whole number"),
        ({"window": (4, 4, 4)}, r"`window` is a number of pixels or \(rows, columns\), not \(4, 4, 4\)"),
        ({"window": True}, "`window` is a whole number"),
        ({"stride": 0}, "`stride` is a whole number"),
        ({"stride": -3}, "`stride` is a whole number"),
        ({"stride": "16"}, "`stride` is a whole number"),
        ({"baseline": "gray"}, "`baseline` is one of"),
        ({"score": "loss"}, "`score` is one of 'logit', 'probability'"),
    ],
)
def test_parameters_out_of_range(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(MethodError, match=words):
        Occlusion(**parameters)


def test_the_engine_is_one_function_of_boxes() -> None:
    """The seam behind which a faster way to the same logits goes."""
    classifier = networks.classifier(seeded(networks.VGGLike))
    pixels = networks.picture(classifier)
    engine = occluder.Occluder(classifier, pixels, torch.zeros_like(pixels))
    boxes = [(0, 0, 3, 3), (4, 4, 8, 8)]
    together, apart = engine.logits(boxes), torch.cat([engine.logits([box]) for box in boxes])
    torch.testing.assert_close(together, apart)
