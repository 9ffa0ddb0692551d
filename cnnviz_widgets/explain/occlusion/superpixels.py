"""A picture cut into segments: superpixels that follow its edges, or squares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: What the segments are like.
Regions = Literal["superpixels", "squares"]


def superpixels(classifier: Classifier, pixels: Tensor, count: int, regions: Regions = "superpixels") -> Tensor:
    """The segment of each pixel of (1, C, H, W), int64 (H, W) from 0 on: about `count`, and two or more.

    Superpixels are those of SLIC (Achanta et al. 2012), as scikit-image makes them, on what the network sees. Without
    scikit-image, and where it finds fewer than two, they are squares.
    """
    found = _slic(classifier.appearance(pixels), count) if regions == "superpixels" else None
    return _squares((pixels.shape[2], pixels.shape[3]), count) if found is None else found


def has_superpixels() -> bool:
    """Whether scikit-image is installed."""
    try:
        import skimage.segmentation  # noqa: F401
    except ImportError:
        return False
    return True


def _slic(picture: np.ndarray, count: int) -> Tensor | None:
    if not has_superpixels():
        return None
    from skimage.segmentation import slic

    found = slic(picture, n_segments=count, compactness=10, start_label=0)
    _, labels = np.unique(found, return_inverse=True)
    labels = labels.reshape(found.shape)
    return torch.from_numpy(labels.astype(np.int64)) if labels.max() > 0 else None


def _squares(size: tuple[int, int], count: int) -> Tensor:
    """As square as the picture allows, in rows and columns whose number is `count` or a little less."""
    height, width = size
    rows = min(height, count, max(1, round(math.sqrt(count * height / width))))
    columns = min(width, max(1, round(count / rows)))
    if rows * columns < 2:
        rows, columns = (2, columns) if height > 1 else (rows, 2)
    row, column = (torch.arange(side) * parts // side for side, parts in ((height, rows), (width, columns)))
    return row[:, None] * columns + column
