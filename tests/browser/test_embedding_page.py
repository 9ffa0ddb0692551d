"""The lasso in a real page: it selects exactly the points inside the polygon that the hand drew."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from tests.support.servers import Opener, OpenNotebook

pytestmark = pytest.mark.browser
#: What jupyter-scatter draws on.
SHEET = ".cnnviz-view canvas:not(.cnnviz-tiles-canvas)"

CELL = """
from dataclasses import dataclass
import numpy as np
import torch
from torch import nn
from cnnviz_widgets import Classifier, EmbeddingView, FeatureStore
from cnnviz_widgets.collection.projection import Embedding, Projection

COUNT = {count}
# No point lies so near to an edge of the shapes that rounding the mouse to whole pixels decides.
many = np.random.default_rng(3).uniform(-1, 1, (2 * COUNT, 2))
near = np.zeros(len(many), bool)
for shape in {shapes}:
    corners = (2 * np.array(shape) - 1) * [{reach}, -{reach}]
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        along = np.clip((many - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        near |= np.linalg.norm(many - a - along[:, None] * (b - a), axis=1) < 0.04
positions = many[~near][:COUNT].astype(np.float32)
positions[:2] = [[-1, -1], [1, 1]]
assert len(positions) == COUNT

@dataclass(frozen=True)
class Given(Projection):
    label = "given"

    def steps(self, features, start=None):
        yield Embedding(positions, 1, 1, float("nan"), lambda vectors: positions[:1])

torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
pictures = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8), dtype=np.uint8)
classifier = Classifier(network, input_size=8)
store = FeatureStore.build(classifier, (pictures, np.arange(COUNT) % 3), batch=256)
view = EmbeddingView(classifier, store=store, techniques=[Given()])
view
"""

#: Shares of the drawing's width and height; the first shape bends inwards.
SHAPES = (
    [(0.2, 0.2), (0.75, 0.28), (0.5, 0.45), (0.8, 0.8), (0.3, 0.7)],
    [(0.35, 0.3), (0.9, 0.5), (0.4, 0.9)],
)


def draw(nb: OpenNotebook, corners: list[tuple[float, float]]) -> None:
    """Draw a polygon of these corners (x, y) with the mouse, in small steps."""
    (ax, ay), (bx, by) = corners[:2]
    middle = ((ax + bx) / 2, (ay + by) / 2)
    places = [middle, *corners[1:], corners[0], middle]
    nb.page.mouse.move(*middle)
    nb.page.mouse.down()
    for place in places[1:]:
        nb.page.mouse.move(*place, steps=6)
        # A busy page is told only of the last of several moves: let it see each corner.
        nb.page.evaluate("() => new Promise(requestAnimationFrame)")
    nb.page.mouse.up()


def lasso(nb: OpenNotebook, area: dict[str, float], reach: float, shape: list[tuple[float, float]]) -> set[int]:
    """Draw `shape` in `area`, which spans -reach..reach, and return the points inside it."""
    corners = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in shape]
    draw(nb, corners)
    polygon = (2 * np.array(shape) - 1) * [reach, -reach]
    points = np.array(nb.kernel.value("view.points.positions.tolist()"))
    return set(np.flatnonzero(Polygon(polygon).contains_points(points)).tolist())


def test_a_lasso_in_bqplot_selects_the_points_inside(any_page: Opener) -> None:
    nb = any_page([CELL.format(count=300, reach=1.06, shapes=SHAPES)], ready=".bqplot .object_grp")
    nb.kernel.until("view.trustworthiness is not None")
    for shape in SHAPES:
        nb.page.locator(".bqplot .lassoselector rect").wait_for(state="attached")
        nb.page.locator(".bqplot").first.scroll_into_view_if_needed()
        area = nb.page.locator(".bqplot .lassoselector rect").first.bounding_box()
        assert area is not None
        nb.kernel.run("before = view.session.selection")
        expected = lasso(nb, area, 1.06, shape)
        nb.kernel.until("view.session.selection != before")
        assert len(expected) > 20
        assert set(nb.kernel.value("view.session.selection")) == expected
        nb.kernel.until(f"view.details.sheet.count == min({len(expected)}, 200)")


def test_a_lasso_in_jupyter_scatter_selects_the_points_inside(any_page: Opener) -> None:
    nb = any_page([CELL.format(count=3500, reach=1, shapes=SHAPES)], ready=SHEET)
    nb.kernel.until("view.trustworthiness is not None")
    assert nb.kernel.value("type(view.points).__name__") == "LargeMap"
    for shape in SHAPES:
        nb.page.locator(SHEET).first.scroll_into_view_if_needed()
        area = nb.page.locator(SHEET).first.bounding_box()
        assert area is not None
        nb.kernel.run("before = view.session.selection")
        expected = lasso(nb, area, 1, shape)
        nb.kernel.until("view.session.selection != before")
        assert len(expected) > 200
        assert set(nb.kernel.value("view.session.selection")) == expected
        # jupyter-scatter's own answer is the same.
        nb.kernel.until(f"len(view.points.drawing.selection) == {len(expected)}")
