"""No gradient is not a gradient of zero: where autograd does not lead, a sentence says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import explain, study
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError, LayerError, MethodError
from cnnviz_widgets.explain import Explainer
from tests.support import networks
from tests.support.techniques import TECHNIQUES

#: Those that need no gradient of the scores.
FREE = (
    explain.AblationCAM, explain.EigenCAM, explain.KernelSHAP, explain.Occlusion, explain.RISE, explain.ScoreCAM
)  # fmt: skip
GRADIENTS = {kind: explainer for kind, explainer in TECHNIQUES.items() if kind not in FREE}


class Cut(nn.Module):
    """A convolution, another, a mean and a linear layer, with something done to what goes from one to the next."""

    def __init__(self, early: Callable[..., Any] | None = None, late: Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, networks.CLASSES)
        self.early, self.late = early, late

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels).relu()
        values = self.conv2(values if self.early is None else self.early(values)).relu().mean((2, 3))
        return self.fc(values if self.late is None else self.late(values))


def through_integers(values: Tensor) -> Tensor:
    return (values * 1000).int() / 1000


def through_int8(values: Tensor) -> Tensor:
    return torch.quantize_per_tensor(values.detach(), 0.02, 0, torch.qint8).dequantize()


def without_grad(values: Tensor) -> Tensor:
    with torch.no_grad():
        return values * 1


CUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "detach": lambda values: values.detach(),
    "data": lambda values: values.data,
    "no_grad": without_grad,
    "numpy": lambda values: torch.from_numpy(values.detach().numpy() * 1),
    "list": lambda values: torch.tensor(values.tolist()),
    "integers": through_integers,
    "int8": through_int8,
    "a leaf of its own": lambda values: values.detach().requires_grad_(),
}

pytestmark = pytest.mark.filterwarnings("ignore:torch.quantize_per:UserWarning")


def classifier_of(**cuts: Callable[..., Any]) -> Classifier:
    return networks.classifier(networks.seeded(lambda: Cut(**cuts)))


@pytest.mark.parametrize("explainer", GRADIENTS.values(), ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("cut", CUTS)
def test_scores_that_are_cut_off_are_refused_with_what_helps(cut: str, explainer: Explainer) -> None:
    classifier = classifier_of(late=CUTS[cut])
    pixels = networks.picture(classifier)
    with pytest.raises(MethodError) as caught:
        explainer(classifier, pixels, 0)
    text = str(caught.value)
    assert text.count("; ") == 1
    assert text.endswith(".")
    assert "Occlusion or RISE" in text
    assert "cut off" in text


@pytest.mark.parametrize("explainer", [TECHNIQUES[kind] for kind in FREE], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("cut", CUTS)
def test_what_needs_no_gradients_works_all_the_same(cut: str, explainer: Explainer) -> None:
    classifier = classifier_of(late=CUTS[cut])
    assert np.abs(explainer(classifier, networks.picture(classifier), 0).values).max() > 0


@pytest.mark.parametrize("cut", CUTS)
def test_layers_behind_the_cut_have_gradients_and_those_before_have_none(cut: str) -> None:
    classifier = classifier_of(early=CUTS[cut])
    pixels = networks.picture(classifier)
    whole = classifier_of()
    for kind in (explain.GradCAM, explain.LayerCAM, explain.HiResCAM, explain.XGradCAM, explain.GradCAMPlusPlus):
        behind, reference = kind("conv2")(classifier, pixels, 1), kind("conv2")(whole, pixels, 1)
        # Rounded to integers the values are not quite the same.
        np.testing.assert_allclose(behind.cells, reference.cells, atol=0.1 * reference.cells.max())
        with pytest.raises(MethodError, match=r"are cut off from the layer 'conv' by .*; use Occlusion or RISE"):
            kind("conv")(classifier, pixels, 1)
    pixels_of = (explain.SmoothGrad(samples=2), explain.IntegratedGradients(points=2), explain.LRP())
    for pixelwise in (explain.Saliency(), *pixels_of):
        with pytest.raises(MethodError, match=r"are cut off from its input by"):
            pixelwise(classifier, pixels, 1)


def test_class_visualisation_of_what_is_cut_off() -> None:
    classifier = classifier_of(early=CUTS["detach"])
    for target in (1, study.Channel("conv2", 1)):
        with pytest.raises(MethodError, match=r"is cut off from the input by .*; remove that from the forward"):
            study.ActivationMaximisation(iterations=1)(classifier, target)
    assert study.ActivationMaximisation(iterations=1)(classifier, study.Channel("conv", 1)).step == 1


class Sides(Cut):
    """`aside` leads nowhere; of the scores one is a constant and one comes from dead units."""

    def __init__(self) -> None:
        super().__init__()
        self.aside = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        self.aside(pixels)
        scores = super().forward(pixels)
        dead = (self.conv(pixels).mean((1, 2, 3)) - 1e6).relu()
        return torch.stack([scores[:, 0], torch.ones(len(pixels)), dead, scores[:, 1]], dim=1)


def test_zeros_are_computed_zeros() -> None:
    classifier = networks.classifier(networks.seeded(Sides))
    pixels = networks.picture(classifier)
    assert explain.GradCAM("conv2", relu=False)(classifier, pixels, 0).values.any()
    for target in (1, 2):
        assert not explain.GradCAM("conv", relu=False)(classifier, pixels, target).values.any()
        assert not explain.Saliency()(classifier, pixels, target).values.any()
    with pytest.raises(LayerError, match="does not depend on the layer 'aside'"):
        explain.GradCAM("aside")(classifier, pixels, 0)


class Checkpointed(Cut):
    """Runs its first half again in the backward pass; its dropout and batch norm tell train mode."""

    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        self.body = nn.Sequential(self.conv, nn.BatchNorm2d(6), nn.Dropout(0.5), nn.ReLU())
        self.reentrant = reentrant

    def forward(self, pixels: Tensor) -> Tensor:
        from torch.utils.checkpoint import checkpoint

        values = self.body(pixels)
        if self.reentrant is not None:
            values = checkpoint(self.body, pixels, use_reentrant=self.reentrant)
        return self.fc(self.conv2(values).relu().mean((2, 3)))


@pytest.mark.parametrize("explainer", GRADIENTS.values(), ids=lambda e: type(e).__name__)
def test_a_checkpointed_network_in_train_mode_is_explained_and_left_as_found(explainer: Explainer) -> None:
    network = networks.seeded(lambda: Checkpointed(False)).train()
    plain = networks.seeded(lambda: Checkpointed(None)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = networks.picture(networks.classifier(plain))
    expected = explainer(networks.classifier(plain), pixels, 1)
    found = explainer(networks.classifier(network), pixels, 1)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-4, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
@pytest.mark.parametrize("explainer", [explain.Saliency(), explain.GradCAM("body"), explain.GuidedBackprop()])
def test_a_network_checkpointed_in_the_old_way_is_refused(explainer: Explainer) -> None:
    network = networks.seeded(lambda: Checkpointed(True)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    classifier = networks.classifier(network)
    with pytest.raises((MethodError, ClassifierError), match="use_reentrant=") as caught:
        explainer(classifier, networks.picture(classifier), 1)
    assert "Occlusion or RISE" in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert explain.GradCAM("conv2")(classifier, networks.picture(classifier), 1).values.any()


class Parallel(Cut):
    """Two ways from the picture to the scores, on one of which something is done."""

    def __init__(self, cut: Callable[..., Any]) -> None:
        super().__init__()
        self.cut = cut

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels).relu()
        return self.fc(self.cut(self.conv2(values)).relu().mean((2, 3)) + values.mean((2, 3)))


@pytest.mark.parametrize("explainer", [explain.Saliency(), explain.GradCAM("conv")], ids=["pixels", "layer"])
@pytest.mark.parametrize("cut", CUTS)
def test_a_gradient_that_is_only_a_part_is_said_to_be_one(cut: str, explainer: Explainer) -> None:
    classifier = networks.classifier(networks.seeded(lambda: Parallel(CUTS[cut])))
    pixels = networks.picture(classifier)
    for _ in range(2):
        assert explainer(classifier, pixels, 1).values.any()
    assert len(classifier.notes) == 1
    assert "Occlusion and RISE see all of it" in classifier.notes[0]


@pytest.mark.parametrize("cut", ["numpy", "list"])
def test_relevance_that_is_lost_on_a_way_is_said_to_be(cut: str) -> None:
    classifier = networks.classifier(networks.seeded(lambda: Parallel(CUTS[cut])))
    assert explain.LRP()(classifier, networks.picture(classifier), 1).values.any()
    assert len(classifier.notes) == 1
    assert "Occlusion and RISE see all of it" in classifier.notes[0]


WHOLE: dict[str, Callable[[Tensor], Tensor]] = {
    "nothing": lambda values: values,
    "masks": lambda values: values * (values > 0) + torch.where(values > 0.1, values, 0),
    "places": lambda values: values * values.argmax(dim=1, keepdim=True),
    "shapes": lambda values: values * values.shape[2] + values.shape[1],
    "rounding": lambda values: values + values.round() * 0,
    "another type": lambda values: values.double().float(),
    "constants": lambda values: values + torch.zeros(6, 1, 1).detach(),
    "made to measure": lambda values: values + values.new_zeros(6, 1, 1) + torch.ones_like(values),
    "in place": lambda values: values.clone().mul_(2).clamp_(-1, 1),
}


@pytest.mark.parametrize("explainer", [explain.Saliency(), explain.GradCAM("conv")], ids=["pixels", "layer"])
@pytest.mark.parametrize("way", WHOLE)
def test_a_whole_gradient_needs_no_note(way: str, explainer: Explainer) -> None:
    classifier = networks.classifier(networks.seeded(lambda: Parallel(WHOLE[way])))
    assert explainer(classifier, networks.picture(classifier), 1).values.any()
    assert not classifier.notes
