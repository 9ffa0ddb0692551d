"""Networks that run otherwise than most have the maps of a plain network that computes the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets import explain
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches, quickly
from cnnviz_widgets.classifier.randomness import OwnRandomness, same_draws
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain import Explainer
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.graph.engine import engine_for
from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.activations import activations
from cnnviz_widgets.study.maximisation import ascent
from tests.support import networks
from tests.support.networks import ConvGapLinear, seeded
from tests.support.techniques import TECHNIQUES, all_techniques, same


class OneOnly(ConvGapLinear):
    """Flattens to one row, whatever it is given."""

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.pool(self.features(pixels)).view(1, -1))


class FirstOnly(ConvGapLinear):
    """Answers for the first picture, without an axis of pictures."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels)[0]


class Normalising(ConvGapLinear):
    """Changes its input."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels.sub_(0.5).div_(0.25))


class Normalised(ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward((pixels - 0.5) / 0.25)


class Hooked(ConvGapLinear):
    """Sets a hook on a tensor, as many a tutorial on Grad-CAM."""

    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.features(pixels)
        maps.register_hook(lambda gradient: None)
        return self.fc(torch.flatten(self.pool(maps), 1))


class Retaining(ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.features(pixels)
        maps.retain_grad()
        return self.fc(torch.flatten(self.pool(maps), 1))


class WithFeatures(ConvGapLinear):
    def forward(self, pixels: Tensor) -> Any:
        vector = torch.flatten(self.pool(self.features(pixels)), 1)
        return vector, {"scores of mine": self.fc(vector), "others": -self.fc(vector)}


class Dropping(ConvGapLinear):
    """Leaves out half of what it pooled, in eval mode too."""

    def forward(self, pixels: Tensor) -> Tensor:
        vector = torch.flatten(self.pool(self.features(pixels)), 1)
        return self.fc(functional.dropout(vector, 0.5, training=True))


class Dropped(ConvGapLinear):
    """The same units left out each time: those that are with the same random numbers."""

    def forward(self, pixels: Tensor) -> Tensor:
        vector = torch.flatten(self.pool(self.features(pixels)), 1)
        own = OwnRandomness()
        with own, same_draws(own), torch.no_grad():
            mask = functional.dropout(torch.ones(1, 8), 0.5, training=True)
        return self.fc(vector * mask)


class BatchStatistics(nn.Module):
    """Normalises with the statistics of the batch, in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6, track_running_stats=False),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(),
        )
        self.fc = nn.Linear(8, networks.CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.features(pixels).mean((2, 3)))


class InstanceStatistics(BatchStatistics):
    """What it computes for a single picture."""

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.features[0](pixels)
        values = functional.instance_norm(values, weight=self.features[1].weight, bias=self.features[1].bias)
        return self.fc(self.features[2:](values).mean((2, 3)))


@dataclass(frozen=True)
class Pair:
    """An odd network, and one that computes the same for each picture."""

    odd: type[nn.Module]
    plain: type[nn.Module]
    one_at_a_time: bool = False
    output: Any = None

    def classifiers(self) -> tuple[Classifier, Classifier]:
        odd = Classifier(seeded(self.odd), input_size=networks.SIZE, output=self.output)
        return odd, networks.classifier(seeded(self.plain))


PAIRS = {
    "one picture only": Pair(OneOnly, ConvGapLinear, one_at_a_time=True),
    "the first picture only": Pair(FirstOnly, ConvGapLinear, one_at_a_time=True),
    "batch statistics": Pair(BatchStatistics, InstanceStatistics, one_at_a_time=True),
    "dropout left on": Pair(Dropping, Dropped, one_at_a_time=True),
    "changes its input": Pair(Normalising, Normalised),
    "register_hook": Pair(Hooked, ConvGapLinear),
    "retain_grad": Pair(Retaining, ConvGapLinear),
    "several outputs": Pair(WithFeatures, ConvGapLinear, output=(1, "scores of mine")),
}
all_pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@all_pairs
@all_techniques
def test_the_map_is_that_of_the_plain_network(explainer: Explainer, pair: Pair) -> None:
    odd, plain = pair.classifiers()
    pixels = networks.picture(plain)
    before = pixels.clone()
    if hasattr(explainer, "layer"):
        explainer = replace(explainer, layer="features.4")  # type: ignore[call-arg]
    found, expected = explainer(odd, pixels, 1), explainer(plain, pixels, 1)
    assert np.abs(expected.values).max() > 0
    same(found, expected)
    assert torch.equal(pixels, before)


@all_pairs
def test_everything_else_is_that_of_the_plain_network(pair: Pair) -> None:
    odd, plain = pair.classifiers()
    assert odd.one_at_a_time is pair.one_at_a_time and not plain.one_at_a_time
    assert bool(odd.notes) is pair.one_at_a_time
    several = networks.picture(plain, count=5)
    before = several.clone()
    with torch.no_grad():
        torch.testing.assert_close(odd.logits(several), plain.logits(several))
        torch.testing.assert_close(odd.logits(several), odd.logits(several), rtol=0, atol=0)
        assert not odd.logits(several).requires_grad
    assert odd.logits(several[:0]).shape == (0, networks.CLASSES)
    pixels = several[:1]
    for name in ("features.0", "features.4"):
        np.testing.assert_allclose(
            activations(odd, pixels, name).maps, activations(plain, pixels, name).maps, atol=1e-5
        )
        np.testing.assert_allclose(ablate(odd, pixels, name, [1, 3]), ablate(plain, pixels, name, [1, 3]), atol=1e-5)
        torch.testing.assert_close(
            Tape(odd, pixels, [name]).gradient(name, 2), Tape(plain, pixels, [name]).gradient(name, 2)
        )
    leaf = several.clone().requires_grad_()
    expected = torch.autograd.grad(plain.logits(leaf)[:, 1].sum(), leaf)[0]
    torch.testing.assert_close(torch.autograd.grad(odd.logits(leaf)[:, 1].sum(), leaf)[0], expected)
    assert torch.equal(several, before)


@all_pairs
@pytest.mark.parametrize("target", [2, ascent.Channel("features.4", 3)])
def test_class_visualisation(pair: Pair, target: Any) -> None:
    odd, plain = pair.classifiers()
    maximisation = ascent.ActivationMaximisation(iterations=4, views=3)
    found, expected = maximisation(odd, target), maximisation(plain, target)
    torch.testing.assert_close(found.pixels, expected.pixels, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.robustness(4), expected.robustness(4), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS.values() if pair.one_at_a_time])
def test_several_pictures_are_not_recorded_as_one(pair: Pair) -> None:
    odd, _ = pair.classifiers()
    several = networks.picture(odd, count=2)
    with odd.recording("features.0") as outputs:
        odd.logits(several[:1])
        assert outputs["features.0"].shape[0] == 1
        with pytest.raises(ClassifierError, match="one picture at a time; record one"):
            odd.logits(several)
    with pytest.raises(ClassifierError, match="one picture at a time; watch one"):
        watch(odd, several, ["features.0"], lambda name, output: None)
    assert odd.logits(several).shape == (2, networks.CLASSES)


def test_the_quick_way_is_not_taken_where_pictures_see_each_other() -> None:
    network = seeded(BatchStatistics)
    classifier = Classifier(network, input_size=96)
    pixels = networks.picture(classifier)

    def never(boxes: Any) -> Tensor:
        raise AssertionError

    assert engine_for(classifier, pixels, torch.zeros_like(pixels), never) is None


def test_autocast_of_pictures_one_at_a_time() -> None:
    odd, _ = PAIRS["batch statistics"].classifiers()
    several = networks.picture(odd, count=4)
    expected = torch.cat([odd.with_autocast("bfloat16").logits(one) for one in several.split(1)])
    assert torch.equal(odd.with_autocast("bfloat16").logits(several), expected)
    assert 0 < odd.with_autocast("bfloat16").autocast_error(several) < 0.05


def test_batches_are_of_one() -> None:
    odd, plain = PAIRS["batch statistics"].classifiers()
    assert quickly(odd, "features", 32) == 1 < quickly(plain, "features", 32)
    parts = Batches(odd, (3, *networks.SIZE), "gradients").run(3, lambda part: part)
    assert parts == [slice(0, 1), slice(1, 2), slice(2, 3)]


@all_pairs
@pytest.mark.parametrize("batch", [None, 3])
def test_collections(pair: Pair, batch: int | None) -> None:
    odd, plain = pair.classifiers()
    pictures = networks.picture(plain, count=7)
    before = pictures.clone()
    for layer in ("features.4", "fc"):
        found, expected = (FeatureStore.build(one, pictures, layer, batch=batch) for one in (odd, plain))
        np.testing.assert_allclose(found.features, expected.features, atol=1e-5)
        np.testing.assert_allclose(found.logits, expected.logits, atol=1e-5)
    *_, found_spots = scan(odd, pictures, ["features.0", "features.4"], batch=batch)
    *_, expected_spots = scan(plain, pictures, ["features.0", "features.4"], batch=batch)
    for name, spots in expected_spots.layers.items():
        np.testing.assert_allclose(found_spots.layers[name].values, spots.values, atol=1e-5)
        np.testing.assert_array_equal(found_spots.layers[name].images, spots.images)
    assert torch.equal(pictures, before)


@pytest.mark.parametrize("explainer", [TECHNIQUES[explain.Occlusion], TECHNIQUES[explain.RISE]])
def test_a_map_of_a_random_network_draws_nothing_of_the_user_s(explainer: Explainer) -> None:
    network: Callable[[], nn.Module] = Dropping
    state = torch.get_rng_state()
    classifier = networks.classifier(seeded(network))
    explainer(classifier, networks.picture(classifier), 0)
    assert torch.equal(torch.get_rng_state(), state)
