"""What helps when a network raises."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ClassifierError

_WRAP = "wrap it in a module whose forward takes one tensor of pictures (N, C, H, W) and"
_BATCH_STATISTICS = "more than 1 value per channel"
#: What a message says where a tensor without gradients is asked for one: nothing that another input would mend.
_GRADIENT = r"require(s?_| )grad|requires? gradient|retain_grad|register_hook|register a hook|does not have a grad_fn"
#: Patterns of messages, in the order in which they are tried, and what helps. None of it is a matter of size.
_MENDS = (
    (_GRADIENT, "remove `register_hook`, `retain_grad` or `no_grad` from its forward"),
    (_BATCH_STATISTICS, "give its batch norms running statistics (`track_running_stats=True`)"),
    (r"missing \d+ required .*argument|positional arguments? but", f"{_WRAP} fills in its other arguments"),
    (r"list of.*tensor", f"it seems to be a detector: {_WRAP} returns one row of class scores for each"),
    (r"on the same device", "move all of it to one device with `.to(device)`"),
    (r"scalar type|should be the same|not implemented for '|same dtype|(Long|Int)Tensor|dtypes? mismatch",
     f"call its `.float()`, or {_WRAP} makes of them what it takes"),
    (r"to have \d+ channels", "give it a `preprocess` that makes as many channels"),
    (r"not enough values to unpack|[Ee]xpected \dD|too many indices|out of bounds for dimension 0"
     r"|'Tensor' object has no attribute|argument after \*",
     f"{_WRAP} hands it the dict, list or tensors that it expects"),
)  # fmt: skip
#: Errors that are no matter of size, whatever they say.
_NEVER = (TypeError, AttributeError, LookupError, NameError, ImportError, NotImplementedError)
_SIZES = re.compile(
    r"size|shape|mat1|dimension|height|width|kernel|resolution|pooling|patch|\bview\b|pixels|divisible|\d+ ?x ?\d+",
    re.I,
)


def wants_graph(error: BaseException | None) -> bool:
    """Whether a network failed because its tensors took no part in a graph, as in `no_grad`."""
    return isinstance(error, RuntimeError) and re.search(_GRADIENT, str(error)) is not None


def size_may_help(error: BaseException | None) -> bool:
    """Whether a network that raised this may run on pictures of another size."""
    if isinstance(error, _NEVER) or memory.ran_out(error):
        return False
    return not any(re.search(pattern, str(error)) for pattern, _ in _MENDS)


def mend(error: BaseException) -> str:
    """What helps a network that raised this, as a clause."""
    text = str(error)
    if memory.ran_out(error):
        return "give it fewer or smaller pictures at once"
    for pattern, helps in _MENDS:
        if re.search(pattern, text):
            return helps
    if isinstance(error, AttributeError | NameError | ImportError | NotImplementedError):
        return "mend its forward"
    if isinstance(error, _NEVER):
        return f"{_WRAP} hands it what it expects"
    if is_of_shapes(error):
        return "check `input_size` and `preprocess`"
    return "check its forward, and `preprocess`, which makes its input"


def of_pass(name: str, shape: tuple[int, ...], error: Exception) -> ClassifierError:
    """What to raise where a network raised on an input of that shape."""
    return ClassifierError(f"{name} failed on an input of shape {shape} ({summarize_error(error)}); {mend(error)}.")


def of_all_sizes(name: str, failed: Sequence[ClassifierError]) -> ClassifierError:
    """What to raise where a network ran on none of the usual sizes, of what was raised there."""
    first = next((error for error in failed if size_may_help(error.__cause__)), failed[0])
    cause = first.__cause__
    alike = len(failed) > 1 and len({str(error.__cause__) for error in failed}) == 1
    if cause is None or not size_may_help(cause) or (alike and not is_of_shapes(cause)):
        return first
    return ClassifierError(
        f"{name} takes none of the usual input sizes; give `input_size` (at 224 x 224: {summarize_error(cause)})."
    )


def is_of_shapes(error: BaseException) -> bool:
    """Whether an error may come of the shape of what the network was given."""
    return _SIZES.search(str(error)) is not None or (isinstance(error, AssertionError) and not str(error))
