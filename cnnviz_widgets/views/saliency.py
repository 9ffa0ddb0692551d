"""Gradients of a class score, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence

from cnnviz_widgets.explain import GradientXInput, GuidedBackprop, Heatmap, IntegratedGradients, Saliency, SmoothGrad
from cnnviz_widgets.explain.gradient.integrated_gradients import Attribution
from cnnviz_widgets.export import Axis
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.heatmap import HeatmapView, target_name
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.take.page.wanted import Wanted, some_options

#: Techniques that need one backward pass.
QUICK = (Saliency, GradientXInput, GuidedBackprop)


class SaliencyView(HeatmapView):
    """Which pixels would change the class score most: gradients of the logit and their relatives.

    `SaliencyView(model, picture)` or, linked with other views, `SaliencyView(session)`.
    """

    topic = "saliency"
    family = "gradient"

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """The techniques that take one backward pass, beside the one that is shown."""
        if wanted.classes == 1 and not wanted.brief:
            return ()
        shown = self.choice.picker.index
        quick = [at for at, one in enumerate(self.choice.options) if isinstance(one, QUICK) or at == shown]
        axis = some_options(self.choice.picker, quick[:1] if wanted.brief else quick)
        return [axis] if axis else []

    def answer_of(self, example: Example, heatmap: Heatmap) -> answers.Answer | None:
        technique = self.technique
        if isinstance(technique, IntegratedGradients) and isinstance(heatmap, Attribution):
            if heatmap.blank:
                return None
            total, name = heatmap.difference - heatmap.gap, target_name(example, heatmap.target)
            return answers.attribution_sum(total, heatmap.difference, name, technique.baseline)
        return answers.pixel_map(heatmap.values, sensitivity=isinstance(technique, Saliency | SmoothGrad))
