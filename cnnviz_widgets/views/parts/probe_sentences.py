"""What is said of a patch on the picture, and of a map under way."""

from __future__ import annotations

from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.views.parts.controls import amount
from cnnviz_widgets.views.parts.probing import OcclusionSetup, Probe
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scores import entropy

_ARROW = " \N{RIGHTWARDS ARROW} "


def effect_of(probe: Probe) -> str:
    """What the patch does to the class, in one line."""
    classifier, index = probe.example.classifier, probe.class_index
    now, whole = classifier.readout.probabilities(probe.logits), probe.example.probabilities
    names, winner = classifier.class_names, int(probe.logits.argmax())
    ends = _ARROW.join(amount(classifier, float(values[index])) for values in (whole, now))
    text = f"{names[index]}: {ends}, drop of the {score_name(classifier)} {short(probe.drop)}"
    if classifier.scores != "none":
        bits = (f"{entropy(values, classifier.scores):.2f}" for values in (whole, now))
        text += f"; entropy {_ARROW.join(bits)} bits"
    if winner != probe.example.predicted:
        text += f"; {'' if classifier.scores == 'softmax' else 'highest '}now {names[winner]}"
    return f"{text} (read off a window nearby)" if probe.interpolated else text


def map_summary(setup: OcclusionSetup, heatmap: Heatmap) -> str:
    """Of what the map is, how far it is, and what its technique notes, in one line."""
    made = "whole map" if heatmap.progress >= 1 else f"{heatmap.progress:.0%} of the map"
    text = f"{heatmap.quantity} for {setup.example.classifier.class_names[setup.class_index]}: {made}"
    return f"{text}. {heatmap.note}" if heatmap.note else text
