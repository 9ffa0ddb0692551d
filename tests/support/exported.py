"""What exported pages hold, and a panel to export."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

from cnnviz_widgets import demo, export, schedule
from cnnviz_widgets.export import Recording
from cnnviz_widgets.views.cam import CAMView


def cam_view() -> tuple[CAMView, Recording]:
    """Grad-CAM of a small network, and what its slider of layers changes."""
    with schedule.inline():
        view = CAMView(demo.shapes_classifier(), demo.pictures()[0])
    return view, export.record(view.layer_slider, export.hand_on(view.layer_slider), [view])


def content_of(document: str) -> dict[str, Any]:
    """The JSON in a page, with bytes where it refers to binary values."""
    parts = {
        name: re.search(f'<script type="[a-z/]*" id="cnnviz-{name}">([^<]*)</script>', document)
        for name in ("content", "block")
    }
    assert parts["content"] and parts["block"]
    content = json.loads(parts["content"][1])
    block = gzip.decompress(base64.b64decode(parts["block"][1]))

    def revived(value: Any) -> Any:
        if isinstance(value, list):
            return [revived(item) for item in value]
        if isinstance(value, dict) and "$bytes" in value:
            begin, length = content["buffers"][value["$bytes"]]
            return block[begin : begin + length]
        return {name: revived(item) for name, item in value.items()} if isinstance(value, dict) else value

    return {name: revived(content[name]) for name in ("widgets", "recordings", "scripts")}
