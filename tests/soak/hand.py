"""Random interactions, sent the way a page sends them."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import PIL.Image

from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.tiles import Tiles

from .stage import inside

#: Parameters that say how long a method takes: only their first values are picked.
_COSTLY = {"iterations", "samples", "masks", "steps", "side"}


class Hand:
    """A page with a random hand on it. `unanswered` are its events that the kernel has not acknowledged yet."""

    def __init__(self, app: Explorer, seed: int) -> None:
        self.app = app
        self.random = random.Random(seed)
        self.unanswered: dict[int, str] = {}
        self.wrongly_answered: list[object] = []
        self._seq = 0

    # -- the page's messages -------------------------------------------------------------------------------------

    def send(self, widget: Acknowledged, buffers: Sequence[bytes] = (), **event: Any) -> None:
        """One event of a widget of the package."""
        self._seq += 1
        self.unanswered[self._seq] = f"{type(widget).__name__} {event}"
        widget.send = self._answered
        content = {"kind": "event", "seq": self._seq, "final": self.random.random() < 0.5, **event}
        custom(widget, content, buffers)

    def _answered(self, content: Any, buffers: object = None) -> None:
        if content.get("kind") == "ack" and self.unanswered.pop(content["seq"], None) is None:
            self.wrongly_answered.append(content)

    # -- the hand ------------------------------------------------------------------------------------------------

    def act(self) -> str:
        """One interaction; returns what was done."""
        dice = self.random.random()
        session = self.app.session
        if dice < 0.01:
            return self._upload()
        if dice < 0.06:
            return self._open_tab()
        if dice < 0.12 and self.app.strip.count:
            self._pick(self.app.strip)
            return "strip"
        if dice < 0.15:
            session.target = self.random.choice([None, *range(len(session.classifier.class_names))])
            return "target from a cell"
        if dice < 0.18:
            session.layer = self.random.choice(session.classifier.layers).name
            return "layer from a cell"
        if dice < 0.19:
            session.channel = self.random.choice([None, 0, session.classifier.layer(session.layer).shape[0] - 1])
            return "channel from a cell"
        if dice < 0.2:
            self.app.draw(self.random.random() < 0.7)
            return "sheet"
        sketch = self.app.sketch
        if sketch is not None and sketch.active and self.random.random() < 0.2:
            return self._draw(sketch)
        return self._touch()

    def _touch(self) -> str:
        """Use some control of the open tab."""
        usable = [one for one in inside(self.app.view) if isinstance(one, (Acknowledged, ipywidgets.Button))]
        canvases = [one for one in usable if isinstance(one, PictureCanvas) and one.picture]
        figures = [one for one in inside(self.app.view) if isinstance(one, bqplot.Figure)]
        if figures and self.random.random() < 0.1:
            return self._lasso(figures)
        widget = self.random.choice(canvases if canvases and self.random.random() < 0.45 else usable)
        if isinstance(widget, PictureCanvas):
            self._point(widget)
        elif isinstance(widget, (Picker, OptionSlider)):
            self._choose(widget)
        elif isinstance(widget, Tiles) and widget.count:
            self._pick(widget)
        elif isinstance(widget, ipywidgets.Button) and not widget.disabled:
            custom(widget, {"event": "click"})
            return f"button {widget.description}"
        return f"{type(widget).__name__} {getattr(widget, 'description', '')}"

    def _open_tab(self) -> str:
        index = self.random.randrange(len(self.app.tabs.titles))
        self.send(self.app.tabs, index=index)
        return f"tab {self.app.tabs.titles[index]}"

    def _point(self, canvas: PictureCanvas) -> None:
        rows, columns = canvas.picture_size
        if canvas.mode == "point" and rows:
            self.send(canvas, name="picked", point=[self.random.randrange(rows), self.random.randrange(columns)])
        if canvas.mode != "window" or canvas.window is None:
            return
        height, width = canvas.window[2:]
        if self.random.random() < 0.3:
            low, high = canvas.window_limits
            height, width = (self.random.randint(min(low, side), min(high, side)) for side in (rows, columns))
        top, left = self.random.randint(0, rows - height), self.random.randint(0, columns - width)
        self.send(canvas, name="moved", window=[top, left, height, width])

    def _choose(self, control: Picker | OptionSlider) -> None:
        if control.options:
            count = min(4, len(control.options)) if control.description in _COSTLY else len(control.options)
            index = self.random.randrange(count)
            self.send(control, index=index, option=control.options[index])

    def _pick(self, tiles: Tiles) -> None:
        index = self.random.randrange(tiles.count)
        revision = tiles.revision - (self.random.random() < 0.05)
        if self.random.random() < 0.6:
            modifiers = self.random.choice([[], [], ["shift"], ["ctrl"]])
            self.send(tiles, name="picked", index=index, revision=revision, modifiers=modifiers)
        else:
            self.send(tiles, name="entered", index=self.random.choice([None, index]), revision=revision)

    def _lasso(self, figures: list[bqplot.Figure]) -> str:
        points = self.random.choice([mark for figure in figures for mark in figure.marks])
        if not isinstance(points, bqplot.Scatter) or not len(points.x):
            return "nothing"
        count = len(points.x)
        rows = np.array(sorted(self.random.sample(range(count), self.random.randint(0, count))), np.int32)
        array = {"dtype": "int32", "shape": [len(rows)], "value": None}
        update(points, {"selected": array}, [["selected", "value"]], [memoryview(rows.tobytes())])
        return "lasso"

    def _draw(self, sketch: SketchView) -> str:
        x, y = self.random.uniform(-5, 400), self.random.uniform(-5, 400)
        kind = self.random.choices(["mouse_down", "mouse_move", "mouse_up", "undo", "clear"], [3, 5, 1, 0.5, 0.5])[0]
        if kind in ("undo", "clear"):
            custom(sketch.undo_button if kind == "undo" else sketch.clear_button, {"event": "click"})
        else:
            custom(sketch.sheet, {"event": kind, "x": x, "y": y})
        return f"sketch {kind}"

    def _upload(self) -> str:
        sides = self.random.randint(1, 90), self.random.randint(1, 90)
        data = png(np.zeros((*sides, 3), np.uint8)) if self.random.random() < 0.7 else self.random.randbytes(200)
        self.send(self.app.upload, [data], name=self.random.choice(["u.png", "../../x.png", "<b>é\u202e.png"]))
        return "upload"


def custom(widget: ipywidgets.Widget, content: object, buffers: Sequence[bytes] = ()) -> None:
    """Deliver a custom message, as the widget's comm does."""
    data = {"method": "custom", "content": content}
    widget._handle_msg({"content": {"data": data}, "buffers": [memoryview(buffer) for buffer in buffers]})


def update(
    widget: ipywidgets.Widget, state: object, buffer_paths: object = (), buffers: Sequence[memoryview] = ()
) -> None:
    """Deliver state that the page has set."""
    data = {"method": "update", "state": state, "buffer_paths": buffer_paths}
    widget._handle_msg({"content": {"data": data}, "buffers": list(buffers)})


def png(pixels: np.ndarray) -> bytes:
    """A picture file."""
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
