"""`explore`: every technique as one app, for whatever networks and pictures are passed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from cnnviz_widgets.classifier import Autocast, Classifier
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.session import Session, as_classifier
from cnnviz_widgets.views.comparison.companion import Companion, classifiers_of
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.parts.embedded import has_embedded_source
from cnnviz_widgets.views.parts.picture_list import PictureList


def explore(
    model: object = None,
    pictures: object = None,
    *,
    class_names: Sequence[str] | None = None,
    source: object = None,
    autocast: Autocast | None = None,
    images: object = None,
    state: dict[str, Any] | None = None,
    language: str | None = "en",
) -> Explorer:
    """Open every technique on `pictures` as one app.

    `model` is a torch network, a Classifier or a torchvision name; without it the embedded ImageNet classifier and its
    photographs are shown. Of a list of networks, or a dict of names to such, every tab compares the first with another;
    of more than two a slider chooses which.

    `pictures` is anything `read_picture` takes, a list of such, a dict of names to such, a
    folder, or a data set that `source_of` takes, of which some are shown. A picture that cannot be read is named in
    the app and left out. Top patches, neighbours and the map look in the data set `source` (a torch Dataset, a folder,
    arrays, or a `Source`); without one, in the data set or, with an embedded network, in the pictures that belong to
    it, or else in `pictures`. Raises PictureError for a data set that gives no pictures by their number. With
    `autocast`, "bfloat16" or "float16", the network is run in mixed precision; how far its scores are from those in
    float32 stands beside them. `state` is that of another app, which this one is to begin as. `language` is that of
    tabs, questions, help and tooltips, "en" or "ko"; None takes the reader's own.
    """
    if images is not None:
        warnings.warn("explore(images=) is now pictures=", DeprecationWarning, stacklevel=2)
        pictures = images
    if model is None:
        from cnnviz_widgets import demo

        model = demo.classifier()
        pictures = demo.pictures() if pictures is None else pictures
    listed = PictureList.of(pictures)
    first = listed.pictures[0] if listed.pictures else None
    if isinstance(model, list | tuple | Mapping):
        classifier, *others = classifiers_of(model, first, class_names, autocast)
    else:
        classifier, others = as_classifier(model, first, class_names, autocast), []
    session, listed = Session(classifier), listed.fitting(classifier)
    if listed.pictures:
        session.picture = listed.pictures[0]
    app = Explorer(
        session,
        listed.pictures,
        source=_source_for(classifier, source, listed),
        note=listed.note,
        refused=bool(listed.refused),
        companion=Companion(session, others) if others else None,
        language=language,
    )
    if state is not None:
        try:
            app.state = state
        except Exception:
            app.close()
            raise
    return app


def _source_for(classifier: Classifier, source: object, listed: PictureList) -> object:
    """The data set for the tabs that need many pictures; None where an embedded network brings its own."""
    if source is not None:
        return source_of(source)
    if listed.data is not None:
        return listed.data
    return None if has_embedded_source(classifier) else listed.pictures or None
