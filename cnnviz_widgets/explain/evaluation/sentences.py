"""What may be said of a test of a map. No sentence says where a network looks, or gives a verdict from one draw."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"
#: A blob in the middle this near to the map, as an area, does as well: areas of one picture are no more exact.
NEAR = 0.05


def number(value: float) -> str:
    """An area or a correlation for a person: two decimals, a real minus sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", MINUS)


def verdict(area: float, at_random: float, middle: float) -> str:
    """The areas of a map, of random orders and of a blob in the middle, in two or three short sentences."""
    text = f"{number(area)} against {number(at_random)} at random. A blob in the middle reaches {number(middle)}."
    near = abs(middle - area) <= NEAR
    return f"{text} This picture cannot tell good maps from middling ones." if near else text


def of_order(area: float, at_random: float, middle: float, *, quantity: str, what: str) -> str:
    """What the areas are; `what` was put in a random order, "cells" or "pixels"."""
    return (
        f"Revealed in this map's order, the picture has an average {quantity} of {number(area)}; in a random order of "
        f"{what} {number(at_random)}, from the middle outwards {number(middle)}. "
        "This tests the order, not the reason."
    )


def same_for_any_class(correlation: float) -> str:
    """Of a map that hardly depends on its class."""
    return (
        "At this layer this technique draws nearly the same map for an unrelated class "
        f"(rank correlation {number(correlation)}); to ask about one class use Grad-CAM or an earlier layer."
    )


def two_maps(correlation: float, floor: float | None, which: str = "These two maps") -> str:
    """How like two maps are, beside those of two different photographs where that was measured."""
    text = f"{which} correlate at {number(correlation)}"
    if floor is None:
        return f"{text}."
    at = f"already do at about {number(floor)}" if floor >= NEAR else "do at about 0"
    return f"{text}; maps of two different photographs {at}."


def randomised(count: int, total: int, correlation: float, floor: float | None) -> str:
    """How like the map is to the one of the trained network."""
    if not count:
        return "This is the trained network: no layer is drawn anew."
    layers = "the last layer" if count == 1 else f"the last {count} of {total} layers"
    return f"With {layers} drawn anew: " + two_maps(correlation, floor, "this map and the trained network's")


def one_map(names: list[str]) -> str:
    """Of techniques that have drawn the same map."""
    return f"{', '.join(names[:-1])} and {names[-1]} are one map here: their agreement says nothing."
