"""What a comparison says, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.comparison.difference import MapDifference
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import amount
from cnnviz_widgets.views.parts.probing import Probe
from cnnviz_widgets.views.parts.scales import short

#: Points of a percentage that are not worth a number.
_NOTHING = 0.05
_MINUS = "\N{MINUS SIGN}"
#: From here on two maps order most pairs of cells the other way round.
_REVERSED = -0.3


def title(panel: Panel, letter: str, differs: Collection[str]) -> str:
    """What one side shows that the other does not: "A: network 1"."""
    session, parts = panel.session, []
    if "networks" in differs:
        parts.append(session.classifier.name)
    if "pictures" in differs and session.picture is not None:
        parts.append(session.picture.name or "a picture")
    if "methods" in differs:
        method = getattr(panel, "technique", None)
        parts.append(getattr(method, "label", type(panel).__name__))
    if "classes" in differs:
        parts.append(chosen(panel))
    return f"{letter}: {', '.join(parts)}" if parts else letter


def answer(example: Example, panel: Panel, differs: Collection[str]) -> str:
    """What a network says of the whole picture: its answer, or the score of the class where these differ."""
    classifier, target = example.classifier, panel.session.target
    index = example.predicted if target is None or "classes" not in differs else target
    value = amount(classifier, float(example.probabilities[index]))
    return value if index == target and "classes" in differs else f"{classifier.class_names[index]} {value}"


def chosen(panel: Panel) -> str:
    """The class that is looked at, as it was chosen."""
    session = panel.session
    names = session.classifier.class_names
    name = "the predicted class" if session.target is None else str(names[session.target])
    return name if session.against is None else f"{name} minus {names[session.against]}"


def differing(differs: Sequence[str]) -> str:
    """What the two views differ in; everything else is linked."""
    if not differs:
        return "Nothing differs: both show the same, and one hand moves both."
    listed = " and ".join(filter(None, [", ".join(differs[:-1]), differs[-1]]))
    return f"A and B differ in their {listed}; one hand moves everything else in both."


def agreeing(agreement: float) -> str:
    """The rank correlation of two maps, to two decimals."""
    return f"{agreement:.2f}".replace("-", _MINUS)


def covered(first: Probe, second: Probe, difference: MapDifference | None) -> str:
    """What the patch does to the class in both."""
    probes = (first, second)
    names = [str(probe.example.classifier.class_names[probe.class_index]) for probe in probes]
    lost = [_lost(probe) for probe in probes]
    unit = "points" if all(probe.example.classifier.scores != "none" for probe in probes) else "of the score"
    takes = [value > -_NOTHING for value in lost]
    values = [_value(value) for value in lost]
    whose = "" if names[0] == names[1] else f" {'from' if takes[1] else 'to'} {names[1]}"
    if takes[0]:
        begin = f"takes {values[0]} {unit} from {names[0]} in A"
        end = f"{'and' if takes[1] else ', and gives'} {values[1]}{whose} in B"
    else:
        begin = f"gives {values[0]} {unit} to {names[0]} in A"
        end = f"{', and takes' if takes[1] else 'and'} {values[1]}{whose} in B"
    text = f"Covering this spot {begin} {end}.".replace(" ,", ",")
    agreement = None if difference is None else difference.agreement
    return text if agreement is None else f"{text} The maps agree by {agreeing(agreement)}."


def _lost(probe: Probe) -> float:
    """Points of percentage that the patch takes from the class, or how far it lowers the score."""
    classifier, index = probe.example.classifier, probe.class_index
    if classifier.scores == "none":
        return probe.drop
    now = classifier.readout.probabilities(probe.logits)
    return 100 * float(probe.example.probabilities[index] - now[index])


def _value(lost: float) -> str:
    return "0" if abs(lost) < _NOTHING else short(round(abs(lost), 1) if abs(lost) < 10 else round(abs(lost)))


def mapped(panels: Sequence[Panel], heatmaps: Sequence[Heatmap], difference: MapDifference) -> str:
    """How far two maps agree, and of what they are."""
    names = [
        str(panel.session.classifier.class_names[of.target.index]) for panel, of in zip(panels, heatmaps, strict=True)
    ]
    what = f"of {names[0]}" if names[0] == names[1] else f"of {names[0]} and {names[1]}"
    if difference.agreement is None:
        return f"One of the maps {what} is the same everywhere, so that there is no agreement to be measured."
    grid = difference.counted.split()[-1]
    text = f"The maps {what} agree by {agreeing(difference.agreement)}"
    if difference.agreement <= _REVERSED:
        return f"{text}: they order the {grid} the other way round."
    return f"{text}."


def counted(difference: MapDifference) -> str:
    """What the agreement was taken of, and how it is read."""
    if difference.agreement is None:
        return ""
    return (
        f"Agreement of the maps {agreeing(difference.agreement)}: rank correlation of {difference.counted}; 1 is the "
        f"same order, {_MINUS}1 the reverse."
    )


def answers(examples: Sequence[Example], probes: Sequence[Probe] = ()) -> str:
    """Whether both say the same of the whole picture, and with the patch on."""
    parts = [f"whole picture: {_same_answer([(one, one.logits) for one in examples])}"]
    if len(probes) == 2:
        parts.append(f"patch on: {_same_answer([(probe.example, probe.logits) for probe in probes])}")
    return f"Same answer, {'; '.join(parts)}."


def _same_answer(said: Sequence[tuple[Example, Any]]) -> str:
    found = []
    for example, logits in said:
        classifier = example.classifier
        best = int(logits.argmax())
        value = amount(classifier, float(classifier.readout.probabilities(logits)[best]))
        found.append((str(classifier.class_names[best]), value))
    (one, first), (other, second) = found
    if one == other:
        return f"yes, {one} ({first}, {second})"
    return f"no, {one} {first} in A and {other} {second} in B"
