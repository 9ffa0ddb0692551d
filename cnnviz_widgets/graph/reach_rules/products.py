"""Matrix products and attention."""

from __future__ import annotations

from cnnviz_widgets.graph.reach_rules.bounds import Bounds, Known, union, without_repeats
from cnnviz_widgets.tracing.trace import Call


def follow_product(call: Call, known: Known) -> Bounds | None:
    """Matrix products: an element sees its row of the first and its column of the second matrix."""
    named = call.arguments
    first, second = (named.get(name) for name in (("mat1", "mat2") if "mat1" in named else ("self", "mat2")))
    if "batch1" in named:
        first, second = named["batch1"], named["batch2"]
    terms = []
    for factor, dim in ((first, -1), (second, -2)):
        bounds = known.of(factor)
        if bounds is not None:
            terms.append(tuple(without_repeats(bound, bound.ndim + dim).amax(dim, keepdim=True) for bound in bounds))
    added = known.of(named["self"]) if first is not named["self"] else None
    return union([*terms, added] if added is not None else terms, known.output_shape(call))


def follow_attention(call: Call, known: Known) -> Bounds | None:
    """Every token of a head sees all its keys and values, and itself."""
    terms = []
    for name, dims in (("query", [-1]), ("key", [-1, -2]), ("value", [-1, -2])):
        bounds = known.of(call.arguments[name])
        if bounds is not None:
            terms.append(tuple(bound.amax(dims, keepdim=True) for bound in bounds))
    return union(terms, known.output_shape(call))
