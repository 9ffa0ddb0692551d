"""A heatmap on a matplotlib axes: its colours are those of the page."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import matplotlib
import numpy as np
import PIL.Image
import pytest
from matplotlib import pyplot

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import MissingExtra, PictureError
from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.paint import color_table, table_names

VALUES = np.array([[-0.5, 0.0, 0.25], [1.0, 0.125, -1.0]], np.float32)


@pytest.fixture(autouse=True)
def _no_display() -> Iterator[None]:
    matplotlib.use("agg")
    yield
    pyplot.close("all")


def heatmap(values: np.ndarray = VALUES, *, signed: bool = True, blank: bool = False) -> Heatmap:
    return Heatmap(values, values, "drop of the logit", signed, Target(0), blank=blank)


def test_signed_values_are_drawn_around_white_with_the_ends_printed() -> None:
    ax = heatmap().plot()
    (image,) = ax.images
    table = color_table(table_names(signed=True)[0])
    # Rows of the table: 0 at -1, 127.5 at 0, 255 at 1.
    assert image.get_array()[1, 0].tolist() == table[255].tolist()
    assert image.get_array()[1, 2].tolist() == table[0].tolist()
    assert image.get_array()[0, 0].tolist() == table[round(255 * 0.25)].tolist()
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "drop of the logit"
    assert [label.get_text() for label in bar.get_yticklabels()] == ["\N{MINUS SIGN}1", "0", "1"]


def test_the_bar_has_the_colours_of_the_map() -> None:
    ax = heatmap(np.abs(VALUES), signed=False).plot(table="magma", end=2)
    assert ax.images[0].get_array()[1, 0].tolist() == color_table("magma")[128].tolist()  # 1 of 2
    shown = ax.figure.axes[1]._colorbar.cmap(np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(shown, color_table("magma"))
    assert [label.get_text() for label in ax.figure.axes[1].get_yticklabels()] == ["0", "2"]


def test_a_given_axes_is_drawn_on() -> None:
    axes = pyplot.subplots(1, 2)[1]
    assert heatmap().plot(axes[1]) is axes[1] and not axes[0].images


def test_over_a_picture_it_is_as_opaque_as_the_value_is_large() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[:2] = (255, 0, 0)
    below, above = heatmap().plot(picture=picture).images
    grey = below.get_array()
    assert grey.shape == (2, 3, 3) and (grey[..., 0] == grey[..., 2]).all() and grey[0, 0, 0] > grey[1, 0, 0]
    assert above.get_array()[..., 3].tolist() == [[128, 0, 64], [255, 32, 255]]
    assert len(heatmap().plot(picture=PIL.Image.fromarray(picture)).images) == 2


def test_what_is_nothing_is_drawn_as_nothing() -> None:
    colours = heatmap(VALUES * 1e-9, blank=True).plot().images[0].get_array()
    assert np.ptp(np.asarray(colours, int).reshape(-1, 3), axis=0).max() <= 1  # the two rows of the table around zero
    heatmap(np.zeros((2, 2), np.float32)).plot()


def test_what_does_not_fit_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="no colour table 'viridis' for signed maps"):
        heatmap().plot(table="viridis")
    for end in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            heatmap().plot(end=end)
    with pytest.raises(PictureError):
        heatmap().plot(picture="no such file")
    assert not pyplot.get_fignums()


def test_without_matplotlib_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r'pip install "cnnviz-widgets\[figures\]"'):
        heatmap().plot()
