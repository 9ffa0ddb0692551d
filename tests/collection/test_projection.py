"""Maps: how far they can be trusted, that they can be stopped and gone on with, and what lands on them."""

from __future__ import annotations

import sys
from collections import deque
from itertools import islice, pairwise

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE as WholeTSNE
from sklearn.manifold import trustworthiness as whole_trustworthiness

from cnnviz_widgets.collection import projection
from cnnviz_widgets.collection.projection import PCA, TSNE, UMAP, trustworthiness
from cnnviz_widgets.errors import MissingExtra, StoreError

DIGITS = load_digits().data[:400].astype(np.float32)
SHORT = TSNE(early_iterations=30, iterations=40)


def blobs(count: int = 60) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = 20 * np.eye(3, 8)[np.arange(count) % 3]
    return (centres + random.normal(size=(count, 8))).astype(np.float32)


def test_it_is_as_trustworthy_as_scikit_learns() -> None:
    ours = TSNE()(DIGITS)
    theirs = WholeTSNE(random_state=0).fit_transform(DIGITS)
    assert trustworthiness(DIGITS, ours.positions) >= trustworthiness(DIGITS, theirs) - 0.005


def test_trustworthiness_is_scikit_learns_and_sampled_above_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    points = DIGITS[:, 20:22]
    assert trustworthiness(DIGITS, points, 5) == pytest.approx(whole_trustworthiness(DIGITS, points, n_neighbors=5))
    monkeypatch.setattr(projection, "SAMPLED", 100)
    some = np.linspace(0, 399, 100).astype(int)
    assert trustworthiness(DIGITS, points, 5) == pytest.approx(
        whole_trustworthiness(DIGITS[some], points[some], n_neighbors=5)
    )


def test_the_map_moves_and_the_divergence_falls() -> None:
    maps = list(SHORT.steps(blobs()))
    assert maps[0].iteration == 0 and maps[-1].iteration == 70 and maps[-1].progress == 1
    assert [m.exaggerated for m in maps] == [m.iteration < 30 for m in maps]
    assert all(np.abs(a.positions - b.positions).max() > 0 for a, b in pairwise(maps))
    calm = [m.kl for m in maps if m.iteration > 30]
    assert len(calm) >= 3 and calm[-1] < calm[0]
    assert maps[0].positions.dtype == np.float32 and np.isnan(maps[0].kl)


def test_stopping_and_going_on_changes_nothing() -> None:
    whole = SHORT(blobs())
    *_, part = islice(SHORT.steps(blobs()), 5)
    assert part.iteration == 30 + 10
    (gone_on,) = deque(SHORT.steps(blobs(), part), maxlen=1)
    assert gone_on.iteration == whole.iteration
    np.testing.assert_array_equal(gone_on.positions, whole.positions)


def test_the_same_seed_gives_the_same_map_and_random_starts_differ() -> None:
    random = [TSNE(seed=seed, start="random", early_iterations=5, iterations=5)(blobs()) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(random[0].positions, random[1].positions)
    assert np.abs(random[0].positions - random[2].positions).max() > 0.01


@pytest.mark.parametrize("count", [4, 7, 20])
def test_perplexity_is_clamped_and_said(count: int) -> None:
    method = TSNE(early_iterations=5, iterations=5)
    assert method.clamped(count) == pytest.approx((count - 1) / 3)
    result = method(blobs(count))
    assert result.positions.shape == (count, 2) and f"a third of {count} points" in result.note


def test_new_points_land_among_their_like() -> None:
    features = blobs(90)
    for method in (TSNE(), PCA()):
        result = method(features[:-3])
        placed = result.place(features[-3:])
        centres = np.stack([result.positions[np.arange(87) % 3 == group].mean(axis=0) for group in range(3)])
        found = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
        np.testing.assert_array_equal(found, np.arange(87, 90) % 3)


def test_pca_is_the_projection_with_the_largest_variance() -> None:
    result = PCA()(DIGITS)
    values = np.linalg.eigvalsh(np.cov(DIGITS.T.astype(np.float64)))[::-1]
    np.testing.assert_allclose(result.positions.var(axis=0, ddof=1), values[:2], rtol=1e-4)
    np.testing.assert_allclose(result.place(DIGITS[:5]), result.positions[:5], atol=1e-4)
    assert f"{values[:2].sum() / values.sum():.0%} of the variance" in result.note


def test_without_opentsne_scikit_learns_answers_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    (result,) = TSNE(perplexity=15).steps(blobs())
    assert "scikit-learn's t-SNE" in result.note and "pip install" in result.note
    assert result.progress == 1 and np.isfinite(result.kl)
    placed = result.place(blobs()[:1])
    same = result.positions[np.arange(60) % 3 == 0]
    assert np.linalg.norm(same - placed, axis=1).min() < np.ptp(result.positions, axis=0).max() / 4


def test_without_umap_the_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match="umap-learn"):
        UMAP()(blobs())


def test_what_no_map_can_be_made_of_is_refused() -> None:
    with pytest.raises(StoreError, match="at least 4 pictures, not 3"):
        TSNE()(blobs(3))
    with pytest.raises(StoreError, match="same features"):
        PCA()(np.ones((9, 4), np.float32))
    assert PCA()(np.arange(6, dtype=np.float32)[:, None]).positions.shape == (6, 2)
