"""Which network a collection was made with: what it resumes, and what it may be asked."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier


def _named(output: object) -> str:
    return getattr(output, "__qualname__", repr(output))


def weights_fingerprint(classifier: Classifier) -> str:
    """A cheap digest of a network: names, shapes, types and some values of its weights, how its input is made,
    and in what arithmetic it is run.
    """
    black, white = (np.round(value.numpy().ravel(), 4).tolist() for value in (classifier.black, classifier.white))
    made = (classifier.channels, classifier.input_size, black, white, *filter(None, [classifier.autocast]))
    # What most networks have leaves their digests as they always were.
    made += (() if classifier.output == () else (_named(classifier.output),)) + (1,) * classifier.one_at_a_time
    digest = hashlib.sha256(repr(made).encode())
    for name, value in classifier.network.state_dict().items():
        if not isinstance(value, Tensor):
            continue
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        # Values and not sums: those would depend on the number of threads.
        flat = value.detach().reshape(-1)
        some = flat[:: max(1, len(flat) // 64)][:65].to("cpu", torch.float64)
        digest.update(some.numpy().tobytes())
    return digest.hexdigest()[:32]
