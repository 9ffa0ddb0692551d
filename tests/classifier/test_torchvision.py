"""torchvision's classifiers by name, with their own transforms and class names, also without a network connection."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError


def test_of_without_weights_brings_transforms_and_names() -> None:
    classifier = Classifier.of("squeezenet1_1", weights=None)
    assert classifier.name == "squeezenet1_1"
    assert classifier.input_size == (224, 224)
    assert classifier.class_names[285] == "Egyptian cat"
    assert repr(classifier) == "<Classifier squeezenet1_1: 1000 classes, 3 x 224 x 224>"
    assert classifier.layers
    assert (
        repr(classifier) == f"<Classifier squeezenet1_1: 1000 classes, 3 x 224 x 224, {len(classifier.layers)} layers>"
    )


@pytest.mark.parametrize(
    ("name", "weights", "sentence"),
    [
        ("resnet19", None, "torchvision has no classifier 'resnet19'; did you mean 'resnet"),
        ("ResNet18", None, "did you mean 'resnet18'"),
        ("deeplabv3_resnet50", None, "has no classifier"),
        (18, None, "has no classifier 18"),
        ("resnet18", "IMAGENET", "has no weights 'IMAGENET'; did you mean 'IMAGENET1K_V1'"),
        ("resnet18", models.ResNet50_Weights.IMAGENET1K_V2, "has no weights 'IMAGENET1K_V2'"),
        ("resnet18", 3, "has no weights '3'"),
    ],
)
def test_of_something_unknown(name: Any, weights: Any, sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        Classifier.of(name, weights)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub folder, on a machine without network."""

    def offline(*_: object, **__: object) -> Any:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def test_weights_that_cannot_be_fetched(hub: Path) -> None:
    with pytest.raises(ClassifierError, match=r"resnet18 are not on this machine.*name resolution.*demo\.classifier"):
        Classifier.of("resnet18")
    assert not hub.exists() or not list(hub.iterdir())


@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V1", models.SqueezeNet1_1_Weights.DEFAULT])
def test_weights_on_this_machine_need_no_network(hub: Path, weights: Any) -> None:
    hub.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.squeezenet1_1()
    file = hub / Path(models.SqueezeNet1_1_Weights.DEFAULT.url).name
    torch.save(network.state_dict(), file)
    found = Classifier.of("squeezenet1_1", weights).network.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in network.state_dict().items())


def test_damaged_weights_are_named(hub: Path) -> None:
    hub.mkdir(parents=True)
    file = hub / Path(models.SqueezeNet1_1_Weights.DEFAULT.url).name
    file.write_bytes(b"half a file")
    with pytest.raises(ClassifierError, match=f"could not be loaded .*delete {file} if it is damaged"):
        Classifier.of("squeezenet1_1")
