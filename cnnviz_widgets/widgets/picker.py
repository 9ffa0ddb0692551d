"""A choice among labelled options, with search where there are many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.choice import chosen, truth
from cnnviz_widgets.widgets.described import Described


@dataclass(frozen=True)
class Picked:
    """Option `index` was chosen."""

    index: int
    final: bool = True


class Picker(Described):
    """A choice among `options`, or none (`index` is None); its event is `Picked`.

    `hints` stand at the right of each option ("43 %"). Without search text the options in `order` come
    first. `searchable` makes it a combobox, fit for a thousand class names, instead of the native list;
    None: if there are more than a dozen options when it is first shown. `index` follows every valid event
    before the handlers run, as in `OptionSlider`.
    """

    _esm = STATIC / "picker.js"

    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    hints = traitlets.List(traitlets.Unicode()).tag(sync=True)
    order = traitlets.List(traitlets.Int()).tag(sync=True)
    index = traitlets.Int(None, allow_none=True).tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)
    searchable = traitlets.Bool(None, allow_none=True).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("index")
    def _within(self, proposal: dict[str, Any]) -> int | None:
        index: int | None = proposal["value"]
        if index is not None and not 0 <= index < len(self.options):
            raise traitlets.TraitError(f"index {index} is outside the {len(self.options)} options.")
        return index

    @traitlets.observe("options")
    def _forget(self, _: object) -> None:
        if self.index is not None and self.index >= len(self.options):
            self.index = None

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> Picked:
        """The message as `Picked`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        event = Picked(chosen(content, self.options), truth(content["final"]))
        self.index = event.index
        return event
