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
    """What is packed in a page, with bytes where it refers to binary values."""
    found = re.search('<script type="text/plain" id="cnnviz-block">([^<]*)</script>', document)
    assert found
    block = gzip.decompress(base64.b64decode(found[1]))
    length = int.from_bytes(block[:4], "little")
    content = json.loads(block[4 : 4 + length])
    values = block[-(-(4 + length) // 8) * 8 :]

    def revived(value: Any) -> Any:
        if isinstance(value, list):
            return [revived(item) for item in value]
        if isinstance(value, dict) and "$bytes" in value:
            begin, size = content["buffers"][value["$bytes"]]
            return values[begin : begin + size]
        return {name: revived(item) for name, item in value.items()} if isinstance(value, dict) else value

    return {name: revived(content[name]) for name in ("widgets", "axes", "recorded", "values", "scripts", "players")}


def recorded_states(content: dict[str, Any]) -> list[dict[int, dict[str, Any]]]:
    """What is recorded for each option of the one axis of a page: traits by the number of the widget."""
    (axis,) = content["axes"]
    states: list[dict[int, dict[str, Any]]] = [{} for _ in range(axis["count"])]
    for trait in content["recorded"]:
        for option, state in enumerate(states):
            value = content["values"][trait["values"][option]]
            state.setdefault(trait["widget"], {})[trait["trait"]] = value
    return states
