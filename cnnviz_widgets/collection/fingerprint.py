"""Which network a collection was made with: what it resumes, and what it may be asked."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.checksum import checksum_of_values


def _named(output: object) -> str:
    return getattr(output, "__qualname__", repr(output))


def weights_fingerprint(classifier: Classifier) -> str:
    """A digest, hexadecimal, of what decides a network's answers.

    Names, shapes, types and values of its weights, how its input is made, and in what arithmetic it is run.
    """
    black, white = (np.round(value.numpy().ravel(), 4).tolist() for value in (classifier.black, classifier.white))
    made = (classifier.channels, classifier.input_size, black, white, *filter(None, [classifier.autocast]))
    # What most networks have leaves their digests as they always were.
    made += (() if classifier.output == () else (_named(classifier.output),)) + (1,) * classifier.one_at_a_time
    digest = hashlib.sha256(repr(made).encode())
    values = {name: value for name, value in classifier.network.state_dict().items() if isinstance(value, Tensor)}
    for name, value in values.items():
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
    digest.update(checksum_of_values(values.values()))
    return digest.hexdigest()[:32]
