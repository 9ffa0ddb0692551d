"""From a picture to a network input and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor, nn
from torchvision import models, transforms
from torchvision.transforms import v2
from torchvision.transforms.functional import center_crop, resize

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.preprocess import ResizeAndCrop, cover
from cnnviz_widgets.errors import ClassifierError, PictureError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def network(channels: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def photo(width: int, height: int, mode: str = "RGB") -> PIL.Image.Image:
    """A smooth picture without symmetry, so that swapped or mirrored axes show."""
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    bands = np.stack([rows, columns, rows * (1 - columns)], axis=-1)
    return PIL.Image.fromarray((bands * 255).astype(np.uint8)).convert(mode)


def as_is(picture: PIL.Image.Image) -> PIL.Image.Image:
    return picture


NORMALISED = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
PRESET = models.ResNet18_Weights.IMAGENET1K_V1.transforms(antialias=True)

#: preprocess, input size to give, input size that results, what a picture of 60 x 50 should look like.
PREPROCESSES: dict[str, tuple[Callable[..., Any], Any, tuple[int, int], Callable[..., PIL.Image.Image]]] = {
    "torchvision's preset": (PRESET, None, (224, 224), lambda p: center_crop(resize(p, [256]), [224])),
    "resize and crop": (
        transforms.Compose([transforms.Resize(24), transforms.CenterCrop((16, 20)), *NORMALISED]),
        None,
        (16, 20),
        lambda p: center_crop(resize(p, [24]), [16, 20]),
    ),
    "resize to a shape": (
        transforms.Compose([transforms.Resize((37, 53)), *NORMALISED]), None, (37, 53), lambda p: resize(p, [37, 53])
    ),
    "resize the shorter side": (
        transforms.Compose([transforms.Resize(24), *NORMALISED]), None, (24, 24), lambda p: cover(p, (24, 24))
    ),
    "no resize": (transforms.Compose(NORMALISED), (37, 53), (37, 53), lambda p: cover(p, (37, 53))),
    "only to a tensor": (transforms.ToTensor(), 16, (16, 16), lambda p: cover(p, (16, 16))),
    "0 to 255": (transforms.PILToTensor(), 16, (16, 16), lambda p: cover(p, (16, 16))),
    "inverted": (lambda p: 1 - transforms.ToTensor()(p), 16, (16, 16), lambda p: cover(p, (16, 16))),
    "v2": (
        v2.Compose([v2.ToImage(), v2.Resize((18, 22)), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]),
        None, (18, 22), lambda p: resize(p, [18, 22]),
    ),
    "a batch of one": (lambda p: transforms.ToTensor()(p)[None], 16, (16, 16), lambda p: cover(p, (16, 16))),
    "half precision": (lambda p: transforms.ToTensor()(p).half(), 16, (16, 16), lambda p: cover(p, (16, 16))),
}  # fmt: skip


@pytest.mark.parametrize("name", PREPROCESSES)
def test_what_the_network_sees_looks_like_the_picture(name: str) -> None:
    preprocess, given, size, expected = PREPROCESSES[name]
    classifier = Classifier(network(), preprocess, input_size=given)
    assert classifier.input_size == size
    picture = photo(60, 50)
    pixels = classifier.pixels(picture)
    assert pixels.shape == (1, 3, *size)
    assert (pixels.dtype, pixels.device.type) == (torch.float32, "cpu")
    seen = classifier.appearance(pixels)
    assert (seen.dtype, seen.shape) == (np.uint8, (*size, 3))
    # v2 resizes the tensor instead of the PIL image, which rounds otherwise.
    assert np.abs(seen.astype(int) - np.asarray(expected(picture)).astype(int)).max() <= (2 if name == "v2" else 1)


@pytest.mark.parametrize("name", PREPROCESSES)
def test_black_and_white_are_measured(name: str) -> None:
    preprocess, given, _, _ = PREPROCESSES[name]
    classifier = Classifier(network(), preprocess, input_size=given)
    for value, colour in ((0, classifier.black), (255, classifier.white)):
        assert colour.shape == (3, 1, 1)
        pixels = classifier.pixels(PIL.Image.new("RGB", (60, 50), (value, value, value)))
        assert torch.allclose(pixels, colour.expand(1, 3, *classifier.input_size), atol=2e-3)
        assert (classifier.appearance(pixels) == value).all()


def test_without_preprocess_pictures_are_covered_scaled_and_normalised() -> None:
    classifier = Classifier(network(), input_size=(37, 53), mean=MEAN, std=np.array(STD))
    picture = photo(60, 50)
    expected = transforms.Compose(NORMALISED)(cover(picture, (37, 53)))
    assert torch.allclose(classifier.pixels(picture)[0], expected, atol=1e-6)
    assert classifier.black.flatten().tolist() == pytest.approx([-m / s for m, s in zip(MEAN, STD, strict=True)])
    plain = Classifier(network(), input_size=(37, 53)).pixels(picture)
    assert torch.allclose(plain[0], transforms.ToTensor()(cover(picture, (37, 53))))


@pytest.mark.parametrize("shape", [(1, 100), (100, 1), (2, 199), (3000, 40), (37, 53), (1, 1)])
def test_extreme_shapes_are_covered(shape: tuple[int, int]) -> None:
    height, width = shape
    covered = cover(photo(width, height), (37, 53))
    assert covered.size == (53, 37)
    classifier = Classifier(network(), transforms.Compose(NORMALISED), input_size=(37, 53))
    assert classifier.pixels(photo(width, height)).shape == (1, 3, 37, 53)


def test_covering_keeps_proportions_and_the_centre() -> None:
    """A disk in the middle of a wide picture stays a disk in the middle."""
    rows, columns = np.mgrid[-50:50, -100:100]
    disk = PIL.Image.fromarray(((rows**2 + columns**2 < 30**2) * 255).astype(np.uint8))
    seen = np.asarray(cover(disk, (50, 50))) > 127
    assert seen.any(axis=1).sum() == pytest.approx(30, abs=1)
    assert seen.any(axis=0).sum() == pytest.approx(30, abs=1)
    assert np.argwhere(seen).mean(axis=0) == pytest.approx([24.5, 24.5], abs=0.6)
    exact = photo(53, 37)
    assert cover(exact, (37, 53)) is exact


@pytest.mark.parametrize("preprocess", [None, transforms.ToTensor()])
def test_greyscale_networks(preprocess: Any) -> None:
    classifier = Classifier(network(1), preprocess, input_size=(20, 30))
    assert classifier.channels == 1
    pixels = classifier.pixels(photo(30, 20))
    assert pixels.shape == (1, 1, 20, 30)
    seen = classifier.appearance(pixels)
    assert np.array_equal(seen, np.asarray(photo(30, 20).convert("L").convert("RGB")))


def test_a_preprocess_that_makes_grey_of_colour() -> None:
    preprocess = transforms.Compose([transforms.Grayscale(), transforms.ToTensor()])
    classifier = Classifier(network(1), preprocess, input_size=16)
    assert classifier.pixels(photo(16, 16)).shape == (1, 1, 16, 16)


def test_a_grey_picture_for_a_colour_network() -> None:
    classifier = Classifier(network(), input_size=16)
    pixels = classifier.pixels(photo(16, 16, "L"))
    assert torch.equal(pixels[:, 0], pixels[:, 1])


def test_a_tensor_is_the_network_input_itself() -> None:
    classifier = Classifier(network(), transforms.Compose(NORMALISED), input_size=(8, 9))
    tensor = torch.randn(3, 8, 9)
    assert torch.equal(classifier.pixels(tensor)[0], tensor)
    assert torch.equal(classifier.pixels(tensor[None])[0], tensor)
    classifier.pixels(tensor).zero_()
    assert tensor.any()
    with pytest.raises(PictureError, match=r"shape \(3, 9, 8\), but Sequential takes \(3, 8, 9\)"):
        classifier.pixels(tensor.transpose(1, 2))


def test_more_or_fewer_channels_than_colours() -> None:
    for channels in (2, 4):
        classifier = Classifier(network(channels), input_size=8)
        assert classifier.black.flatten().tolist() == [0] * channels
        pixels = classifier.pixels(torch.rand(channels, 8, 8))
        seen = classifier.appearance(pixels)
        assert seen.shape == (8, 8, 3)
        assert seen[..., 0] == pytest.approx((pixels[0, 0] * 255).numpy(), abs=1)
        with pytest.raises(PictureError, match="became a network input of shape"):
            classifier.pixels(photo(8, 8))


def test_padding_does_not_spoil_black_and_white() -> None:
    preprocess = transforms.Compose([transforms.Resize((28, 28)), transforms.ToTensor(), transforms.Pad(2, fill=0.5)])
    classifier = Classifier(network(), preprocess)
    assert classifier.input_size == (32, 32)
    assert classifier.black.unique().tolist() == [0]
    assert classifier.white.unique().tolist() == [1]


def standardised(picture: PIL.Image.Image) -> Tensor:
    pixels = transforms.ToTensor()(picture)
    return (pixels - pixels.mean()) / pixels.std()


def test_a_preprocess_without_a_black_and_a_white() -> None:
    for preprocess in (standardised, lambda _: torch.zeros(3, 16, 16)):
        classifier = Classifier(network(), preprocess, input_size=16)
        assert classifier.black.unique().tolist() == [0]
        assert classifier.white.unique().tolist() == [1]
        assert classifier.appearance(classifier.pixels(photo(16, 16))).dtype == np.uint8
    with pytest.raises(PictureError, match="NaN or infinite"):
        Classifier(network(), standardised, input_size=16).pixels(PIL.Image.new("RGB", (16, 16)))


def refuse(_: PIL.Image.Image) -> Tensor:
    raise ZeroDivisionError("no division")


@pytest.mark.parametrize(
    ("preprocess", "size", "sentence"),
    [
        (transforms.ToTensor(), None, "leaves the picture's size open; give `input_size` too"),
        (transforms.Compose(NORMALISED), None, "leaves the picture's size open"),
        (refuse, None, r"failed on a plain picture \(ZeroDivisionError: no division\)"),
        (refuse, 16, r"failed on a plain picture \(ZeroDivisionError: no division\)"),
        (lambda p: np.asarray(p), None, "must return a tensor.*not ndarray"),
        (lambda p: {"image": p}, 16, "must return a tensor.*not dict"),
        (lambda p: None, None, "must return a tensor.*not NoneType"),
        (lambda p: torch.zeros(16, 16), None, r"not one of shape \(16, 16\)"),
        (lambda p: torch.zeros(2, 3, 16, 16), None, r"not one of shape \(2, 3, 16, 16\)"),
        (lambda p: torch.zeros(3, 0, 16), None, r"not one of shape \(3, 0, 16\)"),
        (PRESET, 128, "makes 224 x 224 pixels of a picture of 128 x 128; give the size that it makes"),
        (transforms.Compose([transforms.Grayscale(), transforms.ToTensor()]), 16, "expected input.*to have 3 channels"),
        (lambda p: transforms.ToTensor()(p).permute(1, 2, 0), 16, "makes 16 x 3 pixels"),
        ("resize", 16, "must be callable"),
        (torch.zeros(3, 16, 16), 16, "must be callable"),
    ],
)
def test_unfit_preprocesses_are_refused(preprocess: Any, size: Any, sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        Classifier(network(), preprocess, input_size=size)


def test_a_preprocess_that_fails_later_is_named_with_the_picture() -> None:
    def fussy(picture: PIL.Image.Image) -> Tensor:
        if picture.getextrema()[0][1]:
            raise ValueError("too colourful")
        return transforms.ToTensor()(picture)

    classifier = Classifier(network(), fussy, input_size=16)
    with pytest.raises(PictureError, match=r"failed on the picture \(ValueError: too colourful\)"):
        classifier.pixels(photo(16, 16))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mean": (0.5,)}, "`mean` must be a list of 3 finite numbers"),
        ({"mean": 0.5}, "`mean` must be a list of 3 finite numbers"),
        ({"mean": (0.5, None, 0.5)}, "`mean` must be"),
        ({"mean": (0.5, float("nan"), 0.5)}, "`mean` must be"),
        ({"std": (1, 0, 1)}, "`std` must be positive"),
        ({"std": (1, 1, float("inf"))}, "`std` must be a list"),
        ({"mean": MEAN, "preprocess": transforms.ToTensor()}, "Give either `preprocess` or `mean`"),
        ({"input_size": 0}, "`input_size` is a number of pixels or"),
        ({"input_size": (16, -1)}, "`input_size` is a number of pixels or"),
        ({"input_size": (16, 16, 3)}, "`input_size` is a number of pixels or"),
        ({"input_size": 224.0}, "`input_size` is a number of pixels or"),
        ({"input_size": "224"}, "`input_size` is a number of pixels or"),
        ({"input_size": True}, "`input_size` is a number of pixels or"),
        ({"input_size": 100_000}, "from 1 to 8192"),
    ],
)
def test_unfit_numbers_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        Classifier(network(), **{"input_size": 16, **options})


@pytest.mark.parametrize("size", [16, (16, 16), [16, 16], np.int64(16), np.array([16, 16]), torch.Size([16, 16])])
def test_sizes_of_many_types(size: Any) -> None:
    classifier = Classifier(network(), input_size=size, mean=torch.tensor(MEAN))
    assert classifier.input_size == (16, 16)
    assert [type(side) for side in classifier.input_size] == [int, int]
    assert classifier.preprocess == ResizeAndCrop((16, 16), tuple(torch.tensor(MEAN).tolist()))


def test_the_old_name_of_the_module_warns() -> None:
    from cnnviz_widgets import preprocess as old

    with pytest.warns(DeprecationWarning, match=r"is now cnnviz_widgets\.classifier\.preprocess\.cover"):
        assert old.cover is cover
    with pytest.raises(AttributeError):
        old.no_such_name  # noqa: B018
