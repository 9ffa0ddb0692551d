"""SmoothGrad, integrated gradients and Score-CAM against the peers, each on the batch that suits it best."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from captum.attr import IntegratedGradients as PeerIntegratedGradients
from captum.attr import NoiseTunnel, Saliency
from pytorch_grad_cam import ScoreCAM as PeerScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from benchmarks.table import Rival, Row, best, compare
from cnnviz_widgets import Classifier
from cnnviz_widgets.explain import IntegratedGradients, ScoreCAM, SmoothGrad

TARGET = 281
SAMPLES = 32
BATCHES = (1, 4, 8, 16, 32)


def rows() -> Iterable[Row]:
    torch.manual_seed(0)
    classifier = Classifier.of("resnet18", weights=None)
    network = classifier.network.eval()
    pixels = torch.randn(1, 3, 224, 224)
    deviation = 0.15 * float(pixels.max() - pixels.min())
    tunnel, gradients = NoiseTunnel(Saliency(network)), PeerIntegratedGradients(network)

    def smooth(batch: int) -> Callable[[], object]:
        options = {"nt_samples": SAMPLES, "nt_samples_batch_size": batch, "stdevs": deviation, "abs": False}
        return lambda: tunnel.attribute(pixels, nt_type="smoothgrad", target=TARGET, **options)

    def integrated(batch: int) -> Callable[[], object]:
        baseline = classifier.black.expand_as(pixels[0])[None]
        return lambda: gradients.attribute(
            pixels, baseline, TARGET, n_steps=SAMPLES, method="riemann_middle", internal_batch_size=batch
        )

    def score(batch: int) -> Callable[[], object]:
        def work() -> None:
            with PeerScoreCAM(network, [network.layer4]) as peer:
                peer.batch_size = batch
                peer(pixels, [ClassifierOutputTarget(TARGET)])

        return work

    batch, rival = best(smooth, BATCHES)
    yield from compare(
        f"SmoothGrad, {SAMPLES} samples",
        lambda: SmoothGrad(samples=SAMPLES)(classifier, pixels, TARGET),
        Rival(f"captum, batch {batch}", rival),
    )
    batch, rival = best(integrated, BATCHES)
    yield from compare(
        f"integrated gradients, {SAMPLES} points",
        lambda: IntegratedGradients(points=SAMPLES)(classifier, pixels, TARGET),
        Rival(f"captum, batch {batch}", rival),
    )
    batch, rival = best(score, BATCHES[1:])
    yield from compare(
        "Score-CAM, 512 channels",
        lambda: ScoreCAM("layer4")(classifier, pixels, TARGET),
        Rival(f"grad-cam, batch {batch}", rival),
    )
