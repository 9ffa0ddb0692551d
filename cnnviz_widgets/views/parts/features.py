"""Features of a data set, built in the background for the session's layer: Build and Stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import ipywidgets
import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.aside import Aside
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.data_pass import data_pass
from cnnviz_widgets.collection.extraction import layer_name
from cnnviz_widgets.collection.patches import Patches
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import PictureError, StoreError
from cnnviz_widgets.session import Session
from cnnviz_widgets.session.observing import SetInTurn
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.layout import row
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.data_set import picture_at, register
from cnnviz_widgets.views.parts.embedded import embedded_source, has_embedded_source
from cnnviz_widgets.views.parts.layer_names import slidable
from cnnviz_widgets.views.take.code import Variable

NO_SOURCE = (
    "There is no data set to look for pictures in; pass source=, such as a folder of pictures or a torch data set."
)


#: While features are built, they are looked at anew whenever so large a share of the data set has come.
_SHARE = 0.1


class FeatureBuilder(SetInTurn, ipywidgets.VBox):
    """Builds the features that a panel over a data set is about, and says in its status line how far they are.

    `source` is anything `source_of` takes, `store` a FeatureStore made before. Without a store, `prepare` builds
    features of the session's layer, and anew when the network is another or was trained on; those of another layer are
    built by the button. `changed(store)` is called whenever there are further features, with the store that holds them.
    Linked panels build features once. They go on being built while the panel is hidden.
    """

    store = traitlets.Instance(
        FeatureStore, None, allow_none=True, read_only=True, help="The features so far; None while there are none."
    )

    def __init__(
        self,
        panel: Panel,
        changed: Callable[[FeatureStore], object],
        *,
        source: object = None,
        store: FeatureStore | None = None,
    ) -> None:
        self._panel, self._session, self._changed = panel, panel.session, changed
        given = store.source if source is None and store is not None else source
        self.source: Source | None = None if given is None else source_of(given)
        if self.source is not None:
            register(self.source, given)
        if store is not None and store.source is None:
            store.source = self.source
        self._given_store = store
        #: What `prepare` has given last, and how many rows it had.
        self._prepared: tuple[FeatureStore | None, int] = None, 0
        #: The data set that came with an embedded network, and goes with it.
        self._embedded: Source | None = None
        self.source_job = panel.job(self._use_embedded, rests=False)
        self.build_job = panel.job(self._show, rests=False)
        self.build_button = panel.button("Build features", self.build, disabled=True)
        self.stop_button = panel.button("Stop", self.stop, disabled=True)
        super().__init__([row(self.build_button, self.stop_button, gap=4)])
        self.set_trait("store", store)
        panel.follow(["classifier"], self._forget_network, hidden=True)

    @property
    def given(self) -> dict[str, Variable]:
        """What the panel was given to look in, as arguments in its code."""
        made = {} if self._given_store is None else {"store": Variable("store")}
        if self.source is not None and self.source is not self._embedded and not made:
            made = {"source": Variable("source")}
        return made

    @property
    def note(self) -> str:
        """What to add to the status line: what the data set left out, and where other features could be built."""
        store = self.store
        if store is None or self.build_job.busy:
            return ""
        notes = [_unfinished(store, self._session.layer)]
        notes += [] if store.source is None else store.source.notes
        if store.skipped:
            notes.append(f"Left out: {len(store.skipped)} unreadable pictures. {next(iter(store.skipped.values()))}")
        return "".join(f" {note}" for note in notes if note)

    def prepare(self) -> FeatureStore | None:
        """The features to show, or None where they have yet to be built: that is begun, and the panel refreshed later.

        Where there is no picture, the data set's first becomes the session's. Raises PictureError, StoreError.
        """
        if self.source is None and self.store is None:
            self._make_embedded()
            return None
        if self._session.picture is None:
            self._session.picture = self._first_picture()  # the panel follows it, and comes here again
            return None
        self._check()
        if self.store is None:
            if not self.build_job.busy:
                self.build()
            return None
        self._offer()
        self._prepared = self.store, len(self.store)
        return self.store

    @property
    def has_grown(self) -> bool:
        """Whether to look at the features anew: all are there, or others, or many more than `prepare` gave."""
        store, (before, rows) = self.store, self._prepared
        if store is None:
            return False
        return store.progress == 1 or store is not before or len(store) - rows >= _SHARE * store.metadata.total

    def build(self) -> None:
        """Build features of the session's layer, or take those that a linked panel has built. Raises StoreError."""
        if self.source is None:
            raise StoreError("These features came without their data set; pass source= to build others.")
        build = shared_build(self._session, self.source)
        if build.store is not None and build.store.progress == 1:
            self._use(build.store)
            return
        self.build_button.disabled = True
        self.stop_button.disabled = False
        self.build_job.start(grow(build), self._offer)

    def stop(self) -> None:
        """Stop building, and keep what there is."""
        self.build_job.cancel()
        self._offer()
        self._panel.say("stopped." + self.note)

    def _forget(self) -> None:
        self.source_job.cancel()
        self.build_job.cancel()
        self.set_trait("store", None)

    def _forget_network(self) -> None:
        self._forget()
        if self._embedded is not None and self.source is self._embedded:
            self.source = self._embedded = None
            self._session.selection = ()

    def _make_embedded(self) -> None:
        classifier = self._session.classifier
        if not has_embedded_source(classifier):
            raise PictureError(NO_SOURCE)
        if not self.source_job.busy:
            self._panel.say(f"making the pictures that belong to {classifier.name} ...", "busy")
            self.source_job.start(make_embedded(classifier))

    def _use_embedded(self, source: Source) -> None:
        self.source = self._embedded = source
        self._panel.refresh()

    def _first_picture(self) -> Any:
        if self.source is not None:
            return picture_at(self.source, 0)
        assert self.store is not None
        return self.store.picture(0)

    def _check(self) -> None:
        """Forget features by other weights. Raises StoreError for those that were passed in: they may be many."""
        if self.store is None:
            return
        try:
            self.store.check(self._session.classifier)
        except StoreError:
            if self.store is self._given_store:
                self.build_button.disabled = self.source is None
                raise
            self._forget()

    def _show(self, store: FeatureStore) -> None:
        text = f"features of {store.layer}: {len(store)} of {store.metadata.total} pictures"
        self._panel.say(text, "busy", store.progress)
        if not len(store):  # of none that could be read, the next step says why
            return
        if store.progress == 1:
            self.build_job.cancel()  # it is finished, and says so only after this
        self._use(store)

    def _use(self, store: FeatureStore) -> None:
        self.set_trait("store", store)
        self._offer()
        self._changed(store)

    def _offer(self) -> None:
        """Let features be built where those at hand are of another layer, or unfinished."""
        store, layer, busy = self.store, self._session.layer, self.build_job.busy
        finished = store is not None and store.layer == layer and store.progress == 1
        self.build_button.disabled = finished or busy or self.source is None
        self.build_button.tooltip = words.text("tooltip.features_of", self._panel.language, layer=layer)
        self.stop_button.disabled = not busy


def _unfinished(store: FeatureStore, layer: str) -> str:
    if store.layer != layer:
        return f"These are features of {store.layer}; Build features makes those of {layer}."
    if store.progress < 1:
        return f"Only {len(store)} of {store.metadata.total} pictures have features yet."
    return ""


class SharedBuild:
    """Features and patches that several panels may wait for; whichever has its turn on the worker adds the next batch.

    What a panel stops is kept: the next one goes on there.
    """

    def __init__(self, classifier: Classifier, source: Source, layer: str) -> None:
        self._classifier = classifier
        spatial = [known.name for known in slidable(classifier)]
        layers = [*spatial, layer] if layer in {known.name for known in classifier.layers} else spatial
        self._steps = data_pass(classifier, source, layer, list(dict.fromkeys(layers)))
        self._failed = False
        #: How many steps were taken.
        self.taken = 0
        #: The features and the patches so far, or None before the first step.
        self.store: FeatureStore | None = None
        self.patches: Patches | None = None

    def fits(self, classifier: Classifier) -> bool:
        """Whether these are, or will be, features by this network as it is now."""
        try:
            if self.store is not None:
                self.store.check(classifier)
        except StoreError:
            return False
        return classifier is self._classifier and not self._failed

    def advance(self) -> bool:
        """Add the next batch; False when there is none."""
        try:
            self.store, self.patches = next(self._steps)
        except StopIteration:
            return False
        except Exception:
            self._failed = True
            raise
        self.taken += 1
        return True


#: Features, finished or not, by data set and layer.
_BUILDS: WeakKeyDictionary[Session, dict[tuple[str, str], SharedBuild]] = WeakKeyDictionary()


def shared_build(session: Session, source: Source) -> SharedBuild:
    """The build of the session's layer that its panels share, begun where there is none by this network."""
    classifier, layer = session.classifier, layer_name(session.classifier, session.layer)
    builds = _BUILDS.setdefault(session, {})
    build = builds.get((source.fingerprint, layer))
    if build is None or not build.fits(classifier):
        build = builds[source.fingerprint, layer] = SharedBuild(classifier, source, layer)
    return build


def grow(build: SharedBuild) -> Steps:
    """The store of `build` whenever it has grown, by this panel's doing or another's."""
    seen = 0
    while True:
        if seen == build.taken and not build.advance():
            return
        seen = build.taken
        yield build.store


def make_embedded(classifier: Classifier) -> Steps:
    """The data set that belongs to an embedded network."""
    # It may import what is slow to import.
    made = Aside("pictures", lambda: embedded_source(classifier, for_features=True))
    yield made
    source = made.result()
    assert source is not None
    _ = source.fingerprint  # reads pictures, and is kept
    return source
