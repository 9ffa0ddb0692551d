"""The other networks of an explorer: one of them stands beside the first in every tab."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import ipywidgets

from cnnviz_widgets.classifier import Autocast, Classifier
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.session import Session, as_classifier
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.compare import Comparison
from cnnviz_widgets.views.comparison.session_links import SessionLinks
from cnnviz_widgets.views.events import on
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.panel import Panel, sentence
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.status import Status


class Companion(ipywidgets.VBox):
    """What one of `others` predicts, and a slider over them where they are several.

    `session` is the shown network's; it follows `first` in everything else, class and layer by name; `show` exchanges
    the network.
    """

    def __init__(self, first: Session, others: Sequence[Classifier]) -> None:
        self.networks = tuple(others)
        self.session = Session(others[0], first.picture)
        self._links = SessionLinks(first, self.session, ["networks"])
        self.slider = OptionSlider(options=[classifier.name for classifier in others], description="B is")
        show_if(len(others) > 1, self.slider)
        self.predictions = PredictionView(self.session)
        self.status = Status()
        super().__init__([self.predictions, self.slider, self.status])
        on(self.slider, SliderMoved, lambda event: self.show(event.index), self._fail)

    @in_turn
    def show(self, index: int) -> None:
        """Put network `index` of `networks` beside the first, in all tabs."""
        self.slider.index = index
        self.session.classifier = self.networks[index]
        self.status.say("")

    def beside(self, view: Panel, make: Callable[[Session], Panel]) -> Comparison:
        """The comparison of a view with that of the other network, which `make` makes of a session."""
        other = make(self.session)
        other.leave_notes_out()  # they stand below the predictions
        return Comparison(view, other, linked=self._links)

    def _fail(self, error: Exception) -> None:
        self.status.say(sentence(error), "error")

    @in_turn
    def close(self) -> None:
        """Part the networks and remove what is shown of the others."""
        self._links.close()
        self.predictions.close()
        discard_contents(self)
        super().close()


def classifiers_of(
    models: Sequence[object] | Mapping[str, object],
    picture: object = None,
    class_names: Sequence[str] | None = None,
    autocast: Autocast | None = None,
) -> list[Classifier]:
    """A classifier of each network, by the names that are given or else its own, with A, B, C where these are one.

    Raises ClassifierError for fewer than two.
    """
    if len(models) < 2:
        raise ClassifierError("To compare networks pass at least two; one by itself needs no list.")
    given = list(models.values()) if isinstance(models, Mapping) else list(models)
    made = [as_classifier(model, picture, None if _is_named(model) else class_names, autocast) for model in given]
    if isinstance(models, Mapping):
        names = [str(name) for name in models]
    else:
        names = [classifier.name for classifier in made]
        if len(set(names)) < len(names):
            names = [f"{name} {_letter(place)}" for place, name in enumerate(names)]
    return [
        classifier if classifier.name == name else _renamed(classifier, name)
        for classifier, name in zip(made, names, strict=True)
    ]


def _is_named(model: object) -> bool:
    """Whether it brings its class names."""
    return isinstance(model, Classifier | str)


def _renamed(classifier: Classifier, name: str) -> Classifier:
    """A classifier of the same network under another name; the user's keeps its own."""
    other = copy.copy(classifier)
    other.name = name
    return other


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)
