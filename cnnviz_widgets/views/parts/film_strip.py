"""A film strip: the map at each layer as a small picture, which chooses the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.paint import table_names
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.take.blocks import over_grey
from cnnviz_widgets.views.take.parts import MapPart
from cnnviz_widgets.widgets.tiles import Tiles

#: Pixels of the longer side of a small map, or of one of many, and its width on the page: one that a finger hits.
_SIDE, _SMALL_SIDE, _MANY, _WIDTH = 64, 48, 40, 48


def small_map(
    picture: NDArray[np.uint8], cells: NDArray[np.float32], count: int = 1, *, signed: bool
) -> NDArray[np.uint8]:
    """A map, (h, w), on a scale of its own over a picture (H, W, 3) in grey, small: one of `count`; uint8."""
    height, width = picture.shape[:2]
    share = (_SIDE if count <= _MANY else _SMALL_SIDE) / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    small = np.asarray(PIL.Image.fromarray(picture).resize(size, PIL.Image.Resampling.BOX))
    reach = float(np.abs(cells).max())
    low = -reach if signed else 0.0
    return over_grey(MapPart("", small, cells, "", signed, low, reach, "", table_names(signed=signed)[0]))


class FilmStrip(Tiles):
    """The small maps of a slider's layers in one row; it stands where the slider does.

    While another question is asked than the one that they answer, they are faint.
    """

    def __init__(self, slider: LayerSlider, description: str) -> None:
        super().__init__(
            description=description,
            captions=False,
            tile_width=_WIDTH,
            height=_WIDTH + 32,
            layout=ipywidgets.Layout(display="none"),
        )
        self._slider = slider
        self._shown: object = None
        slider.observe(self._follow, names="index")

    def show_maps(self, maps: Sequence[NDArray[np.uint8]]) -> None:
        """Show one small map for each layer of the slider; none hides the strip."""
        self.stale = False
        self.layout.display = None if maps else "none"
        if maps is self._shown or (maps and len(maps) != len(self._slider.layers)):  # those of its layers are under way
            return
        self._shown = maps
        if not maps:
            self.show(None)
            return
        self.columns = len(maps)
        self.show(np.stack(maps), self._slider.options, selected=self._slider.index)

    def _follow(self, _: Any) -> None:
        if self._slider.index is not None and self._slider.index < self.count:
            self.selected = self._slider.index
