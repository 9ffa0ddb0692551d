"""A network run by all cores at once, where nobody can tell that from one pass after the other."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import torch

from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.classifier import Classifier
from cnnviz_widgets.classifier.runtime.runtime import ENOUGH
from cnnviz_widgets.classifier.workers import WORKERS, Parts
from cnnviz_widgets.errors import ExplanationError

#: Replicas that no job uses, of each classifier.
_spare: WeakKeyDictionary[Classifier, deque[Classifier]] = WeakKeyDictionary()


def parts_of(batches: Batches, count: int) -> Parts[Classifier, Any]:
    """Parts of a job with `count` pictures: each runs a batch of `batches` with a classifier that it is given.

    One after the other, with the classifier itself, where that might change an answer, see `may_be_replicated`, or
    inside the user's own `torch.autocast` or mode of torch, which count for one thread; a single batch; and where
    there is one worker, which would do no more than the thread that asks. A replica takes passes to be made.
    """
    classifier = batches.classifier
    alone = count <= batches.batch or WORKERS.count == torch.get_num_threads() == 1
    if alone or _in_a_mode() or not may_be_replicated(classifier):
        return Parts(classifier)
    if batches.work == "scores" and count >= ENOUGH:
        _ = classifier.engine  # for the whole job, or a map would depend on when it is found out
    spare = _spare.setdefault(classifier, deque())
    for _ in range(len(spare)):
        if (replica := spare.popleft()).runner.is_replica_of(classifier.runner):
            replica.follow(classifier)
            spare.append(replica)
    return Parts(classifier, lambda: replica_of(classifier), batches.fitting(), spare)


def may_be_replicated(classifier: Classifier) -> bool:
    """Whether several threads may run replicas at the same time, and gain by it, and no answer changes.

    Not on an accelerator, which is busy with one; nor where random numbers are drawn, the user has set a hook, or a
    pass leaves something behind in a module.
    """
    return classifier.device.type == "cpu" and classifier.autocast is None and classifier.runner.may_be_replicated


def replica_of(classifier: Classifier) -> Classifier:
    """The same classifier for another thread, to run the network at the same time."""
    with suppress(ExplanationError):
        _ = classifier.layers, classifier.colours  # what a replica knows of the network, this has found out
    return classifier.replica(classifier.runner.replica())


def _in_a_mode() -> bool:
    functions, dispatches = torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()
    return torch.is_autocast_enabled("cpu") or bool(functions or dispatches)
