"""Exceptions whose message is one sentence that names the mend.

ExplanationError
  + PictureError      a picture cannot be read or does not fit the network
  + ClassifierError   a network cannot be used, raised, or answered with NaN
  + LayerError        a layer does not exist or has no spatial extent
  + TargetError       a class does not exist
  + MethodError       a technique does not apply to this network
  + StoreError        stored features do not fit the network, the layer or the data set, or hold nothing yet
  + MissingExtra      a package that not every installation has is needed
  + ExportError       a panel cannot be recorded, or written as a page
"""


class ExplanationError(ValueError):
    """Base of everything this package raises on bad input."""


class PictureError(ExplanationError):
    """A picture cannot be read, or does not fit the network."""


class ClassifierError(ExplanationError):
    """A network cannot be used as a classifier, raised, or answered with NaN."""


class LayerError(ExplanationError):
    """A layer does not exist, or has no spatial extent."""


class TargetError(ExplanationError):
    """A class does not exist."""


class MethodError(ExplanationError):
    """A technique does not apply to this network."""


class StoreError(ExplanationError):
    """Stored features do not fit the network, the layer or the data set, or hold nothing yet."""


class MissingExtra(ExplanationError):
    """A package that not every installation has is needed."""


class ExportError(ExplanationError):
    """A panel cannot be recorded, or written as a page."""
