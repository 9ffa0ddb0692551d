"""Gradients of a class score, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnviz_widgets.explain import TECHNIQUES, Explainer
from cnnviz_widgets.views.heatmap import HeatmapView


class SaliencyView(HeatmapView):
    """Which pixels would change the class score most: gradients of the logit and their relatives.

    `SaliencyView(model, picture)` or, linked with other views, `SaliencyView(session)`.
    """

    topic = "saliency"

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        techniques: Sequence[Explainer] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, techniques=techniques or self.techniques(), **options)

    @staticmethod
    def techniques() -> list[Explainer]:
        """The techniques that are shown where none are given, to add your own to."""
        return [technique() for technique in TECHNIQUES if technique.family == "gradient"]
