"""Panels whose work can be stopped by hand."""

from __future__ import annotations

from typing import Any

import traitlets

from cnnviz_widgets.views.panel import Panel


class Stops(Panel):
    """A panel with a `stop_button`, which can be pressed while there is work under way."""

    def __init__(self, model: object, picture: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self.stop_button = self.button("Stop", self.stop_here, disabled=True)

    def stop_here(self) -> None:
        """Stop the work and keep what is on screen."""
        self.stop()
        self.say("stopped; what is shown is unfinished")

    @traitlets.observe("busy")
    def _offer_stop(self, _: Any) -> None:
        self.stop_button.disabled = not self.busy
