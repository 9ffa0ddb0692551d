"""Gradients of a class score, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnviz_widgets.explain import (
    Explainer,
    GradientXInput,
    GuidedBackprop,
    GuidedGradCAM,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
)
from cnnviz_widgets.views.heatmap import HeatmapView

METHODS: Mapping[str, Explainer] = {
    "gradient": Saliency(),
    "gradient x input": GradientXInput(),
    "SmoothGrad": SmoothGrad(),
    "integrated gradients": IntegratedGradients(),
    "guided backprop": GuidedBackprop(),
    "guided Grad-CAM": GuidedGradCAM(),
}


class SaliencyView(HeatmapView):
    """Which pixels would change the class score most: gradients of the logit and their relatives.

    `SaliencyView(model, picture)` or, linked with other views, `SaliencyView(session)`.
    """

    depends_on = ("classifier", "picture", "target")

    def __init__(
        self, model: object, picture: object = None, *, methods: Mapping[str, Explainer] = METHODS, **options: Any
    ):
        super().__init__(model, picture, methods=methods, **options)
