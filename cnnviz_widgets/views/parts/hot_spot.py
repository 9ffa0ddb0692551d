"""The patch on the largest value of a map: where it lies, and what covering it costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.explain import Occlusion, baseline_pixels
from cnnviz_widgets.explain.occlusion.occluder import Box, Occluder
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.probing import Probe


def hottest_box(values: NDArray[np.floating], size: tuple[int, int] | None = None) -> Box:
    """A box on the largest of `values` (H, W), as (top, left, height, width), moved inside the picture.

    `size` is (height, width), by default that of an occlusion window.
    """
    height, width = values.shape
    tall, wide = size or Occlusion().windows((height, width)).window
    row, column = divmod(int(np.nanargmax(values)), width)
    top = min(max(row - tall // 2, 0), max(height - tall, 0))
    return Box(top, min(max(column - wide // 2, 0), max(width - wide, 0)), tall, wide)


def second_box(found: Box, boxes: list[Box], drops: NDArray[np.floating]) -> Box:
    """Of `boxes` with their `drops`, the one that takes most and does not overlap with `found`."""
    apart = [
        number
        for number, (top, left, tall, wide) in enumerate(boxes)
        if top >= found[0] + found[2]
        or top + tall <= found[0]
        or left >= found[1] + found[3]
        or left + wide <= found[1]
    ]
    return found if not apart else boxes[max(apart, key=lambda number: float(drops[number]))]


def covered(probe: Probe, *, hot: bool = True) -> answers.Answer:
    """What covering a part does to the class; `hot` says that it is the hottest of a map."""
    classifier, index = probe.example.classifier, probe.class_index
    whole = np.asarray(probe.example.probabilities, np.float64)
    now = np.asarray(classifier.readout.probabilities(probe.logits), np.float64)
    points = 100 * float(whole[index] - now[index])
    if not hot or classifier.scores == "none" or points < answers.LEAST_POINTS:
        return answers.occluded(classifier, index, probe.example.logits, probe.logits)
    ends = {"p0": answers.number(100 * float(whole[index])), "p1": answers.number(100 * float(now[index]))}
    size = {"h": str(probe.box[2]), "w": str(probe.box[3])}
    return answers.Answer(
        "hot_spot", {**size, "n": answers.number(points), "class": classifier.class_names[index], **ends}
    )


def covering(example: Example, index: int, box: Box) -> Steps:
    """Yield what the network says with `box` covered by the picture's mean."""
    filling = baseline_pixels(example.classifier, example.pixels, Occlusion().baseline)
    occluder = Occluder(example.classifier, example.classifier.input_copy(example.pixels), filling)
    yield Probe(example, index, box, occluder.logits([box])[0].numpy(), interpolated=False)
