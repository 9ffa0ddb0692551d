"""Random small transformations: what is recognised only in one exact position is no picture of a class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def transformed(picture: Tensor, count: int, jitter: float, scale: float, turn: float, seed: int) -> Tensor:
    """`count` views of `picture` (C, H, W), shares of white, each moved, resized and turned a little: (count, C, H, W).

    Moved by up to `jitter`, a share of the sides, resized by up to the factor 1 + `scale` or its inverse, and turned
    by up to `turn` degrees; what lies beyond the picture is grey. The same `seed` gives the same views, on any device,
    and fewer are the first of more.
    """
    height, width = picture.shape[1:]
    generator = torch.Generator().manual_seed(seed)
    down, right, size, angle = (2 * torch.rand(count, 4, generator=generator) - 1).unbind(dim=1)
    angle = torch.deg2rad(angle * turn)
    zoom = (1 + scale) ** size
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    # Positions run from -1 to 1 along either side: a turn of a picture that is not square must not shear it.
    rows = [
        torch.stack([cosine, -sine * height / width, 2 * jitter * right], dim=1),
        torch.stack([sine * width / height, cosine, 2 * jitter * down], dim=1),
    ]
    grid = functional.affine_grid(
        torch.stack(rows, dim=1).to(picture.device), [count, *picture.shape], align_corners=False
    )
    copies = (picture - 0.5)[None].expand(count, -1, -1, -1)
    return functional.grid_sample(copies, grid, padding_mode="zeros", align_corners=False) + 0.5
