"""Which tensors of a forward pass all evidence passes through: read off the graph of its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import grad
from torch.autograd.graph import GradientEdge, Node


def edge_of(tensor: Tensor) -> GradientEdge | None:
    """Where a tensor stands in the graph now; operations in place move it on later."""
    return GradientEdge(tensor.grad_fn, tensor.output_nr) if tensor.grad_fn is not None else None


def reaches(scores: Tensor, pixels: Tensor, without: GradientEdge | None = None) -> bool:
    """Whether `scores` depend on the leaf `pixels`, also when one edge of the graph between them is cut."""
    if scores.grad_fn is None:
        return False
    cut = None if without is None else (without.node, without.output_nr)
    if cut == (scores.grad_fn, scores.output_nr):
        return False
    # Kept in a set, as a node's identity lasts no longer than its Python object.
    seen: set[Node] = {scores.grad_fn}
    waiting: list[Node] = [scores.grad_fn]
    while waiting:
        node = waiting.pop()
        if getattr(node, "variable", None) is pixels:
            return True
        for following, number in node.next_functions:
            if following is not None and following not in seen and (following, number) != cut:
                seen.add(following)
                waiting.append(following)
    return False


def gradients(scores: Tensor, edges: Sequence[GradientEdge]) -> list[Tensor | None]:
    """Gradients of a mixture of all scores (1, K) at some edges of their graph; None where they do not depend on it.

    All are None where the network cannot be differentiated as it is, as when it changes in place what it needs again.
    """
    if not edges:
        return []
    with torch.inference_mode(False), torch.enable_grad():
        weights = torch.linspace(0.5, 1.5, scores.numel(), device=scores.device).cos().reshape(scores.shape)
        try:
            return list(grad((scores * weights).sum(), edges, retain_graph=True, allow_unused=True))
        except RuntimeError:
            return [None] * len(edges)
