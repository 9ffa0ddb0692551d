"""The head of a view: its question, buttons for what can be done with the view, and help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged, Outdated

#: What each key of an action is.
_KEYS = {"id": str, "icon": bool, "disabled": bool, "pressed": bool, "items": list}
_LONGEST_TOKEN = 64


@dataclass(frozen=True)
class ActionPressed:
    """The button of the action `id`, or the item `id` of its menu, was pressed on the page `view`."""

    id: str
    view: str = ""


class Head(Acknowledged):
    """A question as a heading, `actions` as buttons, and a `?` that opens the help; its event is `ActionPressed`.

    `texts` holds, by language, the texts `name`, `question`, `help` (the tooltip of the `?`), and `parts`: a list of
    pairs, each a heading and what stands below it; and by the ids of actions and items their `labels` and `tooltips`.
    The page takes `language`, or its own where that is None. `actions` are dicts of an `id` and, where they are not
    False or empty, `icon` (no text is shown), `disabled`, `pressed`, and `items`: ids that a menu offers.
    """

    _esm = STATIC / "head.js"
    without_kernel: ClassVar[Mapping[str, object]] = {"actions": []}

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    actions = traitlets.List(traitlets.Dict()).tag(sync=True)

    @traitlets.validate("actions")
    def _known(self, proposal: dict[str, Any]) -> list[dict[str, Any]]:
        actions: list[dict[str, Any]] = [dict(action) for action in proposal["value"]]
        for action in actions:
            known = all(isinstance(value, _KEYS.get(key, ())) for key, value in action.items())
            if not known or "id" not in action or not all(isinstance(item, str) for item in action.get("items", [])):
                raise traitlets.TraitError(f"An action has an id, and may have {', '.join(_KEYS)}; {action} has not.")
        ids = [each for action in actions for each in (action["id"], *action.get("items", []))]
        if len(set(ids)) < len(ids):
            raise traitlets.TraitError("Two actions have the same id.")
        return actions

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> ActionPressed:
        """The message as `ActionPressed`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        wanted, view = content["id"], content.get("view", "")
        if not isinstance(view, str) or len(view) > _LONGEST_TOKEN:
            raise ValueError("expected the name of a page's view")
        for action in self.actions:
            if wanted == action["id"] or wanted in action.get("items", []):
                if action.get("disabled"):
                    raise Outdated("what the button would do cannot be done any more")
                return ActionPressed(wanted, view)
        raise ValueError("expected the id of an action")

    def download(self, view: str, name: str, kind: str, data: bytes) -> None:
        """Let the page `view` save `data` as a file called `name`, of the MIME type `kind`."""
        self.send({"kind": "download", "view": view, "name": name, "type": kind}, [data])

    def copy(self, view: str, text: str) -> None:
        """Let the page `view` put `text` on the clipboard."""
        self.send({"kind": "copy", "view": view, "text": text})
