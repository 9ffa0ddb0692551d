"""The tape against gradients taken one layer at a time, its price in network calls, and how it fails."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import LayerError, MethodError, TargetError
from cnnviz_widgets.explain import EigenCAM, GradCAM, Instance, LayerExplainer
from cnnviz_widgets.explain.cam import tape as tape_module
from cnnviz_widgets.explain.cam.tape import Tape
from tests.support import networks
from tests.support.networks import Counted, seeded
from tests.support.techniques import on_tape

NETWORKS = [
    networks.ConvGapLinear,
    networks.DenseNetLike,
    networks.FunctionalReLU,
    networks.InPlace,
    networks.Regularised,
    networks.SideBranch,
    networks.SqueezeNetLike,
    networks.TupleOutput,
    networks.UsedTwice,
    networks.VGGLike,
]


def reference(classifier: Classifier, pixels: Tensor, layer: str, target: int) -> tuple[Tensor, Tensor]:
    """Activation and gradient at one layer: that of a zero which is added to what the layer passes on."""
    module, call = classifier.layer(layer).call_of(layer)
    found: dict[str, Tensor] = {}
    calls = 0

    def add_zero(_: nn.Module, __: object, output: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if calls - 1 != call:
            return None
        found["activation"], found["zero"] = (
            output.detach().clone(),
            torch.zeros_like(output, requires_grad=True),
        )
        return output + found["zero"]

    handle = dict(classifier.network.named_modules())[module].register_forward_hook(add_zero)
    try:
        logits = classifier.network(pixels)
    finally:
        handle.remove()
    logits = logits[0] if isinstance(logits, tuple) else logits
    (gradient,) = torch.autograd.grad(logits[0, target], found["zero"], allow_unused=True, materialize_grads=True)
    return found["activation"], gradient


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """One item for each backward pass."""
    calls: list[int] = []
    grad = torch.autograd.grad

    def counting(*args: object, **kwargs: object) -> object:
        calls.append(1)
        return grad(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.autograd, "grad", counting)
    yield calls


@pytest.mark.parametrize("build", NETWORKS)
def test_every_layer_has_its_own_activation_and_gradient(build: type[nn.Module]) -> None:
    classifier = networks.classifier(seeded(build))
    pixels = networks.picture(classifier)
    tape = Tape(classifier, pixels, [layer.name for layer in classifier.layers])
    assert list(tape.activations) and len(tape.activations) == len(classifier.layers)
    torch.testing.assert_close(tape.logits, classifier.logits(pixels).detach())
    for target in (0, 3):
        gradients = tape.gradients(target)
        for layer in classifier.layers:
            if layer.function is not None:
                continue  # those are compared in tests/test_pooled.py
            activation, gradient = reference(classifier, pixels, layer.name, target)
            torch.testing.assert_close(tape.activations[layer.name], activation)
            if layer.name == "aside":
                assert layer.name not in gradients and not gradient.any(), "it leads nowhere"
            else:
                torch.testing.assert_close(gradients[layer.name], gradient, rtol=1e-5, atol=1e-7)


def test_a_layer_off_the_path_to_the_logits_has_no_gradients() -> None:
    classifier = networks.classifier(seeded(networks.SideBranch))
    pixels = networks.picture(classifier)
    assert "aside" not in Tape(classifier, pixels).gradients(0)
    with pytest.raises(LayerError, match="does not depend on the layer 'aside'"):
        GradCAM("aside", relu=False)(classifier, pixels, 0)
    assert not Tape(classifier, pixels, ["aside"]).gradients(0)


def test_by_default_convolutions_blocks_the_default_layer_and_what_leads_to_it_are_recorded() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    assert set(Tape(classifier, networks.picture(classifier)).activations) == {
        "features.0",
        "features.2",
        "features.3",
        "features.4",
    }


def test_all_layers_cost_one_forward_and_a_class_one_backward(backwards: list[int]) -> None:
    network = Counted(seeded(networks.InPlace))
    classifier = networks.classifier(network)
    layers = [layer.name for layer in classifier.layers]
    network.calls = 0
    tape = Tape(classifier, networks.picture(classifier), layers)
    assert (network.calls, network.pictures > 0, len(backwards)) == (1, True, 0)
    instance = Instance.of(classifier, tape.pixels, 0, tape=tape)
    for layer in layers:
        GradCAM().visible_cells(instance.at(layer))
    assert (network.calls, len(backwards)) == (1, 1)
    GradCAM().visible_cells(instance.of_class(2).at(layers[0]))
    assert (network.calls, len(backwards)) == (1, 2)
    tape.gradients(Target(2, 4))
    assert (network.calls, len(backwards)) == (1, 3)
    tape.gradients(Target(4, 0))
    assert (network.calls, len(backwards)) == (1, 3)


def test_a_contrast_is_the_difference_of_two_classes() -> None:
    classifier = networks.classifier(seeded(networks.UsedTwice))
    tape = Tape(classifier, networks.picture(classifier))
    for name, gradient in tape.gradients(Target(1, 3)).items():
        torch.testing.assert_close(gradient, tape.gradients(1)[name] - tape.gradients(3)[name])
        assert gradient.any()


def test_only_so_many_classes_are_kept(monkeypatch: pytest.MonkeyPatch, backwards: list[int]) -> None:
    monkeypatch.setattr(tape_module, "_CLASSES_KEPT", 2)
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    tape = Tape(classifier, networks.picture(classifier))
    first = tape.gradients(0)["features.0"].clone()
    for target in (1, 2, 1, 2):
        tape.gradients(target)
    assert len(backwards) == 3
    torch.testing.assert_close(tape.gradients(0)["features.0"], first)
    assert len(backwards) == 4


def test_the_graph_goes_with_the_tape() -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    gc.collect()
    gc.disable()
    try:
        tape = Tape(classifier, networks.picture(classifier))
        tape.gradients(0)
        kept = [weakref.ref(output) for output in (*tape._outputs.values(), tape._graph)]
        assert all(reference() is not None for reference in kept)
        del tape
        assert all(reference() is None for reference in kept)
    finally:
        gc.enable()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_callers_without_gradients_get_the_same(mode: type[torch.no_grad]) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)
    expected = Tape(classifier, pixels).gradients(1)
    with mode():
        tape = Tape(classifier, pixels.clone())
        gradients = tape.gradients(1)
    for name in expected:
        torch.testing.assert_close(gradients[name], expected[name], rtol=0, atol=0)
        assert not gradients[name].is_inference() and not tape.activations[name].is_inference()


def test_layers_are_found_by_alias_and_missed_with_a_reason() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    tape = Tape(classifier, networks.picture(classifier), ["features"])
    assert tape.layer("features") == tape.layer("features.4") == tape.layer() == "features.4"
    with pytest.raises(LayerError, match=r"'features.0' was not recorded"):
        tape.layer("features.0")
    with pytest.raises(LayerError, match="no layer 'feature'"):
        tape.layer("feature")


class SometimesSkips(networks.ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        values = self.features[:3](pixels)
        if pixels.mean() > 0:
            values = self.features[3:](values)
        return self.fc(nn.functional.pad(values.mean((2, 3)), (0, 8 - values.shape[1])))


def test_a_layer_that_is_skipped_for_this_picture_is_a_layer_error() -> None:
    classifier = networks.classifier(seeded(SometimesSkips))
    pixels = networks.picture(classifier).abs()
    assert GradCAM("features.3")(classifier, pixels, 0).values.any()
    tape = Tape(classifier, -pixels)
    assert tape.gradients(0)["features.0"].any()
    with pytest.raises(LayerError, match=r"skipped the layer 'features.3' on this picture"):
        on_tape(GradCAM("features.3"), tape, 0)


class FrozenStem(networks.ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            values = self.features[:3](pixels)
        return self.fc(self.features[3:](values).mean((2, 3)))


def test_a_layer_under_no_grad_is_refused_and_the_others_work() -> None:
    classifier = networks.classifier(seeded(FrozenStem))
    tape = Tape(classifier, networks.picture(classifier))
    assert on_tape(GradCAM("features.3"), tape, 0).values.any()
    with pytest.raises(MethodError, match="remove `no_grad`"):
        on_tape(GradCAM("features.0"), tape, 0)


@pytest.mark.parametrize("explainer", [GradCAM(), EigenCAM()])
def test_weights_changed_since_are_followed(explainer: LayerExplainer) -> None:
    network = seeded(networks.ConvGapLinear)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    tape = Tape(classifier, pixels)
    before = on_tape(explainer, tape, 0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(2)
    after = on_tape(explainer, tape, 0)
    assert not np.allclose(after.values, before.values)
    np.testing.assert_array_equal(after.values, explainer(classifier, pixels, 0).values)
    assert torch.equal(tape.logits, classifier.logits(pixels).detach())


@pytest.mark.parametrize("target", [-1, networks.CLASSES, 1.0, True, None, "dog", Target(0, 99)])
def test_a_class_that_does_not_exist(target: object) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(TargetError):
        Tape(classifier, networks.picture(classifier)).gradients(target)  # type: ignore[arg-type]
