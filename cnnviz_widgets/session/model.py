"""What is looked into, made of what was passed."""

from __future__ import annotations

from collections.abc import Sequence

from cnnviz_widgets.classifier import Autocast, Classifier
from cnnviz_widgets.classifier.given import network_in
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.picture import read_picture

#: Pictures up to this side, in pixels, are taken as they are when the network accepts any input size.
_SMALL = 256


def as_classifier(
    model: object,
    picture: object = None,
    class_names: Sequence[str] | None = None,
    autocast: Autocast | None = None,
) -> Classifier:
    """A Classifier of a Classifier, a network or a torchvision name. Raises ClassifierError.

    A bare network that accepts any input size gets that of `picture`, when it is a small one or a tensor. With
    `autocast` a Classifier is not changed: another one of its network is made.
    """
    if isinstance(model, Classifier):
        if class_names is not None:
            raise ClassifierError("Give the class names to the Classifier, not beside it.")
        return model if autocast is None else model.with_autocast(autocast)
    if isinstance(model, str):
        if class_names is not None:
            raise ClassifierError(f"{model} brings its own class names; leave yours out.")
        return Classifier.of(model, autocast=autocast)
    model = network_in(model, "Pass a torch network, a Classifier or a torchvision name")
    size = _own_size(picture)
    if size is not None:
        try:
            return Classifier(model, class_names=class_names, input_size=size, autocast=autocast)
        except ClassifierError:
            # The network wants another size than the picture's: let it choose.
            pass
    return Classifier(model, class_names=class_names, autocast=autocast)


def _own_size(source: object) -> tuple[int, int] | None:
    if source is None:
        return None
    picture = read_picture(source)
    if picture.image is None:
        height, width = picture.tensor.shape[-2:]  # type: ignore[union-attr]
        return int(height), int(width)
    size = (picture.image.height, picture.image.width)
    return size if max(size) <= _SMALL else None
