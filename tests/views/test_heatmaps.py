"""The panels that lay a heatmap over the picture: CAMView and SaliencyView."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import LayerError, TargetError
from cnnviz_widgets.explain import CAM, Explainer, GradCAM, Heatmap, Instance, LayerCAM, Saliency
from cnnviz_widgets.explain.cam.tape import layer_before
from cnnviz_widgets.explain.gradient.integrated_gradients import Attribution
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.heatmap import HeatmapView
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.film_strip import small_map
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.saliency import SaliencyView

from .conftest import Counting, Stepping

CAM_METHODS = {technique.label: technique for technique in CAMView.techniques()}
SALIENCY_METHODS = {technique.label: technique for technique in SaliencyView.techniques()}


def shown(view: HeatmapView) -> np.ndarray:
    return np.frombuffer(view.canvas.map, dtype="<f4").reshape(view.canvas.map_size)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("method", CAM_METHODS)
def test_each_cam_method_shows_its_explainers_map(classifier: Classifier, picture: np.ndarray, method: str) -> None:
    view = CAMView(classifier, picture)
    view.technique = method
    assert view.status.kind == "info", view.status.text
    example = view.session.example
    explainer: Explainer = CAM_METHODS[method]
    expected = explainer(classifier, example.pixels, example.predicted)
    np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)
    assert view.canvas.quantity == expected.quantity
    assert expected.quantity in view.status.text


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("method", SALIENCY_METHODS)
def test_each_saliency_method_shows_its_explainers_map(
    classifier: Classifier, picture: np.ndarray, method: str
) -> None:
    view = SaliencyView(classifier, picture)
    view.technique = method
    assert view.status.kind == "info", view.status.text
    example = view.session.example
    expected = SALIENCY_METHODS[method](classifier, example.pixels, example.predicted)
    np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)


@pytest.mark.usefixtures("inline")
def test_switching_the_layer_calls_the_network_no_more(
    classifier: Classifier, picture: np.ndarray, network: Counting
) -> None:
    view = CAMView(classifier, picture)
    calls = network.calls
    maps = set()
    for layer in view.layer_slider.names:
        view.session.layer = layer
        maps.add(view.canvas.map)
    view.session.target = 3
    view.session.against = 1
    assert network.calls == calls
    assert len(maps) == len(view.layer_slider.options) > 2


@pytest.mark.usefixtures("inline")
def test_a_minus_b_is_the_map_of_the_contrast(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)
    view.session.target = "dog"
    view.session.against = "bee"
    expected = GradCAM()(classifier, view.session.example.pixels, Target(3, 1))
    np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)
    assert view.canvas.signed and "dog minus bee" in view.status.text


@pytest.mark.usefixtures("inline")
def test_linked_views_follow_one_session(classifier: Classifier, picture: np.ndarray) -> None:
    session = Session(classifier, picture)
    first, second = CAMView(session), SaliencyView(session)
    maps = first.canvas.map, second.canvas.map
    session.target = (session.example.predicted + 1) % 4
    assert first.canvas.map != maps[0] and second.canvas.map != maps[1]
    session.picture = 255 - picture
    assert first.canvas.picture == second.canvas.picture == session.example.appearance.tobytes()


@pytest.mark.usefixtures("inline")
def test_a_view_that_is_not_active_computes_when_it_becomes_so(
    classifier: Classifier, picture: np.ndarray, network: Counting
) -> None:
    view = SaliencyView(classifier, picture, active=False)
    calls = network.calls
    view.session.target = 1
    assert network.calls == calls and view.canvas.map_size == (0, 0)
    view.active = True
    assert view.canvas.map_size == (24, 32)


@pytest.mark.usefixtures("inline")
def test_parameters_become_controls(classifier: Classifier, picture: np.ndarray) -> None:
    view = SaliencyView(classifier, picture)
    view.technique = "SmoothGrad"
    controls = {control.description: control for control in view.choice.controls.children}
    assert "samples" in controls
    samples = controls["samples"]
    index = samples.options.index(str(view.technique.samples)) - 1  # type: ignore[attr-defined]
    samples._receive(
        None, {"kind": "event", "seq": 1, "final": True, "index": index, "option": samples.options[index]}, []
    )
    assert view.technique.samples == int(samples.options[index])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("inline")
def test_what_does_not_exist_is_refused_and_changes_nothing(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)
    before = view.canvas.map
    with pytest.raises(LayerError, match=r"has no layer 'body\.9'"):
        view.session.layer = "body.9"
    with pytest.raises(TargetError, match="classes 0 to 3"):
        view.session.target = 4
    with pytest.raises(TargetError, match="no class 'cat'"):
        view.session.against = "cat"
    with pytest.raises(ValueError, match="There is no method"):
        view.technique = "Grad-CAMERA"
    assert view.canvas.map == before


@pytest.mark.usefixtures("inline")
def test_two_methods_begin_one_block_earlier_until_a_layer_is_chosen(
    classifier: Classifier, picture: np.ndarray, network: Counting
) -> None:
    view = CAMView(classifier, picture)
    last, earlier = classifier.default_layer, layer_before(classifier)
    assert last != earlier
    other = SaliencyView(view.session)
    for method, layer in [("Grad-CAM++", earlier), ("Grad-CAM", last), ("LayerCAM", earlier)]:
        view.technique = method
        expected = CAM_METHODS[method](classifier, view.session.example.pixels, view.session.example.predicted)
        np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)
        assert view.layer_slider.names[view.layer_slider.index] == layer
        assert view.session.layer == other.session.layer == last
    calls = network.calls
    # The session is at this layer already: the choice counts all the same.
    pick_layer(view, last)
    expected = LayerCAM(last)(classifier, view.session.example.pixels, view.session.example.predicted)
    np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)
    assert network.calls == calls + 1, "the reference's own"
    for layer in (view.layer_slider.names[0], last):
        view.session.layer = layer
        assert view.layer_slider.names[view.layer_slider.index] == layer
    view.session.classifier = Classifier(network, input_size=classifier.input_size)
    assert view.layer_slider.names[view.layer_slider.index] == earlier
    assert view.status.kind == "info", view.status.text


def pick_layer(view: CAMView, layer: str) -> None:
    index = view.layer_slider.names.index(layer)
    content = {"kind": "event", "seq": 1, "final": True, "index": index}
    content["option"] = view.layer_slider.options[index]
    view.layer_slider._receive(None, content, [])


@pytest.mark.usefixtures("inline")
def test_a_session_that_has_chosen_a_layer_is_followed_from_the_first(
    classifier: Classifier, picture: np.ndarray
) -> None:
    view = CAMView(Session(classifier, picture, layer="body.0"), techniques=[LayerCAM()])
    assert view.layer_slider.names[view.layer_slider.index] == "body.0"
    expected = LayerCAM("body.0")(classifier, view.session.example.pixels, view.session.example.predicted)
    np.testing.assert_allclose(shown(view), expected.cells, atol=1e-6)


@pytest.mark.usefixtures("inline")
def test_notes_are_shown_beside_the_map(classifier: Classifier, picture: np.ndarray) -> None:
    cam, saliency = CAMView(classifier, picture), SaliencyView(classifier, picture)
    assert "Grad-CAM, HiResCAM, XGrad-CAM and CAM are the same map" in cam.status.text
    cam.technique = "Eigen-CAM"
    assert "every class has this same map" in cam.status.text
    saliency.technique = "integrated gradients"
    assert "More points change the sum" in saliency.status.text


class Blind(nn.Module):
    """Says the same of every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.head = nn.Linear(4, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(pixels).mean((2, 3))) * 1e-9 + torch.arange(4.0)
        return logits


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("method", [*CAM_METHODS, *SALIENCY_METHODS])
def test_rounding_is_said_to_be_nothing_and_not_stretched_to_full_colour(picture: np.ndarray, method: str) -> None:
    kind = CAMView if method in CAM_METHODS else SaliencyView
    view = kind(Classifier(Blind(), input_size=(24, 32)), picture)
    view.technique = method
    assert view.status.kind == "info", view.status.text
    if method == "Eigen-CAM":  # it shows what the layer answers to, and says so
        return
    assert "changes the score by more than rounding" in view.status.text
    for _, low, high in view.canvas.scales:
        assert np.abs(shown(view)).max() < (high - low) / 256


class Flat(nn.Module):
    """Convolution, flatten, two linear layers: nothing that CAM could be computed from."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3, 2, 1)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 12 * 16, 8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(pixels).relu())
        return logits


@pytest.mark.usefixtures("inline")
def test_cam_without_pooling_names_grad_cam_and_keeps_the_map(picture: np.ndarray) -> None:
    view = CAMView(Classifier(Flat(), input_size=(24, 32)), picture)
    before = view.canvas.map
    view.technique = "CAM"
    assert view.status.kind == "error" and "Grad-CAM" in view.status.text
    assert view.canvas.map == before
    view.technique = "Grad-CAM"
    assert view.status.kind == "info"


@dataclass(frozen=True)
class Gated(Explainer):
    """Waits for its gate before each of two heatmaps."""

    label = "gated"
    family = "gradient"
    quantity = "class index"

    gate: Any = None

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        for progress in (0.5, 1.0):
            self.gate.began.set()
            assert self.gate.wait(30)
            values = torch.full(instance.size, float(instance.target.index))
            yield self.heatmap(instance, values, signed=False, progress=progress)


class Gate(threading.Event):
    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()


def test_a_result_for_an_older_class_is_never_shown(classifier: Classifier, picture: np.ndarray) -> None:
    gate = Gate()
    view = HeatmapView(classifier, picture, techniques=[Gated(gate)])
    seen: list[float] = []
    overlay = view.canvas.overlay

    def watch(values: Any, *rest: Any, **options: Any) -> None:
        if values is not None:
            seen.append(float(values[0, 0]))
        overlay(values, *rest, **options)

    view.canvas.overlay = watch  # type: ignore[method-assign]
    view.session.target = 1
    assert gate.began.wait(30)
    for target in (2, 3, 2, 3):
        view.session.target = target
    gate.set()
    assert schedule.WORKER.drain(30)
    assert seen == [3.0, 3.0]
    assert view.status.kind == "info"
    view.close()


def test_the_explainer_can_be_read_and_set(classifier: Classifier, picture: np.ndarray) -> None:
    with schedule.inline():
        view = SaliencyView(classifier, picture)
        view.technique = Saliency(unit="picture")
        assert view.technique == Saliency(unit="picture")
        with pytest.raises(ValueError, match="CAM is none of them"):
            view.technique = CAM()


@pytest.mark.usefixtures("inline")
def test_another_classifier_brings_its_own_layers(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    view.session.classifier = Classifier(other, input_size=classifier.input_size)
    assert view.layer_slider.names == ["0", "2"] and view.layer_slider.index == 1
    assert view.status.kind == "info", view.status.text


@pytest.mark.usefixtures("inline")
def test_a_map_is_never_drawn_over_another_picture(classifier: Classifier, picture: np.ndarray) -> None:
    view = SaliencyView(classifier, picture)
    before, seen = view.canvas.picture, []
    view.canvas.observe(lambda _: seen.append((view.canvas.picture == before, view.canvas.map)))
    old = view.canvas.map
    view.session.picture = 255 - picture
    assert old and (False, old) not in seen and (False, b"") in seen


@pytest.mark.usefixtures("inline")
def test_a_view_is_printed_in_one_line(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier)
    assert repr(view) == "<CAMView Grad-CAM of no picture>"
    view.session.picture = picture
    assert repr(view) == "<CAMView Grad-CAM of a picture>"
    view.close()
    assert repr(view) == "<CAMView>"


@pytest.mark.usefixtures("inline")
def test_controls_that_change_nothing_in_the_map_are_not_there(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)

    def there() -> dict[str, bool]:
        controls = {"minus": view.against_picker, "layer": view.layer_slider}
        return {name: control.layout.display != "none" for name, control in controls.items()}

    assert there() == {"minus": True, "layer": True}
    view.technique = "Eigen-CAM"
    assert there() == {"minus": False, "layer": True}
    view.technique = "CAM"
    assert there() == {"minus": True, "layer": False}
    view.technique = "Grad-CAM"
    assert there() == {"minus": True, "layer": True}
    # A view that opens with such a method begins without the control.
    assert CAMView(classifier, picture, techniques=[CAM()]).layer_slider.layout.display == "none"


@pytest.mark.usefixtures("inline")
def test_the_answer_to_a_map_stands_first(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)
    heatmap, predicted = view.heatmap, view.session.example.predicted
    assert heatmap is not None
    values = np.sort(np.maximum(heatmap.values, 0).ravel())[::-1]
    share = 100 * (int(np.searchsorted(np.cumsum(values, dtype=float), values.sum(dtype=float) / 2)) + 1) / values.size
    name = classifier.class_names[predicted]
    assert view.status.text.startswith(
        f"Half of the evidence for {name} lies in {answers.number(share)} % of the picture"
    )
    view.technique = "Eigen-CAM"
    assert "whatever the class" in str(view.answer)
    gradients = SaliencyView(classifier, picture)
    assert gradients.status.text.startswith("Half of the sensitivity lies in ")
    gradients.technique = "integrated gradients"
    found = gradients.heatmap
    assert isinstance(found, Attribution)
    total = short(float(found.values.sum()))
    assert gradients.status.text.startswith(f"All values add up to {total}: the score of {name}")


# -- the film strip ----------------------------------------------------------------------------------------------


def frames(view: CAMView) -> np.ndarray:
    return np.frombuffer(view.strip.sheet, np.uint8).reshape(view.strip.count, *view.strip.tile_size, 3)


def pick_tile(view: CAMView, index: int) -> None:
    content = {"kind": "event", "seq": 1, "name": "picked", "final": True, "modifiers": []}
    view.strip._receive(None, {**content, "index": index, "revision": view.strip.revision}, [])


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("technique", [GradCAM(), LayerCAM(relu=False)], ids=["sequential", "signed"])
def test_the_strip_has_the_map_of_each_layer(classifier: Classifier, picture: np.ndarray, technique: Explainer) -> None:
    view = CAMView(classifier, picture, techniques=[technique])
    example, names = view.session.example, view.layer_slider.names
    assert view.strip.labels == view.layer_slider.options and view.strip.columns == len(names)
    for layer, frame in zip(names, frames(view), strict=True):
        found = dataclasses.replace(technique, layer=layer)(classifier, example.pixels, example.predicted)  # type: ignore[type-var]
        expected = small_map(example.appearance, found.cells, signed=found.signed)
        assert np.abs(frame.astype(int) - expected).max() <= 1


@pytest.mark.usefixtures("inline")
def test_the_strip_and_the_slider_are_one_control(
    classifier: Classifier, picture: np.ndarray, network: Counting
) -> None:
    view = CAMView(classifier, picture)
    calls, sheet = network.calls, view.strip.revision
    pick_tile(view, 0)
    assert view.session.layer == view.layer_slider.names[0] and view.layer_slider.index == 0
    pick_layer(view, view.layer_slider.names[1])
    assert view.strip.selected == 1
    view.session.layer = view.layer_slider.names[2]
    assert view.strip.selected == 2
    assert (network.calls, view.strip.revision, view.strip.stale) == (calls, sheet, False)


@pytest.mark.usefixtures("inline")
def test_the_strip_follows_class_and_method_and_is_there_only_where_it_costs_nothing(
    classifier: Classifier, picture: np.ndarray
) -> None:
    view = CAMView(classifier, picture)
    before = frames(view).copy()
    view.session.target = (view.session.example.predicted + 1) % 4
    assert (frames(view) != before).any()
    for method, shown in (("Score-CAM", False), ("HiResCAM", True), ("CAM", False), ("Grad-CAM", True)):
        view.technique = method
        assert (view.strip.layout.display != "none") is shown, method
        assert (view.strip.count > 0) is shown, method


@pytest.mark.usefixtures("inline")
def test_a_strip_of_the_question_before_is_faint_until_the_answer(classifier: Classifier, picture: np.ndarray) -> None:
    view = CAMView(classifier, picture)
    steps = view.work._requests._executor = Stepping()
    view.session.target = (view.session.example.predicted + 1) % 4
    assert view.strip.stale
    steps.work()
    assert not view.strip.stale
    view.session.layer = view.layer_slider.names[0]
    assert not view.strip.stale  # the same maps
    steps.work()
