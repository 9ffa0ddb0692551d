"""What a test of a map is shown with: pictures along the curve, random weights, other techniques, another class."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.explain import Agreement, Evaluation, GradCAM, Heatmap, Occlusion, OtherClass, RandomizedMap
from cnnviz_widgets.explain.evaluation import sentences
from cnnviz_widgets.explain.evaluation.insertion import Mode
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.parts.chart import ACCENT, Line, chart
from cnnviz_widgets.views.parts.scales import scales_of
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status

#: The two tests, the one that tells maps apart first.
MODES: dict[Mode, str] = {
    "insertion": "Reveal the most important first: high is good",
    "deletion": "Cover the most important first: low is good",
}
_MIDDLE = Line((), (), width=1.8, opacity=0.8, dashes="5 4")
_RANDOM = Line((), (), width=1, opacity=0.4)
_OWN = Line((), (), ACCENT, 2.5, 1.0)
#: CSS pixels of the pictures here, which stand beside charts.
_SIDE = 300


class Section(ipywidgets.VBox):
    """One test: an answer in large type, and what it is read from."""

    def __init__(self, *parts: ipywidgets.Widget) -> None:
        self.answer = ipywidgets.HTML()
        #: What it says.
        self.text = ""
        super().__init__([self.answer, *parts])

    def say(self, text: str) -> None:
        """Show the answer, its first sentence in bold."""
        self.text = text
        head, stop, rest = text.partition(". ")
        bold = f"<b>{escape(head + stop.strip())}</b>" if text else ""
        self.answer.value = f'<div style="font-size:16px;line-height:24px">{bold} {escape(rest)}</div>'


class OrderSection(Section):
    """The picture at a point of the curve, and both curves with both floors."""

    def __init__(self) -> None:
        self.canvas = PictureCanvas(label="no picture yet", display_width=_SIDE)
        self.mode = Picker(options=list(MODES.values()), index=0, description="picture", searchable=False)
        self.slider = OptionSlider(description="revealed")
        self.charts = {mode: ipywidgets.HTML() for mode in MODES}
        #: Over each chart: the hand moves along the curve itself.
        self.along = {mode: OptionSlider(description=f"{mode} curve") for mode in MODES}
        self.sentence = Status()
        hand = column(self.canvas, self.mode, self.slider, least=_SIDE, most=_SIDE + 40)
        drawn = [ipywidgets.VBox([self.charts[mode], self.along[mode]]).add_class("cnnviz-along") for mode in MODES]
        super().__init__(row(hand, column(*drawn, self.sentence, most=640)))

    def clear(self) -> None:
        """Show no curves."""
        self.say("")
        self.sentence.say("")
        for mode, drawn in self.charts.items():
            drawn.value, self.along[mode].options = "", []

    def describe(self, evaluation: Evaluation, mode: Mode, step: int, class_name: str) -> None:
        """Show the curves as far as they are there, and the slider along the one of `mode`."""
        self.say(evaluation.verdict)
        self.sentence.say(evaluation.sentence)
        low, high = _range(evaluation)
        for kind, drawn in self.charts.items():
            at = step / (len(evaluation.insertion.shares) - 1) if kind == mode else None
            drawn.value = _chart_of(evaluation, kind, class_name, (low, high), at)
            _follow_curve(self.along[kind], evaluation, kind, step, class_name)
        _follow_curve(self.slider, evaluation, mode, step, class_name)
        self.slider.description = "revealed" if mode == "insertion" else "covered"


def _follow_curve(slider: OptionSlider, evaluation: Evaluation, mode: Mode, step: int, class_name: str) -> None:
    """Let a slider have a stop for each point of the curve of `mode`, and stand at one."""
    curve = evaluation.curve(mode)
    if curve is None:
        return
    percent = evaluation.quantity == "probability"
    scores = [f"{score:.0%}" if percent else f"{score:.3g}" for score in curve.scores.tolist()]
    with slider.hold_sync():
        slider.options = [f"{share:.0%}" for share in curve.shares.tolist()]
        slider.details = [f"{class_name} {score}".replace("-", sentences.MINUS) for score in scores]
        slider.index = step


def _range(evaluation: Evaluation) -> tuple[float, float]:
    curves = [evaluation.insertion, evaluation.deletion, evaluation.middle_insertion, evaluation.middle_deletion]
    scores = np.concatenate([curve.scores for curve in (*curves, *evaluation.random) if curve is not None])
    if evaluation.quantity == "probability" and scores.min() >= 0:
        return 0.0, 1.0
    return float(scores.min()), float(scores.max())


def _chart_of(evaluation: Evaluation, mode: Mode, class_name: str, ends: tuple[float, float], at: float | None) -> str:
    own, middle = evaluation.curve(mode), evaluation.middle(mode)
    random = [curve if mode == "insertion" else curve.reversed for curve in evaluation.random]
    lines = [Line(curve.shares, curve.scores, *_style(_RANDOM)) for curve in random]
    legend = []
    if own is not None:
        legend.append((_OWN, f"this map {sentences.number(own.area)}"))
    if middle is not None:
        lines.append(Line(middle.shares, middle.scores, *_style(_MIDDLE)))
        legend.append((_MIDDLE, f"a blob in the middle {sentences.number(middle.area)}"))
    if len(random) > 1:
        mean, error = sentences.number(evaluation.random_area), sentences.number(evaluation.random_error)
        area = f"{mean} \N{PLUS-MINUS SIGN} {error}"
        legend.append((_RANDOM, f"{len(random)} random orders {area}"))
    if own is not None:
        lines.append(Line(own.shares, own.scores, *_style(_OWN)))
    share = "share of the pixels " + ("revealed" if mode == "insertion" else "covered")
    axes = share, f"{evaluation.quantity} of {class_name}"
    return chart(MODES[mode], lines, low=ends[0], high=ends[1], at=at, axes=axes, legend=legend)


def _style(line: Line) -> tuple[str, float, float, str]:
    return line.colour, line.width, line.opacity, line.dashes


class RandomSection(Section):
    """The map while the network forgets, and its correlation with the trained network's."""

    def __init__(self) -> None:
        self.canvas = PictureCanvas(label="no map yet", display_width=_SIDE)
        self.slider = OptionSlider(description="drawn anew")
        self.chart = ipywidgets.HTML()
        hand = column(self.canvas, self.slider, least=_SIDE, most=_SIDE + 40)
        super().__init__(row(hand, column(self.chart, most=640)))

    def describe(self, maps: tuple[RandomizedMap, ...], depth: int, floor: float | None) -> None:
        """Show the maps' correlations, and the map number `depth`."""
        shown = maps[depth]
        overlay(self.canvas, shown.heatmap)
        self.canvas.label = f"the map with {shown.count} of {shown.total} layers drawn anew"
        self.say(shown.sentence)
        with self.slider.hold_sync():
            self.slider.options = [f"{one.count} of {one.total} layers" for one in maps]
            self.slider.index = depth
        known = [one for one in maps if not math.isnan(one.correlation)]
        x, y = [one.count / one.total for one in known], [one.correlation for one in known]
        lines = [Line((0, 1), (0, 0), *_style(_RANDOM))]
        legend = [(_OWN, "with the trained network's map")]
        if floor is not None:
            lines.append(Line((0, 1), (floor, floor), *_style(_MIDDLE)))
            legend.append((_MIDDLE, f"maps of two different photographs, about {sentences.number(floor)}"))
        lines.append(Line(x, y, *_style(_OWN)))
        self.chart.value = chart(
            "One draw of weights: a map that stays as it is does not show what was learned",
            lines,
            low=min(-0.5, *y, 0.0),
            at=shown.count / shown.total if not math.isnan(shown.correlation) else None,
            axes=("share of the layers drawn anew, from the last", "rank correlation of signed values"),
            legend=legend,
        )


class AgreementSection(Section):
    """A table of rank correlations."""

    def __init__(self) -> None:
        self.table = ipywidgets.HTML()
        super().__init__(self.table)

    def describe(self, found: Agreement, own: str, missing: tuple[str, ...]) -> None:
        """Show the table; `missing` are techniques that do not apply here."""
        other = _other(found, own)
        self.say(found.sentence(own, other) if other else "")
        notes = [*found.notes, "Agreement is no proof: two maps can be wrong in the same way."]
        if missing:
            notes.append(f"Not for this network or picture: {', '.join(missing)}.")
        self.table.value = _table(found, own) + "".join(f"<div>{escape(note)}</div>" for note in notes)


def _other(found: Agreement, own: str) -> str:
    """The technique to name beside `own`: one of another formula that asks the network itself, or ""."""
    same = {name for names in found.one_map if own in names for name in names}
    others = [name for name in found.names if name not in same | {own} and not math.isnan(found.between(own, name))]
    return next((name for name in (Occlusion.label, GradCAM.label) if name in others), others[0] if others else "")


def _table(found: Agreement, own: str) -> str:
    def cell(first: str, second: str) -> str:
        value = found.between(first, second)
        share = 0 if math.isnan(value) else round(55 * abs(value))
        text = "" if math.isnan(value) else sentences.number(value)
        style = f"background:color-mix(in srgb, {ACCENT} {share}%, transparent);text-align:right;padding:0 6px"
        return f'<td style="{style};font-variant-numeric:tabular-nums">{text}</td>'

    def name(place: int, text: str) -> str:
        style = f"font-weight:{600 if text == own else 400};text-align:left;white-space:nowrap;padding:0 6px"
        return f'<th style="{style}">{place} {escape(text)}</th>'

    # Numbers instead of names at the top: a column is as wide as a correlation.
    style = "font-weight:400;text-align:right;padding:0 6px"
    head = "".join(f'<th style="{style}">{place}</th>' for place, _ in enumerate(found.names, 1))
    rows = "".join(
        f"<tr>{name(place, one)}{''.join(cell(one, other) for other in found.names)}</tr>"
        for place, one in enumerate(found.names, 1)
    )
    return (
        '<div style="overflow-x:auto"><table style="border-spacing:3px;border-collapse:separate;line-height:20px">'
        f"<caption style='caption-side:top;text-align:left'>Rank correlation of the signed maps</caption>"
        f"<tr><td></td>{head}</tr>{rows}</table></div>"
    )


class ClassSection(Section):
    """The maps of the class, of an unrelated one, and their difference."""

    def __init__(self) -> None:
        self.canvases = [PictureCanvas(label="no map yet", display_width=_SIDE) for _ in range(3)]
        self.titles = [ipywidgets.HTML() for _ in self.canvases]
        pairs = zip(self.titles, self.canvases, strict=True)
        super().__init__(row(*(column(title, canvas, least=240, most=_SIDE + 40) for title, canvas in pairs)))

    def describe(self, found: OtherClass, names: tuple[str, ...]) -> None:
        """Show the three maps on one scale."""
        own, other = (names[one.target.index] for one in (found.own, found.other))
        maps = [found.own, found.other, found.difference]
        end = max(float(np.abs(one.cells).max()) for one in maps[:2])
        for title, canvas, text, heatmap in zip(
            self.titles, self.canvases, (own, other, f"{own} minus {other}"), maps, strict=True
        ):
            title.value = f"<b>{escape(text)}</b>"
            overlay(canvas, heatmap)
            low = -end if heatmap.signed else 0.0
            if heatmap is not found.difference and end > 0 and not heatmap.blank:
                canvas.add_scale("both classes", low, end)
            canvas.label = f"the map of {text}"
        self.say(found.sentence)


def overlay(canvas: Any, heatmap: Heatmap) -> None:
    """Lay a map over a canvas's picture."""
    # The cells of a map by windows overlap: laid over the picture they would lie beside what they cover.
    values = heatmap.values if isinstance(heatmap, OcclusionMap) else heatmap.cells
    scales = scales_of(values, signed=heatmap.signed, blank=heatmap.blank)
    canvas.overlay(values, quantity=heatmap.quantity, signed=heatmap.signed, scales=scales)
