"""The patches of a data set's pictures that each channel reacts to most, and those it reacts to less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets.classifier import Classifier, Layer
from cnnviz_widgets.collection.patches import Patches
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.export import Axis, axis_of
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.next_step import MainButton, NextStep
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.contributions import Contributions
from cnnviz_widgets.views.parts.crops import RANKS, TILE, Scanned, Sheet, cut_sheet, nearest_scanned, title
from cnnviz_widgets.views.parts.data_set import picture_at
from cnnviz_widgets.views.parts.embedded import has_embedded_source
from cnnviz_widgets.views.parts.features import shared_build
from cnnviz_widgets.views.parts.layer_names import slidable
from cnnviz_widgets.views.parts.layers import ChannelSlider, LayerSlider
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scanning import layer_before_ties, rate_channels, scan_patches, summary
from cnnviz_widgets.views.questions.pairs import stronger_patch
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.code import Variable
from cnnviz_widgets.views.take.page.wanted import Wanted
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: So many patches are shown.
_PATCHES = 9


class PatchView(Panel):
    """The patches that the session's channel reacts to most in a data set; the slider goes on to the median and below.

    `PatchView(model, source=data)` or, linked with other views, `PatchView(session, source=data)`; `data` is anything
    `source_of` takes, by default the embedded pictures that an embedded classifier is made for. One pass in the
    background is for all channels of all layers; `path` is a file to which it is saved and from which it goes on. `k`
    patches are shown. Until a channel is chosen, here or in the session, they are of the one that gives most to the
    class of the session's picture; until a layer is, of the one before a layer whose maxima are ties.
    """

    topic = "patches"
    follows = ("classifier",)
    settings: ClassVar[Mapping[str, object]] = {"rank": "strongest"}
    #: Seconds between two drawings of a scan under way.
    interval = 0.5

    source = traitlets.Any(None, help="The data set; assign anything `source_of` takes to scan that.")
    rank = traitlets.Unicode("strongest", help="Which patches are shown, one of `RANKS`.")
    patches = traitlets.Instance(Patches, None, allow_none=True, read_only=True, help="What the scan has found so far.")
    sheet = traitlets.Instance(Sheet, None, allow_none=True, read_only=True, help="The patches that are drawn.")
    place = old_name("place", "rank")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        source: object = None,
        path: str | Path | None = None,
        k: int = _PATCHES,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self._path, self._k = path, k
        self._scanned: Scanned | None = None
        #: What was passed or assigned, and the data set that was made of it.
        self._given = source
        self._resolved: Source | None = None
        self.scan_job, self.sheet_job = self.job(self._draw_scan), self.job(self._draw_sheet)
        self.opening_job = self.job(self._open_at)
        self._layer_chosen = self.session.layer != self.session.classifier.default_layer
        #: The channel that is shown while none is chosen, and what the channels give to the class, if that is known.
        self._opened = 0
        self._shares: Contributions | None = None
        self._looking = False
        self._make_widgets()
        self.follow(["classifier"], self._classifier_changed, hidden=True)
        self.follow(["layer", "channel"], self._layer_changed, hidden=True)
        self.follow(["layer", "channel"], self.show_patches)
        self.follow(["classifier", "picture", "target", "layer"], self._open_anew)
        self.source = source
        self.link(self._source_set, ["source"])
        self.link(self._rank_set, ["rank"])
        self.when_active(self._open_anew)  # before the scan, so that the first patches are of the right channel
        self.begin()

    def _make_widgets(self) -> None:
        self.tiles = Tiles(tile_width=TILE, columns=3, height=470, placeholder="no patches yet")
        self.layer_slider = LayerSlider(self.session, place=self._shown_at)
        self.channel_slider = ChannelSlider(self.session)
        self.rank_slider = OptionSlider(options=list(RANKS), index=0, description="among all")
        self.run_button = self.button("Stop", self._stop_or_go_on)
        self.on(self.layer_slider, SliderMoved, self._layer_picked)
        self.on(self.channel_slider, SliderMoved, self._channel_picked)
        self.on(self.rank_slider, SliderMoved, self._rank_picked)
        self.on(self.tiles, TilePicked, self._tile_picked)
        self.main_button = MainButton(self, self._next_step, self.stop_here)
        controls = (self.layer_slider, self.channel_slider, self.rank_slider, self.run_button, self.main_button)
        self.show(row(self.tiles, column(*controls)))

    # -- the opening ---------------------------------------------------------------------------------------------

    def _open_anew(self) -> None:
        """Find the channel to show while none is chosen, and what is to be said of the class."""
        self._shares = None
        if self._looking:
            self._tell()
        elif self.session.picture is not None:
            self.opening_job.start(rate_channels(self.session.scene))

    def _open_at(self, shares: Contributions) -> None:
        self._shares, self._opened = shares, int(shares.order[0])
        self.show_patches()

    def _stand(self) -> None:
        """Put the sliders where the patches are of."""
        self.layer_slider.follow()
        self.channel_slider.index = self._channel

    @property
    def _channel(self) -> int:
        chosen = self._opened if self.session.channel is None else self.session.channel
        depth: int = self.session.classifier.layer(self.session.layer).shape[0]
        return min(int(chosen), depth - 1)

    def _shown_at(self, classifier: Classifier, layer: str) -> Layer:
        """The layer whose patches are shown while the session is at `layer`."""
        scanned = self._scanned
        if scanned is None or scanned.classifier is not classifier:
            return classifier.layer(layer)
        if not self._layer_chosen:
            layer = layer_before_ties(classifier, scanned.patches, layer, self._channel)
        return classifier.layer(layer)

    def _next_step(self) -> NextStep | None:
        ready = self.sheet is not None and self.visit is not None
        return NextStep("step.picture", self._make_picture) if ready else None

    def _make_picture(self) -> None:
        """Open the class image tab on the channel whose patches are shown, and start."""
        sheet, visit = self.sheet, self.visit
        assert sheet is not None and visit is not None
        with self.session.hold_trait_notifications():
            self.session.layer, self.session.channel = sheet.layer, sheet.channel
        view = visit("class_image")
        if view is not None:
            view.of_channel = True
            view.start_over()

    def question(self) -> Question | None:
        known = self.sheet is not None and not self.scan_job.busy and not self.sheet_job.busy
        return stronger_patch(self.sheet) if known and self.sheet is not None else None

    # -- what is asked for ---------------------------------------------------------------------------------------

    @traitlets.validate("rank")
    def _known(self, proposal: Any) -> str:
        rank: str = proposal["value"]
        if rank not in RANKS:
            raise ValueError(f"There is no rank {rank!r}; there are {', '.join(RANKS)}.")
        return rank

    def table(self) -> Columns:
        """Where each patch that is shown is, and how strong the channel is there."""
        sheet = required(self.sheet)
        return table.of_sheet(sheet, required(self._scanned).source)

    def options_made_with(self) -> Mapping[str, object]:
        made: dict[str, object] = {} if self._given is None else {"source": Variable("source")}
        if self._path is not None:
            made["path"] = str(self._path)
        return made if self._k == _PATCHES else {**made, "k": self._k}

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """The channels that give most to the class, and for each the ranks."""
        count = 2 if wanted.brief else 8

        def on_page() -> list[int]:
            if self._shares is None:
                return list(range(min(count, len(self.channel_slider.options))))
            return sorted(int(channel) for channel in self._shares.order[:count])

        def choose(option: int) -> None:
            self.session.channel = on_page()[option]

        known = on_page()
        start = known.index(self._channel) if self._channel in known else 0
        channels = Axis((self.channel_slider,), len(known), choose, lambda _: on_page(), start)
        ranks = axis_of(self.rank_slider)
        return [axis for axis in (channels, *([] if wanted.brief else [ranks])) if axis.count > 1]

    def _rank_set(self, _: Any) -> None:
        self.rank_slider.index = list(RANKS).index(self.rank)
        self.show_patches()

    def _rank_picked(self, event: SliderMoved) -> Job:
        self.rank = list(RANKS)[event.index]
        return self.sheet_job

    def _layer_picked(self, event: SliderMoved) -> Job:
        self._layer_chosen = True
        before = self.session.layer
        self.layer_slider.choose(event)
        if self.session.layer == before:  # the session was there, but the patches were not
            self.show_patches()
        return self.sheet_job

    def _channel_picked(self, event: SliderMoved) -> Job:
        self.session.channel = event.index
        return self.sheet_job

    def _tile_picked(self, event: TilePicked) -> None:
        if self.sheet is not None and self._scanned is not None:
            self._looking = True  # the patches stay under the hand, whatever the class of that picture
            try:
                self.session.picture = picture_at(self._scanned.source, self.sheet.locations[event.index].image)
            finally:
                self._looking = False

    def _source_set(self, _: Any) -> None:
        if self.source is not self._resolved:  # else it was just made of what is given
            self._given, self._resolved = self.source, None
            self._forget()
            self.refresh()

    def _classifier_changed(self) -> None:
        self.layer_slider.describe()
        self.channel_slider.describe()
        self._layer_chosen, self._opened, self._shares = False, 0, None
        if self._given is None:  # the pictures that belong to the network before
            self._resolved = None
            self.source = None
        self._forget()

    def _layer_changed(self) -> None:
        self._layer_chosen |= self.session.layer != self.session.classifier.default_layer
        self.channel_slider.describe()
        self._stand()

    def _forget(self) -> None:
        self.scan_job.cancel()
        self.sheet_job.cancel()
        self._scanned = None
        self.set_trait("patches", None)
        self.set_trait("sheet", None)
        self.tiles.show(None)

    # -- the scan ------------------------------------------------------------------------------------------------

    def compute(self) -> Job:
        classifier = self.session.classifier
        data = self._given if self._resolved is None else self._resolved
        if data is None and not has_embedded_source(classifier):
            raise PictureError(f"Pass pictures to scan with {classifier.name}, as PatchView(model, source=folder).")
        layers = [layer.name for layer in slidable(classifier)]
        layers = list(dict.fromkeys([*layers, self.session.layer]))
        if self.patches is not None:
            layers = list(self.patches.layers)
        own = self._path is not None or self._k != _PATCHES or self.patches is not None
        shared = None if own else partial(shared_build, self.session)
        steps = scan_patches(
            classifier, layers, data, self._k, self.patches, path=self._path, interval=self.interval, shared=shared
        )
        job = self.scan_job.start(steps, self._show_button)
        self._show_button()
        return job

    def _draw_scan(self, found: tuple[Source, Patches | None]) -> None:
        source, patches = found
        self._show_button()
        self._resolved = self.source = source
        if patches is None:
            self.say(f"scanning {len(source)} pictures ...", "busy", 0)
            return
        # A picture that was read of another data set is none of this one: what it fills went with that one.
        kept = {} if self._scanned is None else self._scanned.kept
        self._scanned = Scanned(self.session.classifier, source, patches, kept)
        self.set_trait("patches", patches)
        self._tell()
        self.show_patches()

    def _show_button(self) -> None:
        finished = self.patches is not None and self.patches.progress >= 1
        self.run_button.description = "Scanned" if finished else "Stop" if self.scan_job.busy else "Go on"
        self.run_button.disabled = finished
        show_if(not finished, self.run_button)

    def _stop_or_go_on(self) -> None:
        if self.scan_job.busy:
            self.stop_here()
        else:
            self.refresh()

    def stop_here(self) -> None:
        """Stop the scan and keep what it has found."""
        self.scan_job.cancel()
        self._show_button()
        self._tell()

    # -- the patches ---------------------------------------------------------------------------------------------

    def show_patches(self) -> Job | None:
        """Draw the patches of the session's channel that are known so far."""
        scanned = self._scanned
        if scanned is None:
            return None
        classifier = self.session.classifier
        wanted = self._shown_at(classifier, self.session.layer).name
        layer = nearest_scanned(classifier, scanned.patches.layers, wanted)
        channel = min(self._channel, classifier.layer(layer).shape[0] - 1)
        self._stand()
        return self.sheet_job.start(cut_sheet(scanned, layer, channel, self.rank, self._k))

    def _draw_sheet(self, sheet: Sheet) -> None:
        scanned = self._scanned
        if scanned is None:
            return
        names = [title(scanned.source, location.image) for location in sheet.locations]
        values = [short(location.value) for location in sheet.locations]
        self.tiles.show(sheet.tiles if len(sheet.tiles) else None, names, values)
        self.tiles.description = f"patches for channel {sheet.channel} of {sheet.layer}, {sheet.rank}"
        self.set_trait("sheet", sheet)
        self._tell()

    def _tell(self) -> None:
        patches = self.patches
        if patches is None:
            return
        busy = self.scan_job.busy and patches.progress < 1
        session = self.session
        shown = self._shown_at(session.classifier, session.layer).name
        text = summary(patches, self.sheet, shown)
        if shown != session.layer and not self._layer_chosen:
            text += f" At {session.layer} its strongest are equally strong: these are from {shown} before it."
        self.say(text, "busy" if busy else "info", patches.progress if patches.progress < 1 else -1, self._answer())

    def _answer(self) -> answers.Answer | None:
        """What the strongest pictures of the channel show, and whether it gives most to the class."""
        sheet, shares, scanned = self.sheet, self._shares, self._scanned
        if sheet is None or scanned is None or sheet.rank != "strongest" or not sheet.locations:
            return None
        source, name = scanned.source, None
        if shares is not None and sheet.channel == int(shares.order[0]) and shares.layer == self.session.layer:
            name = shares.example.classifier.class_names[shares.class_index]
        labels, known = source.labels, source.class_names
        images = [location.image for location in sheet.locations]
        seen = [] if labels is None else [int(labels[image]) for image in images if labels[image] >= 0]
        return answers.top_patches(sheet.channel, name, [str(one) if known is None else known[one] for one in seen])
