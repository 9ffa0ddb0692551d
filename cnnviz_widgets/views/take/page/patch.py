"""The table of an occlusion panel: what the network says of windows all over the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets import schedule, words
from cnnviz_widgets.explain import baseline_pixels
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap
from cnnviz_widgets.export import Player
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Example, Session
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.parts.probing import ShownMap
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.resting import RestingWork
from cnnviz_widgets.views.parts.scores import best_classes, entropy
from cnnviz_widgets.views.take.page.network import as_bytes
from cnnviz_widgets.views.take.page.wanted import SharedAxes


class PatchOnPage:
    """The part of an OcclusionView that a page is made of: the map of each picture, which is a table of windows too."""

    page_takes_network: ClassVar[bool] = True
    session: Session
    resting: RestingWork
    _shown: ShownMap | None
    _page_maps: dict[Picture | None, OcclusionMap]

    def compute_map(self) -> Job | None:
        raise NotImplementedError

    @contextmanager
    def being_recorded(self) -> Iterator[None]:
        """Inside, windows are run for maps alone, and the maps are kept."""
        self._page_maps, self.resting.ahead = {}, False
        try:
            yield
        finally:
            self._page_maps, self.resting.ahead = {}, True

    def settle_on_page(self) -> None:
        """Make the whole map, once for each picture."""
        if self.session.picture in self._page_maps:
            return
        if self._shown is None or self._shown.heatmap.progress < 1:
            self.compute_map()
        if self._shown is not None and isinstance(self._shown.heatmap, OcclusionMap):
            self._page_maps[self.session.picture] = self._shown.heatmap

    def page_players(self, shared: SharedAxes) -> Sequence[Player]:
        """What answers the hand on the patch."""
        with schedule.inline():
            return patch_players(self, shared, self._page_maps)


#: Texts by the names that the page knows them by.
_TEXTS = {
    "exact": "page.exact",
    "interpolated": "page.interpolated",
    "live": "page.live",
    "failed": "page.failed",
    "own": "page.own",
}


def patch_players(view: Any, shared: SharedAxes, maps: Mapping[Picture | None, OcclusionMap]) -> list[Player]:
    """What answers the hand on the patch of an OcclusionView: a table for each of the pictures on the page."""
    session, network = view.session, None
    if shared.network is not None:
        names = list(session.classifier.class_names)
        network = {"form": shared.network.form, "names": names, "own": shared.network.own}
    tables, inputs = [], []
    for option in range(1 if shared.picture is None else shared.picture.count):
        if shared.picture is not None:
            shared.picture.choose(option)
        if session.picture not in maps:
            view.settle_on_page()
        if session.picture not in maps:
            return []
        inputs.append(_input_of(view, session.example))
        tables.append(patch_table(session.example, maps[session.picture], _classes_of(view, shared)))
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
            "scores": session.classifier.scores,
            "score_name": score_name(session.classifier),
            "sentences": {each: _sentences(each) for each in words.sent(language)},
            "words": {name: _text(name, language) for name in ("exact", "interpolated", "live", "failed", "own")},
            "network": network,
            "brush": dict(view.canvas.brush),
        },
        tables={"tables": tables, "inputs": inputs if network is not None else []},
        moves=view.canvas,
        note=words.text("page.patch", language, rows=rows, columns=columns),
    )
    return [player]


def _sentences(language: str) -> dict[str, str]:
    """The templates of what is said of a patch, by their names."""
    start = "answer."
    texts = words.catalogue(language)
    return {key.removeprefix(start): texts[key] for key in texts if key.startswith(f"{start}occlusion")}


def _text(name: str, language: str | None) -> str:
    """A text that the page fills in itself."""
    values = {"live": {"ms": "{ms}"}, "failed": {"reason": "{reason}"}}.get(name, {})
    return words.text(_TEXTS[name], language, **values)


def _input_of(view: Any, example: Example) -> dict[str, bytes]:
    """What the network in the page is run on: the picture's bytes, and what fills the patch."""
    filling = baseline_pixels(example.classifier, example.pixels, view.technique.baseline)
    return {"pixels": example.appearance.tobytes(), "filling": as_bytes(filling.cpu().numpy())}


def _classes_of(view: Any, shared: SharedAxes) -> list[int]:
    """The classes that can be chosen, in the order of their options."""
    axis = shared.target
    if axis is None or axis.kept is None:
        return [view.session.scene.class_index]
    return [at - 1 for at in axis.kept(view.class_picker)]  # the first option of the picker is no class


def patch_table(example: Example, found: OcclusionMap, classes: Sequence[int]) -> dict[str, Any]:
    """What the network says of the windows of a map, of the `classes` and of all that count."""
    windows, logits = found.windows, found.run.measured[found.run.source.ravel()]
    kept = _that_count(example, logits, classes)
    readout = example.classifier.readout
    whole = example.logits
    return {
        "tops": list(windows.tops),
        "lefts": list(windows.lefts),
        "window": list(windows.window),
        "names": [example.classifier.class_names[index] for index in kept],
        "indices": kept,
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
