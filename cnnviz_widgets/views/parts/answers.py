"""What a view found, as a sentence: pure functions from results to answers.

A sentence is a text of the catalogue, `answer.*`, with words put in. Numbers come with their sign, percentages without
the sign for percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.words import parts as pieces

_NINTHS = ("top_left", "top", "top_right", "left", "middle", "right", "bottom_left", "bottom", "bottom_right")
#: Percentage points; a smaller change is called next to nothing.
LEAST_POINTS = 0.5
#: Share of a change that is next to nothing where the scores are no probabilities.
_LEAST_SHARE = 0.005
#: From this trustworthiness on neighbours on a map are called true ones.
TRUE_NEIGHBOURS = 0.9
#: A picture is said to be of a class for sure from here on.
SURE = 0.99


@dataclass(frozen=True)
class Answer:
    """A sentence: its name below `answer.` and the words put in. A word that is an Answer is put in as text."""

    name: str
    words: Mapping[str, str | Answer | Sequence[Answer]]

    def parts(self, language: str | None = "en") -> list[tuple[str, bool]]:
        """The pieces of the sentence, each with whether it is bold."""
        values = {name: _text(word, language) for name, word in self.words.items()}
        return pieces(f"answer.{self.name}", language, **values)

    def text(self, language: str | None = "en") -> str:
        """The sentence as plain text."""
        return "".join(piece for piece, _ in self.parts(language))

    def __str__(self) -> str:
        return self.text()


def _text(word: str | Answer | Sequence[Answer], language: str | None) -> str:
    if isinstance(word, str):
        return word
    if isinstance(word, Answer):
        return word.text(language)
    return ", ".join(one.text(language) for one in word)


def number(value: float) -> str:
    """A percentage, or percentage points, for a person: without decimals from 10 up, with one below."""
    text = f"{value:.0f}" if abs(value) >= 9.95 or value == 0 else f"{value:.1f}"
    return text.replace("-", "\N{MINUS SIGN}")


def occluded(classifier: Classifier, index: int, before: NDArray[np.float32], after: NDArray[np.float32]) -> Answer:
    """What covering a part does to class `index`, by the logits (K,) of the whole picture and of the covered one."""
    name = classifier.class_names[index]
    p, q = (np.asarray(classifier.readout.probabilities(logits), np.float64) for logits in (before, after))
    if classifier.scores == "none":
        change, scale = float(q[index] - p[index]), float(np.ptp(p)) or abs(float(p[index]))
        kind = "same" if abs(change) < _LEAST_SHARE * scale else "falls" if change < 0 else "rises"
        ends = {"z0": short(float(p[index])), "z1": short(float(q[index]))}
        return Answer(f"occlusion_score_{kind}", {"class": name, **ends})
    p, q = 100 * p, 100 * q
    ends = {"p0": number(p[index]), "p1": number(q[index])}
    words = {"class": name, "n": number(abs(float(p[index] - q[index]))), **ends}
    winner = int(after.argmax())
    if classifier.scores == "softmax" and int(before.argmax()) == index != winner:
        return Answer("occlusion_flips", {**words, "other": classifier.class_names[winner], "q1": number(q[winner])})
    if abs(p[index] - q[index]) < LEAST_POINTS:
        return Answer("occlusion_same", words)
    if q[index] > p[index]:
        return Answer("occlusion_rises", words)
    other = int((q - p).argmax())
    if q[other] - p[other] < LEAST_POINTS:
        return Answer("occlusion_falls_alone", words)
    gains = {"other": classifier.class_names[other], "q0": number(p[other]), "q1": number(q[other])}
    return Answer("occlusion_falls", {**words, **gains})


def half_of(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """The fewest pixels that hold half of the sum of the positive `values`, bool of their shape; none without such."""
    positive = np.maximum(values.astype(np.float64).ravel(), 0)
    order = np.argsort(-positive, kind="stable")
    sums = np.cumsum(positive[order])
    chosen = np.zeros(positive.size, np.bool_)
    if positive.size and sums[-1] > 0:
        chosen[order[: int(np.searchsorted(sums, sums[-1] / 2)) + 1]] = True
    return chosen.reshape(values.shape)


def place_of(values: NDArray[np.floating], chosen: NDArray[np.bool_]) -> str | None:
    """The ninth of the picture that holds more than half of the `chosen` values (H, W), if one does."""
    height, width = values.shape
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    shares = np.bincount((3 * rows[:, None] + columns)[chosen], values[chosen].astype(np.float64), 9)
    return _NINTHS[int(shares.argmax())] if shares.sum() > 0 and shares.max() > shares.sum() / 2 else None


def class_map(
    values: NDArray[np.floating],
    cells: tuple[int, int],
    name: str,
    *,
    of_class: bool = True,
    negative_shown: bool = False,
) -> Answer:
    """Where the evidence for the class `name` lies: `values` (H, W) of a layer with `cells` (h, w).

    `of_class` is False for a map that is the same for every class.
    """
    chosen = half_of(values)
    if not chosen.any():
        return Answer("cam_nothing" if negative_shown else "cam_nothing_positive", {"class": name})
    words = {"class": name, "a": number(100 * float(chosen.mean())), "h": str(cells[0]), "w": str(cells[1])}
    if not of_class:
        return Answer("cam_of_no_class", words)
    place = place_of(values, chosen)
    return Answer("cam", words) if place is None else Answer("cam_at", {**words, "place": Answer(place, {})})


def pixel_map(values: NDArray[np.floating], *, sensitivity: bool) -> Answer | None:
    """Over how many of the pixels half of the absolute `values` (H, W) lie; None for a map of zeros."""
    chosen = half_of(np.abs(values))
    if not chosen.any():
        return None
    return Answer("saliency" if sensitivity else "saliency_other", {"a": number(100 * float(chosen.mean()))})


def attribution_sum(total: float, difference: float, name: str, baseline: str) -> Answer | None:
    """What the values add up to, of the `difference` of the scores that they should; None where there is none."""
    if difference == 0:
        return None
    gap = number(100 * abs((difference - total) / difference))
    return Answer("saliency_sum", {"sum": short(total), "class": name, "baseline": baseline, "gap": gap})


def contributions(
    channel: int, shares: NDArray[np.floating], shown: int, name: str, score: float, *, exact: bool
) -> Answer:
    """What `channel` gives to the class `name` with `score`, by what each channel gives, `shares` (C,).

    `exact` says that all of them and a bias are the score. `shown` is how many channels are looked at first.
    """
    words = {"k": str(channel), "v": short(float(shares[channel])), "class": name}
    if not exact:
        return Answer("activations_inside", words)
    first = min(shown, len(shares))
    added = short(float(np.sort(shares.astype(np.float64))[::-1][:first].sum()))
    return Answer("activations", {**words, "z": short(score), "m": str(first), "s": added, "C": str(len(shares))})


def switched_off(
    classifier: Classifier, index: int, count: int, before: NDArray[np.float32], after: NDArray[np.float32]
) -> Answer:
    """What the class `index` loses with `count` channels off, by the logits (K,) with and without them."""
    p, q = (float(classifier.readout.probabilities(logits)[index]) for logits in (before, after))
    words = {"n": str(count), "class": classifier.class_names[index]}
    if classifier.scores == "none":
        return Answer("activations_off_score", {**words, "z0": short(p), "z1": short(q)})
    kind = "activations_off" if q <= p else "activations_off_rises"
    return Answer(kind, {**words, "p0": number(100 * p), "p1": number(100 * q)})


def filter_strength(
    index: int, norms: NDArray[np.floating], dead: int, copies: int, response: NDArray[np.floating] | None
) -> Answer:
    """How strong filter `index` is among all, by their `norms` (N,), and over how much of the picture it responds.

    `response` (h, w) is what it answers on the picture; the strong part is above half its peak.
    """
    rank = int((norms > norms[index]).sum()) + 1
    words = {"k": str(index), "r": str(rank), "N": str(len(norms)), "d": str(dead), "t": str(copies)}
    if response is None or response.size == 0 or response.max() <= 0:
        return Answer("filters", words)
    return Answer("filters_here", {**words, "a": number(100 * float((response > response.max() / 2).mean()))})


def top_patches(channel: int, class_name: str | None, labels: Sequence[str]) -> Answer | None:
    """What the strongest pictures of a channel show, by their known `labels`.

    With `class_name` it is the channel that gives most to that class. None where nothing is known.
    """
    words: dict[str, str | Answer | Sequence[Answer]] = {"k": str(channel), "n": str(len(labels))}
    if labels:
        words["counts"] = [Answer("show", {"count": str(count), "label": name}) for name, count in counted(labels)[:2]]
    if class_name is None:
        return Answer("patches_of", words) if labels else None
    return Answer("patches_both" if labels else "patches", {**words, "class": class_name})


def made_picture(name: str, probability: float, sure_at: int | None) -> Answer:
    """How sure the network is of a picture made for the class `name`; `sure_at` is the step from which it was so."""
    words = {"p": number(100 * probability), "class": name}
    if sure_at is None or probability < SURE:
        return Answer("visual_not_yet", words)
    return Answer("visual", {**words, "s": str(sure_at)})


def near_labels(label: str, in_features: int, in_pixels: int, count: int) -> Answer:
    """How many of `count` neighbours have a label, in features and in pixels."""
    words = {"a": str(in_features), "b": str(in_pixels), "n": str(count), "label": label}
    return Answer("neighbours_apart" if in_pixels < in_features else "neighbours", words)


def feature_map(count: int, layer: str, trustworthiness: float) -> Answer:
    """What a map of `count` pictures by t-SNE or its like is worth."""
    kind = "map" if trustworthiness >= TRUE_NEIGHBOURS else "map_loose"
    return Answer(kind, {"N": str(count), "layer": layer, "t": f"{trustworthiness:.2f}"})


def selection(count: int, labels: Sequence[str], classes: Sequence[str]) -> Answer:
    """What `count` selected pictures are: their known `labels`, and the `classes` that the network takes them for."""
    words = {"n": str(count)}
    if labels:
        words["labels"] = ", ".join(f"{name} {number}" for name, number in counted(labels)[:2])
    if classes:
        words["classes"] = ", ".join(f"{name} ({number})" for name, number in counted(classes)[:2])
    return Answer("lasso" + "_of_labels" * bool(labels) + "_and_classes" * bool(classes), words)


def counted(names: Sequence[str]) -> list[tuple[str, int]]:
    """Each name with how often it is there, the most frequent first, of equal ones the first."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])
