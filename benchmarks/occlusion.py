"""Occlusion maps against Captum with the number of windows at once that suits each network best."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from captum.attr import Occlusion as PeerOcclusion

from benchmarks.table import Row, compare, seconds
from cnnviz_widgets import Classifier, demo
from cnnviz_widgets.explain import Occlusion

SIDE, WINDOW, STRIDE, TARGET = 224, 32, 16, 281
#: What the ratio should be, for torchvision's networks with random weights and for the demo's own.
BOUNDS = {
    "vgg16": 4.0,
    "resnet18": 2.5,
    "resnet50": 2.5,
    "densenet121": 2.0,
    "mobilenet_v2": 2.0,
    "default network": 1.8,
    "efficientnet_b0": 1.2,
}
#: Windows at once that Captum is tried with.
BATCHES = (1, 2, 4, 8, 16, 32)


#: A map takes Captum a minute or more.
LARGE = ("vgg16", "resnet50", "densenet121")


def rows() -> Iterable[Row]:
    return (row(name) for name in BOUNDS if name not in LARGE)


def large_rows() -> Iterable[Row]:
    return (row(name) for name in LARGE)


def row(name: str, repeats: int = 5) -> Row:
    """The map of one network, from the picture to the heatmap."""
    torch.manual_seed(0)
    classifier = demo.classifier() if name == "default network" else Classifier.of(name, weights=None)
    network = classifier.network.eval()
    pixels = torch.randn(1, 3, SIDE, SIDE)
    batch = min(BATCHES, key=lambda count: seconds_of_one(network, pixels, count))
    explainer, peer = Occlusion(WINDOW, STRIDE), PeerOcclusion(network)
    channels = pixels.shape[1]

    def ours() -> None:
        explainer(classifier, pixels, TARGET)

    def captum() -> None:
        with torch.no_grad():
            peer.attribute(
                pixels,
                (channels, WINDOW, WINDOW),
                (channels, STRIDE, STRIDE),
                target=TARGET,
                perturbations_per_eval=batch,
            )

    return compare(
        f"occlusion map, {name}",
        ours,
        captum,
        f"captum, {batch} at once",
        bound=BOUNDS[name],
        repeats=repeats,
        note=f"{SIDE} px, window {WINDOW}, stride {STRIDE}",
    )


@torch.no_grad()
def seconds_of_one(network: Callable[[torch.Tensor], object], pixels: torch.Tensor, count: int) -> float:
    """Seconds for each picture when `count` are run at once, the best of three runs after an untimed one."""
    several = pixels.repeat(count, 1, 1, 1)
    network(several)
    return min(seconds(lambda: network(several)) for _ in range(3)) / count
