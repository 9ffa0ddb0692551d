"""Random small moves, turns and changes of size of a picture.

An ascent without them ends in a pattern that the network recognises at one exact position only (Olah et al. 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def transform(picture: Tensor, count: int, jitter: float, scale: float, turn: float, *, seed: int) -> Tensor:
    """`count` views (count, C, H, W) of a picture (C, H, W) in 0..1, each moved, resized and turned at random.

    The largest move is `jitter`, a share of the sides; the largest change of size the factor 1 + `scale` or its
    inverse; the largest turn `turn` degrees. Outside the picture views are grey. The same `seed` gives the same views
    on any device, and a smaller `count` gives the first of them. Differentiable.
    """
    height, width = picture.shape[1:]
    generator = torch.Generator().manual_seed(seed)
    down, right, size, angle = (2 * torch.rand(count, 4, generator=generator) - 1).unbind(dim=1)
    angle = torch.deg2rad(angle * turn)
    zoom = (1 + scale) ** size
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    # Positions run from -1 to 1 along either side, so a rotation needs the ratio of the sides, or it would shear.
    rows = [
        torch.stack([cosine, -sine * height / width, 2 * jitter * right], dim=1),
        torch.stack([sine * width / height, cosine, 2 * jitter * down], dim=1),
    ]
    grid = functional.affine_grid(
        torch.stack(rows, dim=1).to(picture.device), [count, *picture.shape], align_corners=False
    )
    copies = (picture - 0.5)[None].expand(count, -1, -1, -1)
    return functional.grid_sample(copies, grid, padding_mode="zeros", align_corners=False) + 0.5
