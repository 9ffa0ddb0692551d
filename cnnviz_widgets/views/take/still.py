"""What stands in a notebook where nobody draws widgets, as in a PDF or in mail: a picture and a sentence."""

from __future__ import annotations

import base64
import io
import threading
from typing import Any

import PIL.Image

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import between_callbacks, is_between_callbacks
from cnnviz_widgets.views.take.arrange import sheet
from cnnviz_widgets.views.take.figure import parts_of
from cnnviz_widgets.views.take.png import png

#: Seconds that displaying a view waits for its first result; a slower one is a sentence alone.
_WAIT = 1.5
#: The most pixels a side, and colours: a saved notebook holds the picture of each view.
_SIDE, _COLOURS = 800, 64


def still_bundle(view: Any, bundle: dict[str, Any]) -> dict[str, Any]:
    """The display data `bundle` of a view, with a PNG of what it shows and one sentence in place of its repr."""
    if not is_between_callbacks():  # else its work waits for the one who displays it
        _await_result(view)
    with between_callbacks():
        drawn = picture_of(view)
        said = " ".join(str(view.answer or view.caption).split())
    text = f"{view.title}: {said}" if said else view.title
    return {**bundle, "text/plain": text, **({"image/png": drawn} if drawn else {})}


def picture_of(view: Any) -> str | None:
    """What a view shows as a small PNG in base64; None while there is nothing."""
    try:
        view.table()
        drawing = sheet(view.title, parts_of(view), view.caption)
    except ExplanationError:
        return None
    image = PIL.Image.open(io.BytesIO(png(drawing)))
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.quantize(_COLOURS).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _await_result(view: Any) -> None:
    """Wait until the work of a view that was asked for is done, but not for long."""
    done = threading.Event()

    def heard(change: Any) -> None:
        if not change["new"]:
            done.set()

    with between_callbacks():
        if not view.busy:
            return
        view.observe(heard, names="busy")
    done.wait(_WAIT)
    view.unobserve(heard, names="busy")
