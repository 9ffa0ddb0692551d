"""Class scores in words: probabilities that compete, probabilities by themselves, or plain numbers."""

from __future__ import annotations

import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.parts.controls import amount


def score_name(classifier: Classifier) -> str:
    """What the explained score of a class is called."""
    return classifier.readout.worded("logit")


def verdict(example: Example, what: str, most: int) -> str:
    """What the network says of `what`, a picture, as a sentence that lists at most `most` classes."""
    classifier, values = example.classifier, example.probabilities
    best = [int(index) for index in np.argsort(-values)[:most]]
    parts = [f"{classifier.class_names[index]} {amount(classifier, float(values[index]))}" for index in best]
    listed = ", ".join(parts)
    if classifier.scores == "none":
        return f"Scores of {classifier.name} for {what}: {listed}."
    if classifier.scores == "softmax":
        return f"{classifier.name} takes {what} for: {listed}."
    if len(values) == 1:
        return f"{classifier.name} on {what}: probability of {listed}."
    present = int((values > 0.5).sum())
    if not present:
        return f"{classifier.name} finds none of its classes in {what}; highest: {listed}."
    more = f", and {present - most} more" if present > most else ""
    return (
        f"{classifier.name} finds in {what}: {', '.join(parts[:present])}{more} "
        "(each by itself, more than one may be present)."
    )
