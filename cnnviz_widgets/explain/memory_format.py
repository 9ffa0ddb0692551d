"""Which of torch's two memory layouts of a batch of pictures a network bears."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.errors import ClassifierError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: Runs pictures of a slice in a layout and answers with their logits.
Run = Callable[[torch.memory_format, slice], Tensor]

USUAL = torch.contiguous_format
#: On a CPU a batch's forward pass is up to twice as fast in this layout, but `view` may not bear it.
QUICK = torch.channels_last

#: How many pictures at once a network has been seen to answer for in the quick layout, up to 2; 0 if it does not.
_proven: WeakKeyDictionary[Classifier, int] = WeakKeyDictionary()

#: What a network may ask of a tensor that tells the layouts apart; all else goes by rows and columns.
_TELLING = {"as_strided", "as_strided_", "as_strided_scatter", "data_ptr", "is_contiguous", "numpy", "resize_", "set_"}
_TELLING |= {"storage", "storage_offset", "stride", "untyped_storage", "__array__", "__dlpack__"}


def layout_for(classifier: Classifier) -> torch.memory_format:
    """The quicker layout that the network has not been seen to fail in."""
    return QUICK if classifier.device.type == "cpu" and _proven.get(classifier.original) != 0 else USUAL


def run_in_a_layout(classifier: Classifier, part: slice, run: Run) -> Tensor:
    """Logits of the pictures of a slice, in the quick layout where the network answers in it, and the same.

    One that asks how a tensor lies in memory is compared with itself in the usual layout. Raises ClassifierError.
    """
    layout = layout_for(classifier)
    # One picture proves nothing for several: with one channel it has the same strides in both layouts.
    few = slice(part.start, min(part.start + 2, part.stop))
    size = few.stop - few.start
    if layout is USUAL or _proven.get(classifier.original, 0) >= size:
        return run(layout, part)
    try:
        with _Watch() as watch:
            logits = run(QUICK, part)
    except ClassifierError as error:
        if memory.ran_out(error):
            raise
        refused = True
    else:
        refused = False
    if refused:
        logits = run(USUAL, part)
        _proven[classifier.original] = 0
    elif watch.told and not _are_near(classifier, logits[:size], run(USUAL, few)):
        _proven[classifier.original] = 0
        logits = run(USUAL, part)
    else:
        _proven[classifier.original] = size
    return logits


def _are_near(classifier: Classifier, found: Tensor, expected: Tensor) -> bool:
    """Whether logits differ by no more than what the order of sums makes."""
    exact = classifier.autocast is None and classifier.dtype.itemsize >= 4
    return bool((found - expected).abs().max() <= (1e-3 if exact else 0.03) * expected.abs().max())


class _Watch(TorchFunctionMode):
    """Sees whether a network asks how a tensor lies in memory."""

    told = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.told |= getattr(func, "__name__", "") in _TELLING
        return func(*args, **(kwargs or {}))
