"""Gradients of a class score, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnviz_widgets.explain import TECHNIQUES, Explainer
from cnnviz_widgets.views.heatmap import HeatmapView

METHODS: Mapping[str, Explainer] = {
    technique.label: technique() for technique in TECHNIQUES if technique.family == "gradient"
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
