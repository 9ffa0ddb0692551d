"""What panels over a data set share: features that are built in the background, and offered anew for another layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.features import FeatureStore, layer_name
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.errors import ExplanationError, PictureError, StoreError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.schedule import LatestWins
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.parts.embedded import embedded_source, has_embedded_source
from cnnviz_widgets.views.view import View, Work

NO_SOURCE = (
    "There is no data set to look for pictures in; pass source=, such as a folder of pictures or a torch data set."
)

#: Features, finished or not, by data set and layer: linked panels build them once.
_BUILDS: WeakKeyDictionary[Session, dict[tuple[str, str], _Build]] = WeakKeyDictionary()
#: Which item a picture is, by the data set's fingerprint; the data set itself may hold the picture.
_ITEMS: WeakKeyDictionary[Picture, dict[str, int]] = WeakKeyDictionary()


class CollectionView(View):
    """A panel over the features of a data set.

    `source` is anything `source_of` takes, `store` a FeatureStore made before. Without a store, features of the
    session's layer are built when the panel is first active, and anew when the network is another or was trained on;
    of another layer, when asked for.
    """

    depends_on = ("classifier", "picture", "layer")

    def __init__(
        self, model: object, picture: object = None, source: object = None, *, store: FeatureStore | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        given = store.source if source is None and store is not None else source
        self.source: Source | None = None if given is None else source_of(given)
        if self.source is not None:
            register(self.source, given)
        if store is not None and store.source is None:
            store.source = self.source
        self._given = self._store = store
        #: The data set that came with an embedded network, and goes with it.
        self._embedded: Source | None = None
        self._builds = LatestWins()
        super().__init__(model, picture, **options)

    @property
    def store(self) -> FeatureStore | None:
        """The features that are shown, or None while there are none."""
        return self._store

    # -- widgets -------------------------------------------------------------------------------------------------

    def build_controls(self) -> ipywidgets.HBox:
        """The buttons that build features and stop doing so."""
        self.build_button = ipywidgets.Button(description="Build features", disabled=True)
        self.build_button.on_click(lambda _: self.build_features())
        self.stop_button = ipywidgets.Button(description="Stop", disabled=True, layout=ipywidgets.Layout(width="72px"))
        self.stop_button.on_click(lambda _: self.stop_here())
        return ipywidgets.HBox([self.build_button, self.stop_button])

    # -- features ------------------------------------------------------------------------------------------------

    def _refresh_if_stale(self) -> None:
        if self.active and self._stale:
            try:
                prepared = self._prepare()
            except ExplanationError as error:
                self._stale = False
                self._requests.cancel()
                self.fail(error)
                return
            if not prepared:
                self._stale = False
                return
        super()._refresh_if_stale()

    def _prepare(self) -> bool:
        """Find a data set, a picture and features to begin with; False while the data set is being made."""
        classifier = self.session.classifier
        if self.source is None and self._store is None:
            if not has_embedded_source(classifier):
                raise PictureError(NO_SOURCE)
            if not self._builds.busy:
                self.status.say(f"making the pictures that belong to {classifier.name} ...", "busy")
                self.run(self._builds, _embedded(classifier), self._have_source)
            return False
        if self.session.picture is None:
            self.session.picture = self._first_picture()
        if self._store is not None:
            self._check(self._store)
        if self._store is None and not self._builds.busy:
            self.build_features()
        self._offer()
        return True

    def _have_source(self, source: Source) -> None:
        self._builds.cancel()  # its one result is here
        self.source = self._embedded = source
        self.refresh()

    def _check(self, store: FeatureStore) -> None:
        """Forget features by other weights. Raises StoreError for those that were passed in: they may be many."""
        try:
            store.check(self.session.classifier)
        except StoreError:
            if store is self._given:
                self.build_button.disabled = self.source is None
                raise
            self.forget()

    def forget(self) -> None:
        """Drop the features, and what is being built."""
        self._builds.cancel()
        self._store = None

    def _first_picture(self) -> Picture:
        if self.source is None:
            assert self._store is not None
            return self._store.picture(0)
        return remembered(self.source, 0)

    def build_features(self) -> None:
        """Build features of the session's layer in the background, or take those that another panel has built."""
        if self.source is None:
            self.fail(StoreError("These features came without their data set; pass source= to build others."))
            return
        classifier, layer = self.session.classifier, layer_name(self.session.classifier, self.session.layer)
        builds = _BUILDS.setdefault(self.session, {})
        build = builds.get((self.source.fingerprint, layer))
        if build is None or not build.fits(classifier):
            build = builds[self.source.fingerprint, layer] = _Build(classifier, self.source, layer)
        if build.store is not None and build.store.progress == 1:
            self._take(build.store)
            return
        self.build_button.disabled = True
        self.stop_button.disabled = False
        self.run(self._builds, build.followed(), self._grew, self._build_ended)

    def _grew(self, store: FeatureStore) -> None:
        count, total = len(store), store.about.total
        self.status.say(f"features of {store.layer}: {count} of {total} pictures", "busy", store.progress)
        if store.progress < 1 or not len(store):  # of none that could be read, the next step says why
            if len(store):
                before, self._store = self._store, store
                self.store_growing(store, first=before is not store)
            return
        self._builds.cancel()  # it is finished, and says so only after this
        self._take(store)

    def _take(self, store: FeatureStore) -> None:
        self._store = store
        self._offer()
        self.store_built(store)

    def _build_ended(self) -> None:
        self.stop_button.disabled = not self._builds.busy
        self._offer()

    def _offer(self) -> None:
        """Let features be built where those at hand are of another layer, or unfinished."""
        store = self._store
        finished = store is not None and store.layer == self.session.layer and store.progress == 1
        self.build_button.disabled = finished or self._builds.busy or self.source is None
        self.build_button.tooltip = f"of the layer {self.session.layer}"

    @property
    def offered(self) -> str:
        """What to add to the status line: what the data set left out, and where other features could be built."""
        store = self._store
        if store is None or self._builds.busy:
            return ""
        notes = [] if store.source is None else [*store.source.notes]
        if store.skipped:
            notes.append(f"Left out: {len(store.skipped)} unreadable pictures. {next(iter(store.skipped.values()))}")
        return " ".join([self._offered_of(store), *notes]).rstrip()

    def _offered_of(self, store: FeatureStore) -> str:
        if store.layer != self.session.layer:
            return f" These are features of {store.layer}; Build features makes those of {self.session.layer}."
        if store.progress < 1:
            return f" Only {len(store)} of {store.about.total} pictures have features yet."
        return ""

    def store_growing(self, store: FeatureStore, *, first: bool) -> None:
        """Called with a store under way: it can be used as far as it has got."""

    def store_built(self, store: FeatureStore) -> None:
        """Called with a finished store."""
        raise NotImplementedError

    def stop_here(self) -> None:
        """Stop building, and keep what there is."""
        self._builds.cancel()
        self.stop_button.disabled = True
        self._offer()
        self.status.say("stopped." + self.offered)

    # -- pictures ------------------------------------------------------------------------------------------------

    def look_at(self, store: FeatureStore, row: int) -> None:
        """Make the picture of a row the session's; `store` is what is on screen, which another may be replacing."""
        if store.source is None:
            self.session.picture = store.picture(row)
        else:
            self.session.picture = remembered(store.source, int(store.items[row]))

    def session_changed(self, names: set[str]) -> None:
        if "classifier" not in names:
            return
        self.forget()
        if self._embedded is not None and self.source is self._embedded:
            self.source = self._embedded = None
            self.session.selection = ()

    def stop(self) -> None:
        super().stop()
        self._builds.cancel()


def _embedded(classifier: Classifier) -> Work:
    made = Aside("pictures", lambda: embedded_source(classifier))  # it may import what is slow to import
    yield made
    source = made.result()
    assert source is not None
    _ = source.fingerprint  # reads pictures, and is kept
    yield source


def remembered(source: Source, item: int) -> Picture:
    """A picture of a data set, of which panels will know where it came from. Raises PictureError."""
    picture = source.picture(item)
    _ITEMS.setdefault(picture, {})[source.fingerprint] = item
    return picture


def register(source: Source, data: object) -> None:
    """Remember the pictures that `data`, of which `source` was made, holds as they are."""
    held = data.values() if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else ()
    for item, picture in enumerate(held):
        if isinstance(picture, Picture):
            _ITEMS.setdefault(picture, {}).setdefault(source.fingerprint, item)


def row_of(store: FeatureStore, picture: Picture | None) -> int | None:
    """The row of a picture that was taken from the data set."""
    item = None if picture is None else _ITEMS.get(picture, {}).get(store.about.source)
    rows = store.rows_of([] if item is None else [item])
    return int(rows[0]) if len(rows) else None


def captions(store: FeatureStore, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
    """The label of each row, or its name where it has none."""
    return [store.label_name(int(row)) or str(store.names[int(row)]) for row in rows]


class _Build:
    """Features that several panels may wait for; whichever has its turn on the worker adds the next batch.

    What a panel stops is kept: the next one goes on there.
    """

    def __init__(self, classifier: Classifier, source: Source, layer: str) -> None:
        self._classifier = classifier
        self._steps = FeatureStore.building(classifier, source, layer)
        self._taken = 0
        self._failed = False
        #: The features so far, or None before the first step.
        self.store: FeatureStore | None = None

    def fits(self, classifier: Classifier) -> bool:
        """Whether these are, or will be, features by this network as it is now."""
        try:
            if self.store is not None:
                self.store.check(classifier)
        except StoreError:
            return False
        return classifier is self._classifier and not self._failed

    def followed(self) -> Work:
        """Yield the store whenever it has grown, by this panel's doing or another's."""
        seen = 0
        while True:
            if seen == self._taken and not self._advance():
                return
            seen = self._taken
            yield self.store

    def _advance(self) -> bool:
        try:
            self.store = next(self._steps)
        except StopIteration:
            return False
        except Exception:
            self._failed = True
            raise
        self._taken += 1
        return True
