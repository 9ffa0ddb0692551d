"""A slider through layers that follows the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnnviz_widgets.classifier import Classifier, Layer
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.parts.layer_names import describe_layer, slidable, staged_names
from cnnviz_widgets.widgets.slider import OptionSlider


class LayerSlider(OptionSlider):
    """A slider over the layers `choose(classifier)`; it stands at `place(classifier, layer)` of the session's layer.

    A layer that is chosen elsewhere and is none of them is put where it runs. The options are names for a person,
    `names` those of the network.
    """

    def __init__(
        self,
        session: Session,
        choose: Callable[[Classifier], Sequence[Layer]] | None = None,
        place: Callable[[Classifier, str], Layer] = Classifier.layer,
    ) -> None:
        super().__init__(description="layer")
        self._session = session
        self._choose = choose or slidable
        self._place = place
        self.describe()

    @property
    def names(self) -> list[str]:
        """What the network calls the layers."""
        return [layer.name for layer in self.layers]

    def describe(self) -> None:
        """Take the layers of the session's classifier."""
        self._classifier = self._session.classifier
        self.layers = list(self._choose(self._classifier))
        self._show()
        self.follow()

    def follow(self) -> None:
        """Stand at the session's layer."""
        classifier = self._session.classifier
        if classifier is not self._classifier:
            # A new classifier's layer is told of before the classifier is.
            self.describe()
            return
        layer = self._place(classifier, self._session.layer)
        if layer not in self.layers:
            order = {known.name: place for place, known in enumerate(classifier.layers)}
            self.layers = sorted([*self.layers, layer], key=lambda known: order[known.name])
            self._show()
        self.index = self.layers.index(layer)

    def called_in(self, language: str) -> dict[str, str]:
        """The options -> what they are called in `language`."""
        called = staged_names(self._classifier, language)
        return {option: called[name] for option, name in zip(self.options, self.names, strict=True)}

    def choose(self, event: Any) -> None:
        """Make the layer of a slider's event the session's."""
        self._session.layer = self.layers[event.index].name

    def _show(self) -> None:
        staged = staged_names(self._classifier)
        with self.hold_sync():
            self.options = [staged[layer.name] for layer in self.layers]
            self.details = [describe_layer(layer) for layer in self.layers]


class ChannelSlider(OptionSlider):
    """A slider over the channels of the session's layer; it stands at the session's channel, or at the first."""

    def __init__(self, session: Session) -> None:
        super().__init__(description="channel")
        self._session = session
        self.describe()

    def describe(self) -> None:
        """Take the channels of the session's layer."""
        count = self._session.classifier.layer(self._session.layer).shape[0]
        with self.hold_sync():
            self.options = [str(channel) for channel in range(count)]
            self.index = self._session.channel or 0
