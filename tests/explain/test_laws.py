"""What holds for every technique. A new one is added to tests/support/techniques.py."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cnnviz_widgets.explain as explain
from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import (
    ClassifierError,
    ExplanationError,
    LayerError,
    MethodError,
    PictureError,
    TargetError,
)
from cnnviz_widgets.explain import Explainer
from cnnviz_widgets.views.parts.scales import scales_of
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import CLASSES, Crowded, seeded
from tests.support.techniques import BASES, TECHNIQUES, all_techniques, having, same


def test_every_exported_technique_is_held_to_the_laws() -> None:
    exported = {getattr(explain, name) for name in explain.__all__}
    techniques = {value for value in exported if inspect.isclass(value) and issubclass(value, Explainer)}
    assert techniques - BASES == set(TECHNIQUES), "add the missing technique to TECHNIQUES"
    assert all(type(explainer) is technique for technique, explainer in TECHNIQUES.items())


@all_techniques
def test_is_a_frozen_comparable_value(explainer: Explainer) -> None:
    assert dataclasses.replace(explainer) == explainer
    assert hash(dataclasses.replace(explainer)) == hash(explainer)
    for field in dataclasses.fields(explainer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(explainer, field.name, None)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "batch norm and dropout in train mode": guest,
    "greyscale": lambda: seeded(lambda: networks.ConvGapLinear(channels=1)),
    "in place": lambda: seeded(lambda: networks.ConvGapLinear(inplace=True)),
    "functional relu": lambda: seeded(networks.FunctionalReLU),
    "tuple output": lambda: seeded(networks.TupleOutput),
    "modules used twice": lambda: seeded(networks.UsedTwice),
}


@all_techniques
@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS.keys())
def test_yields_heatmaps_of_the_input_s_size(explainer: Explainer, build: Callable[[], nn.Module]) -> None:
    classifier = networks.classifier(build())
    pixels = networks.picture(classifier)
    for target in (1, Target(0, 3)):
        steps = list(explainer.steps(classifier, pixels, target))
        for step in steps:
            assert step.values.shape == networks.SIZE
            assert step.values.dtype == step.cells.dtype == np.float32
            assert step.cells.ndim == 2 and step.cells.size > 1
            assert np.isfinite(step.values).all() and np.isfinite(step.cells).all()
            assert step.signed or step.values.min() >= 0
            assert step.quantity and step.target == classifier.target(target)
            assert 0 < step.progress <= 1
        progress = [step.progress for step in steps]
        assert progress == sorted(set(progress)) and progress[-1] == 1
        assert steps[-1].values.std() > 0
        same(explainer(classifier, pixels, target), steps[-1])


@all_techniques
def test_takes_pictures_of_another_size_than_the_classifier_s(explainer: Explainer) -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(networks.classifier(guest(), (20, 14)))
    heatmap = explainer(classifier, pixels, 1)
    assert heatmap.values.shape == (20, 14) and np.isfinite(heatmap.values).all()


@all_techniques
def test_gives_the_same_again(explainer: Explainer) -> None:
    classifier = networks.classifier(guest())
    pixels, others = networks.picture(classifier), networks.picture(classifier, seed=2)
    first = explainer(classifier, pixels, 1)
    other = explainer(classifier, others, 1)
    second = explainer(classifier, pixels, 1)
    np.testing.assert_array_equal(first.values, second.values)
    assert (first.values != other.values).any()


@all_techniques
def test_does_not_depend_on_the_batches_it_is_computed_in(
    explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier)
    results = {}
    for batch in (1, 3, 64):
        monkeypatch.setattr(Batches, "batch", batch)
        results[batch] = list(explainer.steps(classifier, pixels, 1))
    same(results[1][-1], results[3][-1])
    same(results[1][-1], results[64][-1])
    if len(results[1]) > 1:
        assert len(results[1]) > len(results[64]), "the batch made no difference to the work"


@all_techniques
@pytest.mark.parametrize("gradients", [False, True])
def test_pixels_are_left_as_found(explainer: Explainer, gradients: bool) -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier).requires_grad_(gradients)
    pixels.grad = torch.ones_like(pixels) if gradients else None
    grad, before, version = pixels.grad, pixels.detach().clone(), pixels._version
    explainer(classifier, pixels, 1)
    assert torch.equal(pixels, before) and pixels._version == version
    assert pixels.requires_grad is gradients and pixels.is_leaf and pixels.grad is grad
    assert grad is None or bool((grad == 1).all())


@all_techniques
@pytest.mark.parametrize("error", [MemoryError, torch.cuda.OutOfMemoryError])
def test_goes_on_with_smaller_batches_when_memory_runs_out(
    explainer: Explainer, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batches, "batch", 64)
    roomy = networks.classifier(guest())
    pixels = networks.picture(roomy)
    network = Crowded(guest(), most=3, error=error)
    classifier = networks.classifier(network)
    before = state(network)
    first = explainer.layer_in(roomy) if isinstance(explainer, explain.LayerExplainer) else roomy.default_layer
    layer = {"layer": f"network.{first}"} if hasattr(explainer, "layer") else {}
    same(dataclasses.replace(explainer, **layer)(classifier, pixels, 1), explainer(roomy, pixels, 1))
    # 64 or less, then half of it until two fit: and what fits is remembered.
    assert len(network.failed) <= 5 and len(set(network.failed)) == len(network.failed)
    network.failed.clear()
    dataclasses.replace(explainer, **layer)(classifier, pixels, 1)
    assert not network.failed
    assert state(network) == before


@all_techniques
@pytest.mark.parametrize("name", ["guest", "in place", "functional relu", "tuple output", "modules used twice"])
def test_with_autocast_it_is_nearly_the_same_map(explainer: Explainer, name: str) -> None:
    network = NETWORKS.get(name, guest)()
    exact = networks.classifier(network)
    pixels = networks.picture(exact)
    before = state(network)
    classifier = exact.with_autocast("bfloat16")
    assert 0 < classifier.autocast_error(pixels) < 0.05
    for target in (1, Target(0, 3)):
        found, expected = explainer(classifier, pixels, target), explainer(exact, pixels, target)
        assert found.values.dtype == found.cells.dtype == np.float32
        # Eight bits of a logit are few where the map is of small differences between logits.
        assert np.corrcoef(found.values.flat, expected.values.flat)[0, 1] > 0.9
        assert np.abs(found.values - expected.values).mean() < 0.2 * np.abs(expected.values).max()
    assert state(network) == before


# -- what the network's scores are ---------------------------------------------------------------------------


class Ending(nn.Module):
    """A network whose scores go through `end`."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = guest()
        self.end = end

    def forward(self, pixels: Tensor) -> Tensor:
        return self.end(self.network(pixels))


def softmax_by_hand(scores: Tensor) -> Tensor:
    shifted = (scores - scores.amax(dim=1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=1, keepdim=True)


ENDS: dict[str, tuple[Callable[[Tensor], Tensor], Any]] = {
    "softmax": (nn.Softmax(dim=1), "softmax"),
    "log-softmax": (nn.LogSoftmax(dim=1), "softmax"),
    "softmax by hand": (softmax_by_hand, "softmax"),
    "sigmoid": (nn.Sigmoid(), "sigmoid"),
}


@all_techniques
@pytest.mark.parametrize(("end", "scores"), ENDS.values(), ids=ENDS.keys())
def test_a_softmax_or_sigmoid_at_the_end_changes_no_map(explainer: Explainer, end: Any, scores: Any) -> None:
    bare = Classifier(Ending(nn.Identity()), input_size=networks.SIZE, scores=scores)
    classifier = Classifier(Ending(end), input_size=networks.SIZE)
    assert classifier.scores == scores
    pixels = networks.picture(bare)
    before = state(classifier.network)
    for target in (1, Target(0, 3)):
        found, expected = explainer(classifier, pixels, target), explainer(bare, pixels, target)
        same(found, expected)
        assert found.quantity == expected.quantity
    assert state(classifier.network) == before


@having("score")
@pytest.mark.parametrize("scores", ["softmax", "sigmoid"])
def test_a_probability_is_that_of_the_mode(explainer: Any, scores: Any) -> None:
    """In the logits of a network that answers with the probabilities, and with scores='none'."""
    link = nn.Softmax(dim=1) if scores == "softmax" else nn.Sigmoid()
    expected = Classifier(Ending(link), input_size=networks.SIZE, scores="none")
    pixels = networks.picture(expected)
    for end in (nn.Identity(), link):
        classifier = Classifier(Ending(end), input_size=networks.SIZE, scores=scores)
        found = dataclasses.replace(explainer, score="probability")(classifier, pixels, 1)
        same(found, dataclasses.replace(explainer, score="logit")(expected, pixels, 1))
        assert "probability" in found.quantity


@all_techniques
def test_scores_that_are_no_probabilities_are_explained_as_they_are(explainer: Any) -> None:
    bare, plain = (Classifier(Ending(nn.Identity()), input_size=networks.SIZE, scores=s) for s in (None, "none"))
    pixels = networks.picture(plain)
    if hasattr(explainer, "score"):
        with pytest.raises(MethodError, match="choose score='logit'"):
            dataclasses.replace(explainer, score="probability")(plain, pixels, 1)
        explainer = dataclasses.replace(explainer, score="logit")
    found = explainer(plain, pixels, 1)
    same(found, explainer(bare, pixels, 1))
    assert "logit" not in found.quantity and "probab" not in found.quantity


# -- nothing is nothing ------------------------------------------------------------------------------------


class Hardly(nn.Module):
    """Logits that depend on the picture by `share`, beside those that are the same for all."""

    def __init__(self, share: float, constant: float) -> None:
        super().__init__()
        self.inner = networks.ConvGapLinear()
        self.share = share
        self.constant = constant

    def forward(self, pixels: Tensor) -> Tensor:
        fixed = self.constant + torch.arange(float(CLASSES))
        return self.inner.fc(self.inner.features(pixels).mean((2, 3))) * self.share + fixed


#: It shows what a layer answers to, whatever the scores are.
SCORED = [explainer for explainer in TECHNIQUES.values() if not isinstance(explainer, explain.EigenCAM)]


@pytest.mark.parametrize("explainer", SCORED, ids=[type(explainer).__name__ for explainer in SCORED])
@pytest.mark.parametrize(("share", "constant"), [(0, 3), (1e-9, 1), (1e-8, 40), (1e-5, 3000)])
def test_what_is_rounding_is_said_to_be_nothing_and_drawn_as_zero(
    explainer: Explainer, share: float, constant: float
) -> None:
    classifier = networks.classifier(seeded(lambda: Hardly(share, constant)))
    pixels = networks.picture(classifier)
    for target in (1, Target(0, 3)):
        for version in [explainer, *scored_by_probability(explainer)]:
            found = version(classifier, pixels, target)
            assert found.blank and " changes the score by more than rounding" in found.note
            for name, low, high in scales_of(found.cells, signed=found.signed, tailed=True, blank=found.blank):
                assert np.abs(found.cells).max() <= (high - low) / 256, name


def scored_by_probability(explainer: Explainer) -> list[Explainer]:
    scores = {field.name for field in dataclasses.fields(explainer)} & {"score"}  # type: ignore[arg-type]
    return [dataclasses.replace(explainer, score=score) for score in ("logit", "probability") if scores]


@all_techniques
@pytest.mark.parametrize(("share", "constant"), [(1, 0), (1e-3, 0), (1e-8, None), (1, 1000)])
def test_what_is_small_and_yet_there_is_drawn(explainer: Explainer, share: float, constant: float | None) -> None:
    network = seeded(lambda: Hardly(share, constant or 0))
    if constant is None:
        network = nn.Sequential(network.inner, Scaled(share))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    for target in (1, Target(0, 3)):
        for version in scored_by_probability(explainer)[:1] or [explainer]:
            found = version(classifier, pixels, target)
            assert not found.blank and "rounding" not in found.note


class Scaled(nn.Module):
    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, logits: Tensor) -> Tensor:
        return logits * self.share


@all_techniques
def test_notes_are_whole_sentences(explainer: Explainer) -> None:
    classifier = networks.classifier(guest())
    note = explainer(classifier, networks.picture(classifier), 1).note
    assert not note or (note[0].isupper() and note.endswith(".") and "  " not in note and "\n" not in note)


# -- the user's network is a guest -------------------------------------------------------------------------


@all_techniques
def test_the_network_is_left_as_found_after_success_and_between_steps(explainer: Explainer) -> None:
    network = guest()
    before = state(network)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    for _ in explainer.steps(classifier, pixels, Target(0, 1)):
        assert state(network) == before
    assert state(network) == before


@all_techniques
@pytest.mark.parametrize("left", [0, 1, 2, 4])
def test_the_network_is_left_as_found_after_it_raised(explainer: Explainer, left: int) -> None:
    network = guest()
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    assert classifier.layers and classifier.black is not None
    before, modes = state(network), mode()
    network.failing.left = left
    try:
        for _ in explainer.steps(classifier, pixels, 1):
            assert mode() == modes
    except ClassifierError as error:
        assert network.failing.left < 0, f"{error} came without a failure"
        assert str(error).startswith("Guest ") and "\n" not in str(error)
    else:
        assert network.failing.left >= 0, "a failure was swallowed"
    assert state(network) == before and mode() == modes
    network.failing.left = float("inf")
    assert np.isfinite(explainer(classifier, pixels, 1).values).all()


@all_techniques
def test_the_network_is_left_as_found_after_cancellation(explainer: Explainer) -> None:
    network = guest()
    before = state(network)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    steps = explainer.steps(classifier, pixels, 1)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert state(network) == before
    next(explainer.steps(classifier, pixels, 1))  # dropped, not closed
    explainer.steps(classifier, pixels, 1)  # never begun
    assert state(network) == before


@all_techniques
@pytest.mark.parametrize("caller", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_callers_in_any_mode_stay_in_it_and_get_the_same(explainer: Explainer, caller: Callable[[], Any]) -> None:
    classifier, network = networks.classifier(guest()), guest()
    pixels = networks.picture(classifier)
    expected = explainer(classifier, pixels, 1)
    results = []
    with caller():
        modes = mode()
        for result in explainer.steps(classifier, pixels.clone(), 1):
            assert mode() == modes
            results.append(result)
        assert mode() == modes
        # The network is looked at for the first time in this mode, too.
        same(explainer(networks.classifier(network), pixels.clone(), 1), expected)
    same(results[-1], expected)
    # A generator may be advanced in another mode, as on another thread.
    steps = explainer.steps(classifier, pixels, 1)
    with caller():
        first = next(steps)
    *_, last = (first, *steps)
    same(last, expected)


# -- bad input ---------------------------------------------------------------------------------------------


def fails_with(kind: type[ExplanationError], explainer: Explainer, classifier: Classifier, target: Any) -> None:
    before = state(classifier.network)
    with pytest.raises(kind) as raised:
        explainer(classifier, networks.picture(classifier), target)
    message = str(raised.value)
    assert 20 < len(message) < 400 and "\n" not in message
    assert state(classifier.network) == before


@having("layer")
@pytest.mark.parametrize("layer", ["nope", "fc", "", "conv2#7"])
def test_a_layer_that_does_not_exist(explainer: Any, layer: str) -> None:
    fails_with(LayerError, dataclasses.replace(explainer, layer=layer), networks.classifier(guest()), 1)


@all_techniques
@pytest.mark.parametrize("target", [-1, CLASSES, 1.5, True, Target(None), "unicorn", Target(0, CLASSES), Target(-1, 0)])
def test_a_class_that_does_not_exist(explainer: Explainer, target: Any) -> None:
    fails_with(TargetError, explainer, networks.classifier(guest()), target)


@all_techniques
@pytest.mark.parametrize("shape", [(2, 3, *networks.SIZE), (1, 1, *networks.SIZE), (3, *networks.SIZE)])
def test_pixels_of_another_shape(explainer: Explainer, shape: tuple[int, ...]) -> None:
    with pytest.raises(PictureError, match="One network input is explained at a time"):
        explainer(networks.classifier(guest()), torch.zeros(shape), 1)


@all_techniques
def test_a_network_that_answers_nan(explainer: Explainer) -> None:
    network = guest()
    classifier = networks.classifier(network)
    network.poison.on = True
    fails_with(ClassifierError, explainer, classifier, 1)
