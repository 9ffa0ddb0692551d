"""Which of the tensors that a network returns are its class scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier.wording import short_repr, summarize_error
from cnnviz_widgets.errors import ClassifierError

Key = int | str
#: Where the scores are in what a network returns: an index, a key or an attribute's name; a path of such; or a function
#: that takes them out. An empty path: the network returns nothing else.
Output = Key | tuple[Key, ...] | Callable[[Any], Any]
Path = tuple[Key, ...]

#: Of several outputs those under the first of these names are explained, under another one of them only if it is alone.
_LOGITS, _OTHERS = "logits", ("output", "out", "scores")
#: What is under these names is no class score unless somebody says so.
_FEATURES = ("pooler_output", "last_hidden_state", "hidden_states", "features", "embedding", "embeddings")
#: So deep are tuples, dicts and objects looked into: deeper ones may hold themselves.
_DEEPEST = 4
_WRAP = "wrap it in a module whose forward returns one row of class scores for each picture"


def check_output(output: object) -> Output | None:
    """`output` if it may say where scores are; an index, key or name as a path. Raises ClassifierError."""
    path = output if isinstance(output, tuple) else (output,)
    if output is None or callable(output):
        return cast("Output | None", output)
    if any(isinstance(key, bool) or not isinstance(key, int | str) for key in path):
        raise ClassifierError(
            "`output` is the index, key or attribute of the class scores in what the network returns, a tuple of such, "
            f"or a function, not {short_repr(output)}."
        )
    return cast("Output", path)


def choose_output(output: object, batch: int, network: str, named: Callable[[int], bool]) -> tuple[Path, str]:
    """Where the scores are in what a network returned for `batch` pictures, and a note if a name decided.

    `named` says whether there are names for so many classes. Raises ClassifierError where no tensor fits, or several
    that differ do and nothing decides.
    """
    found = {} if _has_boxes(output) else _candidates(output, batch)
    if not found:
        raise _unfit(output, network)
    several = _different(found)
    left = [path for path, scores in several.items() if named(scores.shape[1])] or list(several)
    if len(set_apart := _set_apart(left)) > 1:
        raise ClassifierError(
            f"{network} returns several possible class scores, {_listed(several)}; say which by "
            "`Classifier(network, output=...)`, or give as many `class_names` as one of them has columns."
        )
    (path,) = set_apart
    if path and path[-1] in _FEATURES and not named(several[path].shape[1]):
        raise ClassifierError(
            f"{network} returns features, output={_shown(path)} {tuple(several[path].shape)}, but no class scores; "
            "pass the network with its classifying layer, or give `output` if these are scores."
        )
    clear = _LOGITS in path or not (len(left) > 1 or any(_LOGITS in other for other in several))
    note = f"Of what {network} returns, output={_shown(path)} is explained; there is {_listed(several)}."
    return path, "" if clear else note


def scores_at(output: object, where: Output, batch: int, network: str) -> Tensor:
    """The scores (batch, K) at a place of what a network returned. Raises ClassifierError.

    Scores that lost an axis of length 1 to a `squeeze` get it back.
    """
    value = output
    if callable(where):
        try:
            value = where(output)
        except Exception as error:
            raise ClassifierError(
                f"`output` failed on what {network} returns, {_told(output)} ({summarize_error(error)}); it must "
                "return a row of class scores for each picture."
            ) from None
    else:
        for key in where if isinstance(where, tuple) else (where,):
            value = _item(value, key, output, where, batch, network=network)
    rows = _rows(value, batch, squeezed=True)
    if rows is None and value is output:
        raise _unfit(output, network)
    if rows is None:
        raise ClassifierError(
            f"`output` {_shown(where)} of {network} is {_told(value)}, not a row of class scores for each picture; "
            f"{_choices(output, batch)}."
        )
    return rows


def not_finite(network: str, autocast: str | None) -> ClassifierError:
    """What to raise where scores are NaN or infinite."""
    narrow = ", or choose bfloat16 for `autocast`" if autocast == "float16" else ""
    return ClassifierError(
        f"{network} answered with NaN or infinite scores; check its weights and the range of its input{narrow}."
    )


def _item(value: object, key: Key, output: object, where: Output, batch: int, *, network: str) -> object:
    if isinstance(value, Tensor):
        raise ClassifierError(f"{network} returns a tensor, which has no {_shown(where)}; leave `output` out.")
    try:
        if isinstance(key, str) and not isinstance(value, Mapping):
            return getattr(value, key)
        return cast("Any", value)[key]
    except (LookupError, AttributeError, TypeError):
        raise ClassifierError(
            f"{network} returns nothing at output={_shown(where)}; {_choices(output, batch)}."
        ) from None


def _candidates(output: object, batch: int) -> dict[Path, Tensor]:
    """The tensors that may be scores, (batch, K), by where they are."""
    if isinstance(output, Tensor):
        rows = _rows(output, batch, squeezed=True)
        return {} if rows is None else {(): rows}
    tensors = dict(_tensors(output))
    for squeezed in (False, True):
        fitting = {path: _rows(tensor, batch, squeezed) for path, tensor in tensors.items()}
        found = {path: rows for path, rows in fitting.items() if rows is not None}
        if found:
            return found
    return {}


def _tensors(output: object, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(output, Tensor):
        yield path, output
    elif len(path) < _DEEPEST:
        for key, value in _items(output):
            yield from _tensors(value, (*path, key))


def _items(output: object) -> Iterator[tuple[Key, object]]:
    """What a tuple, list, dict, dataclass or other object holds, by index, key or name."""
    if isinstance(output, Mapping):
        yield from ((key, value) for key, value in output.items() if isinstance(key, int | str))
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        yield from zip(output._fields, output, strict=True)
    elif isinstance(output, list | tuple):
        yield from enumerate(output)
    elif not isinstance(output, nn.Module | type) and hasattr(output, "__dict__"):
        names = dict.fromkeys(name for name in vars(output) if not name.startswith("_"))
        if dataclasses.is_dataclass(output):
            names |= dict.fromkeys(field.name for field in dataclasses.fields(output))
        # It may be computed when it is asked for.
        for name in [*names, *({_LOGITS} - names.keys())]:
            yield name, getattr(output, name, None)


def _rows(value: object, batch: int, squeezed: bool) -> Tensor | None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return None
    if squeezed and value.ndim < 2:
        value = value.reshape(1, -1) if batch == 1 else value[:, None] if value.shape == (batch,) else value
    if value.ndim > 2 and all(side == 1 for side in value.shape[2:]):
        value = value.flatten(1)
    return value if value.ndim == 2 and len(value) == batch and value.shape[1] > 0 else None


def _different(found: Mapping[Path, Tensor]) -> dict[Path, Tensor]:
    """Those candidates that are no copy of one before, nor the softmax of another one."""
    kept: dict[Path, Tensor] = {}
    for path, scores in found.items():
        alike = [other for other in found.values() if other.shape == scores.shape]
        copied = any(other.shape == scores.shape and torch.equal(other, scores) for other in kept.values())
        if not copied and not any(_is_softmax_of(scores, other) for other in alike):
            kept[path] = scores
    return kept


def _is_softmax_of(scores: Tensor, other: Tensor) -> bool:
    if scores.shape[1] == 1 or torch.equal(scores, other):
        return False
    slack = 1e-4 if scores.dtype.itemsize >= 4 else 1e-2
    logs, scores = other.detach().float().log_softmax(1), scores.detach().float()
    return any(torch.allclose(made, scores, rtol=slack, atol=1e-7) for made in (logs, logs.exp()))


def _set_apart(paths: Sequence[Path]) -> Sequence[Path]:
    """The one path that its name sets apart, or else all of them."""
    depths = {path: path.index(_LOGITS) for path in paths if _LOGITS in path}
    outermost = [path for path, depth in depths.items() if depth == min(depths.values())]
    others = [path for path in paths if path and path[-1] in _OTHERS]
    some = outermost or others
    return some if len(some) == 1 else paths


def _unfit(output: object, network: str) -> ClassifierError:
    mend = f"{_WRAP}, a tensor (N, K)"
    if output is None:
        mend = "end its forward with `return` and the class scores"
    elif type(output).__module__ == "numpy":
        mend = "return the scores themselves, without `.numpy()`"
    elif _has_boxes(output):
        mend = f"it is a detector: {_WRAP}"
    return ClassifierError(
        f"{network} must return a row of class scores for each picture, a tensor (N, K), not {_told(output)}; {mend}."
    )


def _has_boxes(output: object) -> bool:
    several = isinstance(output, list | tuple)
    return any("boxes" in dict(_items(item)) for item in (cast("Sequence[Any]", output) if several else [output]))


def _choices(output: object, batch: int) -> str:
    found = _candidates(output, batch)
    return f"choose {_listed(found)}" if found and () not in found else f"{_WRAP}, and leave `output` out"


def _listed(found: Mapping[Path, Tensor]) -> str:
    parts = [f"output={_shown(path)} {tuple(scores.shape)}" for path, scores in list(found.items())[:8]]
    return " or ".join(parts) + (", ..." if len(found) > 8 else "")


def _shown(where: Output) -> str:
    if callable(where):
        return getattr(where, "__name__", type(where).__name__)
    return repr(where[0] if isinstance(where, tuple) and len(where) == 1 else where)


def _told(output: object) -> str:
    if not isinstance(output, Tensor):
        return f"a {type(output).__name__}"
    kind = "" if output.is_floating_point() else f"{output.dtype} "
    return f"a {kind}tensor of shape {tuple(output.shape)}"
