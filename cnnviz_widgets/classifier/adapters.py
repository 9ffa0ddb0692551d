"""Preprocessing of other libraries, as a function from a PIL image to a network input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from cnnviz_widgets.classifier.preprocess import Preprocess
from cnnviz_widgets.errors import ClassifierError


def as_preprocess(source: object) -> Preprocess | None:
    """`source` as a function from a PIL image to a float tensor (C, H, W); None stays None.

    Besides such functions it may be a Hugging Face image processor, or a processor that holds one; a transform of
    albumentations; or weights of torchvision, whose transforms are taken. Raises ClassifierError.
    """
    if source is None:
        return None
    transforms = getattr(source, "transforms", None)
    if hasattr(source, "meta") and hasattr(source, "url") and callable(transforms):
        made: Preprocess = transforms()
        return made
    processor = getattr(source, "image_processor", source)
    if hasattr(processor, "image_processor_type") or hasattr(processor, "model_input_names"):
        return _Processor(processor)
    if type(source).__module__.partition(".")[0] == "albumentations":
        return _Albumentation(source)  # type: ignore[arg-type]
    if isinstance(source, Tensor) or not callable(source):
        raise ClassifierError(
            "`preprocess` must be callable: a PIL image in, a float tensor (C, H, W) out; "
            f"{type(source).__name__} is none."
        )
    return source


@dataclass(frozen=True, eq=False)
class _Processor:
    """A Hugging Face image processor: a dict with "pixel_values" comes out."""

    processor: Any

    def __call__(self, image: PIL.Image.Image) -> Tensor:
        result = self.processor(images=image, return_tensors="np")
        if not isinstance(result, Mapping) and not hasattr(result, "keys"):
            raise TypeError(f"the processor returned a {type(result).__name__}, not a dict with pixel_values")
        values = np.asarray(result["pixel_values"], dtype=np.float32)
        return torch.from_numpy(values[0] if values.ndim == 4 else values)


@dataclass(frozen=True, eq=False)
class _Albumentation:
    """A transform of albumentations: takes and returns arrays (H, W, C) by name."""

    transform: Callable[..., Mapping[str, Any]]

    def __call__(self, image: PIL.Image.Image) -> Tensor:
        values = self.transform(image=np.asarray(image))["image"]
        if isinstance(values, Tensor):
            return values.float()
        values = np.asarray(values, dtype=np.float32)
        return torch.from_numpy(values[None] if values.ndim == 2 else values.transpose(2, 0, 1).copy())
