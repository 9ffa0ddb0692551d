from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnnviz_widgets.paint import color_table, colorize, table_names

ALL = (*table_names(), *table_names(signed=True))


def linear(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = rgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB bytes (..., 3) as OKLab (Ottosson 2020)."""
    cones = np.cbrt(
        linear(rgb)
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return cones @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


@pytest.mark.parametrize("name", ALL)
def test_a_table_is_256_colours_that_nobody_can_change(name: str) -> None:
    table = color_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0


@pytest.mark.parametrize("name", table_names())
def test_a_sequential_table_gets_steadily_lighter(name: str) -> None:
    lightness = oklab(color_table(name))[:, 0]
    assert np.all(np.diff(lightness[::4]) > 0)


@pytest.mark.parametrize("name", table_names(signed=True))
def test_a_diverging_table_darkens_equally_and_evenly_to_both_sides(name: str) -> None:
    lightness, green_red, blue_yellow = oklab(color_table(name)).T
    assert np.abs(lightness - lightness[::-1]).max() < 0.01
    assert np.abs(np.diff(lightness[:128]) - (lightness[127] - lightness[0]) / 127).max() < 0.01
    # White in the middle; the same saturation on both sides, in other hues.
    chroma = np.hypot(green_red, blue_yellow)
    assert lightness[127:129].min() > 0.95
    assert chroma[127:129].max() < 0.01
    assert np.abs(chroma - chroma[::-1]).max() < 0.01
    assert green_red[0] * green_red[-1] + blue_yellow[0] * blue_yellow[-1] < 0


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("viridis", (68, 1, 84), (253, 231, 37)),
        ("magma", (0, 0, 4), (252, 253, 191)),
        ("cividis", (0, 34, 78), (254, 232, 56)),
        ("grey", (0, 0, 0), (255, 255, 255)),
    ],
)
def test_known_ends(name: str, first: tuple[int, ...], last: tuple[int, ...]) -> None:
    assert tuple(color_table(name)[0]) == first
    assert tuple(color_table(name)[-1]) == last


def test_an_unknown_table_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no colour table 'jet'; there are viridis, magma"):
        color_table("jet")


def test_the_defaults_are_first() -> None:
    assert table_names()[0] == "viridis"
    assert table_names(signed=True)[0] == "blue-white-red"


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0.01, 10))
def test_a_value_gets_the_colour_of_its_place(value: float, low: float, extent: float) -> None:
    place = min(max((value - low) / extent, 0), 1)
    red = int(colorize([[value]], low, low + extent, "grey")[0, 0, 0])
    assert abs(red - 255 * place) <= 0.51


def test_the_ends_and_beyond() -> None:
    row = colorize([[-9, 0, 1, 9]], 0, 1)
    table = color_table("viridis")
    assert row.shape == (1, 4, 3)
    assert row.dtype == np.uint8
    assert (row[0] == table[[0, 0, -1, -1]]).all()


def test_what_is_not_a_number_has_its_own_colour() -> None:
    row = colorize([np.nan, np.inf, -np.inf, 1.0], 0, 1, missing=(1, 2, 3))
    assert row[:3].tolist() == [[1, 2, 3]] * 3
    assert row[3].tolist() == [253, 231, 37]


def test_without_an_extent_everything_is_at_the_low_end() -> None:
    assert (colorize(np.arange(3.0), 1, 1) == color_table("viridis")[0]).all()


def test_a_table_may_be_an_array() -> None:
    table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)[::-1]
    assert colorize([0.0, 1.0], 0, 1, table).tolist() == [[255] * 3, [0] * 3]
