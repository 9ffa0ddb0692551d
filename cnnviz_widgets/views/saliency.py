"""Gradients of a class score, pixel by pixel."""

from __future__ import annotations

from cnnviz_widgets.explain import Heatmap, IntegratedGradients, Saliency, SmoothGrad
from cnnviz_widgets.explain.gradient.integrated_gradients import Attribution
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.heatmap import HeatmapView, target_name
from cnnviz_widgets.views.parts import answers


class SaliencyView(HeatmapView):
    """Which pixels would change the class score most: gradients of the logit and their relatives.

    `SaliencyView(model, picture)` or, linked with other views, `SaliencyView(session)`.
    """

    topic = "saliency"
    family = "gradient"

    def answer_of(self, example: Example, heatmap: Heatmap) -> answers.Answer | None:
        technique = self.technique
        if isinstance(technique, IntegratedGradients) and isinstance(heatmap, Attribution):
            if heatmap.blank:
                return None
            total, name = heatmap.difference - heatmap.gap, target_name(example, heatmap.target)
            return answers.attribution_sum(total, heatmap.difference, name, technique.baseline)
        return answers.pixel_map(heatmap.values, sensitivity=isinstance(technique, Saliency | SmoothGrad))
