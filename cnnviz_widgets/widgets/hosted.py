"""What all widgets of this package share: they recover from a page that was slow to load."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anywidget
import traitlets


class Hosted(anywidget.AnyWidget):
    """A widget whose browser half may ask for its state again.

    anywidget 0.11 stops listening to the kernel when a page takes longer than 2 s to run a widget's module;
    js/src/hearing.ts then takes up listening and sends `{kind: "state"}`.
    """

    _host_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        unknown = [name for name in traits if not self.has_trait(name)]
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}.")
        # The browser finds its own model by this name; the kernel knows it only once the model is made.
        identity = uuid4().hex
        super().__init__(_host_id=identity, model_id=identity, **traits)
        self.on_msg(self._tell_state)

    def _tell_state(self, _: object, content: object, buffers: list[memoryview]) -> None:
        if isinstance(content, dict) and content.get("kind") == "state":
            self.send_state()
