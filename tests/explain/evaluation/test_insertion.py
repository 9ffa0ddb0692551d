"""Insertion and deletion: closed forms, and a slow implementation that shares no code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError, TargetError
from cnnviz_widgets.explain import RISE, Evaluation, GradCAM, Heatmap, OrderTest, Saliency, evaluate, randomize
from cnnviz_widgets.explain.evaluation import orders
from cnnviz_widgets.explain.instance import Instance
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import SIZE, picture, seeded


def heatmap_of(values: np.ndarray, cells: np.ndarray | None = None, target: Target | None = None) -> Heatmap:
    values = values.astype(np.float32)
    grid = values if cells is None else cells.astype(np.float32)
    return Heatmap(values, grid, "test", True, target or Target(1))


def noise(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size)


def by_hand(
    classifier: Classifier, pixels: Tensor, order: np.ndarray, index: int, steps: int, *, reveal: bool
) -> np.ndarray:
    """The probabilities along a curve, one picture at a time; `order` has flat positions, the first first."""
    flat, mean = pixels[0].flatten(1), pixels[0].mean(dim=(1, 2))
    found = []
    for step in range(steps + 1):
        first = order[: round(len(order) * step / steps)]
        altered = mean[:, None].repeat(1, flat.shape[1]) if reveal else flat.clone()
        for position in first:
            altered[:, position] = flat[:, position] if reveal else mean
        logits = classifier.logits(altered.reshape(pixels.shape))[0].detach().double().numpy()
        found.append((np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum())[index])
    return np.array(found)


@pytest.mark.parametrize("steps", [2, 5, 8])
def test_equals_a_textbook_implementation(steps: int) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels, values = picture(classifier), noise()
    found = evaluate(heatmap_of(values), classifier, pixels, steps=steps)
    order = np.argsort(-values.ravel())
    assert found.deletion is not None
    for curve, reveal in ((found.insertion, True), (found.deletion, False)):
        expected = by_hand(classifier, pixels, order, 1, steps, reveal=reveal)
        np.testing.assert_allclose(curve.scores, expected, atol=2e-6)
        np.testing.assert_allclose(curve.shares, np.arange(steps + 1) / steps)
        assert curve.area == pytest.approx(np.trapezoid(expected, dx=1 / steps), abs=2e-6)


def test_the_floors_equal_a_textbook_implementation() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    found = evaluate(heatmap_of(noise(), noise(1, (3, 4))), classifier, pixels, seed=3)
    middle = np.argsort(orders.from_the_middle(SIZE, torch.Generator().manual_seed(3001)).numpy().ravel())
    for curve, reveal in ((found.middle_insertion, True), (found.middle_deletion, False)):
        assert curve is not None
        np.testing.assert_allclose(curve.scores, by_hand(classifier, pixels, middle, 1, 8, reveal=reveal), atol=2e-6)
    assert len(found.random) == 6
    for draw, curve in enumerate(found.random):
        places = orders.at_random(SIZE, (3, 4), torch.Generator().manual_seed(3002 + draw))
        order = np.argsort(places.numpy().ravel())
        np.testing.assert_allclose(curve.scores, by_hand(classifier, pixels, order, 1, 8, reveal=True), atol=2e-6)
        # A deletion in an order is an insertion in the reverse.
        covered = by_hand(classifier, pixels, order[::-1], 1, 8, reveal=False)
        np.testing.assert_allclose(curve.reversed.scores, covered, atol=2e-6)
        assert curve.reversed.area == pytest.approx(curve.area)


def linear(seed: int = 0) -> tuple[Classifier, Tensor, np.ndarray]:
    """A network whose scores are sums over pixels, a picture, and what each of its pixels adds to score 1."""
    classifier = Classifier(seeded(networks.Linear, seed), input_size=SIZE, scores="none")
    pixels = picture(classifier)
    weight = classifier.network.fc.weight[1].detach().reshape(3, *SIZE).double()
    added = (weight * (pixels[0] - pixels[0].mean(dim=(1, 2), keepdim=True)).double()).sum(dim=0)
    return classifier, pixels, added.numpy()


def test_a_linear_network_s_curves_are_sums_of_what_its_pixels_add() -> None:
    classifier, pixels, added = linear()
    found = evaluate(heatmap_of(added), classifier, pixels)
    total, counts = added.size, [round(added.size * step / 8) for step in range(9)]
    sums = np.concatenate([[0], np.cumsum(np.sort(added.ravel())[::-1])])[counts]
    whole = float(classifier.logits(pixels)[0, 1])
    np.testing.assert_allclose(found.insertion.scores, whole - added.sum() + sums, atol=1e-4)
    assert found.deletion is not None and found.quantity == "score" and total == SIZE[0] * SIZE[1]
    np.testing.assert_allclose(found.deletion.scores, whole - sums, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_no_order_beats_that_of_what_the_pixels_add(seed: int) -> None:
    classifier, pixels, added = linear(seed)
    best, worst = (evaluate(heatmap_of(sign * added), classifier, pixels) for sign in (1, -1))
    for other in (evaluate(heatmap_of(noise(seed)), classifier, pixels), *([] if seed else [worst])):
        assert other.deletion is not None and best.deletion is not None
        assert worst.insertion.area < other.insertion.area <= best.insertion.area or other is worst
        assert other.deletion.area > best.deletion.area
    assert worst.insertion.area < worst.random_area < best.insertion.area
    assert all(worst.insertion.area < curve.area < best.insertion.area for curve in best.random)


def test_random_orders_have_the_mean_of_both_ends_on_average() -> None:
    classifier, pixels, added = linear()
    found = evaluate(heatmap_of(added), classifier, pixels, draws=40)
    ends = found.insertion.scores[[0, -1]].mean()
    assert abs(found.random_area - ends) < 4 * found.random_error
    areas = [curve.area for curve in found.random]
    assert found.random_spread == pytest.approx(np.std(areas, ddof=1))
    assert found.random_error == pytest.approx(np.std(areas, ddof=1) / np.sqrt(40))


def test_a_difference_of_classes_is_one_of_probabilities() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    values = noise()
    one, other, both = (
        evaluate(heatmap_of(values, target=target), classifier, pixels)
        for target in (Target(1), Target(3), Target(1, 3))
    )
    np.testing.assert_allclose(both.insertion.scores, one.insertion.scores - other.insertion.scores, atol=1e-6)


# -- orders --------------------------------------------------------------------------------------------------------


def test_a_random_order_comes_cell_by_cell_and_every_time_otherwise() -> None:
    drawn = [orders.at_random(SIZE, (3, 4), torch.Generator().manual_seed(seed)).numpy() for seed in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    size = (SIZE[0] // 3) * (SIZE[1] // 4)
    cells = drawn[0].reshape(3, SIZE[0] // 3, 4, SIZE[1] // 4).transpose(0, 2, 1, 3).reshape(12, size)
    assert sorted(cells.min(axis=1) // size) == list(range(12)) and (np.ptp(cells, axis=1) == size - 1).all()


def test_from_the_middle_is_that_of_a_gaussian() -> None:
    places = orders.from_the_middle((9, 13), torch.Generator()).numpy()
    rows, columns = np.mgrid[:9, :13]
    gaussian = np.exp(-(((rows - 4) / (9 / 4)) ** 2 + ((columns - 6) / (13 / 4)) ** 2) / 2)
    assert places[4, 6] == 0 and sorted(places.ravel()) == list(range(9 * 13))
    assert (np.diff(gaussian.ravel()[places.ravel().argsort()]) <= 1e-6).all()


def test_equal_values_come_at_random() -> None:
    values = torch.zeros(SIZE)
    values[3, 4], values[5, 6] = 1, -1
    places = [orders.falling(values, torch.Generator().manual_seed(seed)) for seed in range(2)]
    assert all(place[3, 4] == 0 and place[5, 6] == values.numel() - 1 for place in places)
    assert (places[0] != places[1]).sum() > 100


def test_the_grid_of_random_orders_is_as_coarse_as_the_map() -> None:
    fine, (height, width) = np.random.default_rng(0).standard_normal((56, 70)), (56, 70)
    assert orders.cells_of(heatmap_of(fine)) == (height, width)
    assert orders.cells_of(heatmap_of(fine, noise(0, (3, 4)))) == (3, 4)
    blocks = np.kron(noise(0, (7, 7)), np.ones((8, 10)))
    assert orders.cells_of(heatmap_of(blocks)) == (7, 7)
    assert orders.cells_of(heatmap_of(blocks, noise(0, (14, 14)))) == (7, 7)
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    coarse = RISE(masks=40)(classifier, picture(classifier), 1)
    assert orders.cells_of(coarse) == (7, 7)


# -- what may go wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda values: values[:-1], "11 x 16 and the picture 12 x 16 pixels"),
        (lambda values: values * 0 + 2, "same everywhere"),
        (lambda values: np.where(values > 1, np.nan, values), "no numbers"),
    ],
)
def test_refuses_maps_without_an_order(break_it: Callable[[np.ndarray], np.ndarray], said: str) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(MethodError, match=said):
        evaluate(heatmap_of(break_it(noise())), classifier, picture(classifier))


def test_refuses_a_map_of_nothing_but_rounding_and_a_class_that_is_not_there() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(MethodError, match="same everywhere"):
        evaluate(heatmap_of(noise()).as_nothing("pixel"), classifier, picture(classifier))
    with pytest.raises(TargetError):
        evaluate(heatmap_of(noise(), target=Target(99)), classifier, picture(classifier))


@pytest.mark.parametrize("options", [{"draws": 1}, {"draws": 5}, {"steps": 1}, {"baseline": "red"}, {"seed": -1}])
def test_refuses_parameters_that_would_let_the_number_lie(options: dict[str, object]) -> None:
    with pytest.raises(MethodError):
        OrderTest(**options)  # type: ignore[arg-type]


def test_the_network_stays_as_it_was() -> None:
    network = guest()
    classifier = networks.classifier(network)
    pixels = picture(classifier)
    before, kept, modes = state(network), pixels.clone(), mode()
    steps = OrderTest().evaluations(heatmap_of(noise()), classifier, pixels)
    next(steps)
    assert state(network) == before and mode() == modes
    steps.close()
    evaluate(heatmap_of(noise()), classifier, pixels)
    assert state(network) == before and mode() == modes and torch.equal(pixels, kept)


# -- what is said, and what it costs -------------------------------------------------------------------------------


def test_says_nothing_before_all_draws_are_there() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    states = list(OrderTest(draws=7).evaluations(heatmap_of(noise()), classifier, picture(classifier)))
    assert [len(state.random) for state in states] == [0, 0, 0, *range(1, 8)]
    assert all(not state.verdict and not state.sentence for state in states if len(state.random) < 6)
    assert np.all(np.diff([state.progress for state in states]) > 0) and states[-1].progress == 1
    last = states[-1]
    assert f"{last.insertion.area:.2f} against {last.random_area:.2f} at random." in last.verdict
    assert "in a random order of pixels" in last.sentence and "tests the order, not the reason" in last.sentence
    assert repr(last).startswith("<Evaluation insertion ")


def test_the_floors_are_run_once_a_picture() -> None:
    counted = networks.Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(counted)
    pixels, test = picture(classifier), OrderTest()
    next(test.evaluations(heatmap_of(noise()), classifier, pixels))
    known: dict[object, Tensor] = {}
    costs, found = [], []
    for values, target in ((noise(), 1), (noise(1), 1), (noise(), 2)):
        before = counted.pictures
        *_, last = test.evaluations(heatmap_of(values, target=Target(target)), classifier, pixels, known)
        costs.append(counted.pictures - before)
        found.append(last)
    assert costs == [14 + 2 + 14 + 42, 14, 14]
    alone = evaluate(heatmap_of(noise(), target=Target(2)), classifier, pixels)
    assert [curve.area for curve in found[2].random] == pytest.approx([curve.area for curve in alone.random])


@pytest.mark.parametrize("which", ["insertion", "deletion"])
def test_a_partial_picture_is_the_one_that_was_scored(which: str) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels, test = picture(classifier), OrderTest()
    *_, found = test.evaluations(heatmap_of(noise()), classifier, pixels)
    instance = Instance.of(classifier, pixels, 1)
    curve = found.curve(which)  # type: ignore[arg-type]
    assert curve is not None
    for step in range(9):
        partial = test.partial(instance, found.places, step, which)  # type: ignore[arg-type]
        score = float(classifier.probabilities(classifier.logits(partial))[0, 1])
        assert curve.scores[step] == pytest.approx(score, abs=2e-6)


@pytest.mark.parametrize("technique", [GradCAM(), Saliency()], ids=lambda technique: technique.label)
def test_bounds(technique: GradCAM | Saliency) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    found: Evaluation = evaluate(technique(classifier, pixels, 2), classifier, pixels)
    assert found.deletion is not None and found.middle_insertion is not None and found.middle_deletion is not None
    for curve in (found.insertion, found.deletion, found.middle_insertion, found.middle_deletion, *found.random):
        assert (curve.scores >= 0).all() and (curve.scores <= 1).all() and 0 <= curve.area <= 1
    whole = float(classifier.probabilities(pixels)[0, 2])
    assert found.insertion.scores[-1] == pytest.approx(whole) == pytest.approx(found.deletion.scores[0])


def test_a_greyscale_network_on_an_uneven_picture() -> None:
    network = seeded(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    classifier = Classifier(network, input_size=(11, 17))
    found = evaluate(heatmap_of(noise(0, (11, 17))), classifier, picture(classifier))
    assert len(found.insertion.scores) == 9 and np.isfinite(found.random_area)


@pytest.mark.parametrize(
    "build",
    [networks.InPlace, networks.FunctionalReLU, networks.TupleOutput, networks.UsedTwice, networks.Regularised],
    ids=lambda build: build.__name__,
)
def test_networks_of_any_kind_are_tested_and_drawn_anew(build: Callable[[], nn.Module]) -> None:
    network = seeded(build)
    classifier = networks.classifier(network)
    pixels, before = picture(classifier), state(network)
    found = evaluate(heatmap_of(noise()), classifier, pixels)
    order = np.argsort(-noise().ravel())
    expected = by_hand(classifier, pixels, order, 1, 8, reveal=True)
    np.testing.assert_allclose(found.insertion.scores, expected, atol=2e-6)
    random = randomize(classifier, 1, pixels)
    assert not torch.allclose(random.logits(pixels), classifier.logits(pixels)) and state(network) == before
