"""The likeliest classes as bars, the same in every panel: a press explains a class, a search finds any other."""

from __future__ import annotations

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import ClassPicker
from cnnviz_widgets.views.parts.scores import ScoreBars, best_classes
from cnnviz_widgets.widgets.class_bars import ClassPressed


class ClassList(ipywidgets.VBox):
    """The `bars` of the best classes of a picture and the `picker` of all, which set the session's target.

    `job` is what the browser's next event waits for. `now` is what moves the solid bars, as in `ScoreBars`.
    """

    def __init__(self, panel: Panel, job: Job, now: str = "") -> None:
        self._panel, self._job = panel, job
        self._example: Example | None = None
        self.picker = ClassPicker(panel, job)
        self.bars = ScoreBars(panel.language, now)
        super().__init__([self.picker, self.bars])
        self.add_class("cnnviz-class-list")
        panel.on(self.bars, ClassPressed, self._pressed)

    def show(self, example: Example, index: int, logits: NDArray[np.float32] | None = None) -> None:
        """Show the best classes of a picture, `index` among them; the solid bars are of `logits` (K,), if given."""
        classifier = example.classifier
        if example is not self._example:
            self._example = example
            self.picker.describe(example)
        best = best_classes(example.logits, index)
        with self.bars.hold_sync():
            self.bars.show_whole(classifier.class_names, best, example.probabilities, classifier.scores, index)
            if logits is not None:
                self.bars.show_now(classifier.readout.probabilities(logits))

    def _pressed(self, event: ClassPressed) -> Job:
        self._panel.session.target = self.bars.class_of(event)
        return self._job

    def close(self) -> None:
        """Let go of the picture, too."""
        self._example = None
        super().close()


def looked_at(scene: Scene) -> Steps:
    """The scene once it is known what the network says of its picture."""
    _ = scene.example.logits, scene.class_index
    yield scene
