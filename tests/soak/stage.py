"""What the hand plays on: a small network in the state that a user may leave it in, and every view over it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets
import numpy as np
import torch
from ipywidgets.widgets.widget import _instances
from torch import Tensor, nn

from cnnviz_widgets import explore
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.projection import PCA, TSNE
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.explorer import TABS, Explorer
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.panel import Panel

NAMES = ["ant", "bee", "cat", "<img src=x onerror=alert(1)>", "eel"]
SIZE = (32, 40)


class Network(nn.Module):
    """Batch norm, dropout, a frozen weight and a gradient: all of it must be as found."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.mid = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(12, 10, 3, 1, 1), nn.ReLU())
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(10, len(NAMES))
        self.head.bias.requires_grad_(False)
        self.head.weight.grad = torch.ones_like(self.head.weight)

    def forward(self, pixels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.drop(self.last(self.mid(self.stem(pixels))).mean((2, 3))))
        return scores * 20


def made_classifier() -> Classifier:
    """A classifier of a network that was left in train mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(Network().train(), class_names=NAMES, input_size=SIZE)


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """Noise."""
    numbers = np.random.default_rng(seed)
    return [numbers.integers(0, 256, (*SIZE, 3), dtype=np.uint8) for _ in range(count)]


class BriefVisual(MaximisationView):
    """Few steps: the hand comes back often."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, technique=ActivationMaximisation(iterations=6), started=True)


class BriefMap(EmbeddingView):
    """Few iterations, and not UMAP, which takes a minute to import."""

    def __init__(self, session: Session, source: object = None) -> None:
        techniques = [TSNE(early_iterations=10, iterations=20), PCA()]
        super().__init__(session, source=source, techniques=techniques)


BRIEF_TABS: Mapping[str, type[Panel]] = {**TABS, "Class image": BriefVisual, "Map": BriefMap}


def made_app(classifier: Classifier) -> Explorer:
    """Every view over six pictures, and a data set of 24."""
    named = {f"p{number}": picture for number, picture in enumerate(pictures(6))}
    opened = explore(classifier, named, source=pictures(24, seed=1))
    app = Explorer(opened.session, opened.pictures, source=opened.source, tabs=BRIEF_TABS)
    opened.close()
    return app


def state_of(network: nn.Module) -> dict[str, Any]:
    """All of a network that a guest must leave as found."""
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learning = {
        name: (weight.requires_grad, None if weight.grad is None else weight.grad.clone())
        for name, weight in network.named_parameters()
    }
    modules = {
        name: (module.training, len(module._forward_hooks), len(module._forward_pre_hooks), len(module._backward_hooks))
        for name, module in network.named_modules()
    }
    return {"tensors": tensors, "learning": learning, "modules": modules, "grad": torch.is_grad_enabled()}


def live_widgets() -> set[ipywidgets.Widget]:
    """All widgets that ipywidgets keeps, each with a comm; ipycanvas has one of its own for all canvases."""
    return {widget for widget in _instances.values() if type(widget).__name__ != "_CanvasManager"}


def inside(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """The widgets in a box, and in the boxes in it."""
    children = list(getattr(widget, "children", ()))
    return [found for child in children for found in (child, *inside(child))]


@contextmanager
def complaints() -> Iterator[list[str]]:
    """What is logged inside the block: exceptions that no handler let through, and refused messages."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            said.append(record.getMessage() + (f" | {type(error).__name__}: {error}" if error else ""))

    listener = Listener(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("cnnviz_widgets", "traitlets")]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield said
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
