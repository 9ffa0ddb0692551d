"""Pictures made for a class or a channel, growing as one watches."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import traitlets

from cnnviz_widgets.export import Axis
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.study import ActivationMaximisation, AscentState, Channel
from cnnviz_widgets.views.choice import Chooses
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.parts.answers import SURE, Answer, made_picture
from cnnviz_widgets.views.parts.ascents import AscentFrame, grow, subject_name, summary
from cnnviz_widgets.views.parts.class_list import ClassList, looked_at
from cnnviz_widgets.views.parts.curve import ProbabilityCurves
from cnnviz_widgets.views.parts.layers import ChannelSlider, LayerSlider
from cnnviz_widgets.views.questions.classes import class_made
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.growth import growth_axis
from cnnviz_widgets.views.take.page.wanted import Wanted
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import SliderMoved
from cnnviz_widgets.widgets.status import Status

NO_SECOND = "nothing"
WAITING = "Start makes a picture from grey, step by step, for which the score is as high as can be."
#: A change of these begins anew; another takes effect on the picture as it is.
_BEGINNING = {"parametrisation", "seed"}


class MaximisationView(Chooses, renamed={"visual": "technique"}):
    """Gradient ascent from grey on the logit of the session's class, or on its channel, beside that of a second class.

    `MaximisationView(model)` or, linked with other views, `MaximisationView(session)`; no picture is needed. It waits
    for the hand, or `go_on`, unless `started` is True; from then on it follows what is asked for. Changing a
    regulariser goes on from the picture as it is. `technique` has the parameters, `second` is the class beside the
    session's target, or None; a name may be assigned.
    """

    topic = "class_image"
    # What a stopped picture does not depend on must not set it going again: see `_session_changed`.
    follows = ()
    settings: ClassVar[Mapping[str, object]] = {"technique": None, "of_channel": False, "second": None}
    #: Seconds between two frames of one picture, at least; a step takes longer than that on a large network.
    interval = 0.08

    second = traitlets.Any(None, help="The class beside the session's target, or None.")
    visual = traitlets.Instance(
        AscentState, None, allow_none=True, read_only=True, help="The picture of the session's class or channel."
    )
    visuals = traitlets.Tuple(
        default_value=(None, None), read_only=True, help="That picture, and that of `second`; None where there is none."
    )

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        technique: ActivationMaximisation | None = None,
        started: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self._started = started
        #: The step from which the network was sure of the first picture, while it is.
        self._sure_at: int | None = None
        self._answered: Answer | None = None
        self._technique = technique or ActivationMaximisation()
        self._goal = self._technique.iterations
        #: Whether pictures at rest stay so unless the class that is predicted has become another.
        self._at_rest = False
        self.work = self.job(self._draw, place_of=lambda frame: frame.place)
        self.classes_job = self.job(lambda scene: self.class_list.show(scene.example, scene.class_index))
        self._make_widgets()
        self.follow(["classifier"], self._classifier_changed, hidden=True)
        self.follow(["target"], lambda: self._subject_changed(of_channel=False), hidden=True)
        self.follow(["layer", "channel"], lambda: self._subject_changed(of_channel=True), hidden=True)
        self.follow(["picture"], self._picture_changed, hidden=True)
        self.follow(["classifier", "picture", "target"], self._look_at_classes)
        self.when_active(self._look_at_classes)
        self.link(self._second_set, ["second"])
        self.begin()

    @property
    def of_channel(self) -> bool:
        """Whether the picture is one of the session's channel, and not of its class."""
        return self.of_picker.index == 1

    @of_channel.setter
    def of_channel(self, of_channel: bool) -> None:
        if not isinstance(of_channel, bool):
            raise ValueError(f"`of_channel` is True or False, not {of_channel!r}.")
        if of_channel != self.of_channel:
            self.of_picker.index = int(of_channel)
            self._change_kind()

    @property
    def caption(self) -> str:
        """What the view says of each picture."""
        return " ".join(line.text for line, state in zip(self.lines, self.visuals, strict=True) if state is not None)

    def table(self) -> Columns:
        """The probability of each picture's class by step."""
        required(self.visual)
        names = ["" if state is None else subject_name(state) for state in self.visuals]
        return table.of_ascents(self.visuals, names, self.curves.points)

    def question(self) -> Question | None:
        return None if self.visual is None else class_made(self.visual)

    # -- widgets -------------------------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.canvases = [PictureCanvas(label="no picture yet", display_width=320) for _ in range(2)]
        self.lines = [Status(), Status()]
        self.of_picker = Picker(options=["class", "channel"], index=0, description="of a", searchable=False)
        self.class_list = ClassList(self, self.work)
        self.class_picker = self.class_list.picker
        self.second_picker = Picker(description="beside it", searchable=True, placeholder="search classes")
        self.layer_slider, self.channel_slider = LayerSlider(self.session), ChannelSlider(self.session)
        self.choose_from([self._technique], self._parameters_changed)
        self.run_button = self.button("Start", self._stop_or_go_on, button_style="primary")
        self.again_button = self.button("Start over", self.start_over)
        self.use_button = self.button("Use as picture", self.use_as_picture, disabled=True)
        self.curves = ProbabilityCurves()
        self.on(self.of_picker, Picked, self._kind_picked)
        self.on(self.second_picker, Picked, self._second_picked)
        self.on(self.layer_slider, SliderMoved, self._layer_picked)
        self.on(self.channel_slider, SliderMoved, self._channel_picked)
        self._describe_second()
        buttons = row(self.run_button, self.again_button, self.use_button, gap=4)
        sliders = (self.layer_slider, self.channel_slider)
        side = (self.of_picker, self.class_list, *sliders, self.second_picker, buttons, self.curves, self.choice)
        self._places = [
            ipywidgets.VBox([canvas, line], layout=ipywidgets.Layout(flex="0 1 348px", max_width="348px"))
            for canvas, line in zip(self.canvases, self.lines, strict=True)
        ]
        self._show_places()
        self.show(row(ipywidgets.HBox(self._places), column(*side)))

    def _show_places(self) -> None:
        """Show the controls and pictures that are of use."""
        show_if(self.second is not None, self._places[1])
        show_if(not self.of_channel, self.class_list)
        show_if(self.of_channel, self.layer_slider, self.channel_slider)

    def _describe_second(self) -> None:
        with self.second_picker.hold_sync():
            self.second_picker.options = [NO_SECOND, *self.session.classifier.class_names]
            self.second_picker.index = 0 if self.second is None else self.second + 1

    # -- what is asked for ---------------------------------------------------------------------------------------

    @traitlets.validate("second")
    def _valid_second(self, proposal: Any) -> int | None:
        value = proposal["value"]
        return None if value is None else self.session.classifier.class_index(value)

    def _second_set(self, _: Any) -> None:
        self.second_picker.index = 0 if self.second is None else self.second + 1
        self._show_places()
        self._forget(1)
        self._begin_again()

    def _second_picked(self, event: Picked) -> Job:
        self.second = None if event.index == 0 else event.index - 1
        return self.work

    def _kind_picked(self, _: Picked) -> Job:
        self._change_kind()
        return self.work

    def _change_kind(self) -> None:
        self._show_places()
        self.when_active(self._look_at_classes)
        self._forget(0)
        self._begin_again()

    def _layer_picked(self, event: SliderMoved) -> Job:
        self.layer_slider.choose(event)
        return self.work

    def _channel_picked(self, event: SliderMoved) -> Job:
        self.session.channel = event.index
        return self.work

    def _parameters_changed(self) -> Job:
        before, self._technique = self._technique, self.choice.value
        names = [field.name for field in dataclasses.fields(before)]
        changed = {name for name in names if getattr(before, name) != getattr(self._technique, name)}
        if changed & _BEGINNING:
            self._forget(0, 1)
        if "iterations" in changed:
            self._goal = self._technique.iterations
        self._begin_again()
        return self.work

    def _classifier_changed(self) -> None:
        self._forget(0, 1)
        self.layer_slider.describe()
        self.channel_slider.describe()
        self.second = None
        self._describe_second()
        self._begin_again()

    def _subject_changed(self, *, of_channel: bool) -> None:
        self.layer_slider.follow()
        self.channel_slider.describe()
        if of_channel == self.of_channel:
            self._forget(0)
            self._begin_again()

    def _picture_changed(self) -> None:
        if self.session.target is None and not self.of_channel:
            known = self.visual is not None
            self._at_rest = self._at_rest or (known and not self.busy and not self.is_put_off)
            self.refresh()

    def _look_at_classes(self) -> None:
        """Show what the network says of the session's picture, to choose a class from."""
        if self.session.picture is not None and not self.of_channel:
            self.classes_job.start(looked_at(self.session.scene))

    def _begin_again(self) -> None:
        self._at_rest = False
        self.refresh()

    def options_made_with(self) -> Mapping[str, object]:
        return {"started": True} if self._started else {}

    # -- work ----------------------------------------------------------------------------------------------------

    def compute(self) -> Job | None:
        session = self.session
        if not self._started:
            self.say(WAITING)
            return None
        first: int | Channel | None = session.target
        if self.of_channel:
            first = Channel(session.layer, session.channel or 0)
        targets = [first] if self.second is None else [first, self.second]
        places = [(session.classifier, target, state) for target, state in zip(targets, self.visuals, strict=False)]
        predicted = None if first is not None or session.picture is None else session.example
        technique = dataclasses.replace(self._technique, iterations=self._goal)
        job = self.work.start(grow(technique, places, predicted, self.interval, self._at_rest), self._show_button)
        self._show_button()
        return job

    def _draw(self, frame: AscentFrame) -> None:
        self._at_rest = False
        place, state = frame.place, frame.state
        before = self.visuals[place]
        if before is not None and before.target != state.target:
            self.curves.clear(place)
        self.canvases[place].show(state.appearance)
        self.canvases[place].label = f"picture made for {subject_name(state)}, step {state.step}"
        self.use_button.disabled = False
        show_if(state.classifier.scores != "none", self.curves)
        if frame.probability is not None:
            self.curves.add(place, state.step, frame.probability)
        finished = state.step >= self._goal
        progress = -1 if finished else state.step / self._goal
        answer = self._answer_of(frame)
        told = summary(frame) if answer is None else f"{answer} {summary(frame)}"
        self.lines[place].say(told, "info" if finished else "busy", progress)
        self._keep(place, state)
        if self._all_finished:
            self.say("")
            self.set_trait("answer", self._answered)

    page_of_picture = False

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """The steps of the first picture."""
        axis = growth_axis(self)
        return [axis] if axis else []

    def show_growth(self, frames: Sequence[AscentFrame]) -> None:
        """Draw the steps of a picture as if it had grown to the last of `frames`."""
        self.curves.clear(0)
        self._sure_at = None
        for frame in frames:
            self._draw(frame)

    def _answer_of(self, frame: AscentFrame) -> Answer | None:
        """How sure the network is of the first picture, that of a class."""
        if frame.place != 0 or frame.probability is None:
            return None  # of a channel nothing is known but its score
        sure = frame.probability >= SURE
        self._sure_at = None if not sure else frame.state.step if self._sure_at is None else self._sure_at
        self._answered = made_picture(subject_name(frame.state), frame.probability, self._sure_at)
        self.set_trait("answer", self._answered)
        return self._answered

    def _keep(self, place: int, state: AscentState | None) -> None:
        visuals = list(self.visuals)
        visuals[place] = state
        self.set_trait("visuals", tuple(visuals))
        self.set_trait("visual", visuals[0])

    @property
    def _all_finished(self) -> bool:
        return all(known is None or known.step >= self._goal for known in self.visuals)

    # -- stopping and going on -----------------------------------------------------------------------------------

    def _show_button(self) -> None:
        self.run_button.description = "Stop" if self.work.busy else "Go on" if self._started else "Start"
        if not self.work.busy:
            for state, line in zip(self.visuals, self.lines, strict=True):
                if state is not None and state.step < self._goal:
                    line.say(line.text, "info", state.step / self._goal)

    def _stop_or_go_on(self) -> None:
        if self.work.busy:
            self.stop_here()
        else:
            self.go_on()

    def stop_here(self) -> None:
        """Stop the ascent and keep the pictures; `go_on` takes it up as if it had not been stopped."""
        self.stop()
        self._show_button()

    def go_on(self) -> None:
        """Take up the ascent, or add as many steps again to one that is over."""
        if self._all_finished and self.visual is not None:
            self._goal += self._technique.iterations
        self._start()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.say("")
        self._begin_again()

    def start_over(self) -> None:
        """Begin anew, from the seed's faint noise."""
        self._goal = self._technique.iterations
        self._forget(0, 1)
        self._start()

    def use_as_picture(self) -> None:
        """Make the first picture the session's, exactly as the network sees it."""
        if self.visual is not None:
            self.session.picture = Picture(None, self.visual.pixels[0], f"picture made for {subject_name(self.visual)}")

    def _forget(self, *places: int) -> None:
        # A frame of the ascent under way would put back what is forgotten here.
        self.work.cancel()
        if 0 in places:
            self._sure_at = self._answered = None
            self.set_trait("answer", None)
        for place in places:
            self._keep(place, None)
            self.curves.clear(place)
