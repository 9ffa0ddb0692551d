"""What all widgets of this package share: only the kernel writes them, and they recover from a slow page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4
from weakref import WeakSet

import anywidget
import traitlets

from cnnviz_widgets.schedule import between_callbacks, is_between_callbacks


class BaseWidget(anywidget.AnyWidget):
    """A widget whose traits the kernel writes, its script included; what a page sends for others is dropped.

    A page speaks in custom messages. It may also ask for the state again: anywidget 0.11 stops listening to the
    kernel when a page takes longer than 2 s to run a widget's module; js/src/core/reconnect.ts then takes up
    listening and sends `{kind: "state"}`.
    """

    #: The traits that a page writes.
    written_by_page: ClassVar[frozenset[str]] = frozenset()

    #: Traits that are shown otherwise where there is no kernel.
    without_kernel: ClassVar[Mapping[str, object]] = {}

    _host_id = traitlets.Unicode().tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        # For reloading, anywidget connects each widget to the file of its script, and never lets it go.
        script = cls.__dict__.get("_esm")
        if isinstance(script, Path) and not os.environ.get("ANYWIDGET_HMR"):
            cls._esm = script.read_text(encoding="utf-8")
        super().__init_subclass__(**options)

    def __init__(self, **traits: Any) -> None:
        unknown = [name for name in traits if not self.has_trait(name)]
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}.")
        # The browser finds its own model by this name; the kernel knows it only once the model is made.
        identity = uuid4().hex
        #: Held while an event is handled: where a panel made this widget, it does not draw meanwhile.
        self._turn: AbstractContextManager[None] = between_callbacks() if is_between_callbacks() else nullcontext()
        #: The widgets whose changes were sent to this one, to be handed on.
        self.carried: WeakSet[Any] = WeakSet()
        super().__init__(_host_id=identity, model_id=identity, **traits)
        self.on_msg(self._tell_state)

    def writable(self, state: dict[str, Any]) -> dict[str, Any]:
        """What of `state`, as a page sent it, may be set."""
        return {name: value for name, value in state.items() if name in self.written_by_page}

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Set what a page may write, and drop everything else."""
        written = self.writable(sync_data)
        if written:
            super().set_state(written)

    def _tell_state(self, _: object, content: object, buffers: list[memoryview]) -> None:
        if isinstance(content, dict) and content.get("kind") == "state":
            for widget in {self, *self.carried}:
                widget.send_state()
