"""The growth of a picture by gradient ascent on a page: a slider goes through recorded steps."""

from __future__ import annotations

import dataclasses
from typing import Any

from cnnviz_widgets import words
from cnnviz_widgets.export import Axis
from cnnviz_widgets.views.parts.ascents import AscentFrame, frame_of
from cnnviz_widgets.views.take.page.wanted import spread
from cnnviz_widgets.widgets.slider import OptionSlider

#: So many steps are recorded.
_STEPS = 12


def growth_axis(view: Any) -> Axis | None:
    """The axis of the steps of a MaximisationView's first picture; the ascent is run once more for it."""
    visual = view.visual
    if visual is None or visual.step < 2:
        return None
    technique = dataclasses.replace(view.technique, iterations=visual.step)
    wanted = {at + 1 for at in spread(visual.step, _STEPS)}
    frames: list[AscentFrame] = []
    for state in technique.steps(visual.classifier, visual.target, None):
        if state.step in wanted or state.step == visual.step:
            frames.append(frame_of(0, state, state.step == visual.step))
    slider = OptionSlider(
        options=[str(frame.state.step) for frame in frames],
        index=len(frames) - 1,
        description=words.text("page.step", view.language),
    )
    return Axis((slider,), len(frames), lambda option: view.show_growth(frames[: option + 1]), start=len(frames) - 1)
