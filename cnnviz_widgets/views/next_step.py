"""The main button of a panel: it proposes the next experiment, and stops the work that is under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cnnviz_widgets import words
from cnnviz_widgets.views.history import results_of
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.widgets.step import StepButton, StepPressed


@dataclass(frozen=True)
class NextStep:
    """What to do next: the text of `key` in the catalogue, with `words` put in, and `take`, which does it."""

    key: str
    take: Callable[[], object]
    words: Mapping[str, object] = field(default_factory=dict)


class MainButton(StepButton):
    """Does what `propose()` says, the step to take now or None, and while the panel works `stop()`."""

    def __init__(self, panel: Panel, propose: Callable[[], NextStep | None], stop: Callable[[], object]) -> None:
        self._panel, self._propose, self._halt = panel, propose, stop
        super().__init__(language=panel.language)
        panel.on(self, StepPressed, self._pressed)
        panel.link(self.follow, ["busy", *results_of(panel)])
        panel.session.link(self.follow, ["picture", "target", "layer", "channel"])
        self.follow()

    def follow(self, _: object = None) -> None:
        """Say what to do next as things stand now."""
        if not self._panel.__dict__.get("_open"):
            return
        step = self._propose()
        show_if(step is not None or self._panel.busy, self)
        with self.hold_sync():
            self.busy = self._panel.busy
            self.texts = {language: _texts(step, language) for language in words.sent(self.language)}

    def _pressed(self, event: StepPressed) -> None:
        step = self._propose()
        if event.stop:
            self._halt()
        elif step is not None:
            step.take()
        self.follow()

    def close(self) -> None:
        """Let go of the session."""
        self._panel.session.unlink(self.follow, ["picture", "target", "layer", "channel"])
        super().close()


def _texts(step: NextStep | None, language: str) -> dict[str, str]:
    stop = words.text("step.stop", language)
    return {"stop": stop, "step": "" if step is None else words.text(step.key, language, **step.words)}
