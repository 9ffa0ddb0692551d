"""Layers by where they stand: the stage, a run of layers of one resolution, and the place in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier, Layer


def slidable(classifier: Classifier) -> list[Layer]:
    """The layers worth a stop on the slider: convolutions, blocks and the default target layer."""
    return [layer for layer in classifier.layers if layer.role != "other" or layer.name == classifier.default_layer]


def staged_names(classifier: Classifier, language: str | None = "en") -> dict[str, str]:
    """Each layer's name -> what it is called for a person: the stage, the place in it, and the resolution.

    Stages and places count the slider's stops; another layer is called after the stop beside it of its resolution.
    """
    text = partial(_text, language)
    places = _places(slidable(classifier), language)
    layers, named = classifier.layers, {}
    for number, layer in enumerate(layers):
        size = {"h": str(layer.shape[1]), "w": str(layer.shape[2])}
        before = next((known for known in reversed(layers[: number + 1]) if known.name in places), None)
        after = next((known for known in layers[number:] if known.name in places), None)
        for neighbour, kind in ((before, "after"), (after, "before")):
            if neighbour is not None and neighbour.shape[1:] == layer.shape[1:]:
                stage, place = places[neighbour.name]
                said = place if neighbour is layer else text(kind, place=place)
                named[layer.name] = text("stage", s=stage, place=said, **size)
                break
        else:
            s, t = (None if known is None else places[known.name][0] for known in (before, after))
            kind = "ahead" if s is None else "behind" if t is None else "within" if s == t else "between"
            named[layer.name] = text("other", place=text(kind, s=s, t=t), **size)
    return named


def staged_name(classifier: Classifier, layer: str) -> str:
    """What a layer is called for a person; the name itself where the network has no such layer."""
    return staged_names(classifier).get(layer, layer)


def _places(stops: Sequence[Layer], language: str | None) -> dict[str, tuple[int, str]]:
    """The stage of each stop, from 1, and its place there."""
    places = {}
    for stage, (_, run) in enumerate(groupby(stops, key=lambda layer: layer.shape[1:]), 1):
        members = list(run)
        for number, layer in enumerate(members, 1):
            kind = "first" if number == 1 else "last" if number == len(members) else "number"
            places[layer.name] = stage, _text(language, kind, n=number)
    return places


def _text(language: str | None, kind: str, **values: object) -> str:
    return words.text(f"layer_name.{kind}", language, **values)


def describe_layer(layer: Layer) -> str:
    """A layer's own name, type and output shape."""
    return f"{layer.name} \N{MIDDLE DOT} {layer.kind}, " + " \N{MULTIPLICATION SIGN} ".join(map(str, layer.shape))
