"""The old name of `cnnviz_widgets.classifier.preprocess`, for one release."""

from __future__ import annotations

import warnings
from typing import Any

from cnnviz_widgets.classifier import preprocess


def __getattr__(name: str) -> Any:
    value = getattr(preprocess, name)
    warnings.warn(
        f"cnnviz_widgets.preprocess.{name} is now cnnviz_widgets.classifier.preprocess.{name}.",
        DeprecationWarning,
        stacklevel=2,
    )
    return value
