"""What the network takes the whole picture for."""

from __future__ import annotations

from typing import Any

from cnnviz_widgets.session import Example
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, one_step
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.reading import score_name, verdict
from cnnviz_widgets.views.parts.scores import bars_of
from cnnviz_widgets.views.questions.classes import class_predicted
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.parts import BarsPart
from cnnviz_widgets.views.take.table import Columns, required

#: So many classes are named.
_MOST = 5


class PredictionView(Panel):
    """The best classes of the picture with their probabilities, or their scores where these are none, as one line."""

    follows = ("classifier", "picture")

    def __init__(self, model: object, picture: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self._shown: Example | None = None
        self.work = self.job(self._draw)
        self.begin()

    def compute(self) -> Job:
        return self.work.start(_predict(self.session.example))

    def table(self) -> Columns:
        """What the network says of the picture, for each class."""
        return table.of_classes(required(self._shown))

    def drawn(self) -> BarsPart | None:
        """The classes that are named, as bars; None while there are none."""
        shown = self._shown
        return None if shown is None else bars_of(shown, _MOST)

    def question(self) -> Question | None:
        ready = self._shown is not None and not self.work.busy
        return class_predicted(self._shown) if ready and self._shown is not None else None

    def _draw(self, example: Example) -> None:
        self._shown = example
        text = verdict(example, example.picture.name or "this picture", _MOST)
        self.say(f"{text}{_in_fewer_bits(example)}")


@one_step
def _predict(example: Example) -> Example:
    _ = example.logits, example.autocast_error
    return example


def _in_fewer_bits(example: Example) -> str:
    """A sentence about what autocast costs, where it is on."""
    autocast, error = example.classifier.autocast, example.autocast_error
    # The share is of the range of the scores.
    name = score_name(example.classifier)
    return f" In {autocast}: {name}s within {100 * error:.2g} % of float32." if autocast else ""
