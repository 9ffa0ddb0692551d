"""Two views under one hand: what differs, what answers to what, the difference of the maps, and their agreement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
import traitlets
from torch import Tensor, nn

from cnnviz_widgets import CAMView, OcclusionView, SaliencyView, compare, explore
from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain import GradCAM, Heatmap, HiResCAM, Occlusion
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.compare import SHARED_SCALE, Comparison
from cnnviz_widgets.views.comparison.difference import agreement_of, difference_of
from cnnviz_widgets.views.comparison.matching import differences, same_class, same_layer
from cnnviz_widgets.views.explorer import TABS, Explorer
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.predictions import PredictionView
from tests.views.conftest import NAMES
from tests.views.test_laws import MADE

SIZE = (24, 32)


class Small(nn.Module):
    """`depth` convolutions with ReLUs, and a linear head on their mean."""

    def __init__(self, classes: int, depth: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers: list[nn.Module] = []
            for index in range(depth):
                layers += [nn.Conv2d(3 if index == 0 else 6, 6, 3, 2 if index < 2 else 1, 1), nn.ReLU()]
            self.body = nn.Sequential(*layers)
            self.head = nn.Linear(6, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(pixels).mean((2, 3)) * 50)
        return logits


def made(names: list[str] = NAMES, depth: int = 2, seed: int = 0, size: tuple[int, int] = SIZE) -> Classifier:
    return Classifier(Small(len(names), depth, seed), class_names=names, input_size=size)


@pytest.fixture
def other() -> Classifier:
    """Another network with the same layers and classes."""
    return made(seed=1)


@pytest.fixture
def first() -> Classifier:
    return made()


@pytest.fixture
def pair(first: Classifier, other: Classifier, picture: np.ndarray, inline: None) -> Iterator[Comparison]:
    found = compare(CAMView(first, picture), CAMView(other, picture))
    yield found
    found.close()


@pytest.fixture
def patches(first: Classifier, other: Classifier, picture: np.ndarray, inline: None) -> Iterator[Comparison]:
    technique = Occlusion(window=8, stride=4)
    views = [OcclusionView(one, picture, technique=technique, run_ahead=False) for one in (first, other)]
    found = compare(*views)
    yield found
    found.close()


# -- what differs ------------------------------------------------------------------------------------------------


def test_what_differs_is_found_out(first: Classifier, other: Classifier, picture: np.ndarray, inline: None) -> None:
    session = Session(first, picture)
    same = CAMView(session)

    def apart(view: Panel) -> tuple[str, ...]:
        found = differences(same, view)
        view.close()
        return found

    assert apart(CAMView(first, picture.copy())) == ()
    assert apart(CAMView(first.network, picture, class_names=NAMES)) == ()
    assert apart(CAMView(other, picture)) == ("networks",)
    assert apart(CAMView(first, picture[::-1].copy())) == ("pictures",)
    assert apart(CAMView(session, techniques=[HiResCAM()])) == ("methods",)
    assert apart(CAMView(session, techniques=[GradCAM(relu=False), HiResCAM()])) == ("methods",)
    assert apart(SaliencyView(session)) == ("methods",)
    assert apart(CAMView(Session(first, picture, target="bee"))) == ("classes",)
    assert apart(CAMView(Session(other, picture[::-1].copy(), target="bee"))) == ("networks", "pictures", "classes")
    same.close()


def test_a_patch_of_the_size_that_fits_each_input_is_no_other_method(picture: np.ndarray, inline: None) -> None:
    views = [OcclusionView(made(seed=seed, size=size), picture) for seed, size in ((0, SIZE), (1, (48, 64)))]
    found = compare(*views)
    assert found.differs == ("networks",)
    views[0].window = (4, 8, 8, 8)
    assert views[1].window == (8, 16, 16, 16)
    views[1].window = (12, 4, 20, 20)
    assert views[0].window == (6, 2, 10, 10)
    found.close()


def test_only_views_that_can_be_compared_are(first: Classifier, picture: np.ndarray, inline: None) -> None:
    session = Session(first, picture)
    view, lone = FilterView(session), PredictionView(session)
    with pytest.raises(TypeError, match="FilterView and PredictionView"):
        compare(view, lone)
    with pytest.raises(TypeError, match="two views"):
        compare(view, session)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not one twice"):
        compare(view, view)
    view.close()
    lone.close()


# -- classes and layers ------------------------------------------------------------------------------------------


def test_classes_are_matched_by_name() -> None:
    one, two = made(["ant", "bee", "crane", "crane", "dog"]), made(["crane", "dog", "crane", "ant"])
    assert [same_class(index, one, two) for index in range(5)] == [3, None, 0, 2, 1]
    assert [same_class(index, two, one) for index in range(4)] == [2, 4, 3, 0]


def test_layers_of_other_networks_are_matched_by_their_share_of_the_depth() -> None:
    flat, deep = made(depth=2), made(depth=5)
    names, others = ([layer.name for layer in one.layers] for one in (flat, deep))
    assert (len(names), len(others)) == (4, 10)
    assert [others.index(same_layer(name, flat, deep)) for name in names] == [0, 3, 6, 9]
    assert same_layer(flat.default_layer, flat, deep) == deep.default_layer
    places = [names.index(same_layer(name, deep, flat)) for name in others]
    assert places == sorted(places) and {0, 1, 2, 3} == set(places)


def test_other_networks_keep_class_and_depth(picture: np.ndarray, inline: None) -> None:
    flat, deep = made(depth=2), made(["dog", "eel", "ant"], depth=5, seed=1)
    found = compare(CAMView(flat, picture), CAMView(deep, picture))
    one, two = found.sessions
    one.target = "dog"
    assert two.target == 0 and "share of the depth" in found.note.text
    one.layer = flat.layers[0].name
    assert two.layer == deep.layers[0].name
    two.layer = deep.layers[4].name
    assert one.layer == same_layer(two.layer, deep, flat) and two.layer == deep.layers[4].name
    one.target = "bee"
    assert two.target is None and "B knows no class bee" in found.note.text
    two.target = "ant"
    assert one.target == 0 and "knows no" not in found.note.text
    assert found.agreement is not None and found.panels[1].error == ""
    found.close()


def test_without_a_choice_both_look_at_what_the_first_predicts(pair: Comparison, picture: np.ndarray) -> None:
    one, two = pair.sessions
    for source in (picture, 255 - picture, np.full_like(picture, 90)):
        one.picture = source
        assert one.target is None and two.target == one.example.predicted
        assert pair.panels[0].heatmap.target == pair.panels[1].heatmap.target
    one.target = 3
    assert two.target == 3
    two.target = None
    assert one.target is None and two.target == one.example.predicted


# -- one hand ----------------------------------------------------------------------------------------------------


def counted(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each computation of a panel."""
    calls: list[int] = []
    compute = panel.compute
    monkeypatch.setattr(panel, "compute", lambda: calls.append(1) or compute())
    return calls


def hand(random: np.random.Generator, classifier: Classifier) -> dict[str, Callable[[], Any]]:
    layers = [layer.name for layer in classifier.layers]
    return {
        "target": lambda: int(random.integers(4)),
        "against": lambda: random.choice([None, 0, 1, 2]),
        "layer": lambda: str(random.choice(layers)),
        "channel": lambda: int(random.integers(6)),
        "selection": lambda: tuple(map(int, random.integers(9, size=2))),
    }


def test_a_random_hand_on_both_sides_leaves_both_alike(
    pair: Comparison, first: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    pair.sessions[0].target = 0
    moves = hand(random, first)
    computed = [counted(panel, monkeypatch) for panel in pair.panels]
    for _ in range(60):
        name, side = str(random.choice(list(moves))), int(random.integers(2))
        for calls in computed:
            calls.clear()
        setattr(pair.sessions[side], name, moves[name]())
        for trait in ("picture", "target", "against", "layer", "channel", "selection"):
            assert getattr(pair.sessions[0], trait) == getattr(pair.sessions[1], trait), (name, side, trait)
        assert max(map(len, computed)) <= 1, (name, side)
        assert not any(panel.busy or panel.error for panel in pair.panels)
        heatmaps = [panel.heatmap for panel in pair.panels]
        assert np.array_equal(pair.difference.cells, heatmaps[1].cells - heatmaps[0].cells)


def test_the_patch_and_the_buttons_move_both(patches: Comparison) -> None:
    one, two = patches.panels
    random = np.random.default_rng(0)
    for _ in range(20):
        side = patches.panels[int(random.integers(2))]
        side.window = tuple(map(int, (*random.integers(0, 16, 2), *random.integers(3, 9, 2))))
        assert one.window == two.window and one.probe.box == two.probe.box == one.window
    assert one.heatmap is None and patches.difference is None
    one.map_button.click()
    assert one.heatmap.progress == two.heatmap.progress == 1
    assert np.array_equal(patches.difference.values, two.heatmap.values - one.heatmap.values)
    one.clear_button.click()
    assert two.heatmap is None and patches.difference is None and patches.agreement is None


def test_a_button_with_another_meaning_in_the_other_is_not_pressed_there(patches: Comparison) -> None:
    one, two = patches.panels
    two.map_button.description = "Go on"
    one.map_button.click()
    assert one.heatmap is not None and two.heatmap is None


def test_the_first_patch_is_the_one_that_was_asked_for(
    first: Classifier, other: Classifier, picture: np.ndarray, inline: None
) -> None:
    views = [OcclusionView(first, picture, window=(1, 2, 5, 6)), OcclusionView(other, picture)]
    found = compare(*views)
    assert views[0].window == views[1].window == (1, 2, 5, 6)
    found.close()


def test_methods_parameters_are_linked_unless_they_differ(pair: Comparison, picture: np.ndarray) -> None:
    one, two = pair.panels
    two.technique = "HiResCAM"
    assert one.technique == two.technique == HiResCAM()
    session = Session(pair.sessions[0].classifier, picture)
    views = [CAMView(session, techniques=[technique, GradCAM()]) for technique in (HiResCAM(relu=False), HiResCAM())]
    found = compare(*views)
    views[0].technique = "Grad-CAM"
    assert views[1].technique == HiResCAM()
    assert found.sessions[0] is found.sessions[1]
    found.close()


def test_two_comparisons_of_the_same_sessions_do_not_disturb_each_other(pair: Comparison) -> None:
    one, two = pair.sessions
    second = compare(SaliencyView(one), SaliencyView(two))
    one.target, two.layer = 2, pair.sessions[1].classifier.layers[0].name
    assert (one.target, one.layer) == (two.target, two.layer)
    second.close()
    one.target = 1
    assert two.target == 1


def test_a_network_that_is_exchanged_takes_over_what_is_looked_at(pair: Comparison) -> None:
    one, two = pair.sessions
    one.target, one.layer = "dog", one.classifier.layers[0].name
    looked_at = one.target, one.layer, one.picture
    for session in (two, one):
        session.classifier = made(seed=7)
        assert (one.target, one.layer, one.picture) == (two.target, two.layer, two.picture) == looked_at
    one.target = None
    one.classifier = made(seed=8)
    assert one.target is None and two.target == one.example.predicted


def test_one_network_in_both_is_exchanged_in_both(first: Classifier, picture: np.ndarray, inline: None) -> None:
    found = compare(CAMView(first, picture), CAMView(first, 255 - picture))
    one, two = found.sessions
    two.classifier = made(seed=5)
    assert one.classifier is two.classifier and found.differs == ("pictures",)
    found.close()


# -- the difference ----------------------------------------------------------------------------------------------


def heatmap(cells: np.ndarray, size: tuple[int, int] = (8, 8), quantity: str = "points") -> Heatmap:
    return Heatmap.of_cells(torch.from_numpy(cells), size, quantity, signed=True, target=Target(0))


def test_agreement_is_spearmans() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        one, two = random.integers(0, 9, (2, 5, 6)).astype(np.float32)  # with ties
        expected = scipy.stats.spearmanr(one.ravel(), two.ravel()).statistic
        assert difference_of(heatmap(one), heatmap(two)).agreement == pytest.approx(expected, abs=1e-12)
    missing = one.copy()
    missing[0, :3] = np.nan
    expected = scipy.stats.spearmanr(missing.ravel(), two.ravel(), nan_policy="omit").statistic
    assert agreement_of(missing, two) == pytest.approx(expected, abs=1e-12)
    assert agreement_of(np.zeros((2, 2)), np.eye(2)) is None


def test_what_the_views_cut_off_counts_for_the_agreement(pair: Comparison) -> None:
    for target in range(4):
        pair.sessions[0].target = target
        maps = []
        for session in pair.sessions:
            classifier = session.classifier
            technique = GradCAM(layer=session.layer, relu=False)
            maps.append(technique(classifier, classifier.pixels(session.picture), target).cells.ravel())
        expected = scipy.stats.spearmanr(*maps).statistic
        assert pair.agreement == pytest.approx(expected, abs=1e-3)


def test_difference_of_one_grid_is_of_the_cells() -> None:
    one, two = np.random.default_rng(0).normal(size=(2, 4, 4)).astype(np.float32)
    found = difference_of(heatmap(one), heatmap(two))
    assert np.array_equal(found.heatmap.cells, two - one) and found.heatmap.signed
    assert found.heatmap.values == pytest.approx(heatmap(two).values - heatmap(one).values)
    assert found.end == max(abs(one).max(), abs(two).max()) and found.counted == "16 cells" and found.note == ""


def test_other_grids_are_compared_at_the_size_of_the_first() -> None:
    one, two = np.float32([[0, 1], [2, 3]]), np.arange(16, dtype=np.float32).reshape(4, 4)
    found = difference_of(heatmap(one), heatmap(two, (16, 16)))
    assert found.heatmap.values.shape == (8, 8) and found.counted == "64 pixels"
    assert "compared at the size of A's picture" in found.note
    # A map that grows in the same direction at another resolution is nearly the same.
    assert found.agreement == pytest.approx(1, abs=0.05)
    assert found.heatmap.values.mean() == pytest.approx(two.mean() - one.mean(), abs=0.01)


def test_two_quantities_have_no_scale_in_common() -> None:
    one, two = np.float32([[0, 4], [-2, 1]]), np.float32([[0, 40], [-20, 10]])
    found = difference_of(heatmap(one), heatmap(two, quantity="other points"))
    assert found.end is None and "two quantities" in found.note
    assert found.agreement == pytest.approx(1) and not found.heatmap.values.any()


def test_both_maps_are_drawn_on_one_scale_and_the_difference_on_its_own(pair: Comparison) -> None:
    scales = [panel.canvas.scales[0] for panel in pair.panels]
    end = max(float(abs(panel.heatmap.cells).max()) for panel in pair.panels)
    assert scales[0] == scales[1] and scales[0][0] == SHARED_SCALE and scales[0][2] >= end
    _, low, high = pair.canvas.scales[0]
    assert low == -high and high == pytest.approx(abs(pair.difference.cells).max()) and pair.canvas.signed
    assert pair.canvas.view_state["diverging"] == "green-white-purple"


@pytest.mark.parametrize("name", ["agreement", "difference"])
def test_results_are_read_only(pair: Comparison, name: str) -> None:
    with pytest.raises(Exception, match="read-only"):
        setattr(pair, name, None)


def test_results_are_told(pair: Comparison) -> None:
    seen: list[Any] = []
    pair.observe(lambda change: seen.append(change["new"]), names="agreement")
    pair.sessions[0].target = (pair.sessions[1].target + 1) % 4
    assert seen == [pair.agreement]


def test_the_sentences(patches: Comparison) -> None:
    one, two = patches.panels
    one.session.target = "dog"
    one.window = (3, 4, 8, 8)
    text = patches.answer.text
    assert text.startswith("Covering this spot ") and "dog in A" in text and text.endswith("in B.")
    lost = [
        probe.example.probabilities - probe.example.classifier.readout.probabilities(probe.logits)
        for probe in (one.probe, two.probe)
    ]
    verbs = ["takes" if 100 * float(shares[3]) > -0.05 else "gives" for shares in lost]
    assert text.startswith(f"Covering this spot {verbs[0]}") and (verbs[0] == verbs[1] or f", and {verbs[1]}" in text)
    one.map_button.click()
    assert "The maps agree by" in patches.answer.text and "49 cells" not in patches.answer.text
    assert "Same answer, whole picture" in patches.figures[1].text


def test_where_they_differ_most_is_under_the_patch(patches: Comparison) -> None:
    one, two = patches.panels
    one.map_button.click()
    patches.go_where_they_differ_most()
    top, left, height, width = one.window
    row, column = np.unravel_index(np.abs(patches.difference.values).argmax(), SIZE)
    assert top <= row <= top + height and left <= column <= left + width and one.window == two.window
    assert patches.canvas.box == (top, left, top + height, left + width)


def test_where_they_differ_most_is_marked_where_there_is_no_patch(pair: Comparison) -> None:
    pair.most_button.click()
    spot = tuple(map(int, np.unravel_index(np.abs(pair.difference.values).argmax(), SIZE)))
    assert pair.canvas.marker == pair.panels[0].canvas.marker == spot


# -- every view --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_every_view_can_be_compared_and_lets_go(
    kind: type[Panel], first: Classifier, other: Classifier, picture: np.ndarray, inline: None
) -> None:
    views = [MADE[kind][0](Session(classifier, picture)) for classifier in (first, other)]
    found = compare(*views)
    one, two = found.sessions
    one.target = 2
    one.picture = 255 - picture
    assert two.target == 2 and two.picture is one.picture
    assert found.differs == ("networks",) and not any(view.error for view in views)
    assert found.has_trait("agreement") and (found.difference is None) == (getattr(views[0], "heatmap", None) is None)
    views[0].active = False
    assert not views[1].active
    views[0].active = True
    found.close()
    one.target = 1
    assert two.target == 2
    assert told_by(one) == told_by(two) == 0
    found.close()  # twice is as good as once


def told_by(session: Session) -> int:
    """How many are told of changes of a session, besides itself."""
    kinds = [one for handlers in session._trait_notifiers.values() for one in handlers.get("change", [])]
    return len([one for one in kinds if not isinstance(one, traitlets.EventHandler)])


# -- an explorer of several networks -----------------------------------------------------------------------------


@pytest.fixture
def app(first: Classifier, other: Classifier, picture: np.ndarray, inline: None) -> Iterator[Explorer]:
    networks = {"epoch 1": first, "epoch 5": other, "epoch 30": made(["dog", "ant", "bee"], depth=3, seed=4)}
    opened = explore(networks, {"noise": picture, "negative": 255 - picture})
    yield opened
    opened.close()


def test_every_tab_compares(first: Classifier, other: Classifier, picture: np.ndarray, inline: None) -> None:
    opened = explore([first, other], [picture])
    assert [one.name for one in opened.companion.networks] == [
        "Small B"
    ] and opened.session.classifier.name == "Small A"
    assert first.name == other.name == "Small"  # the user's keep their names
    assert opened.companion.slider.layout.display == "none"
    for title in ("Occlusion", "CAM", "Saliency", "Filters"):
        view = opened.open_tab(title)
        assert opened.comparison.panels[0] is view and opened.comparison.differs == ("networks",)
        assert isinstance(opened.comparison.panels[1], TABS[title])
    opened.close()


def test_a_slider_goes_through_the_networks(app: Explorer) -> None:
    app.open_tab("CAM")
    app.session.target, app.session.layer = "dog", app.session.classifier.layers[0].name
    assert list(app.companion.slider.options) == ["epoch 5", "epoch 30"]
    app.companion.show(1)
    found = app.comparison
    names = app.companion.session.classifier.class_names
    assert app.companion.session.classifier.name == "epoch 30" and names[app.companion.session.target] == "dog"
    assert app.companion.session.layer == app.companion.session.classifier.layers[0].name
    assert found.titles[1].text.startswith("B: epoch 30") and found.agreement is not None
    assert found.panels[1].heatmap.cells.shape == (12, 16)  # of the first layer
    assert found.panels[1].class_picker.options[found.panels[1].class_picker.index] == "dog"
    app.companion.show(0)
    assert app.companion.session.target == 3 and app.session.target == 3
    app.session.picture = app.pictures[1]
    assert app.companion.session.picture is app.pictures[1]


def test_a_hidden_tab_rests_on_both_sides(app: Explorer) -> None:
    app.open_tab("Saliency")
    hidden = app.comparison
    app.open_tab("Filters")
    assert not any(panel.active for panel in hidden.panels) and all(panel.active for panel in app.comparison.panels)


def test_one_network_in_a_list_is_refused(first: Classifier) -> None:
    with pytest.raises(ClassifierError, match="at least two"):
        explore([first])
