"""The groups of rows, in the order of the table; a group is imported when it is run."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.table import Row


@dataclass(frozen=True)
class Group:
    """Some rows that are run together: `function` of `module` makes them."""

    title: str
    about: str
    module: str
    function: str = "rows"

    def rows(self) -> Iterable[Row]:
        rows: Iterable[Row] = getattr(importlib.import_module(f"benchmarks.{self.module}"), self.function)()
        return rows


_CAPTUM = (
    "Captum's `Occlusion`, without gradients, with the number of windows at once that suits the network best, and with "
    "its default of one at a time. Both run the same windows over the same input, in float32."
)
GROUPS = {
    "occlusion": Group("Occlusion maps, 224 px", f"{_CAPTUM} Window 32, stride 16: 169 windows.", "occlusion"),
    "occlusion-large": Group(
        "Occlusion maps of large networks, 224 px",
        f"{_CAPTUM} Window 32, stride 16: 169 windows.",
        "occlusion",
        "large_rows",
    ),
    "occlusion-448": Group(
        "Occlusion maps, 448 px",
        f"{_CAPTUM} Window 64, stride 64: 49 windows, each the part of the picture that 32 is of 224. Captum tuned "
        "only; what is done once a map weighs the more on our side.",
        "occlusion",
        "rows_448",
    ),
    "occlusion-448-large": Group(
        "Occlusion maps of large networks, 448 px",
        "As before.",
        "occlusion",
        "large_rows_448",
    ),
    "busy": Group(
        "Occlusion maps beside another program",
        "In turns on a quiet machine and beside a program that keeps a core busy, which leaves one and a half of two: "
        "what is lost beyond that is lost by waiting.",
        "busy",
    ),
    "coarse": Group(
        "First useful map",
        "Until the first map that at least 4 % of the windows have been run for, against Captum's, which comes at the "
        "end, tuned as before. A photograph, 224 px, window 32, stride 16.",
        "coarse",
    ),
    "engine": Group(
        "Scores and layers without gradients",
        "By the engine that `Classifier` chooses, checks of the network's weights included, against torch through the "
        "same classifier, and against ONNX Runtime by itself with as many threads. 224 px.",
        "engine",
    ),
    "gradcam": Group(
        "Grad-CAM",
        "Maps of 28 layers, or of eight blocks, from one picture, and of another layer or class once they are there. "
        "The limit is one forward and one backward pass of which nothing is kept. resnet18, 224 px.",
        "gradcam",
    ),
    "gradients": Group(
        "SmoothGrad, integrated gradients, Score-CAM",
        "As many samples, points and channels as the peer's, each on the batch that suits it best. resnet18, 224 px.",
        "gradients",
    ),
    "scan": Group(
        "Passes over a data set",
        "Top patches of every channel and features, against a forward pass over the same pictures from the same loader "
        "in batches of the same size, whose result is thrown away: that is the limit.",
        "scan",
    ),
    "neighbours": Group(
        "Nearest neighbours",
        "Twelve neighbours of one vector among vectors of 64 numbers, exact on both sides.",
        "neighbours",
    ),
    "neighbours-index": Group(
        "Nearest neighbours by an index",
        "As before, through the index on disk that stores of many rows have, with the share of true neighbours that it "
        "finds. Making it takes minutes, which are not counted.",
        "neighbours",
        "index_rows",
    ),
    "making": Group(
        "t-SNE and class visualisation",
        "The map of scikit-learn's digits from the same start with as many iterations; the ascent against torch-lucent "
        "where it is installed, and against the forward and backward passes alone.",
        "making",
    ),
    "slider": Group(
        "Layer slider to pixels",
        "In Chromium over Voila: from the key press on the layer slider until the picture has changed, at the page's "
        "next frame, against one frame and 50 ms. The network is not called.",
        "slider",
    ),
    "drag": Group(
        "Drag of the patch",
        "In Chromium over Voila: from the last move of the hand until the scores rest, against the loop that runs the "
        "network in the handler of every mouse move, and against one forward pass and 60 ms.",
        "drag",
    ),
    "rate": Group(
        "Answers a second",
        "In Chromium over Voila and over a JupyterLab as its users start it: the time between two changes of the "
        "sentence while a hand goes round with the patch, with windows run ahead and with a pass for each answer, and "
        "while a camera runs. Messages an event are those of widgets; one is the least.",
        "rate",
    ),
    "startup": Group(
        "Start-up",
        "Fresh interpreters: importing the package, and `explore()` up to the scores of the first picture, against "
        "importing torch and running the embedded network once, and 2 s.",
        "startup",
    ),
    "visitor": Group(
        "One visitor of a Voila page",
        "From the address to the first picture to touch, against a page whose kernel only imports torch and runs the "
        "embedded network, and 2 s; and what memory the kernels take, shared pages counted in part.",
        "visitor",
    ),
    "static-visitors": Group(
        "A hundred visitors of a page without a kernel",
        "All at once, on this machine, from Python's own file server; no other process runs. The page has the network "
        "in it.",
        "static_visitors",
    ),
}
