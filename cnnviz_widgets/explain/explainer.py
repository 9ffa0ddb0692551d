"""What every technique is: a frozen dataclass of parameters whose `steps` yields ever better heatmaps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import Tensor

from cnnviz_widgets.explain.heatmap import Heatmap

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


class Explainer:
    """Base of the techniques. Subclasses are frozen dataclasses; their fields are the parameters.

    An explainer knows no network: one instance serves many, can be compared, and is changed with
    `dataclasses.replace`.
    """

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield ever better heatmaps of `target` for one network input (1, C, H, W).

        Each yield is a progress report, a preview and a point at which the work can be dropped.
        """
        raise NotImplementedError

    def __call__(self, classifier: Classifier, pixels: Tensor, target: Target) -> Heatmap:
        """The final heatmap."""
        (last,) = deque(self.steps(classifier, pixels, target), maxlen=1)
        return last
