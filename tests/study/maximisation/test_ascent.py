"""Pictures made for a class or a channel: they succeed, go on where they stopped, and leave the network as found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import ClassifierError, ExplanationError, LayerError, MethodError, TargetError
from cnnviz_widgets.study import ActivationMaximisation, Channel
from cnnviz_widgets.study.maximisation.augment import transform
from cnnviz_widgets.study.maximisation.parametrisation import Fourier, Pixels
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import Crowded, Failing, seeded
from tests.support.tally import Tally

QUICK = ActivationMaximisation(iterations=6)
TARGETS = [1, Target(0, 3), Channel("conv2", 4)]


def same(first: Any, second: Any) -> None:
    assert torch.equal(first.parameters, second.parameters)
    assert (first.step, first.score, first.progress) == (second.step, second.score, second.progress)
    np.testing.assert_array_equal(first.appearance, second.appearance)


# -- it works ----------------------------------------------------------------------------------------------------


def test_every_shape_gets_a_picture_that_the_network_recognises() -> None:
    classifier = demo.shapes_classifier()
    visual = ActivationMaximisation(score="log-odds", iterations=64)
    for target in range(len(classifier.class_names)):
        before = visual.start(classifier, target)
        result = visual(classifier, target, before)
        assert result.probabilities()[target] > 0.9, classifier.class_names[target]
        assert result.robustness()[target] > 0.9
        assert np.abs(before.appearance.astype(int) - 128).max() < 64


def test_a_class_of_imagenet_is_recognised_after_a_few_steps() -> None:
    classifier = demo.classifier()
    espresso = classifier.class_index("espresso")
    result = ActivationMaximisation(iterations=24)(classifier, espresso)
    assert result.probabilities()[espresso] > 0.9
    assert result.robustness()[espresso] > 0.9


def test_log_odds_are_those_of_the_mode() -> None:
    """Against the others where classes compete; the logit where each is by itself; none where there are no odds."""
    network = seeded(networks.ConvGapLinear)
    visuals = {}
    for scores in ("softmax", "sigmoid", "none"):
        classifier = Classifier(network, input_size=networks.SIZE, scores=scores)  # type: ignore[arg-type]
        visuals[scores] = dataclasses.replace(QUICK)(classifier, 1)
        if scores != "none":
            visuals[f"{scores} odds"] = dataclasses.replace(QUICK, score="log-odds")(classifier, 1)
        else:
            with pytest.raises(MethodError, match="choose score='logit'"):
                dataclasses.replace(QUICK, score="log-odds")(classifier, 1)
    same(visuals["softmax"], visuals["none"])
    same(visuals["sigmoid"], visuals["sigmoid odds"])
    assert visuals["softmax"].score != visuals["softmax odds"].score


@pytest.mark.parametrize("layer", ["stages.stage1.conv", "stages.stage3.relu"])
def test_a_channel_is_driven_far_beyond_what_it_shows_for_real_pictures(layer: str) -> None:
    classifier = demo.shapes_classifier()
    pixels = torch.cat([classifier.pixels(picture) for picture in demo.shapes(16).pictures])
    with classifier.recording(layer) as outputs:
        classifier.logits(pixels)
    means = outputs[layer].mean(dim=(2, 3))
    channel = int(means.max(dim=0).values.argmax())
    result = ActivationMaximisation(iterations=64, rate=0.2, tv=0)(classifier, Channel(layer, channel))
    with classifier.recording(layer) as outputs:
        classifier.logits(result.pixels)
    assert outputs[layer][0, channel].mean() > means[:, channel].max()


@pytest.mark.parametrize("parametrisation", ["fourier", "pixels"])
def test_the_score_rises_and_the_picture_stays_between_black_and_white(parametrisation: Any) -> None:
    classifier = Classifier(seeded(networks.ConvGapLinear), input_size=(11, 7), mean=[0.5, 0.4, 0.3], std=[0.2] * 3)
    visual = ActivationMaximisation(parametrisation, iterations=60, rate=0.2, jitter=0, scale=0, turn=0, tv=0)
    results = list(visual.steps(classifier, 2))
    assert [result.step for result in results] == list(range(1, 61))
    assert [result.progress for result in results] == [step / 60 for step in range(1, 61)]
    scores = [result.score for result in results]
    assert (np.diff(scores) > 0).mean() > 0.9  # type: ignore[arg-type]
    pixels = results[-1].pixels
    assert pixels.shape == (1, 3, 11, 7) and pixels.dtype == torch.float32
    assert (pixels[0] >= classifier.black).all() and (pixels[0] <= classifier.white).all()
    assert results[-1].appearance.shape == (11, 7, 3)


@pytest.mark.parametrize("name", ["l2", "tv", "blur"])
@pytest.mark.parametrize("parametrisation", ["fourier", "pixels"])
def test_regularisers_calm_the_picture(parametrisation: Any, name: str) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    free = ActivationMaximisation(parametrisation, iterations=40, tv=0)
    held = dataclasses.replace(free, **{name: 1.0 if name == "blur" else 100.0})

    def unrest(visual: ActivationMaximisation) -> float:
        pixels = visual(classifier, 1).pixels
        return float((pixels - 0.5).square().mean() if name == "l2" else pixels.diff(dim=3).abs().mean())

    assert unrest(held) < 0.7 * unrest(free)


def test_greyscale_networks_too() -> None:
    classifier = demo.digits_classifier()
    result = ActivationMaximisation(iterations=48)(classifier, 3)
    assert result.pixels.shape == (1, 1, 32, 32) and result.probabilities()[3] > 0.9


# -- the parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(3, 8, 8), (3, 9, 7), (1, 5, 12), (4, 6, 5)])
@pytest.mark.parametrize("kind", [Fourier, Pixels])
def test_any_size_can_be_written(kind: Any, size: tuple[int, int, int]) -> None:
    parametrisation = kind(size)
    parameters = parametrisation.start(torch.Generator().manual_seed(0))
    picture = parametrisation.picture(parameters)
    assert picture.shape == size and (picture > 0).all() and (picture < 1).all()
    # Every frequency can be reached: the blurred picture is the picture's own average for a very wide blur.
    blurred = parametrisation.picture(parametrisation.blur(parameters, 1e3))
    assert blurred.flatten(1).std(dim=1).max() < 1e-5
    torch.testing.assert_close(parametrisation.blur(parameters, 0.0), parameters)


def test_a_fourier_wave_of_low_frequency_is_larger_than_one_of_high_frequency() -> None:
    parametrisation = Fourier((1, 16, 16))
    sizes = []
    for column in (1, 2, 4):
        parameters = torch.zeros(1, 16, 9, 2)
        parameters[0, 0, column, 0] = 0.1
        sizes.append(float(parametrisation.picture(parameters).logit().abs().max()))
    assert sizes[0] == pytest.approx(2 * sizes[1], rel=1e-4) and sizes[1] == pytest.approx(2 * sizes[2], rel=1e-4)


def test_no_transformation_leaves_the_picture_alone_and_a_move_moves_it() -> None:
    picture = torch.rand(3, 6, 10, generator=torch.Generator().manual_seed(0))
    still = transform(picture, 2, 0, 0, 0, seed=1)
    torch.testing.assert_close(still, picture.expand(2, 3, 6, 10))
    views = transform(picture, 5, 0.1, 0.2, 10, seed=1)
    torch.testing.assert_close(transform(picture, 3, 0.1, 0.2, 10, seed=1), views[:3])
    assert not torch.equal(views[0], views[1])


def test_a_turn_does_not_shear_a_picture_that_is_not_square() -> None:
    height, width = 40, 80
    rows, columns = torch.meshgrid(torch.arange(height) - 19.5, torch.arange(width) - 39.5, indexing="ij")
    disc = (0.5 - (torch.hypot(rows, columns) - 12)).clamp(0, 1)[None]
    # Beyond the picture views are grey.
    inside = torch.hypot(rows, columns) < 18
    for view in transform(disc, 4, 0, 0, 180, seed=3):
        assert float((view - disc)[0, inside].abs().max()) < 0.3


# -- stopping and going on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("parametrisation", ["fourier", "pixels"])
def test_going_on_gives_what_an_uninterrupted_ascent_gives(parametrisation: Any, target: Any) -> None:
    classifier = networks.classifier(guest())
    visual = ActivationMaximisation(parametrisation, iterations=9, views=2, blur=0.5)
    whole = list(visual.steps(classifier, target))
    steps = visual.steps(classifier, target)
    for _ in range(4):
        stopped = next(steps)
    steps.close()  # type: ignore[attr-defined]
    torch.rand(7)
    *_, last = visual.steps(classifier, target, stopped)
    same(last, whole[-1])
    same(visual(classifier, target), whole[-1])
    # A longer ascent begins with a shorter one; one that is over stays as it is.
    longer = dataclasses.replace(visual, iterations=12)
    assert torch.equal(longer(classifier, target, last).parameters, longer(classifier, target).parameters)
    assert list(visual.steps(classifier, target, last)) == [last]


def test_another_seed_gives_another_picture() -> None:
    classifier = networks.classifier(guest())
    first, second = (dataclasses.replace(QUICK, seed=seed)(classifier, 1) for seed in (0, 1))
    assert (first.appearance != second.appearance).any()


def test_going_on_with_something_else_is_refused() -> None:
    classifier = networks.classifier(guest())
    start = QUICK(classifier, 1)
    others: list[tuple[ActivationMaximisation, Classifier, Any]] = [
        (QUICK, classifier, 2),
        (QUICK, networks.classifier(guest()), 1),
        (dataclasses.replace(QUICK, parametrisation="pixels"), classifier, 1),
    ]
    for visual, of, target in others:
        with pytest.raises(MethodError, match="same classifier, target and parametrisation"):
            visual(of, target, start)


# -- the network is a guest --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("caller", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_network_and_caller_are_left_as_found(target: Any, caller: Callable[[], Any]) -> None:
    network = guest()
    classifier = networks.classifier(network)
    expected = QUICK(classifier, target)
    before = state(network)
    with caller():
        modes = mode()
        for result in QUICK.steps(classifier, target):  # noqa: B007
            assert state(network) == before and mode() == modes
        assert result.step == 6
        _ = result.robustness(2), result.probabilities()
        assert state(network) == before and mode() == modes
        steps = QUICK.steps(classifier, target)
        next(steps)
        steps.close()  # type: ignore[attr-defined]
        assert state(network) == before and mode() == modes
    same(result, expected)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_network_and_caller_are_left_as_found_after_a_failure(target: Any) -> None:
    network = guest()
    classifier = networks.classifier(network)
    assert classifier.layers and classifier.black is not None
    before, modes = state(network), mode()
    network.failing.left = 2
    with pytest.raises(ClassifierError, match="the failing module was called"):
        QUICK(classifier, target)
    assert state(network) == before and mode() == modes


def test_nothing_behind_the_layer_is_computed() -> None:
    build = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), Failing(), nn.Flatten(), nn.LazyLinear(5))
    build(torch.zeros(1, 3, *networks.SIZE))
    classifier = networks.classifier(build)
    assert classifier.layers
    build[2].left = 0
    for layer in ("0", "1"):
        assert QUICK(classifier, Channel(layer, 2)).step == 6
    with pytest.raises(ClassifierError):
        QUICK(classifier, 2)


class Greedy(nn.Module):
    """Goes on after any ordinary exception of its convolution."""

    beyond = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.beyond = 0

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        try:
            values = self.conv(pixels)
        except Exception:
            values = pixels
        self.beyond += 1
        return values.mean((2, 3))


def test_a_network_that_catches_exceptions_is_cut_all_the_same() -> None:
    network = seeded(Greedy)
    classifier = networks.classifier(network)
    assert classifier.layers
    before = network.beyond
    assert QUICK(classifier, Channel("conv", 0)).step == 6
    assert network.beyond == before


def test_a_module_called_twice_is_cut_at_the_call_that_is_meant() -> None:
    classifier = networks.classifier(seeded(networks.UsedTwice))
    first, second = (QUICK(classifier, Channel(name, 1)) for name in ("conv#1", "conv"))
    with classifier.recording("conv#1", "conv") as outputs:
        classifier.logits(first.pixels)
    assert first.score is not None and not math.isclose(first.score, second.score or 0)
    assert not torch.equal(outputs["conv#1"], outputs["conv"])


# -- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        (99, TargetError, "classes 0 to 4"),
        (Target(0, -1), TargetError, "classes 0 to 4"),
        (Channel("nope", 0), LayerError, "no layer 'nope'"),
        (Channel("conv2", 6), TargetError, "channels 0 to 5"),
        (Channel("conv2", True), TargetError, "channels 0 to 5"),
    ],
)
def test_a_target_that_does_not_exist(target: Any, kind: type[ExplanationError], words: str) -> None:
    with pytest.raises(kind, match=words):
        QUICK(networks.classifier(guest()), target)


def test_a_dead_channel_is_said_to_be_dead() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
    network(torch.zeros(1, 3, *networks.SIZE))
    with torch.no_grad():
        network[0].bias.fill_(-100)
    with pytest.raises(MethodError, match="Channel 1 of 1 does not react"):
        ActivationMaximisation(tv=0)(networks.classifier(network), Channel("1", 1))


@pytest.mark.parametrize(
    "wrong",
    [{"parametrisation": "wavelet"}, {"iterations": 0}, {"rate": 0}, {"jitter": 2}, {"tv": -1}, {"seed": -1}],
)
def test_parameters_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(MethodError, match=next(iter(wrong))):
        ActivationMaximisation(**wrong)


# -- memory and precision ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [2, Target(1, 3), Channel("network.features.3", 4)])
def test_views_that_do_not_fit_into_memory_are_run_in_parts(target: Any) -> None:
    network = Crowded(seeded(networks.ConvGapLinear), most=3)
    crowded = networks.classifier(network)
    visual = ActivationMaximisation(iterations=6, views=7)
    found = visual(crowded, target)
    assert network.failed == [7], "and then two at once, or one"
    robust = found.robustness()
    network.most = 100
    roomy = networks.classifier(network)
    expected = visual(roomy, target)
    torch.testing.assert_close(found.parameters, expected.parameters, rtol=1e-3, atol=1e-4)
    assert found.score == pytest.approx(expected.score, rel=1e-3)
    np.testing.assert_allclose(robust, expected.robustness(), atol=1e-4)


def test_with_autocast_the_score_rises_too() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear)).with_autocast("bfloat16")
    visual = ActivationMaximisation(iterations=40, rate=0.2, tv=0)
    result = visual(classifier, 2)
    exact = networks.classifier(classifier.network)
    with torch.no_grad():
        start, end = (float(exact.logits(each.pixels)[0, 2]) for each in (visual.start(exact, 2), result))
    assert end > start and result.parameters.dtype == torch.float32
    assert result.pixels.dtype == torch.float32
