"""The head of a view: its question, buttons for what can be done with the view, and help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged


@dataclass(frozen=True)
class ActionPressed:
    """The button of the action `id` was pressed."""

    id: str


class Head(Acknowledged):
    """A question as a heading, `actions` as buttons, and a `?` that opens the help; its event is `ActionPressed`.

    `texts` holds, by language, the texts `name`, `question`, `help` (the tooltip of the `?`), and `parts`: a list of
    pairs, each a heading and what stands below it. The page takes `language`, or its own where that is None.
    `actions` are dicts of an `id`, a `label` and a `tooltip`.
    """

    _esm = STATIC / "head.js"

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    actions = traitlets.List(traitlets.Dict()).tag(sync=True)

    @traitlets.validate("actions")
    def _named(self, proposal: dict[str, Any]) -> list[dict[str, str]]:
        actions: Sequence[Mapping[str, str]] = proposal["value"]
        for action in actions:
            if action.keys() != {"id", "label", "tooltip"} or not all(
                isinstance(text, str) for text in action.values()
            ):
                raise traitlets.TraitError(f"An action has an id, a label and a tooltip, all texts; {action} has not.")
        if len({action["id"] for action in actions}) < len(actions):
            raise traitlets.TraitError("Two actions have the same id.")
        return [dict(action) for action in actions]

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> ActionPressed:
        """The message as `ActionPressed`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        wanted = content["id"]
        for action in self.actions:
            if action["id"] == wanted:
                return ActionPressed(action["id"])
        raise ValueError("expected the id of an action")
