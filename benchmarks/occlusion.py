"""Occlusion maps against Captum with the number of windows at once that suits each network best, and with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from captum.attr import Occlusion as PeerOcclusion
from torchvision import models

from benchmarks.table import Rival, Row, compare, seconds
from cnnviz_widgets import Classifier, demo
from cnnviz_widgets.explain import Occlusion

WINDOW, STRIDE, TARGET = 32, 16, 281
DEFAULT = "default network"
#: What the ratio should be, for torchvision's networks with random weights and for the demo's own.
BOUNDS = {
    "resnet18": 2.5,
    "mobilenet_v2": 2.0,
    DEFAULT: 1.8,
    "efficientnet_b0": 1.2,
    "mobilenet_v3_large": 1.2,
    "vgg16": 4.0,
    "resnet50": 2.5,
    "densenet121": 2.0,
}
#: A map takes Captum a minute or more.
LARGE = ("vgg16", "resnet50", "densenet121")
SMALL = tuple(name for name in BOUNDS if name not in LARGE)
#: Windows at once that Captum is tried with; on a CPU more are no faster.
BATCHES = (1, 2, 4, 8, 16)


def rows() -> Iterable[Row]:
    return _rows(SMALL, 224, WINDOW, STRIDE)


def large_rows() -> Iterable[Row]:
    return _rows(LARGE, 224, WINDOW, STRIDE)


# The same part of the picture as at 224 px, and fewer windows: Captum's stride is at most the window.
def rows_448() -> Iterable[Row]:
    return _rows(SMALL, 448, 64, 64, default=False)


def large_rows_448() -> Iterable[Row]:
    return _rows(LARGE, 448, 64, 64, default=False)


def _rows(names: Iterable[str], side: int, window: int, stride: int, **options: Any) -> Iterator[Row]:
    for name in names:
        yield from rows_of(name, side, window, stride, **options)


def classifier_of(name: str, side: int) -> Classifier:
    """torchvision's network with random weights, or the demo's own, for pictures of `side` pixels."""
    torch.manual_seed(0)
    network = demo.classifier().network if name == DEFAULT else models.get_model(name, weights=None)
    return Classifier(network.eval(), input_size=side, name=name)


def rows_of(name: str, side: int, window: int, stride: int, default: bool = True) -> list[Row]:
    """The map of one network, from the input to the heatmap."""
    classifier = classifier_of(name, side)
    pixels = torch.randn(1, 3, side, side)
    count = best_count(classifier.network, pixels)
    explainer = Occlusion(window, stride)
    rivals = [
        Rival(f"captum, {count} at once", captum(classifier.network, pixels, window, stride, count), BOUNDS[name])
    ]
    if default:
        rivals.append(Rival("captum, default", captum(classifier.network, pixels, window, stride, 1), once=True))
    # Captum's network has been run when it was tuned: a map more would take a minute and warm nothing.
    return compare(
        f"{name}, {side} px",
        lambda: explainer(classifier, pixels, TARGET),
        *rivals,
        warm=True,
    )


def captum(
    network: torch.nn.Module, pixels: torch.Tensor, window: int, stride: int, count: int
) -> Callable[[], object]:
    """Captum's map, `count` windows at once."""
    peer = PeerOcclusion(network)
    shape, steps = (pixels.shape[1], window, window), (pixels.shape[1], stride, stride)

    def work() -> object:
        with torch.no_grad():
            return peer.attribute(pixels, shape, steps, target=TARGET, perturbations_per_eval=count)

    return work


@torch.no_grad()
def best_count(network: torch.nn.Module, pixels: torch.Tensor) -> int:
    """How many pictures at once are run in the least time each, of two runs after an untimed one."""

    def seconds_of_one(count: int) -> float:
        several = pixels.repeat(count, 1, 1, 1)
        network(several)
        return min(seconds(lambda: network(several)) for _ in range(2)) / count

    return min(BATCHES, key=seconds_of_one)
