"""What the network takes the whole picture for."""

from __future__ import annotations

from typing import Any

import ipywidgets

from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.parts.reading import score_name, verdict
from cnnviz_widgets.views.view import View, Work

#: So many classes are named.
_MOST = 5


class PredictionView(View):
    """The best classes of the picture with their probabilities, or their scores where these are none, as one line."""

    depends_on = ("classifier", "picture")

    def build(self) -> list[ipywidgets.Widget]:
        return []

    def work(self, scene: Scene) -> Work:
        return _predict(scene.example)

    def draw(self, result: Any) -> None:
        example: Example = result
        text = verdict(example, example.picture.name or "this picture", _MOST)
        self.status.say(f"{text}{_in_fewer_bits(example)}")


def _predict(example: Example) -> Work:
    _ = example.logits, example.autocast_error
    yield example


def _in_fewer_bits(example: Example) -> str:
    """A sentence about what autocast costs, where it is on."""
    autocast, error = example.classifier.autocast, example.autocast_error
    # The share is of the range of the scores.
    name = score_name(example.classifier)
    return f" In {autocast}: {name}s within {100 * error:.2g} % of float32." if autocast else ""
