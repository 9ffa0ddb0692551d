"""The exceptions of this package. Each message is one sentence that says what is wrong and what to do about it."""


class ExplanationError(ValueError):
    """Base of the exceptions for bad input; a ValueError."""


class PictureError(ExplanationError):
    """A picture cannot be read or does not fit the network."""


class ClassifierError(ExplanationError):
    """A network cannot be used as a classifier, has raised an exception, or has returned NaN."""


class LayerError(ExplanationError):
    """A layer does not exist or has no spatial extent."""


class TargetError(ExplanationError):
    """A class, a channel or a selected picture of a collection does not exist."""


class MethodError(ExplanationError):
    """A technique does not apply to this network, or one of its parameters has a value that is not allowed."""


class StoreError(ExplanationError):
    """Stored features do not fit the network, the layer or the data set, or hold nothing yet."""


class MissingExtra(ExplanationError):
    """An optional package is not installed; the message names the extra to install."""


class ExportError(ExplanationError):
    """A panel cannot be recorded, saved, or written as a page; the message says what stands in the way."""


class ClusterError(ExplanationError):
    """The workers of a cluster were lost again and again, or it cannot be made as it was described."""


class StateError(ExplanationError):
    """What was assigned to `state` is no state, or one of another version or another kind of view."""


class GuessError(ExplanationError):
    """A guess is none of those that were asked for, or there is nothing to guess now."""


class EngineError(ExplanationError):
    """A network cannot be run in the engine that was asked for; the message says why, and what to do."""
