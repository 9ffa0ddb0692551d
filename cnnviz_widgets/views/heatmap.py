"""A picture under a heatmap, for any explainer: method, its parameters, class, progress and Stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain import Explainer, Heatmap
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.closing import discard
from cnnviz_widgets.views.parts.controls import ClassPicker, parameters, percent
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.scales import Scale, scales_of, short
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """What a heatmap view draws: the example, and its heatmap once there is one."""

    example: Example
    class_index: int
    heatmap: Heatmap | None = None
    scales: list[Scale] | None = None


class HeatmapView(View):
    """Shows the heatmap of one of several explainers. `methods` maps labels to explainers; the first is chosen."""

    #: The layer follows the session, and the batch changes no result: they get no control.
    uncontrolled: tuple[str, ...] = ("layer", "batch")

    def __init__(
        self, model: object, picture: object = None, *, methods: Mapping[str, Explainer], **options: Any
    ) -> None:
        self._methods = dict(methods)
        self._method = next(iter(self._methods))
        self._shown: Example | None = None
        super().__init__(model, picture, **options)

    @property
    def explainer(self) -> Explainer:
        """The chosen method with its parameters; assign another of the same type to change them."""
        return self._methods[self._method]

    @explainer.setter
    def explainer(self, explainer: Explainer) -> None:
        label = next((label for label, known in self._methods.items() if type(known) is type(explainer)), None)
        if label is None:
            raise ValueError(f"This view shows {', '.join(self._methods)}; {type(explainer).__name__} is none of them.")
        self._methods[label] = explainer
        self._choose(label)

    @property
    def method(self) -> str:
        """The label of the chosen method."""
        return self._method

    @method.setter
    def method(self, label: str) -> None:
        if label not in self._methods:
            raise ValueError(f"There is no method {label!r}; there are {', '.join(self._methods)}.")
        self._choose(label)

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.canvas = PictureCanvas(label="no picture yet")
        self.method_picker = Picker(options=list(self._methods), index=0, description="method", searchable=False)
        self.class_picker = ClassPicker(self.session)
        self.parameter_box = ipywidgets.VBox()
        self.stop_button = ipywidgets.Button(description="Stop", disabled=True, layout=ipywidgets.Layout(width="72px"))
        self.stop_button.on_click(lambda _: self.stop_here())
        self.on_control(self.method_picker, lambda event: self._choose(list(self._methods)[event.index]))
        self.on_control(
            self.class_picker, lambda event: self.session.set_trait("target", self.class_picker.target_of(event.index))
        )
        self._show_parameters()
        side = ipywidgets.VBox(self.side(), layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"))
        return [ipywidgets.HBox([self.canvas, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    def side(self) -> list[ipywidgets.Widget]:
        """The controls beside the picture."""
        return [self.method_picker, self.class_picker, *self.extra_controls(), self.parameter_box, self.stop_button]

    def extra_controls(self) -> list[ipywidgets.Widget]:
        """Further controls of a subclass."""
        return []

    def _choose(self, label: str) -> None:
        self._method = label
        self.method_picker.index = list(self._methods).index(label)
        self._show_parameters()
        self.refresh()

    def _show_parameters(self) -> None:
        old = self.parameter_box.children
        self.parameter_box.children = tuple(parameters(self.explainer, self._parameter_changed, self.uncontrolled))
        discard(*old)

    def _parameter_changed(self, name: str, value: Any, done: Callable[[], None]) -> None:
        self._methods[self._method] = dataclasses.replace(self.explainer, **{name: value})  # type: ignore[type-var]
        self.refresh_then(done)

    # -- work ----------------------------------------------------------------------------------------------------

    def work(self, scene: Scene) -> Work:
        return self.explained(scene, self.placed(self.explainer, scene))

    def placed(self, explainer: Explainer, scene: Scene) -> Explainer:
        """`explainer` with the fields that follow the session filled in."""
        names = {field.name for field in dataclasses.fields(explainer)}  # type: ignore[arg-type]
        return dataclasses.replace(explainer, layer=scene.layer) if "layer" in names else explainer  # type: ignore[type-var]

    def explained(self, scene: Scene, explainer: Explainer) -> Work:
        """The picture at once, then the heatmap as it gets better."""
        example, target = scene.example, scene.class_index
        yield Shown(example, target)
        for heatmap in explainer.steps(example.classifier, example.pixels, target):
            scales = scales_of(heatmap.cells, signed=heatmap.signed, tailed=True, blank=heatmap.blank)
            yield Shown(example, target, heatmap, scales)

    def draw(self, result: Shown) -> None:
        example, heatmap = result.example, result.heatmap
        if heatmap is None:
            self.stop_button.disabled = False
            if example is not self._shown:
                self._shown = example
                # The map of the picture before is never drawn over this one.
                self.canvas.overlay(None)
                self.canvas.show(example.appearance)
                self.class_picker.describe(example)
                self.status.say("computing ...", "busy", 0)
            return
        finished = heatmap.progress >= 1
        self.canvas.overlay(heatmap.cells, quantity=heatmap.quantity, signed=heatmap.signed, scales=result.scales or [])
        shown = f"{example.picture.name or 'picture'} under {self.method}"
        self.canvas.label = f"{shown} of {target_name(example, heatmap.target)}: {heatmap.quantity}"
        self.status.say(self.summary(result), "info" if finished else "busy", heatmap.progress)
        self.stop_button.disabled = finished

    def _shown_as(self) -> str:
        return self.method

    def summary(self, result: Shown) -> str:
        """One line about a result."""
        assert result.heatmap is not None
        example, index, heatmap = result.example, result.class_index, result.heatmap
        ends = " to ".join(short(float(end)) for end in (heatmap.values.min(), heatmap.values.max()))
        note = f" {heatmap.note}" if heatmap.note else ""
        classifier, logit = example.classifier, short(float(example.logits[index]))
        share = "" if classifier.scores == "none" else f"{percent(float(example.probabilities[index]))}, "
        return (
            f"{classifier.class_names[index]}: {share}{score_name(classifier)} {logit}. "
            f"{self.method} of {target_name(example, heatmap.target)}: {heatmap.quantity}, {ends}.{note}"
        )

    def stop_here(self) -> None:
        """Stop the work and keep what is on screen."""
        self.stop()
        self.stop_button.disabled = True
        self.status.say("stopped; what is shown is unfinished")

    def fail(self, error: Exception) -> None:
        self.stop_button.disabled = True
        super().fail(error)


def target_name(example: Example, target: Target) -> str:
    """The name of a class, or of the difference of two."""
    return " minus ".join(example.classifier.class_names[index] for index in target.indices)
