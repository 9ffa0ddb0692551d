"""What the occlusion panel opens with, and the map that comes by itself while the hand rests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionRun
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts import opening
from tests.support.hand import acknowledged

from .conftest import Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")
#: The second option: a map by random masks, which is one of a single class.
RANDOM = 1


def choose(view: OcclusionView, kind: int) -> None:
    view.choice.value = view.choice.options[kind]


@pytest.fixture
def opened(classifier: Classifier, picture: np.ndarray) -> tuple[OcclusionView, Stepping]:
    """A view that nobody has touched, and the spare time of whoever runs its map."""
    view = OcclusionView(classifier, picture, technique=Occlusion(window=8), active=False)
    spare = view.rest_job._requests._executor = Stepping()
    view.active = True
    return view, spare


def worst_of(view: OcclusionView) -> tuple[int, int, int, int]:
    """The window of all that lie half a window apart that takes most from the class's probability."""
    example, setup = view.session.example, view._setup
    assert setup is not None
    boxes = [Box(top, left, 8, 8) for top in range(0, 17, 4) for left in range(0, 25, 4)]
    logits = Occlusion().occluded(example.classifier, example.pixels, boxes)
    shares = logits.softmax(dim=1)[:, setup.class_index].numpy()
    drops = example.probabilities[setup.class_index] - shares
    return boxes[int(drops.argmax() if 4 * max(drops.max(), 0) >= -drops.min() else drops.argmin())]


def test_the_patch_goes_where_it_matters_most_until_somebody_moves_it(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray
) -> None:
    view, spare = opened
    assert view.window == (8, 12, 8, 8) and view.probe is not None and view.heatmap is None
    said, first = view.status.text, view.probe
    spare.work(3)
    assert view.probe is first and view.status.text == said, "what is under way shows nothing yet"
    spare.work()
    assert view.window == worst_of(view) == view.canvas.window
    assert view.probe.box == view.window and not view.probe.interpolated
    expected = Occlusion(8, 4)(classifier, classifier.pixels(picture), view.session.example.predicted)
    assert view.heatmap is not None and view.heatmap.progress == 1
    np.testing.assert_allclose(view.heatmap.values, expected.values, atol=1e-4)
    assert view.status.text.startswith(f"{view.answer} ") and view.answer is not None
    # Another picture has its own place.
    view.session.picture = 255 - picture
    assert view.window == (8, 12, 8, 8) and view.heatmap is None
    spare.work()
    assert view.window == worst_of(view) and view.heatmap is not None


@pytest.mark.parametrize("how", ["hand", "python", "given"])
def test_a_patch_that_was_placed_stays_while_the_map_comes_by_itself(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray, how: str
) -> None:
    view, spare = opened
    spare.work(3)
    match how:
        case "hand":
            acknowledged(view, seq=1, final=True, window=[3, 5, 8, 8])
        case "python":
            view.window = (3, 5, 8, 8)
        case "given":
            view = OcclusionView(classifier, picture, technique=Occlusion(window=8), window=(3, 5, 8, 8), active=False)
            spare = view.rest_job._requests._executor = Stepping()
            view.active = True
    spare.work()
    assert view.window == (3, 5, 8, 8) and view.heatmap is not None and view.heatmap.progress == 1
    assert worst_of(view) != view.window


def test_the_hand_interrupts_the_map_and_it_goes_on_where_it_was(opened: tuple[OcclusionView, Stepping]) -> None:
    view, spare = opened
    setup = view._setup
    assert setup is not None
    asked: list[Any] = []
    logits = setup.occluder.logits
    setup.occluder.logits = lambda boxes: (asked.extend(boxes), logits(boxes))[1]  # type: ignore[assignment,method-assign]
    spare.work(4)
    before = list(asked)
    assert before and view.rest_job.busy
    acknowledged(view, seq=1, final=False, window=[3, 5, 8, 8])
    spare.work()
    assert not view.rest_job.busy and [box for box in asked if box[:2] != (3, 5)] == before
    acknowledged(view, seq=2, final=True, window=[3, 5, 8, 8])
    spare.work()
    windows = [box for box in asked if box[:2] != (3, 5)]
    assert len(windows) == len(set(windows)) == 5 * 7 and view.heatmap is not None


@pytest.mark.parametrize("what", ["clear", "map", "random masks", "hidden", "not ahead"])
def test_a_map_that_nobody_wants_does_not_come(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray, what: str
) -> None:
    view, spare = opened
    spare.work(3)
    match what:
        case "clear":
            view.clear_map()
        case "map":
            view.map_job._requests._executor = Stepping()
            view.compute_map()
        case "random masks":
            choose(view, RANDOM)
            view.session.picture = 255 - picture
        case "hidden":
            view.active = False
        case "not ahead":
            view = OcclusionView(classifier, picture, run_ahead=False, active=False)
            spare = view.rest_job._requests._executor = Stepping()
            view.active = True
    acknowledged(view, seq=1, final=True, window=[3, 5, 8, 8])
    spare.work()
    assert view.heatmap is None and view.window == (3, 5, 8, 8)
    if what == "hidden":
        view.active = True
        spare.work()
        assert view.heatmap is not None


def test_of_a_map_of_very_many_windows_a_coarser_one_is_made(classifier: Classifier, picture: np.ndarray) -> None:
    view = OcclusionView(classifier, picture, technique=Occlusion(window=4, stride=1), active=False)
    spare = view.rest_job._requests._executor = Stepping()
    view.active = True
    spare.work()
    assert view.heatmap is not None and view.heatmap.cells.size <= opening.MOST_WINDOWS
    assert view.technique.stride == 1


def test_where_nothing_hurts_the_patch_goes_where_it_helps_most() -> None:
    readout = Classifier(Counting(), input_size=(24, 32)).readout
    windows = Occlusion(8, 8).windows((16, 16))
    whole = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))

    def strongest(*probabilities: float) -> tuple[int, ...]:
        rest = [[(1 - p) / 3] * 3 for p in probabilities]
        measured = np.log(np.array([[p, *others] for p, others in zip(probabilities, rest, strict=True)], np.float32))
        known = np.ones((2, 2), np.bool_)
        run = OcclusionRun(windows, readout, whole, measured, np.arange(4).reshape(2, 2), known, 0.0)
        return opening.strongest_window(run.map_of(Target(0), "logit"), 0)

    assert strongest(0.39, 0.3, 0.41, 0.6) == (0, 8, 8, 8), "0.1 lost counts more than 0.2 gained"
    assert strongest(0.39, 0.41, 0.6, 0.4) == (8, 0, 8, 8), "0.01 lost does not"
