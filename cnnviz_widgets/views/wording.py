"""A panel's head and its controls' tooltips, from the catalogue of what the page says."""

from __future__ import annotations

from typing import Any

import ipywidgets

from cnnviz_widgets import words
from cnnviz_widgets.widgets.head import Head
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider

#: The parts of the help, in order.
HELP = ("see", "read", "misread", "source")


#: What the buttons of a head and their menus are for, and what is said once it is done.
ACTIONS = (
    "back", "reset", "guess", "test", "compare", "save", "png", "svg", "csv", "code", "json", "html", "method", "class",
    "picture", "saved", "copied", "present", "leave",
)  # fmt: skip
_WITH_TOOLTIP = ("back", "reset", "guess", "test", "compare", "save", "present")


def head_of(topic: str, language: str | None) -> Head:
    """The head of a view: the question of a tab of the catalogue, and its help; without a `topic`, its actions only."""
    return Head(texts={each: _texts(topic, each) for each in words.sent(language)}, language=language)


def _texts(topic: str, language: str) -> dict[str, Any]:
    named = {
        "labels": {name: words.text(f"action.{name}", language) for name in ACTIONS},
        "tooltips": {name: words.text(f"tooltip.{name}", language) for name in _WITH_TOOLTIP},
    }
    if not topic:
        return named
    return {
        **named,
        "name": words.text(f"tab.{topic}.name", language),
        "question": words.text(f"tab.{topic}.question", language),
        "help": words.text("help.button", language),
        "parts": [
            [words.text(f"help.{part}", language), words.text(f"help.{topic}.{part}", language)] for part in HELP
        ],
    }


def tooltip(description: str, topic: str, language: str | None) -> str:
    """What the control of that description is for, in this tab or in any; "" where the catalogue does not say."""
    name = description.lower().replace(" ", "_")
    texts = words.catalogue(language or words.LANGUAGES[0])
    return texts.get(f"tooltip.{topic}.{name}") or texts.get(f"tooltip.{name}") or ""


class Tooltips:
    """Gives the controls of a panel tooltips by their descriptions, those too that are put into it later."""

    def __init__(self, topic: str, language: str | None) -> None:
        self._topic, self._language = topic, language

    def set(self, root: ipywidgets.Widget) -> None:
        """Set the tooltips of `root` and of all that is inside it."""
        if isinstance(root, ipywidgets.Box):
            root.observe(self._children_changed, names="children")
            for child in root.children:
                self.set(child)
        elif isinstance(root, ipywidgets.Button | OptionSlider | Picker):
            root.observe(self._description_changed, names="description")
            self._describe(root)

    def _children_changed(self, change: Any) -> None:
        for child in change["new"]:
            self.set(child)

    def _description_changed(self, change: Any) -> None:
        self._describe(change["owner"])

    def _describe(self, control: Any) -> None:
        text = tooltip(control.description, self._topic, self._language)
        if text:  # else what it was given stays
            control.tooltip = text
