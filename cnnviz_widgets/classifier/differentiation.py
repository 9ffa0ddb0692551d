"""Gradients of scores, and why there are none: no gradient is not a gradient of zero."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ClassifierError, ExplanationError, MethodError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

INSTEAD = "use Occlusion or RISE, which need no gradients"
#: What autograd does not follow.
CUTS = "`detach`, `no_grad`, `.data`, NumPy or integer arithmetic"
#: Classifiers whose forward pass has been looked through.
_KNOWN: weakref.WeakSet[Classifier] = weakref.WeakSet()
#: Functions that turn values into integers, which have no gradients; unlike comparisons and places of maxima they keep
#: what the values are.
_CASTS = {"int", "long", "short", "char", "byte", "to", "type"}
_EXITS = {"numpy", "tolist", "__array__"}


def cut_off(name: str, what: str = "its input") -> MethodError:
    """That no gradient leads from the scores of the network `name` to `what`."""
    return MethodError(f"The scores of {name} are cut off from {what} by {CUTS} in its forward; {INSTEAD}.")


def gradients_of(
    classifier: Classifier, score: Tensor, tensors: Sequence[Tensor], *, again: bool = False
) -> tuple[Tensor | None, ...]:
    """d score / d tensor for each of `tensors`; None for one that autograd does not lead to. `again`: keep the graph.

    Taken while the network is evaluating, as a checkpointed one is run again for it. Raises MethodError where the
    score has no gradient at all, or the network is checkpointed in torch's old way, and ClassifierError.
    """
    if not score.requires_grad:
        raise cut_off(classifier.name)
    with torch.inference_mode(False), torch.enable_grad(), classifier.evaluating():
        try:
            return torch.autograd.grad(score, list(tensors), retain_graph=again or None, allow_unused=True)
        except ExplanationError:
            raise
        except Exception as error:
            if "use_reentrant" in str(error):
                raise MethodError(
                    f"{classifier.name} is checkpointed with `use_reentrant=True`, of which torch gives no gradients "
                    f"of layers; pass `use_reentrant=False` to `checkpoint`, or {INSTEAD}."
                ) from error
            raise ClassifierError(
                f"{classifier.name} could not be differentiated ({summarize_error(error)}); {INSTEAD}."
            ) from error


def leads_to(score: Tensor, leaf: Tensor) -> bool:
    """Whether autograd leads from a score to a leaf of its graph, such as the network input."""
    waiting, seen = [score.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            if getattr(node, "variable", None) is leaf:
                return True
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
    return False


@contextmanager
def looking_for_cuts(classifier: Classifier, pixels: Tensor) -> Iterator[Callable[[Tensor], None]]:
    """Follow the first forward pass on `pixels` in which gradients are wanted; to be called with its logits.

    Where values reach these on ways that autograd does not follow, beside others that it does, the classifier gets a
    note: a gradient is then only a part of what the scores do.
    """
    if classifier.original in _KNOWN:
        yield lambda logits: None
        return
    _KNOWN.add(classifier.original)
    cuts = _Cuts(pixels)

    def judge(logits: Tensor) -> None:
        if logits.requires_grad and (cuts.is_cut(logits) or cuts.left):
            classifier.note(
                f"Part of what reaches the scores of {classifier.name} passes `detach`, `no_grad`, NumPy or integer "
                "arithmetic, which gradients do not follow: Occlusion and RISE see all of it."
            )

    with cuts:
        yield judge


class _Cuts(TorchFunctionMode):
    """Knows of tensors that are computed from `pixels`, and whether some of that is lost to autograd."""

    def __init__(self, pixels: Tensor) -> None:
        #: Values have gone to NumPy or Python.
        self.left = False
        self._cut = WeakIdKeyDictionary()
        self._cut[pixels] = False

    def is_cut(self, tensor: Tensor) -> bool:
        return bool(self._cut.get(tensor, False))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        inputs = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf in self._cut]
        # Read before: an operation in place changes it.
        learns = any(tensor.requires_grad for tensor in inputs)
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name.startswith("new_") or name.endswith("_like"):
            return result  # made to measure, of other values
        if inputs and name in _EXITS:
            self.left = True
        for output in tree_leaves(result) if inputs else ():
            if isinstance(output, Tensor):
                exact = output.is_floating_point() or (name in _CASTS and output.dtype is not torch.bool)
                lost = exact and learns and not output.requires_grad
                self._cut[output] = lost or any(map(self.is_cut, inputs))
        return result
