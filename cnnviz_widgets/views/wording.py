"""A panel's head, and the texts and tooltips of its controls, from the catalogue of what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import ipywidgets
import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.widgets.described import Described
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


#: Controls whose options are names, of classes, networks or layers: no word of the catalogue is meant by them.
OF_NAMES = frozenset({"class", "minus", "beside_it", "your_guess", "picture_of_b", "b_is", "layer", "channel"})


def name_of(text: str) -> str:
    """The last part of the key of an English text: "map by" is `map_by`."""
    return re.sub(r"\W+", "_", text.lower()).strip("_")


def tooltip(description: str, topic: str, language: str | None) -> str:
    """What the control of that description is for, in this tab or in any; "" where the catalogue does not say."""
    return _first([f"tooltip.{topic}.{name_of(description)}", f"tooltip.{name_of(description)}"], language)


def label(description: str, topic: str, language: str | None) -> str:
    """What stands beside a control of that description; the description itself where the catalogue does not say."""
    name = name_of(description)
    return _first([f"parameter.{topic}.{name}", f"parameter.{name}"], language) or description


def option(text: str, description: str, language: str | None) -> str:
    """What an option of the control of that description is called; `text` itself where the catalogue does not say."""
    name, own = name_of(description), name_of(text)
    keys = [f"option.{name}.{own}"] if name in OF_NAMES else [f"option.{name}.{own}", f"option.{own}"]
    return _first(keys, language) or text


def button_label(description: str, language: str | None) -> str:
    """What stands on a button of that description; the description itself where the catalogue does not say."""
    return _first([f"button.{name_of(description)}"], language) or description


def title(text: str, language: str | None) -> str:
    """What stands above a sheet of pictures, or in an empty one or an empty field; else `text` itself."""
    return _first([f"title.{name_of(text)}"], language) or text


def _first(keys: list[str], language: str | None) -> str:
    texts = words.catalogue(language or words.LANGUAGES[0])
    return next((texts[key] for key in keys if key in texts), "")


class LabelledButton(ipywidgets.Button):
    """A button whose `description` stays English for the program; the page shows the catalogue's text for it.

    A page that chooses its language itself is sent English: the browser's half of this button knows one text only.
    """

    description = traitlets.Unicode().tag(sync=True, to_json=lambda text, button: button_label(text, button._language))

    def __init__(self, language: str | None, **traits: Any) -> None:
        self._language = language
        super().__init__(**traits)


class ControlTexts:
    """Gives the controls of a panel their texts and tooltips by their descriptions, also those put into it later."""

    def __init__(self, topic: str, language: str | None) -> None:
        self._topic, self._language = topic, language

    def set(self, root: ipywidgets.Widget) -> None:
        """Set the texts of `root` and of all that is inside it."""
        if isinstance(root, ipywidgets.Box):
            root.observe(self._children_changed, names="children")
            for child in root.children:
                self.set(child)
        elif isinstance(root, ipywidgets.Button):
            root.observe(self._control_changed, names="description")
            self._describe(root)
        elif isinstance(root, Described):
            names = [name for name in ("description", "options", "placeholder") if root.has_trait(name)]
            root.observe(self._control_changed, names=names)
            self._describe(root)

    def _children_changed(self, change: Any) -> None:
        for child in change["new"]:
            self.set(child)

    def _control_changed(self, change: Any) -> None:
        self._describe(change["owner"])

    def _describe(self, control: Any) -> None:
        if isinstance(control, ipywidgets.Button | OptionSlider | Picker):
            text = tooltip(control.description, self._topic, self._language)
            if text:  # else what it was given stays
                control.tooltip = text
        if isinstance(control, Described):
            control.texts = {each: dict(self._texts(control, each)) for each in words.sent(self._language)}

    def _texts(self, control: Any, language: str) -> Iterator[tuple[str, str]]:
        """The texts of `control` that are others on the page."""
        if isinstance(control, OptionSlider | Picker):
            if isinstance(control, LayerSlider):
                said = control.called_in(language)
            else:
                said = {text: option(text, control.description, language) for text in control.options}
            said[control.description] = label(control.description, self._topic, language)
            if self._language is None and control.tooltip:
                said[control.tooltip] = tooltip(control.description, self._topic, language) or control.tooltip
        else:
            said = {control.description: title(control.description, language)}
        if control.has_trait("placeholder"):
            said[control.placeholder] = title(control.placeholder, language)
        return ((text, shown) for text, shown in said.items() if text and text != shown)
