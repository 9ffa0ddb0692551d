"""A chart of a few lines that is as wide as its column: SVG, so that it needs no script and is drawn on paper too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from cnnviz_widgets.views.parts.scales import short

#: The map's own line; floors are grey, in the colour of the text.
ACCENT, GREY = "var(--jp-brand-color1, #1769c9)", "currentColor"
_HEIGHT = 132  # CSS pixels
_SMALL = "font-size:12px;line-height:16px;opacity:.75"


@dataclass(frozen=True)
class Line:
    """Points (n,) and (n,); `dashes` as in SVG, `opacity` 0 to 1, `width` in CSS pixels."""

    x: ArrayLike
    y: ArrayLike
    colour: str = GREY
    width: float = 1.5
    opacity: float = 0.35
    dashes: str = ""


def chart(
    title: str,
    lines: Sequence[Line],
    *,
    low: float = 0.0,
    high: float = 1.0,
    at: float | None = None,
    axes: tuple[str, str] = ("", ""),
    legend: Sequence[tuple[Line, str]] = (),
) -> str:
    """HTML of a chart over x from 0 to 1 and y from `low` to `high`, with a mark at x `at` on the last line.

    `axes` are what x and y are.
    """
    high = high if high > low else low + 1

    def place(x: ArrayLike, y: ArrayLike) -> list[tuple[float, float]]:
        down = 100 * (1 - (np.asarray(y, float) - low) / (high - low))
        return list(zip((100 * np.asarray(x, float)).tolist(), down.tolist(), strict=True))

    drawn = "".join(_path(line, place(line.x, line.y)) for line in lines if np.size(line.x))
    if at is not None and lines and np.size(lines[-1].x):
        drawn += _mark(at, place([at], [np.interp(at, np.asarray(lines[-1].x), np.asarray(lines[-1].y))])[0])
    ends = (f"{value:.0%}" if (low, high) == (0, 1) else short(value) for value in (low, high))
    bottom, top = ends
    named = "".join(f'<span style="white-space:nowrap">{_sample(line)} {escape(text)}</span>' for line, text in legend)
    return (
        f'<div style="width:100%;min-width:0"><div style="line-height:20px"><b>{escape(title)}</b></div>'
        f'<div style="{_SMALL}">{escape(axes[1])}, {bottom} to {top}</div>'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{escape(title)}" '
        f'style="display:block;width:100%;height:{_HEIGHT}px;overflow:visible;margin:4px 0">'
        '<path d="M0 0V100H100" fill="none" stroke="currentColor" stroke-opacity=".4" '
        f'vector-effect="non-scaling-stroke"/>{drawn}</svg>'
        f'<div style="display:flex;justify-content:space-between;{_SMALL}"><span>0%</span>'
        f"<span>{escape(axes[0])}</span><span>100%</span></div>"
        f'<div style="display:flex;flex-wrap:wrap;gap:0 14px;line-height:18px;font-size:12px">{named}</div></div>'
    )


def _path(line: Line, points: Sequence[tuple[float, float]]) -> str:
    moves = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    return f'<path d="M{moves}" fill="none" {_stroke(line)} vector-effect="non-scaling-stroke"/>'


def _stroke(line: Line) -> str:
    return (
        f'stroke-width="{line.width}" stroke-opacity="{line.opacity}" stroke-dasharray="{line.dashes}" '
        f'style="stroke:{line.colour}"'
    )


def _mark(at: float, point: tuple[float, float]) -> str:
    # A line of no length with round ends is a dot that a stretched drawing leaves round.
    return (
        f'<path d="M{100 * at:.2f} 0V100" stroke="currentColor" stroke-opacity=".4" stroke-dasharray="2 3" '
        'vector-effect="non-scaling-stroke"/>'
        f'<path d="M{point[0]:.2f} {point[1]:.2f}h.001" stroke-width="9" stroke-linecap="round" '
        f'style="stroke:{ACCENT}" vector-effect="non-scaling-stroke"/>'
    )


def _sample(line: Line) -> str:
    return (
        '<svg width="22" height="8" style="vertical-align:middle" aria-hidden="true">'
        f'<path d="M1 4H21" fill="none" {_stroke(line)}/></svg>'
    )
