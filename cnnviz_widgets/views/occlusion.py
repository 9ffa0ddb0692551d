"""Drag a patch over the picture and watch the scores move."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.explain import RISE, Explainer, Heatmap, Occlusion, OcclusionMap
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.schedule import LatestWins, in_turn
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.parts.controls import ClassPicker, amount, parameters
from cnnviz_widgets.views.parts.probing import Nearby, Placed, Probe, on_map, place, probe
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.scales import scales_of, short
from cnnviz_widgets.views.parts.scores import ScoreBars, entropy
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas, WindowMoved

#: How many of the whole picture's best classes the bars show.
_BEST = 6
_ARROW = " \N{RIGHTWARDS ARROW} "


_log = logging.getLogger("cnnviz_widgets")


class OcclusionView(View):
    """Drag and resize a patch; the class probabilities follow, with those of the whole picture ghosted behind.

    `OcclusionView(model, picture)` or, linked with other views, `OcclusionView(session)`. "Whole map" slides the
    patch over the whole picture, coarse to fine. While the hand rests, windows around the patch are run ahead, unless
    `ahead` is False. From these, and from a finished map, a drag is answered at once; where it ends, by the network.
    """

    depends_on = ("classifier", "picture", "target")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        occlusion: Occlusion | None = None,
        ahead: bool = True,
        **options: Any,
    ) -> None:
        self._occlusion = occlusion or Occlusion()
        # Without a wish the window starts at its default size, whatever the network's input.
        wanted = None if occlusion is None else occlusion.window
        self._window = (wanted, wanted) if isinstance(wanted, int) else wanted
        self._stride_chosen = occlusion is not None and occlusion.stride is not None
        self._probes = LatestWins()
        self._maps = LatestWins()
        self._ahead = LatestWins(spare=True)
        self._looks_ahead = ahead
        self._nearby: Nearby | None = None
        self._placed: Placed | None = None
        self._map: tuple[Example, Occlusion, OcclusionMap] | None = None
        #: What computes the map that is shown or under way, and how far it is.
        self._explainer: Explainer | None = None
        self._progress = 0.0
        #: The last probe drawn, for reading in Python.
        self.probe: Probe | None = None
        super().__init__(model, picture, **options)
        self.observe(in_turn(lambda _: self._look_ahead() if self.active else self._ahead.cancel()), names="active")

    @property
    def occlusion(self) -> Occlusion:
        """Window, stride, baseline and score of the map; the window is the one on the picture."""
        return self._occlusion

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        # A slider needs a number.
        self._occlusion = self._occlusion.sized(self.session.classifier.input_size)
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
        self._stride_chosen |= name == "stride"
        self._occlusion = dataclasses.replace(self._occlusion, **{name: value})
        self._forget_map()
        self.refresh_then(done)

    # -- the picture and the bars --------------------------------------------------------------------------------

    def work(self, scene: Scene) -> Work:
        self._ahead.cancel()
        return place(scene, self._occlusion.baseline, self._placed)

    def draw(self, result: Placed) -> None:
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
        self.bars.show_whole(names, best, example.probabilities, example.classifier.scores)
        if self._map is not None and self._map[0] is example:
            self._draw_map(self._map[2].for_target(result.class_index), result)
        self._probe_here()

    def _start_window(self, example: Example) -> None:
        height, width = example.appearance.shape[:2]
        shorter = min(height, width)
        tall, wide = self._window or Occlusion().windows((height, width)).window
        size = max(1, min(tall, height)), max(1, min(wide, width))
        if not self._stride_chosen:
            # Another network may take pictures of another size.
            stride = dataclasses.replace(self._occlusion, window=size[0], stride=None).sized((height, width)).stride
            self._occlusion = dataclasses.replace(self._occlusion, stride=stride)
            slider = next(control for control in self.controls if control.description == "stride")
            slider.index = slider.options.index(str(stride))
        limits = (max(1, shorter // 28), shorter)
        self.canvas.place_window(((height - size[0]) // 2, (width - size[1]) // 2, *size), limits)

    # -- dragging ------------------------------------------------------------------------------------------------

    def _window_moved(self, event: WindowMoved, done: Callable[[], None]) -> None:
        self._ahead.cancel()
        placed = self._placed
        if placed is None:
            done()
            return
        box = (event.top, event.left, event.height, event.width)
        known = self._known(placed, box)
        if known is not None and not (event.final and known.read_off):
            self._probes.cancel()
            try:
                self._draw_probe(known)
                if event.final:
                    self._look_ahead()
            finally:
                done()
            return
        self.run(self._probes, probe(placed, box), self._draw_rest if event.final else self._draw_probe, done)

    def _probe_here(self) -> None:
        placed, box = self._placed, self.canvas.window
        if placed is not None and box is not None:
            self.run(self._probes, probe(placed, box), self._draw_rest)

    def _known(self, placed: Placed, box: Box) -> Probe | None:
        """What is known of a window, or of one close to it, without a network call."""
        answers = []
        if self._nearby is not None and self._nearby.occluder is placed.occluder and self._nearby.size == box[2:]:
            answers.append(self._nearby.answer(box))
        if self._map is not None:
            example, occlusion, found = self._map
            same = example is placed.example and occlusion.baseline == placed.baseline and occlusion.window == box[2:]
            if same and found.progress == 1:
                answers.append(on_map(found, box))
        there = [answer for answer in answers if answer is not None]
        if not there:
            return None
        at, logits = min(there, key=lambda answer: abs(answer[0][0] - box[0]) + abs(answer[0][1] - box[1]))
        return Probe(placed.example, placed.class_index, box, logits, read_off=at != box)

    def _draw_rest(self, probe: Probe) -> None:
        self._draw_probe(probe)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Run windows around the one on the picture, as long as nobody wants anything else."""
        placed, box = self._placed, self.canvas.window
        if placed is None or box is None or not (self._looks_ahead and self.active):
            return
        if self._nearby is None or self._nearby.occluder is not placed.occluder or self._nearby.size != box[2:]:
            self._nearby = Nearby(placed.occluder, box[2:])
        # Nobody asked for it, so nobody is told that it failed: the hand's own windows will say so.
        self._ahead.submit(
            self._nearby.ahead(box), lambda _: None, lambda error: _log.debug("Nothing ahead: %s", error)
        )

    def _draw_probe(self, probe: Probe) -> None:
        placed = self._placed
        if placed is None or placed.example is not probe.example or placed.class_index != probe.class_index:
            # Asked before the picture or the class changed, it has replaced the probe that was asked for then.
            self._probe_here()
            return
        self.probe = probe
        classifier = probe.example.classifier
        now, whole = classifier.readout.probabilities(probe.logits), probe.example.probabilities
        self.bars.show_now(now)
        names = classifier.class_names
        index, winner = probe.class_index, int(probe.logits.argmax())
        ends = _ARROW.join(amount(classifier, float(values[index])) for values in (whole, now))
        text = f"{names[index]}: {ends}, drop of the {score_name(classifier)} {short(probe.drop)}"
        if classifier.scores != "none":
            bits = (f"{entropy(values, classifier.scores):.2f}" for values in (whole, now))
            text += f"; entropy {_ARROW.join(bits)} bits"
        if winner != probe.example.predicted:
            text += f"; {'' if classifier.scores == 'softmax' else 'highest '}now {names[winner]}"
        if probe.read_off:
            text += " (read off a window nearby)"
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
        scored = placed.example.classifier.scores != "none"
        explainer: Explainer = RISE() if scored else RISE(score="logit")
        if self.map_picker.index == 0:
            self._occlusion = explainer = dataclasses.replace(self._occlusion, window=(box[2], box[3]))
        self._ahead.cancel()
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

    def _map_grew(self, result: tuple[Placed, Explainer, Heatmap]) -> None:
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
            + ("whole map" if finished else f"{heatmap.progress:.0%} of the map")
            + (f". {heatmap.note}" if heatmap.note else ""),
            "info" if finished else "busy",
            heatmap.progress,
        )
        if finished:
            self._look_ahead()

    def _draw_map(self, heatmap: Heatmap, placed: Placed) -> None:
        name = placed.example.classifier.class_names[placed.class_index]
        self.canvas.overlay(
            heatmap.values,
            quantity=heatmap.quantity,
            signed=heatmap.signed,
            scales=scales_of(heatmap.values, signed=heatmap.signed, blank=heatmap.blank),
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
        self._ahead.cancel()


def _map(placed: Placed, explainer: Explainer) -> Work:
    example = placed.example
    if isinstance(explainer, Occlusion) and explainer.baseline == placed.baseline:
        heatmaps: Iterator[Heatmap] = explainer.sliding(placed.occluder, placed.class_index)
    else:
        heatmaps = explainer.steps(example.classifier, example.pixels, placed.class_index)
    for heatmap in heatmaps:
        yield placed, explainer, heatmap
