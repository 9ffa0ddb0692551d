"""The test of a view's map: what it computes, when, and that it follows the view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import traitlets

from cnnviz_widgets import TestView
from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import (
    EigenCAM,
    GradCAM,
    Occlusion,
    OrderTest,
    RandomizationTest,
    Saliency,
    agreement,
    another_class,
    evaluate,
)
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.evaluation import SECTIONS
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts.chart import Line, chart
from cnnviz_widgets.views.saliency import SaliencyView
from tests.views.conftest import Counting, Stepping


@pytest.fixture
def session(classifier: Classifier, picture: np.ndarray) -> Session:
    return Session(classifier, picture)


@pytest.fixture
def view(session: Session, inline: None) -> Iterator[CAMView]:
    made = CAMView(session)
    yield made
    made.close()


def pick(widget: Any, index: int) -> None:
    """What the page sends when the hand has chosen option, or tab, number `index`."""
    option = {"option": widget.options[index]} if widget.has_trait("options") else {}
    widget._receive(None, {"kind": "event", "seq": 1, "final": True, "index": index, **option}, [])


def same(first: Any, second: Any) -> bool:
    """Whether two evaluations have the same curves."""
    pairs = [(first.insertion, second.insertion), (first.deletion, second.deletion)]
    pairs += [(first.middle_insertion, second.middle_insertion), *zip(first.random, second.random, strict=True)]
    return all(np.allclose(one.scores, other.scores, atol=1e-6) for one, other in pairs)


# -- the values ----------------------------------------------------------------------------------------------------


def test_a_random_order_is_one_that_was_measured(session: Session, inline: None) -> None:
    panel, test = TestView(session, technique=Saliency()), OrderTest()
    found, classifier = panel.evaluation, session.classifier
    assert found is not None
    instance = Instance.of(classifier, session.example.pixels, Target(session.example.predicted))
    for draw in (0, 3):
        partial = test.partial(instance, test.random_places(found, draw), 4)
        score = classifier.readout.probabilities(classifier.logits(partial)[0].numpy())[session.example.predicted]
        assert found.random[draw].scores[4] == pytest.approx(score, abs=1e-5)
    panel.close()


@pytest.mark.parametrize("section", SECTIONS)
def test_each_test_is_taken_away_as_what_it_shows(session: Session, section: str, inline: None) -> None:
    panel = TestView(session, technique=Saliency(), techniques=[GradCAM(), EigenCAM()])
    panel.section = section
    table = {name: np.array(column) for name, column in panel.table().items()}
    if section == "order":
        own = (table["order"] == "map") & (table["test"] == "deletion")
        np.testing.assert_array_equal(table["score"][own], panel.evaluation.deletion.scores)  # type: ignore[union-attr]
        assert len(panel.drawn().lines) == 2 + len(panel.evaluation.random)  # type: ignore[union-attr]
    elif section == "randomization":
        assert table["rank_correlation"].tolist() == [one.correlation for one in panel.randomization]
        assert panel.drawn().lines[0][0] == (0, 1)  # type: ignore[union-attr]
    elif section == "agreement":
        assert len(table["technique"]) == 3 and panel.drawn().names == ["Grad-CAM", "Eigen-CAM"]  # type: ignore[union-attr]
    else:
        cells = panel.other_class.difference.cells  # type: ignore[union-attr]
        np.testing.assert_array_equal(np.float32(table["value"]), cells.ravel())
        assert panel.drawn() is None
    assert panel.sections[section].text in panel.caption and "TestView(session, technique=Saliency()" in panel.code()
    panel.close()


@pytest.mark.parametrize("technique", [GradCAM(), Saliency(), Occlusion(8, 8)], ids=lambda one: one.label)
def test_values_are_those_of_an_independent_computation(session: Session, technique: Any, inline: None) -> None:
    panel = TestView(session, technique=technique)
    classifier, pixels = session.classifier, session.example.pixels
    heatmap = technique(classifier, pixels)
    assert panel.heatmap is not None and np.array_equal(panel.heatmap.values, heatmap.values)
    assert same(panel.evaluation, evaluate(heatmap, classifier, pixels))
    found = panel.evaluation
    assert found is not None
    said = re.sub("<[^>]*>", "", panel.order.answer.value).strip()
    assert said == found.verdict and panel.order.sentence.text == found.sentence
    assert f"this map {found.insertion.area:.2f}" in panel.order.charts["insertion"].value
    assert f"this map {found.deletion.area:.2f}" in panel.order.charts["deletion"].value  # type: ignore[union-attr]

    panel.section = "randomization"
    expected = list(RandomizationTest().maps(technique, classifier, pixels))
    assert [one.count for one in panel.randomization] == [one.count for one in expected]
    for one, other in zip(panel.randomization, expected, strict=True):
        assert one.correlation == pytest.approx(other.correlation, abs=1e-5, nan_ok=True)

    panel.section = "other_class"
    classes = another_class(technique, classifier, pixels)
    assert panel.other_class is not None
    assert panel.other_class.correlation == pytest.approx(classes.correlation, abs=1e-5)
    shown = panel.class_section.canvases[2]
    assert shown.map_size == (classes.difference.cells.shape if technique.family == "cam" else (24, 32))
    panel.close()


def test_agreement_is_that_of_the_signed_maps(session: Session, inline: None) -> None:
    panel = TestView(session, technique=GradCAM(), techniques=[EigenCAM(), Saliency(), Occlusion(8, 8)])
    panel.section = "agreement"
    classifier, pixels = session.classifier, session.example.pixels
    techniques = [GradCAM(relu=False), EigenCAM(relu=False), Saliency(), Occlusion(8, 8)]
    expected = agreement({one.label: one(classifier, pixels) for one in techniques})
    assert panel.agreement is not None and panel.agreement.names == expected.names
    np.testing.assert_allclose(panel.agreement.correlations, expected.correlations, atol=1e-6)
    assert all(name in panel.techniques_section.table.value for name in expected.names)
    panel.close()


def test_what_does_not_apply_is_named(session: Session, inline: None) -> None:
    panel = TestView(session, technique=GradCAM(), techniques=[Saliency(), GradCAM("body.0"), _Inapplicable()])
    panel.section = "agreement"
    assert panel.agreement is not None and panel.agreement.names == ("Grad-CAM", "gradient")
    assert "Not for this network or picture: never." in panel.techniques_section.table.value
    panel.close()
    alone = TestView(session, technique=GradCAM(), techniques=[_Inapplicable()])
    alone.section = "agreement"
    assert alone.agreement is None and "No other method applies" in alone.error
    alone.close()


class _Inapplicable(Saliency):
    label = "never"

    def explain(self, instance: Instance) -> Any:
        raise MethodError("never")


# -- lazily --------------------------------------------------------------------------------------------------------


def test_nothing_is_computed_before_it_is_opened(view: CAMView, network: Counting) -> None:
    calls = network.calls
    assert view.tester.panel is None and view.tester.place.children == ()
    panel = view.test()
    assert view.tester.place.children == (panel,) and view.test() is panel
    assert panel.heatmap is view.heatmap and panel.evaluation is not None and panel.evaluation.progress == 1
    assert panel.randomization == () and panel.agreement is None and panel.other_class is None
    opened = network.calls
    assert opened > calls
    panel.section = "other_class"
    assert panel.other_class is not None and network.calls > opened
    calls = network.calls
    for section in ("order", "other_class"):  # each is computed once
        panel.section = section
    assert network.calls == calls


def test_the_button_opens_and_closes(view: CAMView) -> None:
    view.tester.toggle()
    panel = view.tester.panel
    assert panel is not None and not panel.busy
    view.tester.toggle()
    assert view.tester.panel is None and view.tester.place.children == () and panel.comm is None
    assert view.comm is not None and view.canvas.comm is not None and view.session.picture is not None
    view.session.picture = np.full((24, 32, 3), 90, np.uint8)  # the closed one hears nothing
    assert panel.heatmap is not view.heatmap


def test_closing_the_view_closes_its_test(session: Session, inline: None) -> None:
    view = CAMView(session)
    panel = view.test()
    view.close()
    assert panel.comm is None and panel.order.canvas.comm is None
    assert not session._trait_notifiers.get("picture", {}).get("change", [])


def test_is_busy_while_it_computes(view: CAMView) -> None:
    panel, worker = view.test(), Stepping()
    panel.work._requests._executor = worker
    seen: list[float] = []
    panel.link(lambda _: seen.append(panel.progress), ["progress"])
    panel.section = "randomization"
    assert panel.busy and not panel.stop_button.disabled and panel.status.kind == "busy"
    worker.work(3)
    assert panel.busy and panel.randomization
    worker.work()
    assert not panel.busy and panel.stop_button.disabled and panel.randomization[-1].count == 3
    assert seen == sorted(seen) and seen[-1] == 1 and len(seen) > 2
    panel.section = "other_class"
    panel.stop_here()
    worker.work()
    assert not panel.busy and panel.other_class is None and "stopped" in panel.status.text


# -- it follows the view -------------------------------------------------------------------------------------------


def test_follows_what_the_view_shows(view: CAMView, network: Counting) -> None:
    panel = view.test()
    first, places = panel.evaluation, panel.evaluation.places  # type: ignore[union-attr]
    view.session.target = 2
    assert panel.heatmap is view.heatmap and panel.heatmap.target == Target(2)  # type: ignore[union-attr]
    assert panel.evaluation is not first
    assert same(panel.evaluation, evaluate(view.heatmap, view.session.classifier, view.session.example.pixels))
    view.technique = "Eigen-CAM"
    assert panel.heatmap is view.heatmap and panel.technique.label == "Eigen-CAM"
    assert not np.array_equal(panel.evaluation.places, places)  # type: ignore[union-attr]
    view.session.picture = np.random.default_rng(5).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    assert panel.heatmap is view.heatmap
    assert same(panel.evaluation, evaluate(view.heatmap, view.session.classifier, view.session.example.pixels))


def test_the_floors_of_a_picture_are_run_once(view: CAMView, network: Counting) -> None:
    panel = view.test()
    random = [curve.scores for curve in panel.evaluation.random]  # type: ignore[union-attr]
    known = dict(panel._known)
    view.technique = "Eigen-CAM"
    assert panel._known.keys() == known.keys() and all(panel._known[key] is known[key] for key in known)
    assert all(np.array_equal(a, b.scores) for a, b in zip(random, panel.evaluation.random, strict=True))  # type: ignore[union-attr]


def test_rests_with_its_view(view: CAMView) -> None:
    panel = view.test()
    other = (view.session.example.predicted + 1) % 4
    view.active = False
    assert not panel.active
    view.session.target = other
    assert panel.heatmap is not None and panel.heatmap.target != Target(other)
    view.active = True
    assert panel.active and panel.heatmap is view.heatmap and view.heatmap.target == Target(other)  # type: ignore[union-attr]


def test_the_map_of_an_occlusion_view_is_made_if_need_be(session: Session, inline: None) -> None:
    view = OcclusionView(session, technique=Occlusion(8, 8), run_ahead=False)
    assert view.heatmap is None
    panel = view.test()
    assert view.heatmap is not None and view.heatmap.progress == 1
    assert panel.heatmap is view.heatmap and panel.evaluation is not None
    view.clear_map()
    assert panel.heatmap is None and panel.evaluation is None and "no finished map" in panel.status.text
    assert panel.order.charts["insertion"].value == "" and panel.order.sentence.text == ""
    view.close()


def test_every_view_of_a_map_has_a_test(session: Session, inline: None) -> None:
    for kind in (CAMView, SaliencyView, OcclusionView):
        view = kind(session)
        panel = view.test()
        assert isinstance(panel, TestView) and panel.evaluation is not None, kind
        view.close()
    other = ActivationView(session)
    with pytest.raises(TypeError, match="ActivationView"):
        TestView(other)
    other.close()


# -- the hand ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["insertion", "deletion"])
def test_the_picture_at_a_point_of_the_curve(session: Session, mode: str, inline: None) -> None:
    panel = TestView(session, technique=GradCAM())
    pick(panel.order.mode, ["insertion", "deletion"].index(mode))
    assert panel.mode == mode and panel.order.slider.description == ("revealed" if mode == "insertion" else "covered")
    classifier, instance = session.classifier, Instance.of(session.classifier, session.example.pixels)
    evaluation = panel.evaluation
    assert evaluation is not None
    for step in (0, 3, 8):
        pick(panel.order.slider, step)
        assert panel.step == panel.order.slider.index == step
        partial = OrderTest().partial(instance, evaluation.places, step, mode)  # type: ignore[arg-type]
        assert panel.order.canvas.picture == classifier.appearance(partial).tobytes()
        share = evaluation.curve(mode).scores[step]  # type: ignore[arg-type, union-attr]
        assert panel.order.slider.details[step].endswith(f"{share:.0%}")
    panel.close()


def test_tabs_open_sections_and_the_slider_moves_through_random_networks(session: Session, inline: None) -> None:
    panel = TestView(session, technique=GradCAM())
    for place, name in enumerate(SECTIONS):
        pick(panel.tabs, place)
        shown = [one for one, section in panel.sections.items() if section.layout.display != "none"]
        assert panel.section == name and shown == [name] and panel.error == ""
    pick(panel.tabs, 1)
    pick(panel.random.slider, 2)
    shown_map = panel.randomization[2].heatmap.cells
    assert panel.depth == 2 and panel.random.canvas.map == shown_map.astype("<f4").tobytes()
    panel.close()


def test_values_outside_are_refused_and_too_far_is_the_end(session: Session, inline: None) -> None:
    panel = TestView(session, technique=GradCAM())
    for name in ("heatmap", "evaluation", "randomization", "agreement", "other_class"):
        with pytest.raises(traitlets.TraitError, match="read-only"):
            setattr(panel, name, getattr(panel, name))
    for name, value in (("section", "verdict"), ("mode", "both"), ("step", -1), ("depth", "deep")):
        with pytest.raises(traitlets.TraitError):
            setattr(panel, name, value)
    panel.step = 99
    assert panel.order.slider.index == 8
    panel.close()


def test_class_names_are_text(session: Session, inline: None) -> None:
    session.target = "<script>alert(1)</script>"
    panel = TestView(session, technique=GradCAM())
    panel.section = "other_class"
    html = [panel.order.charts["insertion"].value, *(title.value for title in panel.class_section.titles)]
    assert all("<script" not in text for text in html) and "&lt;script" in html[0]
    panel.close()


def test_a_map_of_nothing_is_said_to_be_one(classifier: Classifier, inline: None) -> None:
    panel = TestView(classifier, np.zeros((24, 32, 3), np.uint8), technique=Occlusion(8, 8, baseline="black"))
    assert "same everywhere" in panel.error and panel.evaluation is None
    panel.close()


def test_a_chart_has_no_numbers_that_are_none() -> None:
    drawn = chart("title", [Line([0, 1], [0.25, 0.75])], at=0.5, legend=[(Line([], []), "<b>")])
    assert (
        "nan" not in drawn and "M0.00 75.00L100.00 25.00" in drawn and "M50.00 50.00" in drawn and "&lt;b&gt;" in drawn
    )
    assert "nan" not in chart("title", [], low=1, high=1, at=0.5)


def test_the_hand_goes_along_either_curve(session: Session, inline: None) -> None:
    panel = TestView(session, technique=Saliency())
    found = panel.evaluation
    assert found is not None
    for mode, step in (("deletion", 5), ("insertion", 3)):
        along = panel.order.along[mode]  # type: ignore[index]
        curve = found.curve(mode)  # type: ignore[arg-type]
        assert curve is not None and len(along.options) == len(curve.shares) == len(along.details)
        before = panel.order.canvas.picture
        option = {"index": step, "option": along.options[step]}
        along._receive(None, {"kind": "event", "seq": 1, "final": True, **option}, [])
        assert (panel.mode, panel.step) == (mode, step)
        assert panel.order.slider.index == step and panel.order.canvas.picture != before
    assert {along.index for along in panel.order.along.values()} == {3}
    panel.close()
