"""MaximisationView: pictures that grow, stop, go on, and become the picture of the session."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets import demo, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation, Channel
from cnnviz_widgets.views.maximisation import WAITING, MaximisationView
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.controls import percent

from .conftest import NAMES, Counting, Stepping

QUICK = ActivationMaximisation(iterations=6)


def stepping(view: MaximisationView) -> Stepping:
    executor = Stepping()
    view.interval = 0
    view.work._requests._executor = executor
    return executor


def press(control: Any, index: int) -> None:
    content = {"kind": "event", "seq": 1, "final": True, "index": index, "option": control.options[index]}
    control._receive(None, content, [])


def shown(view: MaximisationView, place: int = 0) -> bytes:
    return view.canvases[place].picture


@pytest.mark.usefixtures("inline")
def test_shows_the_picture_of_the_session_s_class_and_needs_no_other(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, target="dog"), technique=QUICK, started=True)
    expected = QUICK(classifier, 3)
    assert shown(view) == expected.appearance.tobytes()
    assert view.lines[0].kind == "info" and view.lines[0].text.startswith(f"{view.answer} dog: score")
    assert f"probability {percent(float(expected.probabilities()[3]))} as it is" in view.lines[0].text
    assert f", {percent(float(expected.robustness()[3]))} moved, turned and resized a little" in view.lines[0].text
    assert view.curves.lines[0].x[-1] == 6 and view.curves.lines[0].y[-1] == pytest.approx(expected.probabilities()[3])
    view.session.target = 2
    assert shown(view) == QUICK(classifier, 2).appearance.tobytes()
    assert NAMES[2] in view.lines[0].text


@pytest.mark.usefixtures("inline")
def test_it_waits_for_the_hand_and_follows_it_from_then_on(classifier: Classifier, network: Counting) -> None:
    _ = classifier.layers
    calls = network.calls
    view = MaximisationView(Session(classifier, target=1), technique=QUICK)
    press(view.second_picker, 1)
    view.session.target = 2
    view.second = None
    assert network.calls == calls and view.visuals == (None, None) and not view.busy
    assert view.run_button.description == "Start" and view.status.text == WAITING
    view.run_button.click()
    assert shown(view) == QUICK(classifier, 2).appearance.tobytes()
    assert view.run_button.description == "Go on" and view.status.text == ""
    view.session.target = 1
    assert shown(view) == QUICK(classifier, 1).appearance.tobytes()


def test_the_sentence_says_from_which_step_on_the_network_was_sure() -> None:
    classifier = demo.shapes_classifier()
    view = MaximisationView(Session(classifier, target="star"), technique=dataclasses.replace(QUICK, iterations=24))
    executor = stepping(view)
    view.go_on()
    probabilities = []
    for _ in range(24):
        executor.work(1)
        probabilities.append(float(view.visual.probabilities()[view.visual.target]))  # type: ignore[union-attr]
    executor.work()
    unsure = [step for step, probability in enumerate(probabilities, 1) if probability < 0.99]
    assert probabilities[-1] >= 0.99 and unsure, probabilities
    assert str(view.answer).startswith(
        f"The network is {answers.number(100 * probabilities[-1])} % sure that this is star, "
        f"and was 99 % sure at step {unsure[-1] + 1} already."
    )
    view.close()


@pytest.mark.usefixtures("inline")
def test_a_second_class_grows_beside_it(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, target=0), technique=QUICK, started=True)
    assert view._places[1].layout.display == "none"
    press(view.second_picker, 2)
    assert view.second == 1 and view._places[1].layout.display != "none"
    assert shown(view, 1) == QUICK(classifier, 1).appearance.tobytes()
    assert shown(view) == QUICK(classifier, 0).appearance.tobytes()
    view.second = None
    assert view._places[1].layout.display == "none"


@pytest.mark.usefixtures("inline")
def test_a_channel_of_the_session_s_layer(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, layer="body.0", channel=4), technique=QUICK, started=True)
    press(view.of_picker, 1)
    assert shown(view) == QUICK(classifier, Channel("body.0", 4)).appearance.tobytes()
    press(view.channel_slider, 2)
    assert view.session.channel == 2
    assert shown(view) == QUICK(classifier, Channel("body.0", 2)).appearance.tobytes()
    press(view.layer_slider, view.layer_slider.names.index("body.2"))
    assert shown(view) == QUICK(classifier, Channel("body.2", 2)).appearance.tobytes()
    assert len(view.channel_slider.options) == 8


def test_a_frame_after_each_step_and_stop_and_go_on_as_if_uninterrupted(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, target=1), technique=QUICK, started=True, active=False)
    executor = stepping(view)
    view.active = True
    pictures = []
    for step in (1, 2, 3):
        executor.work(1)
        pictures.append(shown(view))
        assert view.visuals[0] is not None and view.visuals[0].step == step
        assert view.lines[0].progress == pytest.approx(step / 6) and view.run_button.description == "Stop"
    assert len(set(pictures)) == 3
    view.run_button.click()
    executor.work()
    assert shown(view) == pictures[-1] and view.run_button.description == "Go on"
    # What the picture does not depend on does not set it going.
    view.session.channel = 1
    view.session.layer = "body.0"
    executor.work()
    assert shown(view) == pictures[-1]
    view.run_button.click()
    executor.work(1)
    view.active = False
    executor.work()
    assert view.visuals[0] is not None and view.visuals[0].step == 4
    view.active = True
    executor.work()
    assert shown(view) == QUICK(classifier, 1).appearance.tobytes()
    assert view.run_button.description == "Go on"
    view.run_button.click()
    executor.work()
    assert shown(view) == dataclasses.replace(QUICK, iterations=12)(classifier, 1).appearance.tobytes()
    view.again_button.click()
    executor.work()
    assert shown(view) == QUICK(classifier, 1).appearance.tobytes()
    view.close()


@pytest.mark.usefixtures("inline")
def test_parameters_are_controls_and_a_seed_begins_anew(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, target=1), technique=QUICK, started=True)
    controls: dict[str, Any] = {control.description: control for control in view.choice.controls.children}
    assert {"parametrisation", "seed", "l2", "tv", "blur", "jitter", "rate"} <= set(controls)
    press(controls["seed"], 5)
    assert shown(view) == dataclasses.replace(QUICK, seed=5)(classifier, 1).appearance.tobytes()
    press(controls["parametrisation"], 1)
    changed = dataclasses.replace(QUICK, seed=5, parametrisation="pixels")
    assert view.technique == changed and shown(view) == changed(classifier, 1).appearance.tobytes()
    # A regulariser goes on from what there is: here the ascent is over.
    before = shown(view)
    press(controls["tv"], 3)
    assert shown(view) == before
    seen = []
    view.observe(lambda change: seen.append(change["new"]), "technique")
    view.technique = QUICK
    assert shown(view) == QUICK(classifier, 1).appearance.tobytes() and seen == [QUICK]


@pytest.mark.usefixtures("inline")
def test_the_picture_becomes_the_session_s(classifier: Classifier) -> None:
    view = MaximisationView(Session(classifier, target=1), technique=QUICK, started=True)
    view.use_button.click()
    expected = QUICK(classifier, 1)
    assert torch.equal(view.session.example.pixels, expected.pixels)
    assert view.session.picture.name == "picture made for bee"
    np.testing.assert_allclose(view.session.example.probabilities, expected.probabilities(), atol=1e-6)
    # The picture is none that the view depends on.
    assert shown(view) == expected.appearance.tobytes()


@pytest.mark.usefixtures("inline")
def test_without_a_class_that_of_the_picture_or_the_first_is_taken(classifier: Classifier, picture: np.ndarray) -> None:
    assert "ant: score" in MaximisationView(classifier, technique=QUICK, started=True).lines[0].text
    view = MaximisationView(classifier, picture, technique=QUICK, started=True)
    assert f"{NAMES[view.session.example.predicted]}: score" in view.lines[0].text


@pytest.mark.usefixtures("inline")
def test_a_failure_is_told_and_the_picture_stays(classifier: Classifier, network: Counting) -> None:
    view = MaximisationView(Session(classifier, target=1), technique=QUICK, started=True)
    before = shown(view)
    network.breaks = "raise"
    view.session.target = 2
    assert view.status.kind == "error" and "the cable is loose" in view.status.text
    assert shown(view) == before and view.run_button.description == "Go on"
    network.breaks = ""
    view.run_button.click()
    assert view.status.text == "" and shown(view) == QUICK(classifier, 2).appearance.tobytes()


@pytest.mark.usefixtures("inline")
def test_a_picture_taken_for_another_class_is_told_with_the_mend() -> None:
    view = MaximisationView(
        Session(demo.shapes_classifier(), target="square"),
        technique=ActivationMaximisation(iterations=48),
        started=True,
    )
    assert "The network takes it for" in view.lines[0].text and "log-odds" in view.lines[0].text
    view.session.classifier = demo.digits_classifier()
    assert view.lines[0].text.startswith(f"{view.answer} 0: score")


def test_a_view_that_is_not_active_does_nothing(classifier: Classifier, network: Counting) -> None:
    with schedule.inline():
        _ = classifier.layers
        calls = network.calls
        view = MaximisationView(classifier, started=True, active=False)
        view.session.target = 2
        assert network.calls == calls and view.visuals == (None, None)


def pictures_of_two_classes(classifier: Classifier) -> tuple[int, int, list[np.ndarray]]:
    """Two classes, and three pictures: one that is taken for the first and two for the second."""
    rng = np.random.default_rng(0)
    found: dict[int, list[np.ndarray]] = {}
    for _ in range(200):
        picture = (rng.integers(0, 256, (1, 1, 3)) + rng.integers(-20, 20, (24, 32, 3))).clip(0, 255).astype(np.uint8)
        found.setdefault(Session(classifier, picture).example.predicted, []).append(picture)
    (_, (one, *_)), (_, (two, three, *_)) = sorted(found.items(), key=lambda item: len(item[1]))[-2:]
    first, second = (Session(classifier, picture).example.predicted for picture in (one, two))
    assert first != second
    return first, second, [one, two, three]


def test_the_class_that_is_predicted_follows_the_picture(classifier: Classifier) -> None:
    first, second, (one, two, three) = pictures_of_two_classes(classifier)
    view = MaximisationView(classifier, one, technique=QUICK, started=True, active=False)
    executor = stepping(view)
    view.active = True
    executor.work(2)
    view.session.picture = two
    executor.work(4)  # one of them the replaced ascent's
    # The steps of the class before are none of this one.
    assert view.visuals[0] is not None and (view.visuals[0].target, view.visuals[0].step) == (second, 3)
    assert list(view.curves.lines[0].x) == [1, 2, 3]
    # Another picture of the same class does not set the ascent back,
    view.session.picture = three
    executor.work(2)
    assert view.visuals[0].step == 4
    # nor sets a stopped one going, however often it changes and even if the tab is changed meanwhile.
    view.run_button.click()
    view.session.picture = two
    view.session.picture = three
    view.active = False
    view.active = True
    executor.work()
    assert view.visuals[0].step == 4 and view.run_button.description == "Go on"
    view.run_button.click()
    executor.work()
    assert shown(view) == QUICK(classifier, second).appearance.tobytes()
    # In a hidden tab it is put off.
    view.active = False
    view.session.picture = one
    executor.work()
    assert view.visuals[0].target == second
    view.active = True
    executor.work()
    assert view.status.kind == "info" and shown(view) == QUICK(classifier, first).appearance.tobytes()
    view.close()


@pytest.mark.usefixtures("inline")
def test_a_class_or_a_channel_that_is_chosen_does_not_follow_the_picture(
    classifier: Classifier, network: Counting
) -> None:
    _, _, (one, two, _) = pictures_of_two_classes(classifier)
    view = MaximisationView(Session(classifier, one, target=1), technique=QUICK, started=True)
    calls = network.calls
    view.session.picture = two
    assert network.calls == calls + 1, "what the network says of it is in the list of classes"
    view.session.target = None
    press(view.of_picker, 1)
    calls = network.calls
    view.session.picture = one
    assert network.calls == calls


@pytest.mark.parametrize(
    "change",
    [
        lambda view: view.session.set_trait("target", 2),
        lambda view: view.start_over(),
        lambda view: press(view.of_picker, 1),
        lambda view: setattr(view, "technique", dataclasses.replace(QUICK, seed=3)),
    ],
)
def test_a_frame_that_comes_while_it_is_begun_anew_is_dropped(classifier: Classifier, change: Any) -> None:
    view = MaximisationView(Session(classifier, target=1), technique=QUICK, started=True, active=False)
    executor = stepping(view)
    view.active = True
    executor.work(2)
    compute = view.compute

    def while_the_worker_is_at_it() -> Any:
        executor.work(1)
        return compute()

    view.compute = while_the_worker_is_at_it  # type: ignore[method-assign]
    change(view)
    executor.work(2)
    assert view.status.kind == "info" and view.status.text == ""
    assert view.visuals[0] is not None and view.visuals[0].step <= 2
    view.close()
