"""What a network of torchvision, timm or Hugging Face says about the pictures that its weights were trained on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from cnnviz_widgets.classifier.adapters import as_preprocess
from cnnviz_widgets.classifier.preprocess import Preprocess

#: Mean and standard deviation of ImageNet's pictures in 0..1; those of all weights for 1,000 classes in torchvision.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Habit:
    """How pictures are to be prepared for a network, as far as it says so itself.

    `preprocess`, or `mean` and `std` of pictures in 0..1; `size` of the input; `class_names`; `note` is a sentence for
    whoever reads the network's maps. What is None is not known.
    """

    preprocess: Preprocess | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size: int | None = None
    class_names: Sequence[str] | Mapping[int, str] | None = None
    note: str = ""


def habit_of(network: nn.Module, name: str, channels: int, *, sized: bool) -> Habit:
    """What is known of a network's pictures before it is run; `sized` where its input size is given."""
    config: Any = getattr(network, "config", None)
    if isinstance(getattr(config, "id2label", None), Mapping):
        return _of_hugging_face(config, name)
    if isinstance(cfg := getattr(network, "pretrained_cfg", None), Mapping):
        return _of_timm(network, cfg, name, channels, sized=sized)
    return Habit()


def with_torchvision(habit: Habit, network: nn.Module, name: str, channels: int, classes: int) -> Habit:
    """`habit`, completed with what torchvision's weights expect; the number of `classes` tells what they were."""
    family = _torchvision_part(network)
    if habit != Habit() or family is None or channels != len(IMAGENET_MEAN):
        return habit
    expected = "ImageNet's mean (0.485, 0.456, 0.406) and standard deviation (0.229, 0.224, 0.225)"
    if family is network and classes == _IMAGENET_CLASSES:
        note = (
            f"Pictures are normalised with {expected}, as torchvision's weights of {name} expect; pass "
            "`preprocess=weights.transforms()` for their exact resizing too."
        )
        return replace(habit, mean=IMAGENET_MEAN, std=IMAGENET_STD, note=note)
    note = (
        f"Pictures are given to {name} in 0..1, without normalisation. Its {type(family).__name__} is torchvision's, "
        f"whose weights expect {expected}: if it was trained on such pictures, pass these as `mean` and `std`."
    )
    return replace(habit, note=note)


def _torchvision_part(network: nn.Module) -> nn.Module | None:
    """The network itself or the first module in it that is one of torchvision's own."""
    ours = (module for module in network.modules() if type(module).__module__.startswith("torchvision.models."))
    return next(ours, None)


def _of_timm(network: nn.Module, cfg: Mapping[str, Any], name: str, channels: int, *, sized: bool) -> Habit:
    mean, std = (tuple(float(value) for value in cfg.get(key) or ()) for key in ("mean", "std"))
    if len(mean) != channels or len(std) != channels:
        note = (
            f"Pictures are given to {name} in 0..1, without normalisation: pass `mean` and `std` of {channels} values."
        )
        return Habit(note=note)
    known = f"mean {_told(mean)}, standard deviation {_told(std)}"
    note = f"Pictures are normalised as timm's weights of {name} expect ({known})."
    data = sys.modules.get("timm.data")  # whoever holds a network of timm has imported it
    if sized or data is None:
        return Habit(mean=mean, std=std, note=note)
    transform = data.create_transform(**data.resolve_data_config({}, model=network))
    return Habit(preprocess=transform, note=note)


def _told(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"


def _of_hugging_face(config: Any, name: str) -> Habit:
    labels = dict(config.id2label)
    named = {index: label for index, label in labels.items() if str(label) != f"LABEL_{index}"}
    size = getattr(config, "image_size", None)
    processor = _processor_of(str(getattr(config, "_name_or_path", "") or ""))
    if processor is None:
        note = (
            f"Pictures are given to {name} in 0..1, without normalisation, as its image processor is not known: "
            "pass it as `preprocess`."
        )
        return Habit(size=size if isinstance(size, int) else None, class_names=named or None, note=note)
    note = f"Pictures are prepared by the image processor that belongs to {name}."
    return Habit(preprocess=as_preprocess(processor), class_names=named or None, note=note)


def _processor_of(path: str) -> object | None:
    """The image processor stored beside the weights at `path`, where it is on this machine."""
    transformers: Any = sys.modules.get("transformers")
    if not path or transformers is None:
        return None
    try:
        processor: object = transformers.AutoImageProcessor.from_pretrained(path, local_files_only=True)
    except Exception:  # it may not be stored here, or need packages that are missing
        return None
    return processor
