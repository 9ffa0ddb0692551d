"""What stands in for "nothing": the pixels behind an occlusion window, the start of an integration path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from cnnviz_widgets.parameters import check_choice

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: The picture's own mean colour; black, mid-grey or white as the network sees them; the picture blurred.
Baseline = Literal["mean", "black", "grey", "white", "blur"]


def baseline_pixels(classifier: Classifier, pixels: Tensor, baseline: Baseline) -> Tensor:
    """The baseline of one network input (1, C, H, W): another one of the same shape, float32 on the CPU.

    "blur" is a Gaussian blur whose sigma is a tenth of the shorter side. Raises PictureError, MethodError.
    """
    return baseline_of(classifier, classifier.input_copy(pixels), baseline)


def baseline_of(classifier: Classifier, pixels: Tensor, baseline: Baseline) -> Tensor:
    """The same for pixels that are checked, as those of an `Instance`. Raises MethodError."""
    check_choice("baseline", baseline, Baseline)
    black, white = classifier.black, classifier.white
    if baseline == "blur":
        return _blurred(pixels)
    if baseline == "mean":
        colour = pixels.mean(dim=(2, 3), keepdim=True)
    else:
        colour = {"black": black, "grey": (black + white) / 2, "white": white}[baseline].to(pixels)
    return colour.expand_as(pixels).clone()


def _blurred(pixels: Tensor) -> Tensor:
    sigma = min(pixels.shape[2:]) / 10

    def weights(side: int) -> Tensor:
        # Each row adds up to one, so that a plain picture stays plain up to its borders.
        positions = torch.arange(side, dtype=torch.float32)
        bells = torch.exp(-0.5 * ((positions[:, None] - positions) / sigma) ** 2)
        return bells / bells.sum(dim=1, keepdim=True)

    height, width = pixels.shape[2:]
    return weights(height) @ pixels @ weights(width).T
