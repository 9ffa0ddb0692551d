"""Maps: how far they can be trusted, that they can be stopped and gone on with, and what lands on them."""

from __future__ import annotations

import sys
from collections import deque
from itertools import islice, pairwise
from types import SimpleNamespace

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
    assert method.effective_perplexity(count) == pytest.approx((count - 1) / 3)
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


class FirstTwo:
    """Stands in for umap.UMAP: the first two components, and new ones beside them."""

    def __init__(self, **_: object) -> None:
        pass

    def fit_transform(self, features: np.ndarray) -> np.ndarray:
        return features[:, :2]

    def transform(self, features: np.ndarray) -> np.ndarray:
        return features[:, :2] + 1


FEATURES = np.concatenate([blobs(90), blobs(90)[:3] + 0.5])


@pytest.mark.parametrize(
    "method", [SHORT, TSNE(early_iterations=10, iterations=10, start="random"), PCA(), UMAP()], ids=str
)
def test_what_is_on_the_map_is_placed_where_it_is_and_nothing_moves(
    method: projection.Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real one compiles for a minute before its first map.
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=FirstTwo))
    made = method(FEATURES)
    before, span = made.positions.copy(), np.ptp(made.positions, axis=0).max()
    together = made.place(FEATURES)
    alone = np.concatenate([made.place(FEATURES[[row]]) for row in range(0, 93, 7)])
    # As features of a picture alone differ from those in a batch.
    nearly = made.place(FEATURES * np.float32(1 + 1e-6))
    for placed, rows in ((together, slice(None)), (alone, slice(0, 93, 7)), (nearly, slice(None))):
        offsets = (placed - before[rows]) / span
        assert np.linalg.norm(offsets, axis=1).max() < 1e-4 and np.abs(offsets.mean(axis=0)).max() < 1e-5
    np.testing.assert_array_equal(made.positions, before)
    np.testing.assert_array_equal(made.place(FEATURES), together)


def test_a_new_vector_beside_one_of_the_map_lands_beside_it() -> None:
    made = TSNE(early_iterations=120, iterations=200)(DIGITS[:300])
    beside = DIGITS[:300] + np.random.default_rng(0).normal(0, 0.05, (300, 64)).astype(np.float32)
    offsets = (made.place(beside) - made.positions) / np.ptp(made.positions, axis=0).max()
    assert np.abs(offsets.mean(axis=0)).max() < 2e-3 and np.linalg.norm(offsets, axis=1).max() < 0.02


def test_going_on_after_placing_is_bit_identical() -> None:
    whole = SHORT(blobs())
    for made in (steps := SHORT.steps(blobs())):
        before = made.positions.copy()
        made.place(blobs()[:3] + 1)
        np.testing.assert_array_equal(made.positions, before)
        if made.iteration == 40:
            break
    rest = list(SHORT.steps(blobs(), made))
    np.testing.assert_array_equal(rest[-1].positions, whole.positions)
    steps.close()  # type: ignore[attr-defined]


def test_a_map_places_on_itself_and_not_on_what_became_of_it() -> None:
    maps = list(SHORT.steps(blobs()))
    for made in (maps[3], maps[-1]):
        near = made.place(blobs()[:6] + np.float32(1e-2))
        assert np.abs(near - made.positions[:6]).max() < 0.1 * np.ptp(made.positions, axis=0).max()


def test_without_opentsne_placing_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    (made,) = TSNE(perplexity=15).steps(blobs())
    before = made.positions.copy()
    np.testing.assert_array_equal(made.place(blobs()), before)
    np.testing.assert_array_equal(made.positions, before)


def test_methods_say_what_is_left_to_import(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TSNE().prepared and PCA().prepared and projection.Projection().prepared
    monkeypatch.delitem(sys.modules, "openTSNE")
    assert not TSNE().prepared
