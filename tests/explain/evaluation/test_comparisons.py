"""Randomised weights, agreement of techniques, other classes, and the pointing game."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torchvision
from scipy.stats import spearmanr
from torch import nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import (
    CAM,
    LRP,
    TECHNIQUES,
    AblationCAM,
    EigenCAM,
    Explainer,
    FinerCAM,
    GradCAM,
    HiResCAM,
    KernelSHAP,
    Occlusion,
    RandomizationTest,
    Saliency,
    agreement,
    another_class,
    pointing_game,
    randomize,
)
from cnnviz_widgets.explain.evaluation.agreement import OTHER_PHOTOGRAPH
from cnnviz_widgets.explain.notes import rank_correlation
from tests.explain.evaluation.test_insertion import heatmap_of, noise
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import SIZE, picture, seeded

# -- randomised weights --------------------------------------------------------------------------------------------


class Deep(nn.Module):
    """Two convolutions with batch norms, an unused one, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 5)
        self.spare = nn.Conv2d(3, 3, 1)
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU())

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(pixels)).mean((2, 3)))


def weights(classifier: Classifier) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in classifier.network.state_dict().items()}


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0, []), (1 / 3, ["head"]), (2 / 3, ["head", "second.0"]), (1, ["head", "second.0", "first.0"])],
)
def test_draws_the_last_layers_anew_in_a_copy(share: float, drawn: list[str]) -> None:
    classifier = networks.classifier(seeded(Deep))
    pixels = picture(classifier)
    before, ours = state(classifier.network), weights(classifier)
    random = randomize(classifier, share, pixels)
    assert random.network is not classifier.network and state(classifier.network) == before
    theirs = weights(random)
    changed = {
        name.removesuffix(".weight") for name in ours if ours[name].ndim > 1 and (ours[name] != theirs[name]).any()
    }
    assert changed == set(drawn)
    assert torch.equal(classifier.logits(pixels), random.logits(pixels)) is (share == 0)
    again = randomize(classifier, share, pixels)
    assert torch.equal(random.logits(pixels), again.logits(pixels))
    other = randomize(classifier, share, pixels, seed=1)
    assert share == 0 or not torch.equal(random.logits(pixels), other.logits(pixels))


def test_weights_are_he_s_and_biases_nothing() -> None:
    classifier = networks.classifier(seeded(lambda: nn.Sequential(
        nn.Conv2d(3, 64, 5), nn.ReLU(), nn.Conv2d(64, 128, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 40)
    )))  # fmt: skip
    network = randomize(classifier, 1).network
    for place, outputs in ((0, 64 * 25), (2, 128 * 9), (5, 40)):
        weight = network[place].weight
        assert float(weight.std()) == pytest.approx(np.sqrt(2 / outputs), rel=0.08)
        assert abs(float(weight.mean())) < 5 * float(weight.std()) / np.sqrt(weight.numel())
        assert not network[place].bias.any()


def test_batch_norms_behind_random_layers_are_measured_anew() -> None:
    classifier = networks.classifier(seeded(Deep))
    pixels = picture(classifier)
    random = randomize(classifier, 2 / 3, pixels)
    mirrored = torch.cat([pixels.flip(sides) for sides in ((), (3,), (2,), (2, 3))])
    with torch.no_grad():
        found = random.network.second[0](random.network.first(mirrored))
    norm = random.network.second[1]
    torch.testing.assert_close(norm.running_mean, found.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, found.var((0, 2, 3)), atol=1e-5, rtol=1e-4)
    assert (norm.weight == 1).all() and not norm.bias.any() and not norm.training and norm.momentum == 0.1
    old = classifier.network.first[1]
    assert torch.equal(random.network.first[1].running_mean, old.running_mean)


def test_a_library_s_own_initial_kernels_are_used() -> None:
    network = seeded(lambda: torchvision.models.mobilenet_v3_small(weights=None, num_classes=7))
    classifier = Classifier(network, input_size=32)
    random = randomize(classifier, 1).network
    kernel = random.features[12][0].weight  # of 1 x 1, kaiming_normal_ with fan out
    assert float(kernel.std()) == pytest.approx(np.sqrt(2 / kernel.shape[0]), rel=0.05)
    assert not torch.equal(kernel, network.features[12][0].weight)


def test_a_map_of_the_edges_survives_and_that_of_the_class_does_not() -> None:
    classifier = networks.classifier(seeded(Deep))
    pixels = picture(classifier)
    assert [found.correlation for found in RandomizationTest().maps(EigenCAM(), classifier, pixels, 1)][1] > 0.999
    found = list(RandomizationTest(depths=3).maps(GradCAM(), classifier, pixels, 1))
    assert [one.count for one in found] == [0, 1, 2, 3] and {one.total for one in found} == {3}
    assert [one.layer for one in found] == ["", "head", "second.0", "first.0"]
    assert found[0].correlation == 1 and found[1].correlation < 0.9
    assert "maps of two different photographs already do at about 0.48" in found[2].sentence
    assert found[0].heatmap.cells.min() < 0  # with what ReLU would cut off


@pytest.mark.parametrize("technique", [GradCAM(), Saliency(), Occlusion(window=4, stride=4)], ids=lambda one: one.label)
def test_each_map_is_that_of_a_copy_with_as_many_random_layers(technique: Explainer) -> None:
    classifier = networks.classifier(seeded(Deep))
    pixels = picture(classifier)
    signed = dataclasses.replace(technique, relu=False) if isinstance(technique, GradCAM) else technique
    whole = signed(classifier, pixels, 2).cells
    layer = classifier.default_layer if isinstance(technique, GradCAM) else None
    for found in RandomizationTest(depths=4).maps(technique, classifier, pixels, 2):
        random = randomize(classifier, found.count / found.total, pixels)
        alone = dataclasses.replace(signed, layer=layer) if isinstance(signed, GradCAM) else signed
        expected = alone(random, pixels, 2).cells
        np.testing.assert_allclose(found.heatmap.cells, expected, atol=1e-5)
        assert found.correlation == pytest.approx(spearmanr(whole.ravel(), expected.ravel()).statistic, abs=1e-6)


def test_the_user_s_network_stays_as_it_was() -> None:
    network = guest()
    classifier = networks.classifier(network)
    before, modes = state(network), mode()
    steps = RandomizationTest().maps(GradCAM(), classifier, picture(classifier), 1)
    for _ in range(2):
        next(steps)
        assert state(network) == before and mode() == modes
    steps.close()
    list(RandomizationTest().maps(Saliency(), classifier, picture(classifier), 1))
    assert state(network) == before and mode() == modes


def test_says_what_cannot_be_randomised(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(seeded(Deep))
    with pytest.raises(MethodError, match="number from 0 to 1"):
        randomize(classifier, 2)

    def refuse(_: object) -> None:
        raise RuntimeError("no copies")

    monkeypatch.setattr("copy.deepcopy", refuse)
    with pytest.raises(MethodError, match=r"Deep cannot be copied .* \(.*no copies.*\)"):
        randomize(classifier, 1)


# -- agreement -----------------------------------------------------------------------------------------------------


def test_agreement_is_spearman_s() -> None:
    maps = {name: heatmap_of(noise(seed)) for seed, name in enumerate(("Grad-CAM", "gradient", "mine"))}
    found = agreement(maps)
    for one in maps:
        for other in maps:
            expected = spearmanr(maps[one].values.ravel(), maps[other].values.ravel()).statistic
            assert found.between(one, other) == pytest.approx(expected)
    assert found.one_map == () and found.notes == ()
    assert found.floor("Grad-CAM", "gradient") == 0.48 and found.floor("Grad-CAM", "mine") is None
    assert found.sentence("Grad-CAM", "mine").endswith(f"{abs(found.between('Grad-CAM', 'mine')):.2f}.")
    assert "two different photographs already do at about 0.48" in found.sentence("Grad-CAM", "gradient")


def test_fine_maps_are_averaged_before_they_are_compared() -> None:
    values = [noise(seed, (112, 224)) for seed in range(2)]
    means = [map.reshape(56, 2, 56, 4).mean(axis=(1, 3)).ravel() for map in values]
    found = agreement({str(place): heatmap_of(map) for place, map in enumerate(values)})
    assert found.between("0", "1") == pytest.approx(spearmanr(*means).statistic, abs=1e-4)


def test_one_formula_is_named() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    maps = {
        technique.label: technique(classifier, pixels, 1) for technique in (GradCAM(), HiResCAM(), CAM(), Saliency())
    }
    found = agreement({**maps, "Grad-CAM": maps["Grad-CAM"], "CAM": GradCAM()(classifier, pixels, 1)})
    assert found.one_map == (("Grad-CAM", "HiResCAM", "CAM"),)
    assert found.notes == ("Grad-CAM, HiResCAM and CAM are one map here: their agreement says nothing.",)
    assert "one map" in found.sentence("CAM", "HiResCAM")


def test_every_technique_has_a_floor_but_what_was_not_measured() -> None:
    unmeasured = {technique.label for technique in (AblationCAM, FinerCAM, KernelSHAP, LRP)}
    assert {technique.label for technique in TECHNIQUES} - OTHER_PHOTOGRAPH.keys() == unmeasured


def test_refuses_what_cannot_agree() -> None:
    with pytest.raises(MethodError, match="two maps"):
        agreement({"one": heatmap_of(noise())})
    with pytest.raises(MethodError, match="different sizes"):
        agreement({"one": heatmap_of(noise()), "other": heatmap_of(noise()[:-1])})


# -- another class -------------------------------------------------------------------------------------------------


def test_another_class_is_compared_on_signed_values() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    found = another_class(GradCAM(), classifier, pixels, 1, other=3)
    own, other = (GradCAM(relu=False)(classifier, pixels, index).cells for index in (1, 3))
    np.testing.assert_allclose(found.own.cells, own)
    np.testing.assert_allclose(found.other.cells, other)
    np.testing.assert_allclose(found.difference.cells, own - other, atol=1e-6)
    assert found.difference.target == Target(1, 3)
    assert found.correlation == pytest.approx(rank_correlation(own, other))
    logits = classifier.logits(pixels)[0].argsort().tolist()
    chosen = another_class(GradCAM(), classifier, pixels, logits[-1])
    assert chosen.other.target == Target(logits[1])


def test_a_map_without_a_class_is_called_so() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    found = another_class(EigenCAM(), classifier, picture(classifier), 1)
    assert found.correlation == pytest.approx(1) and "nearly the same map for an unrelated class" in found.sentence


def test_refuses_a_class_that_is_no_other() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = picture(classifier)
    with pytest.raises(MethodError, match="no other class"):
        another_class(GradCAM(), classifier, pixels, 1, other=1)
    with pytest.raises(MethodError, match="difference"):
        another_class(GradCAM(), classifier, pixels, Target(1, 2))


# -- the pointing game ---------------------------------------------------------------------------------------------


def test_pointing() -> None:
    values = np.zeros(SIZE)
    values[2, 3], values[8, 9], values[0, 0] = 3, 1, -5
    mask = np.zeros(SIZE)
    mask[2:4, 3:6] = 1
    found = pointing_game(heatmap_of(values), mask)
    assert found.hit and (found.row, found.column) == (2, 3)
    assert found.energy == pytest.approx(3 / 4) and found.area == pytest.approx(6 / values.size)
    mask[:] = 0
    mask[4:6, 3] = 1
    assert not pointing_game(heatmap_of(values), mask, 1).hit and pointing_game(heatmap_of(values), mask, 2).hit


def test_of_a_plateau_the_middle_points() -> None:
    values = np.zeros(SIZE)
    values[4:7, 2:7] = 1
    found = pointing_game(heatmap_of(values), values > 0)
    assert (found.row, found.column) == (5, 4) and found.energy == 1


def test_refuses_masks_that_do_not_fit() -> None:
    for mask, said in ((np.ones((3, 4)), "mask is 3 x 4"), (np.zeros(SIZE), "empty")):
        with pytest.raises(MethodError, match=said):
            pointing_game(heatmap_of(noise()), mask)
    with pytest.raises(MethodError, match="same everywhere"):
        pointing_game(heatmap_of(np.ones(SIZE)), np.ones(SIZE))
