"""What the user looks at: the only shared mutable state. Views observe it and never each other."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import traitlets

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.wording import short_repr
from cnnviz_widgets.errors import ExplanationError, PictureError, TargetError
from cnnviz_widgets.forks import lock
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.session.example import Example, Scene
from cnnviz_widgets.session.model import as_classifier
from cnnviz_widgets.session.observing import SetInTurn


def _refusing(validate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Make what a validator raises a TraitError too: `hold_trait_notifications` takes back only what those refuse."""

    @functools.wraps(validate)
    def validated(session: Any, proposal: Any) -> Any:
        try:
            return validate(session, proposal)
        except ExplanationError as error:
            kind = type(error)
            raise type(kind.__name__, (kind, traitlets.TraitError), {})(str(error)) from error

    return validated


class _Required(traitlets.TraitType[Any, Any]):
    """A trait that None is refused for by its validator; `traitlets.Any` would not ask it."""

    default_value = None


class Session(SetInTurn):
    """Classifier, picture, class, layer, channel and selection that linked views share.

    `target` is a class index (a name may be assigned) or None for whatever the network predicts, `against` a class
    whose score is subtracted from it where a technique can, or None. `layer` is a qualified layer name (an alias may be
    assigned). Anything that `read_picture` takes may be assigned to `picture`, a network to `classifier`: that resets
    target, against, layer and channel before any observer is called. What is refused
    changes nothing.
    """

    classifier = _Required(help="The Classifier; a torch.nn.Module may be assigned.")
    picture = traitlets.Any(None, allow_none=True, help="The Picture looked at.")
    target = traitlets.Any(None, allow_none=True, help="Class index, or None: the predicted class.")
    against = traitlets.Any(None, allow_none=True, help="Class index whose evidence is subtracted, or None.")
    layer = _Required(help="Qualified name of the layer looked at.")
    channel = traitlets.Any(None, allow_none=True, help="Channel of the layer, or None.")
    selection = _Required((), help="Indices of selected items of a collection, a tuple of ints.")

    def __init__(self, model: object = None, picture: object = None, **traits: Any) -> None:
        super().__init__()
        self._example: Example | None = None
        self._making = lock()
        self._choices = 0
        unknown = [name for name in traits if not self.has_trait(name)]
        if unknown:
            raise TypeError(f"Session has no {', '.join(unknown)}.")
        if picture is not None:
            picture = read_picture(picture)
        self.classifier = as_classifier(model, picture)
        self.picture = picture
        # A channel is one of a layer, whatever the order in which they are given.
        for name in sorted(
            traits, key=["classifier", "picture", "target", "against", "layer", "channel", "selection"].index
        ):
            setattr(self, name, traits[name])

    def __repr__(self) -> str:
        classifier, target = self.classifier, self.target
        name = "no picture" if self.picture is None else "a picture"
        picture = repr(self.picture.name) if self.picture is not None and self.picture.name else name
        shown = "the predicted class" if target is None else f"class {target} {classifier.class_names[target]!r}"
        if self.against is not None:
            shown += f" minus {classifier.class_names[self.against]!r}"
        return f"<Session {classifier.name}, {picture}, {shown}, layer {self.layer!r}>"

    # -- what is looked at ------------------------------------------------------------------------------------

    @property
    def choices(self) -> int:
        """Grows whenever a picture is assigned, also with the one that is there: who chose last can be told."""
        return self._choices

    @property
    def example(self) -> Example:
        """The picture as the classifier sees it, shared by all views. Raises PictureError when there is none."""
        classifier, picture = self.classifier, self.picture
        if picture is None:
            raise PictureError("There is no picture yet; choose or upload one.")
        with self._making:
            example = self._example
            same = example is not None and example.picture is picture and example.classifier is classifier
            # A network may be trained on between two cells.
            if example is None or not same or not example.current:
                example = self._example = Example(classifier, picture)
        return example

    @property
    def scene(self) -> Scene:
        """What is looked at now. Raises PictureError when there is no picture."""
        return Scene(self.example, self.target, self.against, self.layer, self.channel)

    @traitlets.validate("classifier")
    @_refusing
    def _valid_classifier(self, proposal: Any) -> Classifier:
        classifier = as_classifier(proposal["value"])
        _ = classifier.default_layer  # a classifier without layers is refused before anything has changed
        return classifier

    @traitlets.validate("picture")
    @_refusing
    def _valid_picture(self, proposal: Any) -> Picture | None:
        picture = None if proposal["value"] is None else read_picture(proposal["value"])
        self._choices += 1
        return picture

    @traitlets.validate("target", "against")
    @_refusing
    def _valid_target(self, proposal: Any) -> int | None:
        return None if proposal["value"] is None else self.classifier.class_index(proposal["value"])

    @traitlets.validate("layer")
    @_refusing
    def _valid_layer(self, proposal: Any) -> str:
        name: str = self.classifier.layer(proposal["value"]).name
        return name

    @traitlets.validate("channel")
    @_refusing
    def _valid_channel(self, proposal: Any) -> int | None:
        value = proposal["value"]
        if value is None:
            return None
        channels = self.classifier.layer(self.layer).shape[0]
        index = _index(value)
        if index is None or not 0 <= index < channels:
            raise TargetError(f"{self.layer} has channels 0 to {channels - 1}, not {short_repr(value)}.")
        return index

    @traitlets.validate("selection")
    @_refusing
    def _valid_selection(self, proposal: Any) -> tuple[int, ...]:
        value = proposal["value"]
        indices = [_index(item) for item in value] if isinstance(value, Iterable) else [None]
        if any(index is None or index < 0 for index in indices):
            raise TargetError(f"A selection is a list of indices of a collection, not {short_repr(value)}.")
        return tuple(index for index in indices if index is not None)

    @traitlets.observe("classifier")
    def _classifier_changed(self, _: Any) -> None:
        # Bundled: observers of one must not see the old classifier's other two.
        with self.hold_trait_notifications():
            self.channel = None
            self.target = self.against = None
            self.layer = self.classifier.default_layer

    @traitlets.observe("layer")
    def _layer_changed(self, _: Any) -> None:
        if self.channel is not None and self.channel >= self.classifier.layer(self.layer).shape[0]:
            self.channel = None


def _index(value: object) -> int | None:
    """`value` as an int where it is one, of Python, NumPy or torch."""
    try:
        return None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
