"""Lists, tuples and dicts, as the arguments of an operation are, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils import _pytree as trees


def tensors_in(tree: Any) -> list[Tensor]:
    """The tensors in lists, tuples and dicts."""
    return [leaf for leaf in trees.tree_leaves(tree) if isinstance(leaf, Tensor)]


def substitute(tree: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """`tree` of lists, tuples and dicts with `by(item)` in place of each item of that kind."""
    if isinstance(tree, kind):
        return by(tree)
    if isinstance(tree, list | tuple):
        return type(tree)(substitute(item, kind, by) for item in tree)
    if isinstance(tree, dict):
        return {key: substitute(item, kind, by) for key, item in tree.items()}
    return tree
