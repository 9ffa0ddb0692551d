"""Networks of torchvision, with what their weights say about their input and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import torch
from torch import nn

from cnnviz_widgets.classifier.preprocess import Preprocess
from cnnviz_widgets.classifier.wording import close_matches, summarize_error
from cnnviz_widgets.errors import ClassifierError


def pretrained(name: str, weights: object) -> tuple[nn.Module, Preprocess, Sequence[str] | None]:
    """A network, its preprocessing and its class names. Raises ClassifierError."""
    import torchvision

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise ClassifierError(f"torchvision has no classifier {name!r}{close_matches(name, known)}.")
    chosen = torchvision.models.get_model_weights(name)
    # A member of the enumeration is as good as its name.
    wanted = str(getattr(weights, "name", weights or "DEFAULT"))
    if wanted not in chosen.__members__:
        raise ClassifierError(f"{name} has no weights {wanted!r}{close_matches(wanted, list(chosen.__members__))}.")
    enum = chosen[wanted]
    if weights is None:
        network = torchvision.models.get_model(name, weights=None)
    else:
        file = Path(torch.hub.get_dir(), "checkpoints", enum.url.rpartition("/")[2])
        try:
            if not file.exists():
                # torch.hub waits without end for a network that swallows packets.
                urlopen(enum.url, timeout=20).close()
            network = torchvision.models.get_model(name, weights=enum)
        except Exception as error:
            if file.exists():
                why, mend = "could not be loaded", f"delete {file} if it is damaged"
            else:
                why, mend = "are not on this machine and could not be fetched", "go online"
            raise ClassifierError(
                f"The weights of {name} {why} ({summarize_error(error)}); {mend}, use "
                "cnnviz_widgets.demo.classifier(), or pass your own network."
            ) from error
    return network, enum.transforms(), enum.meta.get("categories")
