"""The table of an occlusion panel: what the network says of windows all over the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets import schedule, words
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.export import Player
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.parts.answers import SENTENCES
from cnnviz_widgets.views.parts.probing import OcclusionSetup
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.resting import RestingWork
from cnnviz_widgets.views.parts.scores import best_classes, entropy
from cnnviz_widgets.views.take.page.wanted import SharedAxes

#: So many places a side a table has, about.
_PLACES = 14
#: So many windows are run at once.
_TOGETHER = 16


class PatchOnPage:
    """The part of an OcclusionView that a page is made of."""

    resting: RestingWork
    _setup: OcclusionSetup | None

    @property
    def setup(self) -> OcclusionSetup | None:
        """What answers for windows on the picture; None while there is none."""
        return self._setup

    def page_players(self, shared: SharedAxes) -> Sequence[Player]:
        """The tables of windows."""
        return patch_players(self, shared)

    @contextmanager
    def being_recorded(self) -> Iterator[None]:
        """Inside, no windows are run ahead of a hand that does not come."""
        self.resting.ahead = False
        try:
            yield
        finally:
            self.resting.ahead = True


def patch_players(view: Any, shared: SharedAxes) -> list[Player]:
    """What answers the hand on the patch of an OcclusionView: a table for each of the pictures on the page."""
    classifier, tables = view.session.classifier, []
    with schedule.inline():
        for option in range(1 if shared.picture is None else shared.picture.count):
            if shared.picture is not None:
                shared.picture.choose(option)
            tables.append(patch_table(view.setup, view.window[2:], _classes_of(view, shared)))
        if shared.picture is not None:
            shared.picture.choose(shared.picture.start)
    rows, columns = (len(tables[0][name]) for name in ("tops", "lefts"))
    language = view.language
    player = Player(
        "patch",
        widgets={"canvas": view.canvas, "status": view.status, "bars": view.bars},
        axes={
            "axes": [shared.picture] if shared.picture else [],
            "class_axes": [shared.target] if shared.target else [],
        },
        data={
            "scores": classifier.scores,
            "score_name": score_name(classifier),
            "sentences": {name: text for name, text in SENTENCES.items() if name.startswith("occlusion")},
            "exact": words.text("page.exact", language),
            "interpolated": words.text("page.interpolated", language),
        },
        tables={"tables": tables},
        moves=view.canvas,
        note=words.text("page.patch", language, rows=rows, columns=columns),
    )
    return [player]


def _classes_of(view: Any, shared: SharedAxes) -> list[int]:
    """The classes that can be chosen, in the order of their options."""
    axis = shared.target
    if axis is None or axis.kept is None:
        return [view.session.scene.class_index]
    return [at - 1 for at in axis.kept(view.class_picker)]  # the first option of the picker is no class


def patch_table(setup: OcclusionSetup, window: tuple[int, int], classes: Sequence[int]) -> dict[str, Any]:
    """What the network says of windows (height, width) all over a picture, of the `classes` and of all that count."""
    example = setup.example
    height, width = example.appearance.shape[:2]
    stride = max(1, round((min(height, width) - min(window)) / (_PLACES - 1)))
    windows = Occlusion(window, stride).windows((height, width))
    boxes = windows.boxes
    logits = np.concatenate(
        [setup.occluder.logits(boxes[at : at + _TOGETHER]).numpy() for at in range(0, len(boxes), _TOGETHER)]
    )
    kept = _that_count(example, logits, classes)
    readout = example.classifier.readout
    whole = example.logits
    return {
        "tops": list(windows.tops),
        "lefts": list(windows.lefts),
        "window": list(window),
        "names": [example.classifier.class_names[index] for index in kept],
        "logits": logits[:, kept].astype("<f4").tobytes(),
        "log_sums": _log_sums(logits).astype("<f4").tobytes(),
        "entropies": np.array([_entropy(readout, row, example) for row in logits], "<f4").tobytes(),
        "whole": {
            "logits": whole[kept].tolist(),
            "log_sum": float(_log_sums(whole[None])[0]),
            "entropy": _entropy(readout, whole, example),
        },
        "classes": [kept.index(index) for index in classes],
        "bars": [[kept.index(at) for at in best_classes(whole, index)] for index in classes],
    }


def _that_count(example: Example, logits: NDArray[np.float32], classes: Sequence[int]) -> list[int]:
    """The classes that a sentence or a bar may name for any of the windows."""
    readout = example.classifier.readout
    found = {example.predicted, *map(int, logits.argmax(axis=1))}
    if example.classifier.scores != "none":
        gains = np.stack([readout.probabilities(row) for row in logits]) - example.probabilities
        found |= set(map(int, gains.argmax(axis=1)))
    for index in classes:
        found |= set(best_classes(example.logits, index))
    return sorted(found)


def _log_sums(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    highest = wide.max(axis=1)
    sums: NDArray[np.float64] = highest + np.log(np.exp(wide - highest[:, None]).sum(axis=1))
    return sums


def _entropy(readout: Any, logits: NDArray[np.float32], example: Example) -> float:
    scores = example.classifier.scores
    return 0.0 if scores == "none" else entropy(readout.probabilities(logits), scores)
