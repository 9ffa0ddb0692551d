"""What an occlusion panel works out while the hand rests: windows around the patch, and once the whole map."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box, Occluder
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.opening import MapAtRest
from cnnviz_widgets.views.parts.probing import OcclusionSetup, ShownMap, WindowCache


class RestingWork:
    """Runs windows ahead of the hand and, once for each picture and way to cover it, those of a whole map.

    Nothing is done unless it is `wanted`. `deliver` is called with the map. What was dropped is gone on with.
    """

    def __init__(self, panel: Panel, deliver: Callable[[ShownMap], None], *, wanted: bool) -> None:
        self.wanted = wanted
        #: Whether windows around the patch are run; a map is made all the same.
        self.ahead = True
        self.ahead_job = panel.job(lambda _: None, idle=True)
        self.map_job = panel.job(deliver, idle=True)
        #: What the network says of windows around the patch.
        self.cache: WindowCache | None = None
        self._map: MapAtRest | None = None  # until it is shown
        self._planned: tuple[Occluder, Occlusion] | None = None

    def stop(self) -> None:
        """Leave off, as the hand wants something."""
        self.ahead_job.cancel()
        self.map_job.cancel()

    def plan_map(self, setup: OcclusionSetup, technique: Occlusion, *, by_windows: bool) -> None:
        """Let the next rest be used for a map, unless it was for this picture, or the map is not `by_windows`."""
        planned = setup.occluder, dataclasses.replace(technique, window=None)
        if planned == self._planned or not self.wanted:
            return
        self._planned = planned
        self._map = MapAtRest(setup, technique) if by_windows else None

    def drop_map(self) -> None:
        """Make no map of this picture by itself: there is one now, or nobody wants it."""
        self._map = None

    def look_ahead(self, occluder: Occluder, box: Box, *, placed: bool, map_wanted: bool) -> None:
        """Make the map, if it is wanted, and run windows around `box`, once it is sure that the patch stays there.

        It does where somebody has `placed` it.
        """
        if not self.wanted:
            return
        if self._map is not None and map_wanted:
            self.map_job.start(self._map.steps())
            if self.map_job.busy and not placed:  # the patch may soon be elsewhere
                return
        if not self.ahead:
            return
        if self.cache is None or self.cache.occluder is not occluder or self.cache.size != box[2:]:
            self.cache = WindowCache(occluder, box[2:])
        self.ahead_job.start(self.cache.run_ahead(box))
