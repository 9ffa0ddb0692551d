"""What the package exports, when that is imported, and how it prints."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import typing
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from cnnviz_widgets import collection
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection import PROJECTIONS, FeatureStore, Projection, scan, source_of
from cnnviz_widgets.parameters import Range

from .stores import LABELS

HEAVY = ("torch", "numpy", "sklearn", "scipy", "lancedb", "pyarrow", "openTSNE", "umap", "PIL")


def loaded_after(code: str) -> set[str]:
    """Which of HEAVY are there after `code` has run in a fresh interpreter."""
    code += f"\nimport sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], timeout=120, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_it_imports_nothing_heavy() -> None:
    assert not loaded_after("from cnnviz_widgets import collection; assert 'scan' in dir(collection)")
    light = "from cnnviz_widgets.collection import TSNE, PROJECTIONS; assert not TSNE().prepared"
    assert loaded_after(light) == {"numpy"}


def test_every_name_is_there_in_a_fresh_interpreter() -> None:
    every = f"from cnnviz_widgets import collection\nfor name in {collection.__all__!r}: getattr(collection, name)\n"
    assert not loaded_after(every + "assert callable(collection.scan)") & {"sklearn", "lancedb", "openTSNE", "umap"}
    with pytest.raises(AttributeError, match="explain"):
        collection.explain  # noqa: B018


def test_no_module_hides_a_name() -> None:
    assert not {path.stem for path in Path(collection.__file__).parent.glob("*.py")} & set(collection.__all__)


def test_it_prints_in_one_line(classifier: Classifier, pictures: np.ndarray) -> None:
    source = source_of((pictures, LABELS), None, ["a", "b", "c", "d"])
    assert repr(source) == "<Source of 23 pictures in 4 classes>"
    assert repr(source_of(pictures)) == "<Source of 23 pictures>"
    store = FeatureStore.build(classifier, source)
    assert repr(store) == f"<FeatureStore of 23 pictures, {classifier.name} at body.3, 100%>"
    (first, *_) = scan(classifier, source, ["body.0", "body.3"], batch=10)
    assert repr(first) == "<Patches of 2 layers in 10 of 23 pictures>"


def test_projections_are_offered_in_this_order() -> None:
    assert [projection.label for projection in PROJECTIONS] == ["t-SNE", "PCA", "UMAP"]


@pytest.mark.parametrize("kind", PROJECTIONS)
def test_a_projection_is_a_frozen_dataclass_with_parameters_to_choose(kind: type[Projection]) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert isinstance(kind.label, str) and "label" not in {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        hint = hints[field.name]
        ranges = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Range)]
        chosen = hint is bool or typing.get_origin(hint) is Literal or bool(ranges)
        assert chosen or field.name in ("early_iterations", "iterations")  # these are for Python only
        assert all(allowed.low <= field.default <= allowed.high for allowed in ranges)
