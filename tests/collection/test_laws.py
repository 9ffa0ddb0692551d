"""What panels rely on: generators write to nothing but what they made and what they were given."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets import collection
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection import PCA, TSNE, FeatureStore, Patches, scan, source_of

from .stores import LABELS, columns

FILES = sorted(Path(collection.__file__).parent.glob("*.py"))
ARRAYS = ("values", "images", "cells", "sample_values", "sample_cells")


def arrays_of(result: Any) -> dict[str, np.ndarray]:
    """The arrays that a store, a scan or an embedding hands out."""
    if isinstance(result, FeatureStore):
        return columns(result)
    if isinstance(result, Patches):
        return {f"{layer} {name}": getattr(of, name) for layer, of in result.layers.items() for name in ARRAYS}
    return {"positions": result.positions}


def assert_equal(first: list[dict[str, np.ndarray]], second: list[dict[str, np.ndarray]]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


VECTORS = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
GENERATORS: dict[str, Callable[[Classifier, Any], Iterator[Any]]] = {
    "store": lambda classifier, source: FeatureStore.build_steps(classifier, source, batch=5),
    "scan": lambda classifier, source: scan(classifier, source, k=3, sample=6, batch=5),
    "t-SNE": lambda *_: TSNE(early_iterations=20, iterations=20).steps(VECTORS),
    "PCA": lambda *_: PCA().steps(VECTORS),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_two_in_turn_give_what_each_gives_alone_and_what_was_given_stays(
    classifier: Classifier, pictures: np.ndarray, name: str
) -> None:
    source = source_of((pictures, LABELS))
    alone = [arrays_of(result) for result in GENERATORS[name](classifier, source)]
    both: tuple[list[Any], list[Any]] = ([], [])
    kept = []
    for results in zip(*(GENERATORS[name](classifier, source) for _ in both), strict=True):
        for part, result in zip(both, results, strict=True):
            part.append(arrays_of(result))
            kept.append((part[-1], {key: np.array(value) for key, value in part[-1].items()}))
    assert_equal(both[0], alone)
    assert_equal(both[1], alone)
    assert_equal([given for given, _ in kept], [before for _, before in kept])


def generators_in(path: Path) -> list[ast.FunctionDef]:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    return [one for one in functions if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(one))]


def assigned_in(function: ast.FunctionDef) -> list[str]:
    """What a function writes to besides its own variables."""
    found = [ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal)]
    stored = (node for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Subscript))
    return found + [ast.unparse(node) for node in stored if not isinstance(node.ctx, ast.Load)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_generators_assign_to_nothing_but_their_own_variables(path: Path) -> None:
    assert [f"{one.name}: {name}" for one in generators_in(path) for name in assigned_in(one)] == []


def test_the_law_sees_generators_and_what_they_assign() -> None:
    assert sum(len(generators_in(path)) for path in FILES) >= 8
    body = "def f(self):\n global a\n self.x = b[0] = self.y[1]\n self.z += 1\n yield"
    (function,) = ast.parse(body).body
    assert isinstance(function, ast.FunctionDef)
    assert sorted(assigned_in(function)) == ["b[0]", "global a", "self.x", "self.z"]


def test_skipped_pictures_do_not_change_a_dict_that_is_being_read(classifier: Classifier, pictures: np.ndarray) -> None:
    items: list[object] = list(pictures[:8])
    items[1] = items[3] = items[6] = b"no picture"
    seen = [store.skipped for store in FeatureStore.build_steps(classifier, items, batch=2)]
    assert [len(skipped) for skipped in seen] == [0, 1, 2, 2, 3]
