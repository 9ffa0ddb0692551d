"""t-SNE against scikit-learn, class visualisation against torch-lucent and against the passes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from sklearn.manifold import TSNE as PeerTSNE

from benchmarks.table import Rival, Row, compare, noted
from cnnviz_widgets import Classifier, demo
from cnnviz_widgets.collection.embedding import fit_pca
from cnnviz_widgets.collection.projection import TSNE, trustworthiness
from cnnviz_widgets.study import ActivationMaximisation

STEPS, TARGET = 16, 281


def rows() -> Iterable[Row]:
    yield from _map()
    yield from _visual()


def _map() -> list[Row]:
    """Both start from the principal components of the same 50 dimensions and make 250 + 500 iterations."""
    features = (demo.digits()[0].reshape(1797, -1) / 255).astype(np.float32)
    method = TSNE()
    iterations = method.early_iterations + method.iterations
    ours: list[np.ndarray] = []
    theirs: list[np.ndarray] = []

    def peer() -> None:
        model = PeerTSNE(init="pca", random_state=0, max_iter=iterations, n_iter_without_progress=iterations)
        theirs.append(model.fit_transform(fit_pca(features, 50, 0)(features)))

    found = compare(
        "t-SNE of 1,797 digits", lambda: ours.append(method(features).positions), Rival("scikit-learn", peer)
    )
    trust = (trustworthiness(features, maps[-1].astype(np.float32)) for maps in (ours, theirs))
    words = "perplexity 30, {} iterations; trustworthiness {:.3f} and {:.3f}"
    return noted(found, words.format(iterations, *trust))


def _visual() -> list[Row]:
    classifier = Classifier.of("resnet18", weights=None)
    network = classifier.network.eval()
    pixels = torch.zeros(1, 3, 224, 224)

    def bare() -> None:
        for _ in range(STEPS):
            inputs = pixels.clone().requires_grad_()
            with classifier.evaluating():
                torch.autograd.grad(classifier.logits(inputs)[0, TARGET], inputs)

    rivals = [Rival("the passes alone", bare)]
    peer = lucent(network)
    if peer is not None:
        rivals.insert(0, Rival("torch-lucent, its own transforms", peer))
    return compare(
        f"class visualisation, {STEPS} steps",
        lambda: ActivationMaximisation(iterations=STEPS)(classifier, TARGET),
        *rivals,
        note="resnet18, 224 px",
    )


def lucent(network: torch.nn.Module) -> Callable[[], object] | None:
    """torch-lucent's ascent on the same logit, 224 px in Fourier space; None where it cannot be imported.

    Version 0.1.8 of 2021 runs with today's torch, but not with today's kornia, and asks for test tools:
    `pip install --no-deps torch-lucent==0.1.8 kornia==0.4.1 decorator future`.
    """
    try:
        from lucent.optvis import param, render
    except ImportError:
        return None

    def ascend() -> object:
        return render.render_vis(
            network,
            f"fc:{TARGET}",
            lambda: param.image(224),
            thresholds=(STEPS,),
            show_image=False,
            progress=False,
        )

    return ascend
