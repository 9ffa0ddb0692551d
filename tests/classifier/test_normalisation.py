"""What networks of other libraries say of their pictures, and preprocessing of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
import torchvision
from torch import nn
from torchvision.transforms.functional import normalize, to_tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.normalisation import IMAGENET_MEAN, IMAGENET_STD
from cnnviz_widgets.classifier.preprocess import cover
from cnnviz_widgets.errors import ClassifierError, PictureError

timm = pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")


def photo(width: int = 90, height: int = 70) -> PIL.Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return PIL.Image.fromarray(values)


def plain_network(channels: int = 3, classes: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, classes, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_a_network_of_torchvision_is_given_what_its_weights_expect() -> None:
    classifier = Classifier(torchvision.models.resnet18(weights=None), input_size=64)
    expected = normalize(to_tensor(cover(photo(), (64, 64))), IMAGENET_MEAN, IMAGENET_STD)
    assert torch.allclose(classifier.pixels(photo())[0], expected, atol=1e-6)
    assert "ImageNet" in classifier.notes[0] and "weights.transforms()" in classifier.notes[0]


def test_other_classes_in_a_network_of_torchvision_are_left_as_they_are_and_said() -> None:
    classifier = Classifier(torchvision.models.resnet18(weights=None, num_classes=5), input_size=64)
    assert torch.allclose(classifier.pixels(photo())[0], to_tensor(cover(photo(), (64, 64))), atol=1e-6)
    assert "without normalisation" in classifier.notes[0] and "`mean` and `std`" in classifier.notes[0]


def test_a_part_of_torchvision_in_an_own_network_is_noticed() -> None:
    backbone = nn.Sequential(*list(torchvision.models.resnet18(weights=None).children())[:-1])
    classifier = Classifier(nn.Sequential(backbone, nn.Flatten(), nn.Linear(512, 3)), input_size=64)
    assert "torchvision" in classifier.notes[0] and "without normalisation" in classifier.notes[0]


@pytest.mark.parametrize("given", [{"mean": (0.5,) * 3, "std": (0.5,) * 3}, {"preprocess": to_tensor}])
def test_what_the_user_gives_counts(given: dict[str, Any]) -> None:
    classifier = Classifier(torchvision.models.resnet18(weights=None), input_size=64, **given)
    assert not classifier.notes
    assert classifier.white.max() == pytest.approx(1)


def test_a_plain_network_says_nothing() -> None:
    assert Classifier(plain_network(), input_size=32).notes == ()


def test_a_network_of_timm_is_given_its_own_transform() -> None:
    network = timm.create_model("resnet10t", pretrained=False, num_classes=7)
    classifier = Classifier(network)
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=network))
    assert classifier.input_size == (176, 176)
    assert torch.allclose(classifier.pixels(photo())[0], transform(photo()), atol=1e-6)
    assert "timm" in classifier.notes[0]


def test_a_network_of_timm_at_another_size_keeps_its_normalisation() -> None:
    network = timm.create_model("mobilenetv3_small_050", pretrained=False, num_classes=7)
    classifier = Classifier(network, input_size=64)
    config = timm.data.resolve_data_config({}, model=network)
    expected = normalize(to_tensor(cover(photo(), (64, 64))), config["mean"], config["std"])
    assert torch.allclose(classifier.pixels(photo())[0], expected, atol=1e-6)


def test_a_grey_network_of_timm_says_that_its_normalisation_is_missing() -> None:
    classifier = Classifier(timm.create_model("resnet10t", pretrained=False, in_chans=1, num_classes=7), input_size=64)
    assert classifier.channels == 1
    assert "without normalisation" in classifier.notes[0]


def hugging_face(**options: Any) -> nn.Module:
    config = transformers.ResNetConfig(
        depths=[1, 1], hidden_sizes=[8, 16], embedding_size=8, layer_type="basic", **options
    )
    network: nn.Module = transformers.ResNetForImageClassification(config)
    return network


def test_a_network_of_hugging_face_without_its_processor_says_so_and_brings_its_classes() -> None:
    labels = {0: "ant", 1: "bee", 2: "cow"}
    classifier = Classifier(hugging_face(id2label=labels, label2id={v: k for k, v in labels.items()}), input_size=64)
    assert classifier.class_names == ("ant", "bee", "cow")
    assert "image processor" in classifier.notes[0] and "`preprocess`" in classifier.notes[0]


def test_a_network_of_hugging_face_finds_the_processor_stored_beside_it(tmp_path: Any) -> None:
    hugging_face(num_labels=3).save_pretrained(tmp_path)  # type: ignore[operator]
    processor = transformers.ConvNextImageProcessor(size={"shortest_edge": 64}, image_mean=[0.4] * 3)
    processor.save_pretrained(tmp_path)
    network = transformers.ResNetForImageClassification.from_pretrained(tmp_path)
    classifier = Classifier(network)
    expected = processor(images=photo(), return_tensors="pt")["pixel_values"][0]
    assert torch.allclose(classifier.pixels(photo())[0], expected, atol=1e-5)
    assert "image processor that belongs to" in classifier.notes[0]


@pytest.mark.parametrize("kind", ["ViTImageProcessor", "ConvNextImageProcessor", "CLIPImageProcessor"])
def test_image_processors_of_hugging_face_are_taken(kind: str) -> None:
    processor = getattr(transformers, kind)()
    classifier = Classifier(plain_network(), processor)
    expected = processor(images=photo(), return_tensors="pt")["pixel_values"][0]
    assert classifier.input_size == tuple(expected.shape[1:])
    assert torch.allclose(classifier.pixels(photo())[0], expected, atol=1e-5)
    assert np.abs(classifier.appearance(classifier.pixels(PIL.Image.new("RGB", (90, 70), "white"))) - 255.0).max() <= 1


def test_a_transform_of_albumentations_is_called_by_name() -> None:
    class Resize:
        """As albumentations.Compose: takes `image=`, returns a dict of arrays (H, W, C)."""

        def __call__(self, *, image: np.ndarray) -> dict[str, np.ndarray]:
            return {"image": np.asarray(PIL.Image.fromarray(image).resize((16, 16)), np.float32) / 255}

    Resize.__module__ = "albumentations.core.composition"
    classifier = Classifier(plain_network(), Resize())  # type: ignore[arg-type]
    assert torch.allclose(classifier.pixels(photo())[0], to_tensor(photo().resize((16, 16))), atol=1e-6)


def test_weights_of_torchvision_stand_for_their_transforms() -> None:
    weights = torchvision.models.ResNet18_Weights.DEFAULT
    classifier = Classifier(plain_network(), weights)  # type: ignore[arg-type]
    assert torch.allclose(classifier.pixels(photo())[0], weights.transforms()(photo()), atol=1e-6)


def test_what_is_no_preprocessing_is_refused() -> None:
    for wrong in (3, "ToTensor", [to_tensor], {"mean": 0.5}):
        with pytest.raises(ClassifierError, match="a PIL image in, a float tensor"):
            Classifier(plain_network(), wrong, input_size=16)  # type: ignore[arg-type]


# -- bands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [2, 4, 13])
def test_bands_reach_a_network_of_as_many_channels(channels: int) -> None:
    bands = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    mean, std = [0.3 + 0.01 * c for c in range(channels)], [0.2] * channels
    classifier = Classifier(plain_network(channels), input_size=(20, 30), mean=mean, std=std)
    expected = normalize(torch.from_numpy(bands).permute(2, 0, 1) / 255, mean, std)
    assert torch.allclose(classifier.pixels(bands)[0], expected, atol=1e-5)
    white = classifier.appearance(classifier.pixels(np.full((20, 30, channels), 255, np.uint8)))
    assert (white == 255).all()
    smaller = Classifier(plain_network(channels), input_size=10, mean=mean, std=std)
    assert smaller.pixels(bands).shape == (1, channels, 10, 10)
    with pytest.raises(PictureError, match=f"uint8 array .H, W, {channels}., or the network input itself as a float"):
        classifier.pixels(photo())


def test_a_preprocess_that_adds_channels_to_a_picture_is_used() -> None:
    def with_brightness(image: PIL.Image.Image) -> torch.Tensor:
        colours = to_tensor(image.resize((16, 16)))
        return torch.cat([colours, colours.mean(0, keepdim=True)])

    classifier = Classifier(plain_network(4), with_brightness)
    assert torch.allclose(classifier.pixels(photo())[0], with_brightness(photo()))


def test_a_preprocess_of_bands_is_used() -> None:
    def halved(bands: torch.Tensor) -> torch.Tensor:
        return bands / 2

    classifier = Classifier(plain_network(5), halved, input_size=8)  # type: ignore[arg-type]
    bands = np.random.default_rng(0).random((8, 8, 5), dtype=np.float32)
    assert torch.allclose(classifier.pixels(bands)[0], torch.from_numpy(bands).permute(2, 0, 1) / 2)


# -- values of network inputs ----------------------------------------------------------------------------


def test_a_network_input_that_was_not_scaled_is_noticed() -> None:
    from cnnviz_widgets.picture import read_picture

    classifier = Classifier(plain_network(), input_size=16)
    assert not classifier.note_on(read_picture(torch.rand(3, 16, 16)))
    assert not classifier.note_on(read_picture(torch.randn(3, 16, 16).clamp(-1, 2)))
    assert "from 0 to 255" in classifier.note_on(read_picture(torch.arange(768.0).reshape(3, 16, 16).remainder(256)))
