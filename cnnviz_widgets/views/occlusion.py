"""Drag a patch over the picture and watch the scores move."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.explain import RISE, Explainer, Heatmap, Occlusion, OcclusionMap, baseline_pixels
from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.occluder import Box, Occluder
from cnnviz_widgets.schedule import LatestWins
from cnnviz_widgets.session import Example, Scene, softmax
from cnnviz_widgets.views.controls import ClassPicker, parameters, percent
from cnnviz_widgets.views.scales import scales_of, short
from cnnviz_widgets.views.scores import ScoreBars, entropy
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas, WindowMoved

#: How many of the whole picture's best classes the bars show.
_BEST = 6


@dataclasses.dataclass(frozen=True, eq=False)
class _Placed:
    """A picture, what a window on it is filled with, and what answers for windows on it."""

    example: Example
    class_index: int
    filling: NDArray[np.uint8]
    occluder: Occluder


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """What the network says with a window on the picture. `box` is (top, left, height, width)."""

    example: Example
    class_index: int
    box: Box
    logits: NDArray[np.float32]
    read_off: bool

    @property
    def drop(self) -> float:
        """By how much the window lowers the logit of the class."""
        return float(self.example.logits[self.class_index] - self.logits[self.class_index])


class OcclusionView(View):
    """Drag and resize a patch; the class probabilities follow, with those of the whole picture ghosted behind.

    `OcclusionView(model, picture)` or, linked with other views, `OcclusionView(session)`. "Whole map" slides the
    patch over the whole picture, coarse to fine; afterwards a drag is answered from the map at once, and by the
    network where the hand rests.
    """

    depends_on = ("classifier", "picture", "target")

    def __init__(self, model: object, picture: object = None, *, occlusion: Occlusion | None = None, **options: Any):
        self._occlusion = occlusion or Occlusion()
        # Without a wish the window starts at a quarter of the picture's shorter side, whatever the network's input.
        wanted = None if occlusion is None else occlusion.window
        self._window = (wanted, wanted) if isinstance(wanted, int) else wanted
        self._probes = LatestWins()
        self._maps = LatestWins()
        self._placed: _Placed | None = None
        self._map: tuple[Example, Occlusion, OcclusionMap] | None = None
        #: What computes the map that is shown or under way, and how far it is.
        self._explainer: Explainer | None = None
        self._progress = 0.0
        #: The last probe drawn, for reading in Python.
        self.probe: Probe | None = None
        super().__init__(model, picture, **options)

    @property
    def occlusion(self) -> Occlusion:
        """Window, stride, baseline and score of the map; the window is the one on the picture."""
        return self._occlusion

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.canvas = PictureCanvas(label="no picture yet", mode="window")
        self.canvas.on_event(self._window_moved)
        self.bars = ScoreBars()
        self.class_picker = ClassPicker(self.session)
        self.on_control(
            self.class_picker, lambda event: self.session.set_trait("target", self.class_picker.target_of(event.index))
        )
        self.controls = parameters(self._occlusion, self._parameter_changed, skip=("window",))
        self.map_picker = Picker(
            options=["sliding window", "random masks (RISE)"], index=0, description="map by", searchable=False
        )
        self.map_button = ipywidgets.Button(description="Whole map", button_style="primary")
        self.map_button.on_click(lambda _: self.compute_map())
        self.stop_button = ipywidgets.Button(description="Stop", disabled=True, layout=ipywidgets.Layout(width="72px"))
        self.stop_button.on_click(lambda _: self.stop_map())
        self.clear_button = ipywidgets.Button(description="Clear", layout=ipywidgets.Layout(width="72px"))
        self.clear_button.on_click(lambda _: self.clear_map())
        side = ipywidgets.VBox(
            [
                self.class_picker,
                self.bars,
                *self.controls,
                self.map_picker,
                ipywidgets.HBox([self.map_button, self.stop_button, self.clear_button]),
            ],
            layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"),
        )
        return [ipywidgets.HBox([self.canvas, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    def _parameter_changed(self, name: str, value: Any, done: Callable[[], None]) -> None:
        self._occlusion = dataclasses.replace(self._occlusion, **{name: value})
        self._forget_map()
        self.refresh_then(done)

    # -- the picture and the bars --------------------------------------------------------------------------------

    def work(self, scene: Scene) -> Work:
        return _place(scene, self._occlusion.baseline)

    def draw(self, result: _Placed) -> None:
        before, self._placed = self._placed, result
        example, names = result.example, result.example.classifier.class_names
        self.canvas.baseline = result.filling.tobytes()
        if before is None or before.example is not example:
            # The map of the picture before is never drawn over this one.
            self._forget_map()
            self.canvas.show(example.appearance)
            self._start_window(example)
            self.class_picker.describe(example)
        elif before.class_index != result.class_index and not isinstance(self._explainer, Occlusion):
            # Only a map by windows holds the scores of every class.
            self._forget_map()
        best = [int(index) for index in np.argsort(-example.logits)[:_BEST]]
        if result.class_index not in best:
            best[-1:] = [result.class_index]
        self.bars.show_whole(names, best, example.probabilities)
        if self._map is not None and self._map[0] is example:
            self._draw_map(self._map[2].for_target(result.class_index), result)
        self._probe_here()

    def _start_window(self, example: Example) -> None:
        height, width = example.appearance.shape[:2]
        shorter = min(height, width)
        tall, wide = self._window or (shorter // 4, shorter // 4)
        size = max(1, min(tall, height)), max(1, min(wide, width))
        limits = (max(1, shorter // 28), shorter)
        self.canvas.place_window(((height - size[0]) // 2, (width - size[1]) // 2, *size), limits)

    # -- dragging ------------------------------------------------------------------------------------------------

    def _window_moved(self, event: WindowMoved, done: Callable[[], None]) -> None:
        placed = self._placed
        if placed is None:
            done()
            return
        box = (event.top, event.left, event.height, event.width)
        known = self._from_map(placed, box)
        if known is not None and not event.final:
            self._probes.cancel()
            try:
                self._draw_probe(known)
            finally:
                done()
            return
        self.run(self._probes, _probe(placed, box), self._draw_probe, done)

    def _probe_here(self) -> None:
        placed, box = self._placed, self.canvas.window
        if placed is not None and box is not None:
            self.run(self._probes, _probe(placed, box), self._draw_probe)

    def _from_map(self, placed: _Placed, box: Box) -> Probe | None:
        """The answer for a window that lies near one of a finished map's, which needs no network call."""
        if self._map is None:
            return None
        example, occlusion, finished = self._map
        if example is not placed.example or occlusion.window != (box[2], box[3]) or finished.progress < 1:
            return None
        return Probe(example, placed.class_index, box, finished.nearest(box[0], box[1]), read_off=True)

    def _draw_probe(self, probe: Probe) -> None:
        placed = self._placed
        if placed is None or placed.example is not probe.example or placed.class_index != probe.class_index:
            # Asked before the picture or the class changed, it has replaced the probe that was asked for then.
            self._probe_here()
            return
        self.probe = probe
        now, whole = softmax(probe.logits), probe.example.probabilities
        self.bars.show_now(now)
        names = probe.example.classifier.class_names
        index, winner = probe.class_index, int(now.argmax())
        text = (
            f"{names[index]}: {percent(float(whole[index]))} \N{RIGHTWARDS ARROW} {percent(float(now[index]))}, "
            f"drop of the logit {short(probe.drop)}; "
            f"entropy {entropy(whole):.2f} \N{RIGHTWARDS ARROW} {entropy(now):.2f} bits"
        )
        if winner != probe.example.predicted:
            text += f"; now {names[winner]}"
        if probe.read_off:
            text += " (read off the map)"
        self.status.say(text, "busy" if self._maps.busy else "info", self._map_progress)

    # -- the whole map -------------------------------------------------------------------------------------------

    @property
    def _map_progress(self) -> float:
        return self._progress if self._maps.busy else -1

    def compute_map(self) -> None:
        """Slide the window over the whole picture, coarse to fine, in the background."""
        placed, box = self._placed, self.canvas.window
        if placed is None or box is None:
            return
        explainer: Explainer = RISE()
        if self.map_picker.index == 0:
            self._occlusion = explainer = dataclasses.replace(self._occlusion, window=(box[2], box[3]))
        self._map, self._explainer, self._progress = None, explainer, 0.0
        self.stop_button.disabled = False
        self.run(self._maps, _map(placed, explainer), self._map_grew, self._map_ended)

    def stop_map(self) -> None:
        """Stop sharpening the map and keep what there is of it."""
        under_way = self._maps.busy
        self._maps.cancel()
        self.stop_button.disabled = True
        if under_way:
            self.status.say(f"stopped at {self._progress:.0%} of the map")

    def clear_map(self) -> None:
        """Take the map away, or stop computing it."""
        self._forget_map()
        self.status.say("")

    def _map_grew(self, result: tuple[_Placed, Explainer, Heatmap]) -> None:
        placed, explainer, heatmap = result
        current = self._placed
        if current is None or current.example is not placed.example:
            return
        if isinstance(heatmap, OcclusionMap) and isinstance(explainer, Occlusion):
            self._map = (placed.example, explainer, heatmap)
            # The class may have been switched since the map was begun: its grid holds every class.
            heatmap = heatmap.for_target(current.class_index)
        elif placed.class_index != current.class_index:
            return
        self._progress = heatmap.progress
        self._draw_map(heatmap, current)
        finished = heatmap.progress >= 1
        self.status.say(
            f"{heatmap.quantity} for {placed.example.classifier.class_names[current.class_index]}: "
            + ("whole map" if finished else f"{heatmap.progress:.0%} of the map"),
            "info" if finished else "busy",
            heatmap.progress,
        )

    def _draw_map(self, heatmap: Heatmap, placed: _Placed) -> None:
        name = placed.example.classifier.class_names[placed.class_index]
        self.canvas.overlay(
            heatmap.values,
            quantity=heatmap.quantity,
            signed=heatmap.signed,
            scales=scales_of(heatmap.values, signed=heatmap.signed),
        )
        method = "occlusion" if isinstance(heatmap, OcclusionMap) else "RISE"
        self.canvas.label = f"{placed.example.picture.name or 'picture'} under the {method} map of {name}"

    def _map_ended(self) -> None:
        self.stop_button.disabled = not self._maps.busy

    def _forget_map(self) -> None:
        self._maps.cancel()
        self._map = self._explainer = None
        self.stop_button.disabled = True
        self.canvas.overlay(None)
        if self._placed is not None:
            self.canvas.label = f"{self._placed.example.picture.name or 'picture'} with an occlusion window"

    def stop(self) -> None:
        super().stop()
        self._probes.cancel()
        self._maps.cancel()


def _place(scene: Scene, baseline: Baseline) -> Work:
    example = scene.example
    filling = baseline_pixels(example.classifier, example.pixels, baseline)
    occluder = Occluder(example.classifier, example.pixels, filling)
    # What the panel draws from is computed here, on the worker.
    _ = example.logits, example.appearance
    yield _Placed(example, scene.class_index, example.classifier.appearance(filling), occluder)


def _probe(placed: _Placed, box: Box) -> Work:
    yield Probe(placed.example, placed.class_index, box, placed.occluder.logits([box])[0].numpy(), read_off=False)


def _map(placed: _Placed, explainer: Explainer) -> Work:
    example = placed.example
    for heatmap in explainer.steps(example.classifier, example.pixels, placed.class_index):
        yield placed, explainer, heatmap
