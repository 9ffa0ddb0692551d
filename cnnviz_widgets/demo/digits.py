"""scikit-learn's handwritten digits, read from its installed file, and which of them are held out from training."""

from __future__ import annotations

import gzip

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.demo.installed import file_of
from cnnviz_widgets.errors import PictureError

#: Number of digits in scikit-learn's file.
COUNT = 1797


def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All 1,797 pictures, uint8 (1797, 8, 8), white on black, and their labels, int64 (1797,) in 0..9.

    Source: UCI, Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), the test part.
    """
    file = file_of("sklearn", "datasets/data/digits.csv.gz", PictureError)
    with gzip.open(file, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
    # Each value is the number of black pixels, 0 to 16, in a cell of 4 x 4.
    pictures = np.rint(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return pictures, table[:, -1]


def held_out() -> NDArray[np.bool_]:
    """A mask, bool (1797,), of the fifth of the digits that the demo's classifier was not trained on."""
    chosen = np.zeros(COUNT, np.bool_)
    chosen[np.random.default_rng(0).permutation(COUNT)[: COUNT // 5]] = True
    return chosen
