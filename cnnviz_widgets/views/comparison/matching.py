"""What differs between two views, and which class and layer of one network answers to which of another."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.panel import Panel

#: What two views may differ in.
KINDS = ("networks", "pictures", "methods", "classes")
#: Parameters that follow from a network's input size, or change no result.
_NO_CHOICE = ("layer", "stride", "batch")


def differences(first: Panel, second: Panel) -> tuple[str, ...]:
    """Those of `KINDS` in which two views differ."""
    one, other = first.session, second.session
    found = {
        "networks": not same_network(one.classifier, other.classifier),
        "pictures": not same_picture(one.picture, other.picture),
        "methods": not _same_method(first, second),
        "classes": chosen_classes(one) != chosen_classes(other),
    }
    return tuple(kind for kind in KINDS if found[kind])


def chosen_classes(session: Session) -> tuple[str | None, str | None]:
    """The names of the class that was chosen and of the one that is subtracted; None where none was."""
    names = session.classifier.class_names
    target, against = (None if index is None else names[index] for index in (session.target, session.against))
    return target, against


def same_network(one: Classifier, other: Classifier) -> bool:
    """Whether two classifiers ask one network in one way."""
    if one is other:
        return True
    asked = [(made.class_names, made.input_size, made.autocast, made.scores) for made in (one, other)]
    return one.network is other.network and asked[0] == asked[1]


def same_picture(one: Picture | None, other: Picture | None) -> bool:
    """Whether two pictures have the same pixels; a view without a picture takes the other's."""
    if one is None or other is None or one is other:
        return True
    return all(_same_values(getattr(one, name), getattr(other, name)) for name in ("image", "tensor", "bands"))


def _same_values(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    values = np.asarray(one), np.asarray(other)
    return values[0].dtype == values[1].dtype and np.array_equal(*values)


def _same_method(first: Panel, second: Panel) -> bool:
    if type(first) is not type(second):
        return False
    methods: list[Any] = [getattr(getattr(panel, "choice", None), "value", None) for panel in (first, second)]
    one, other = methods
    if type(one) is not type(other) or one is None:
        return one is other
    sized = first.session.classifier.input_size == second.session.classifier.input_size
    ignored = _NO_CHOICE if sized else (*_NO_CHOICE, "window")
    values = [{field.name: getattr(method, field.name) for field in dataclasses.fields(method)} for method in methods]
    return all(values[0][name] == values[1][name] for name in values[0] if name not in ignored)


def same_class(index: int, source: Classifier, destination: Classifier) -> int | None:
    """The class of `destination` that has the name of class `index` of `source`; None where it has none.

    Of several classes of one name the first answers to the first, the second to the second.
    """
    names = source.class_names
    if names == destination.class_names:
        return index
    before = names[:index].count(names[index])
    places = [place for place, name in enumerate(destination.class_names) if name == names[index]]
    return places[before] if before < len(places) else None


def same_layers(one: Classifier, other: Classifier) -> bool:
    """Whether two networks have layers of the same names, with as many channels each."""
    layers = [[(layer.name, layer.shape[0]) for layer in classifier.layers] for classifier in (one, other)]
    return layers[0] == layers[1]


def same_layer(name: str, source: Classifier, destination: Classifier) -> str:
    """The layer of `destination` that answers to a layer of `source`.

    That of the same name where all names are the same; the default layer for the default layer; else the one at the
    same share of all layers, in the order in which they run.
    """
    names, others = ([layer.name for layer in classifier.layers] for classifier in (source, destination))
    if names == others:
        return name
    if name == source.default_layer or name not in names:
        return destination.default_layer
    share = names.index(name) / max(1, len(names) - 1)
    return others[round(share * (len(others) - 1))]
