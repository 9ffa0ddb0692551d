"""What a hand does to the occlusion panel."""

from __future__ import annotations

from typing import Any

from cnnviz_widgets.views.occlusion import OcclusionView


def acknowledged(view: OcclusionView, **message: Any) -> list[Any]:
    """Send a message as the browser does, and return what it is answered."""
    sent: list[Any] = []
    view.canvas.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    view.canvas._receive(None, {"kind": "event", "name": "moved", **message}, [])
    return sent


def other_class(view: OcclusionView) -> int:
    return (view.session.example.predicted + 1) % 4
