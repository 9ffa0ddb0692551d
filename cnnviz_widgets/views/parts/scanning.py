"""A data set scanned for patches, at which layer and channel they are shown, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.patches import Patches, scan
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.session import Scene
from cnnviz_widgets.views.job import Steps, one_step
from cnnviz_widgets.views.parts.contributions import Contributions, contributions_to
from cnnviz_widgets.views.parts.crops import Sheet
from cnnviz_widgets.views.parts.embedded import embedded_source
from cnnviz_widgets.views.parts.features import SharedBuild, grow
from cnnviz_widgets.views.parts.scales import short

#: Such a share of the strongest that have the very same value are ties, of which chance says who comes first.
_TIED = 1 / 3


def layer_before_ties(classifier: Classifier, patches: Patches, layer: str, channel: int) -> str:
    """The layer itself or, where the strongest of a channel are equally strong, the last one before it without that.

    An activation that cuts off, such as ReLU6, makes them the same; which come first is then chance. A layer before it
    counts as long as it has as many channels.
    """
    if not _tied(patches, layer, channel):
        return layer
    known = [known for known in classifier.layers if known.name in patches.layers]
    names = [one.name for one in known]
    for earlier in reversed(known[: names.index(layer)]):
        if earlier.shape[0] != classifier.layer(layer).shape[0]:
            break
        if not _tied(patches, earlier.name, channel):
            return earlier.name
    return layer


def _tied(patches: Patches, layer: str, channel: int) -> bool:
    values = [spot.value for spot in patches.top(layer, channel)] if layer in patches.layers else []
    ties = values.count(values[0]) if values else 0
    return ties > 1 and values[0] > 0 and ties >= _TIED * len(values)


@one_step
def rate_channels(scene: Scene) -> Contributions | None:
    """The Contributions of the scene's layer to its class, where they are known."""
    return contributions_to(scene.example, scene.layer, scene.class_index)


def summary(patches: Patches, sheet: Sheet | None, wanted: str) -> str:
    """How far the scan is, and what the sheet shows."""
    text = f"{patches.done} of {patches.total} pictures scanned"
    if patches.unreadable:
        text += f", {patches.unreadable} of them unreadable"
    if sheet is not None and sheet.locations:
        values = [location.value for location in sheet.locations]
        below = patches.fraction_below(sheet.layer, sheet.channel, min(values))
        text += (
            f". Channel {sheet.channel} of {sheet.layer}, {sheet.rank}: activations {short(min(values))} to "
            f"{short(max(values))}; {below:.0%} of a sample of {len(patches.sampled)} pictures stay below these"
        )
    if sheet is not None and sheet.layer != wanted:
        text += (
            f". {wanted} was not scanned: these are of channel {sheet.channel} of {sheet.layer}, "
            "the nearest layer that was"
        )
    return f"{text}."


def scan_patches(
    classifier: Classifier,
    layers: list[str],
    data: object,
    k: int,
    start: Patches | None,
    *,
    path: Any,
    interval: float,
    shared: Callable[[Source], SharedBuild] | None = None,
) -> Steps:
    """Yield the data set, then what a scan of it finds; None in between, where it has been drawn a moment ago.

    With `shared`, what panels that look for features go through the data set for too.
    """
    if data is None:
        made = Aside("pictures", lambda: embedded_source(classifier))  # it may import what is slow to import
        yield made
        data = made.result()
    source = source_of(data)
    yield source, None
    drawn = 0.0
    for patches in (
        _growing(shared(source)) if shared else scan(classifier, source, layers, k=k, start=start, path=path)
    ):
        if patches.progress >= 1 or time.monotonic() - drawn >= interval:
            yield source, patches
            drawn = time.monotonic()
        else:
            yield None


def _growing(build: SharedBuild) -> Iterator[Patches]:
    """The patches of `build` whenever there are more, by this panel's doing or another's."""
    for _ in grow(build):
        assert build.patches is not None
        if build.patches.done:
            yield build.patches
