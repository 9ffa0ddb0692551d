"""What the network takes the whole picture for."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.controls import percent
from cnnviz_widgets.views.view import View, Work


class PredictionView(View):
    """The best classes of the picture with their probabilities, as one line."""

    depends_on = ("classifier", "picture")

    def build(self) -> list[ipywidgets.Widget]:
        return []

    def work(self, scene: Scene) -> Work:
        return _predict(scene.example)

    def draw(self, result: Any) -> None:
        example: Example = result
        names, shares = example.classifier.class_names, example.probabilities
        best = [int(index) for index in np.argsort(-shares)[:5]]
        listed = ", ".join(f"{names[index]} {percent(float(shares[index]))}" for index in best)
        name = example.picture.name or "this picture"
        self.status.say(f"{example.classifier.name} takes {name} for: {listed}.{_in_fewer_bits(example)}")


def _predict(example: Example) -> Work:
    _ = example.logits, example.autocast_error
    yield example


def _in_fewer_bits(example: Example) -> str:
    """A sentence about what autocast costs, where it is on."""
    autocast, error = example.classifier.autocast, example.autocast_error
    # The share is of the range of the scores.
    return f" In {autocast}: logits within {100 * error:.2g} % of float32." if autocast else ""
