"""Grad-CAM of all layers, a layer switch and a class switch, against the peers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM as PeerGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchcam.methods import GradCAM as TorchcamGradCAM

from benchmarks.table import Rival, Row, compare
from cnnviz_widgets import Classifier
from cnnviz_widgets.explain import GradCAM, Instance
from cnnviz_widgets.explain.cam.tape import Tape

BLOCKS = [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
TARGET = 281


def maps_of(tape: Tape, layers: Sequence[str] | None = None, target: int = TARGET) -> None:
    """Maps without their notes, which the peers do not make either."""
    instance, technique = Instance.of(tape.classifier, tape.pixels, target, tape=tape), GradCAM()
    for layer in layers or tape.activations:
        at = instance.at(layer)
        technique.map_of(at, technique.cells(at))


def rows() -> Iterable[Row]:
    torch.manual_seed(0)
    classifier = Classifier.of("resnet18", weights=None)
    network = classifier.network.eval()
    pixels = torch.randn(1, 3, 224, 224)
    modules = [network.get_submodule(name) for name in BLOCKS]
    yield from _all_layers(classifier, pixels, modules)
    yield from _switches(classifier, pixels)


def _all_layers(classifier: Classifier, pixels: torch.Tensor, modules: list[torch.nn.Module]) -> Iterator[Row]:
    network = classifier.network

    def all_layers() -> None:
        maps_of(Tape(classifier, pixels))

    def blocks() -> None:
        maps_of(Tape(classifier, pixels, BLOCKS))

    def bare() -> None:
        inputs = pixels.clone().requires_grad_()
        with classifier.evaluating():
            torch.autograd.grad(network(inputs)[0, TARGET], inputs)

    def captum() -> None:
        for module in modules:
            LayerGradCam(network, module).attribute(pixels, TARGET, relu_attributions=True)

    def grad_cam() -> None:
        for module in modules:
            with PeerGradCAM(network, [module]) as peer:
                peer(pixels, [ClassifierOutputTarget(TARGET)])

    def torchcam() -> None:
        with TorchcamGradCAM(network, BLOCKS) as peer:
            peer(TARGET, network(pixels.clone().requires_grad_()))

    in_one_pass = Rival("torchcam, 8 blocks in one pass", torchcam)
    yield from compare(
        "all convolutions and blocks",
        all_layers,
        Rival("bare forward + backward", bare, 1 / 1.2),
        in_one_pass,
    )
    peers = [Rival("captum", captum), Rival("grad-cam", grad_cam), in_one_pass]
    yield from compare("8 blocks", blocks, *peers)


def _switches(classifier: Classifier, pixels: torch.Tensor) -> Iterator[Row]:
    tape = Tape(classifier, pixels)
    layers = list(tape.activations)
    tape.gradients(TARGET)
    classes = iter(range(1000))
    peer = LayerGradCam(classifier.network, classifier.network.get_submodule("layer4.1"))

    def layer_switch() -> None:
        maps_of(tape, layers[-8:])

    def captum_layers() -> None:
        for name in BLOCKS:
            module = classifier.network.get_submodule(name)
            LayerGradCam(classifier.network, module).attribute(pixels, TARGET, relu_attributions=True)

    def class_switch() -> None:
        maps_of(tape, ["layer4.1"], next(classes))

    def captum_class() -> None:
        peer.attribute(pixels, next(classes), relu_attributions=True)

    yield from compare("layer switch, 8 times", layer_switch, Rival("captum", captum_layers))
    yield from compare("class switch", class_switch, Rival("captum", captum_class))
