"""Values of traits as JSON and one block of bytes."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

#: Maps have so many levels on a page, and one for what is no number; js/src/host/binary.ts has them too.
LEVELS = 254
_NO_NUMBER = 255
#: Of JPEG, 1 to 95.
_QUALITY = 88
#: Smaller pictures, in pixels a side, are enlarged by those who look at them: they stay as they are.
_SMALL_PICTURE = 32


class Values:
    """Packs values; equal ones, and equal bytes, are written once.

    `block` has the bytes, and `extents` where each begins and how long it is. With `finest`, pictures are stored as
    JPEG, and maps are rounded to `LEVELS` steps and averaged to at most so many cells a side; `rounding` is then the
    largest share of a map's range by which a value is off, and `averaged` says whether any map had finer cells.
    """

    def __init__(self, finest: int | None = None) -> None:
        self.finest = finest
        self._bytes: dict[bytes, int] = {}
        self._known: dict[str, int] = {}
        self._images: dict[bytes, int] = {}
        self.averaged = False
        self.maps = 0

    @property
    def rounding(self) -> float:
        """The largest error of a value of a map, as a share of the map's range."""
        return 0.0 if self.finest is None or not self.maps else 0.5 / LEVELS

    @property
    def images(self) -> list[int]:
        """Which of the binary values are pictures."""
        return list(self._images.values())

    @property
    def block(self) -> bytes:
        return b"".join(self._bytes)

    @property
    def extents(self) -> list[tuple[int, int]]:
        """(where it begins, length) of each value when they stand one after the other."""
        return _extents(self._bytes)

    @property
    def table(self) -> list[Any]:
        """The values that `place` knows, in the order of their places."""
        return [json.loads(text) for text in self._known]

    def place(self, value: Any) -> int:
        """The place of a packed value in the table."""
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        return self._known.setdefault(text, len(self._known))

    def packed(self, value: Any) -> Any:
        """`value` as JSON; {"$bytes": number} for a binary one, null for a number that is none or infinite.

        Raises TypeError for what a page cannot hold.
        """
        if isinstance(value, bytes | bytearray | memoryview):
            return {"$bytes": self._bytes.setdefault(bytes(value), len(self._bytes))}
        if isinstance(value, Mapping):
            if self.finest is not None and {"values", "size", "scales"} <= value.keys():
                return self._map(value, self.finest)
            if self.finest is not None and value.keys() == {"pixels", "size"}:
                return {"pixels": self.image(value["pixels"], value["size"]), "size": list(value["size"])}
            return {str(name): self.packed(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.packed(item) for item in value]
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if value is None or isinstance(value, str | int):
            return value
        raise TypeError(f"there is a {type(value).__name__} in it")

    def image(self, pixels: bytes, size: Sequence[int]) -> Any:
        """RGB pixels, of a picture of `size` (height, width), as JPEG where that is wanted and worth it."""
        if self.finest is None or min(size) < _SMALL_PICTURE:
            return self.packed(pixels)
        if pixels not in self._images:
            file = io.BytesIO()
            image = PIL.Image.frombytes("RGB", (size[1], size[0]), pixels)
            image.save(file, "JPEG", quality=_QUALITY, subsampling=0)
            self._images[pixels] = self.packed(file.getvalue())["$bytes"]
        return {"$image": self._images[pixels]}

    def _map(self, value: Mapping[str, Any], finest: int) -> dict[str, Any]:
        """The map of a PictureCanvas in levels."""
        cells = np.frombuffer(value["values"], "<f4").reshape(value["size"])
        small = averaged(cells, finest)
        self.averaged |= small.shape != cells.shape
        self.maps += 1
        levels, low, high = to_levels(small)
        rest = {name: self.packed(item) for name, item in value.items() if name not in ("values", "size")}
        return {
            **rest,
            "size": list(small.shape),
            "values": {"$levels": self.packed(levels.tobytes())["$bytes"], "low": low, "high": high},
        }


def to_levels(cells: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    """Cells rounded to `LEVELS` steps between their finite ends, which are returned too; zero stays zero."""
    finite = np.isfinite(cells)
    low, high = (float(cells[finite].min()), float(cells[finite].max())) if finite.any() else (0.0, 0.0)
    if low < 0 < high:  # a step at zero
        step = max(-low / (LEVELS // 2), high / (LEVELS // 2))
        low, high = -step * (LEVELS // 2), step * (LEVELS // 2)
    shares = (np.where(finite, cells, low) - low) / ((high - low) or 1.0)
    levels = np.rint(shares * LEVELS).astype(np.uint8)
    return np.where(finite, levels, np.uint8(_NO_NUMBER)), low, high


def averaged(cells: NDArray[np.float32], finest: int) -> NDArray[np.float32]:
    """Cells (h, w), each of a coarser map of at most `finest` a side the mean of those that lie in it."""
    for axis in (0, 1):
        size = cells.shape[axis]
        if size > finest:
            starts = np.arange(finest) * size // finest
            counts = np.diff([*starts, size]).reshape((-1, 1) if axis == 0 else (1, -1))
            cells = (np.add.reduceat(cells, starts, axis=axis) / counts).astype(np.float32)
    return cells


def _extents(values: Iterable[bytes]) -> list[tuple[int, int]]:
    extents, begin = [], 0
    for value in values:
        extents.append((begin, len(value)))
        begin += len(value)
    return extents
