"""Panels on whose picture the hand covers a part: under a patch that it moves, or of any shape by a brush."""

from __future__ import annotations

from typing import Any

import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.explain.occlusion.mask import Mask, checked_mask
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.resting import RestingWork
from cnnviz_widgets.widgets.picture import MaskPainted, PictureCanvas, Window, WindowMoved

#: The texts of the brush: its tools, what was painted, and its keys.
BRUSH = ("patch", "brush", "cover", "restore", "radius", "undo", "clear", "painted", "keys")


class Covering(Panel):
    """A panel with a `canvas` that has a patch and a brush: while there is a `mask`, that is covered, not the `window`.

    A mask is of one picture: another one begins with the window. What is covered is asked about by `ask`.
    """

    canvas: PictureCanvas
    resting: RestingWork
    _resting: bool  # whether the hand has let go
    _placed: bool  # whether somebody has put the window where it is
    _mask_awaits_picture = False

    window = traitlets.Tuple(
        *[traitlets.Int()] * 4, allow_none=True, default_value=None, help="The patch: top, left, height, width."
    )
    mask: Mask | None = traitlets.Any(  # type: ignore[assignment]
        None, help="Which pixels are covered, bool (H, W), or that as text; None: those of the window."
    )

    # -- for subclasses ------------------------------------------------------------------------------------------

    def ask(self, *, resting: bool) -> Job:
        """Ask what the network says of what is covered now; `resting`: the hand has let go."""
        raise NotImplementedError

    @property
    def awaits_picture(self) -> bool:
        """Whether a picture, or another one, is about to be shown."""
        raise NotImplementedError

    def canvas_to_cover(self) -> PictureCanvas:
        """The canvas, whose hand is heard."""
        texts = {
            language: {name: words.catalogue(language)[f"brush.{name}"] for name in BRUSH}
            for language in words.sent(self.language)
        }
        canvas = PictureCanvas(label="no picture yet", mode="window", brush=texts, language=self.language)
        self.on(canvas, WindowMoved, self._moved)
        self.on(canvas, MaskPainted, self._painted)
        return canvas

    def follow_covered(self, mask: object) -> None:
        """Begin with a `mask`, or None, and follow what is assigned."""
        self.link(self._window_set, ["window"])
        self.link(self._mask_set, ["mask"])
        self.mask = mask  # type: ignore[assignment]

    def keep_mask(self, *, new_picture: bool) -> None:
        """A picture is shown: go on with the mask, if it is of this one."""
        outdated = new_picture and not self._mask_awaits_picture
        if self.mask is not None and (outdated or self.mask.shape != self.canvas.picture_size):
            self.mask = None
        self._mask_awaits_picture = False
        if self.mask is not self.canvas.mask:
            self.canvas.paint(self.mask)

    @property
    def settled(self) -> bool:
        """Whether the hand has let go."""
        return self._resting

    # -- the hand, and what is assigned --------------------------------------------------------------------------

    def _moved(self, event: WindowMoved) -> Job:
        self._hold(event)
        self._placed = True
        self.mask, self.window = None, (event.top, event.left, event.height, event.width)
        return self.ask(resting=event.final)

    def _painted(self, event: MaskPainted) -> Job:
        self._hold(event)
        self.mask = event.mask
        return self.ask(resting=event.final)

    def _hold(self, event: WindowMoved | MaskPainted) -> None:
        self.resting.stop()
        self._resting = event.final

    @traitlets.validate("window")
    def _fitting_window(self, proposal: Any) -> Window | None:
        window: Window | None = proposal["value"]
        return None if window is None else self.canvas.fitted(window)

    @traitlets.validate("mask")
    def _fitting_mask(self, proposal: Any) -> Mask | None:
        mask = proposal["value"]
        return None if mask is None else checked_mask(mask, self.session.classifier.input_size)

    def _window_set(self, _: Any) -> None:
        if self.window is not None and self.window != self.canvas.window:  # else the hand put it there, and asks itself
            self._placed = True
            self.canvas.place_window(self.window)
            self.when_active(self._ask_resting)

    def _mask_set(self, _: Any) -> None:
        if self.mask is self.canvas.mask:  # the hand painted it, and asks itself
            return
        if self.awaits_picture:
            self._mask_awaits_picture = self.mask is not None
        else:
            self.canvas.paint(self.mask)
            self.when_active(self._ask_resting)

    def _ask_resting(self) -> None:
        self.ask(resting=True)
