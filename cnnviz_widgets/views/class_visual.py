"""Pictures made for a class or a channel, growing as one watches."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.study import Channel, ClassVisual, Visual
from cnnviz_widgets.views.closing import discard
from cnnviz_widgets.views.parts.controls import ClassPicker, parameters, percent
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status

NO_SECOND = "nothing"
#: A control of these begins anew; another takes effect on the picture as it is.
_BEGINNING = {"parametrisation", "seed"}


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A picture to draw: in which place, and the probability of its class as it is and under small transformations."""

    place: int
    visual: Visual
    probability: float | None
    robustness: float | None = None
    winner: int | None = None


class ClassVisualView(View):
    """Gradient ascent from grey on the logit of the session's class, or on its channel, beside that of a second class.

    `ClassVisualView(model)` or, linked with other views, `ClassVisualView(session)`; no picture is needed. Changing a
    regulariser goes on from the picture as it is. `visuals` are the last pictures.
    """

    depends_on = ("classifier", "picture", "target", "layer", "channel")
    #: Seconds between two frames of one picture, at least; a step takes longer than that on a large network.
    interval = 0.08

    def __init__(self, model: object, picture: object = None, *, visual: ClassVisual | None = None, **options: Any):
        self._visual = visual or ClassVisual()
        self._goal = self._visual.iterations
        self._second: int | None = None
        #: Whether pictures at rest stay so unless the class that is predicted has become another.
        self._at_rest = False
        self._curves: list[list[tuple[int, float]]] = [[], []]
        #: The last frames, that of the session's target first; None where there is none yet.
        self.visuals: list[Visual | None] = [None, None]
        super().__init__(model, picture, **options)

    @property
    def visual(self) -> ClassVisual:
        """The parameters; assign others to go on with them, or to begin anew where they need it."""
        return self._visual

    @visual.setter
    def visual(self, visual: ClassVisual) -> None:
        changed = {
            f.name for f in dataclasses.fields(visual) if getattr(visual, f.name) != getattr(self._visual, f.name)
        }
        self._visual = visual
        if changed & _BEGINNING:
            self._forget(0, 1)
        if "iterations" in changed:
            self._goal = visual.iterations
        self._show_parameters()
        self.refresh()

    @property
    def second(self) -> int | None:
        """The class beside the session's target, or None; a name may be assigned."""
        return self._second

    @second.setter
    def second(self, second: int | str | None) -> None:
        self._second = None if second is None else self.session.classifier.class_index(second)
        self.second_picker.index = 0 if self._second is None else self._second + 1
        self._show_places()
        self._forget(1)
        self.refresh()

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.canvases = [PictureCanvas(label="no picture yet", display_width=320) for _ in range(2)]
        self.lines = [Status(), Status()]
        self.of_picker = Picker(options=["class", "channel"], index=0, description="of a", searchable=False)
        self.class_picker = ClassPicker(self.session)
        self.second_picker = Picker(description="beside it", searchable=True, placeholder="search classes")
        self.layer_slider = LayerSlider(self.session)
        self.channel_slider = OptionSlider(description="channel")
        self.run_button = ipywidgets.Button(description="Stop", button_style="primary")
        self.again_button = ipywidgets.Button(description="Start over")
        self.use_button = ipywidgets.Button(description="Use as picture", disabled=True)
        self.parameter_box = ipywidgets.VBox()
        self.curve_box = ipywidgets.VBox()
        self.on_control(self.of_picker, lambda _: self._pick_kind())
        self.on_control(
            self.class_picker, lambda event: self.session.set_trait("target", self.class_picker.target_of(event.index))
        )
        self.on_control(self.second_picker, self._pick_second)
        self.on_control(self.layer_slider, self.layer_slider.choose)
        self.on_control(self.channel_slider, lambda event: self.session.set_trait("channel", event.index))
        self.run_button.on_click(lambda _: self.stop_here() if self._requests.busy else self.go_on())
        self.again_button.on_click(lambda _: self.start_over())
        self.use_button.on_click(lambda _: self.use_as_picture())
        self._describe_classifier()
        self._show_parameters()
        self._make_curves()
        side = ipywidgets.VBox(
            [
                self.of_picker, self.class_picker, self.layer_slider, self.channel_slider, self.second_picker,
                ipywidgets.HBox([self.run_button, self.again_button, self.use_button]),
                self.curve_box, self.parameter_box,
            ],
            layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"),
        )  # fmt: skip
        self._places = [
            ipywidgets.VBox([canvas, line], layout=ipywidgets.Layout(flex="0 0 348px", max_width="348px"))
            for canvas, line in zip(self.canvases, self.lines, strict=True)
        ]
        self._show_places()
        return [
            ipywidgets.HBox(
                [ipywidgets.HBox(self._places), side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px")
            )
        ]

    def _show_places(self) -> None:
        """Show the controls and pictures that are of use."""
        self._places[1].layout.display = "none" if self._second is None else ""
        self.class_picker.layout.display = "none" if self.of_channel else ""
        for control in (self.layer_slider, self.channel_slider):
            control.layout.display = "" if self.of_channel else "none"

    def _make_curves(self) -> None:
        import bqplot

        scales = {"x": bqplot.LinearScale(min=0), "y": bqplot.LinearScale(min=0, max=1)}
        self.curves = [bqplot.Lines(x=[], y=[], scales=scales, colors=[colour]) for colour in ("#1976d2", "#e07b00")]
        axes = [
            bqplot.Axis(scale=scales["x"], label="step", num_ticks=5),
            bqplot.Axis(scale=scales["y"], label="probability", side="left", tick_values=[0, 0.5, 1]),
        ]
        layout = ipywidgets.Layout(width="460px", height="170px", min_width="300px")
        margin = {"top": 8, "bottom": 40, "left": 56, "right": 16}
        figure = bqplot.Figure(
            marks=self.curves, axes=axes, animation_duration=0, fig_margin=margin, layout=layout, min_aspect_ratio=0.1,
            max_aspect_ratio=10,
        )  # fmt: skip
        self.curve_box.children = (figure,)

    def _describe_classifier(self) -> None:
        with self.second_picker.hold_sync():
            self.second_picker.options = [NO_SECOND, *self.session.classifier.class_names]
            self.second_picker.index = 0
        self._describe_channels()

    def _describe_channels(self) -> None:
        count = self.session.classifier.layer(self.session.layer).shape[0]
        with self.channel_slider.hold_sync():
            self.channel_slider.options = [str(channel) for channel in range(count)]
            self.channel_slider.index = self.session.channel or 0

    def _show_parameters(self) -> None:
        old = self.parameter_box.children
        self.parameter_box.children = tuple(parameters(self._visual, self._parameter_changed))  # type: ignore[arg-type]
        discard(*old)

    def _parameter_changed(self, name: str, value: Any, done: Callable[[], None]) -> None:
        self._visual = dataclasses.replace(self._visual, **{name: value})
        if name in _BEGINNING:
            self._forget(0, 1)
        if name == "iterations":
            self._goal = value
        self.refresh_then(done)

    def _pick_second(self, event: Any) -> None:
        self.second = None if event.index == 0 else event.index - 1

    def session_changed(self, names: set[str]) -> None:
        if "classifier" in names:
            self._second = None
            self._show_places()
            self.layer_slider.describe()
            self._describe_classifier()
            self._forget(0, 1)
        if names & {"layer", "channel"}:
            self.layer_slider.follow()
            self._describe_channels()

    @in_turn
    def _session_changed(self, change: Any) -> None:
        name = change["name"]
        self.session_changed({name})
        # What a stopped picture does not depend on must not set it going again.
        if name == "picture":
            if self.session.target is None and not self.of_channel:
                known = self.visuals[0] is not None
                self._at_rest = self._at_rest or (known and not self._requests.busy and not self._stale)
                super().refresh()
        elif name == "classifier" or (name == "target") != self.of_channel:
            self._forget(0)
            self.refresh()

    def refresh(self) -> None:
        self._at_rest = False
        super().refresh()

    def _trained_on(self) -> bool:
        return False  # a picture that was stopped is not set going by the weights; Start over is for that

    @property
    def of_channel(self) -> bool:
        """Whether the picture is one of the session's channel, and not of its class."""
        return self.of_picker.index == 1

    # -- work ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> list[tuple[Classifier, int | Channel | None, Visual | None]]:
        """For each place the target, None for what is predicted, and the picture to go on from."""
        session = self.session
        first: int | Channel | None = session.target
        if self.of_channel:
            first = Channel(session.layer, session.channel or 0)
        places: list[tuple[Classifier, int | Channel | None, Visual | None]] = [
            (session.classifier, first, self.visuals[0])
        ]
        if self._second is not None:
            places.append((session.classifier, self._second, self.visuals[1]))
        return places

    def work(self, scene: Any) -> Work:
        shown = scene[0][1] is not None or self.session.picture is None
        predicted = None if shown else self.session.example
        visual = dataclasses.replace(self._visual, iterations=self._goal)
        return _grown(visual, scene, predicted, self.interval, self._at_rest)

    def place_of(self, result: Frame) -> int:
        return result.place

    def draw(self, result: Frame) -> None:
        self.run_button.description = "Stop"
        self._at_rest = False
        place, visual = result.place, result.visual
        before = self.visuals[place]
        if before is not None and before.target != visual.target:
            self._curves[place] = []
        self.visuals[place] = visual
        name = _name(visual)
        self.canvases[place].show(visual.appearance)
        self.canvases[place].label = f"picture made for {name}, step {visual.step}"
        self.use_button.disabled = False
        self.curve_box.layout.display = "none" if visual.classifier.scores == "none" else ""
        text = f"{name}: score {short(visual.score or 0)} after {visual.step} steps"
        if result.probability is not None:
            text += f"; probability {percent(result.probability)} as it is"
            curve = self._curves[place]
            if not curve or curve[-1][0] < visual.step:
                curve.append((visual.step, result.probability))
            self._draw_curve(place)
        if result.robustness is not None:
            text += f", {percent(result.robustness)} moved, turned and resized a little"
        if result.winner is not None:
            names = visual.classifier.class_names
            text += f". The network takes it for {names[result.winner]}: try the score log-odds"
        finished = visual.step >= self._goal
        self.lines[place].say(f"{text}.", "info" if finished else "busy", -1 if finished else visual.step / self._goal)
        if all(known is None or known.step >= self._goal for known in self.visuals):
            self._rest()
            self.status.say("")

    def _draw_curve(self, place: int) -> None:
        with self.curves[place].hold_sync():
            self.curves[place].x = [float(step) for step, _ in self._curves[place]]
            self.curves[place].y = [share for _, share in self._curves[place]]

    # -- stopping and going on -----------------------------------------------------------------------------------

    def stop_here(self) -> None:
        """Stop the ascent and keep the pictures; `go_on` takes it up as if it had not been stopped."""
        self.stop()
        self._rest()
        for visual, line in zip(self.visuals, self.lines, strict=True):
            if visual is not None and visual.step < self._goal:
                line.say(line.text, "info", visual.step / self._goal)

    def go_on(self) -> None:
        """Take up the ascent, or add as many steps again to one that is over."""
        if all(known is None or known.step >= self._goal for known in self.visuals) and self.visuals[0] is not None:
            self._goal += self._visual.iterations
        self.refresh()

    def start_over(self) -> None:
        """Begin anew, from the seed's faint noise."""
        self._goal = self._visual.iterations
        self._forget(0, 1)
        self.refresh()

    def use_as_picture(self) -> None:
        """Make the first picture the session's, exactly as the network sees it."""
        visual = self.visuals[0]
        if visual is not None:
            self.session.picture = Picture(None, visual.pixels[0], f"picture made for {_name(visual)}")

    def _pick_kind(self) -> None:
        self._show_places()
        self._forget(0)
        self.refresh()

    def _forget(self, *places: int) -> None:
        # A frame of the ascent under way would put back what is forgotten here.
        self._requests.cancel()
        for place in places:
            self.visuals[place] = None
            self._curves[place] = []
            self._draw_curve(place)

    def _rest(self) -> None:
        self.run_button.description = "Go on"

    def pause(self) -> None:
        # In a hidden tab nothing grows; it goes on where it was when the tab is opened again.
        self.stop_here()

    def fail(self, error: Exception) -> None:
        self._rest()
        super().fail(error)


def _grown(visual: ClassVisual, places: Any, example: Any, interval: float, at_rest: bool) -> Work:
    """Frames of the places in turn, a step each; None where a picture has changed too little to be drawn anew.

    Pictures `at_rest` are left as they are unless the first is one of another class than is predicted.
    """
    ascents: dict[int, Iterator[Visual]] = {}
    drawn: dict[int, float] = {}
    for place, (classifier, target, start) in enumerate(places):
        if target is None:
            target = 0 if example is None else example.predicted
        if start is not None and (start.classifier, start.target) != (classifier, target):
            start = None
        if at_rest and place == 0 and start is not None:
            return
        ascents[place] = visual.steps(classifier, target, start)
    while ascents:
        for place in list(ascents):
            made = next(ascents[place], None)
            if made is None:
                del ascents[place]
                continue
            last = made.step >= visual.iterations
            if last or time.monotonic() - drawn.get(place, 0.0) >= interval:
                yield _frame(place, made, last)
                drawn[place] = time.monotonic()
            else:
                yield None


def _frame(place: int, visual: Visual, last: bool) -> Frame:
    # What the panel draws from is computed here, on the worker.
    _ = visual.appearance
    scores = visual.classifier.scores
    if not isinstance(visual.target, int) or scores == "none":
        return Frame(place, visual, None)
    shares = visual.probabilities()
    winner = int(np.argmax(shares))
    return Frame(
        place,
        visual,
        float(shares[visual.target]),
        float(visual.robustness()[visual.target]) if last else None,
        winner if last and winner != visual.target and scores == "softmax" else None,
    )


def _name(visual: Visual) -> str:
    target = visual.target
    if isinstance(target, Channel):
        return f"channel {target.channel} of {target.layer}"
    assert isinstance(target, int)
    return visual.classifier.class_names[target]
