"""A picture as one classifier sees it, and a snapshot of what is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.forks import lock
from cnnviz_widgets.picture import Picture


class Example:
    """A picture as one classifier sees it. Each value is computed once, by the first thread that asks for it.

    It holds as long as the network's weights stay as they are.
    """

    def __init__(self, classifier: Classifier, picture: Picture) -> None:
        self.classifier = classifier
        self.picture = picture
        self._weights = classifier.runner.weights(anew=True)
        self._taping = lock()
        self._tape: Tape | None = None

    @property
    def current(self) -> bool:
        """Whether the network has the weights that it had when this was made."""
        return self._weights == self.classifier.runner.weights(anew=True)

    @locked_property
    def pixels(self) -> Tensor:
        """The network input, (1, C, H, W)."""
        return self.classifier.pixels(self.picture)

    @locked_property
    def appearance(self) -> NDArray[np.uint8]:
        """The network input as a person sees it, uint8 (H, W, 3)."""
        return self.classifier.appearance(self.pixels)

    @locked_property
    def logits(self) -> NDArray[np.float32]:
        """Class scores before any softmax or sigmoid, (K,)."""
        with torch.no_grad():
            logits: NDArray[np.float32] = self.classifier.logits(self.pixels)[0].cpu().numpy()
        return logits

    @locked_property
    def probabilities(self) -> NDArray[np.float32]:
        """What the logits say, (K,), as `Classifier.probabilities`: the scores themselves where these are none."""
        return self.classifier.readout.probabilities(self.logits)

    @locked_property
    def autocast_error(self) -> float:
        """How far the logits are from those in float32, as a share of their range; 0 without autocast."""
        return self.classifier.autocast_error(self.pixels)

    def tape(self, layer: str) -> Tape:
        """The forward pass with `layer` recorded, and with all the layers that are worth to be looked at.

        Raises LayerError, ClassifierError.
        """
        with self._taping:
            if self._tape is None or layer not in self._tape.activations:
                chosen = [known.name for known in self.classifier.layers if known.role != "other"]
                self._tape = None  # the graph may be large: it is let go of before the next is made
                self._tape = Tape(self.classifier, self.pixels, [*chosen, self.classifier.default_layer, layer])
            return self._tape

    @property
    def predicted(self) -> int:
        """The class with the highest score."""
        return int(self.logits.argmax())


@dataclass(frozen=True, eq=False)
class Scene:
    """A snapshot of the session, for work on another thread."""

    example: Example
    target: int | None
    against: int | None
    layer: str
    channel: int | None

    @property
    def classifier(self) -> Classifier:
        return self.example.classifier

    @property
    def class_index(self) -> int:
        """The chosen class, or the predicted one when none is chosen."""
        return self.example.predicted if self.target is None else self.target
