"""What holds for every technique on several cores: the same map to the last bit, nothing left, nobody else slowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier, workers
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.replicas import may_be_replicated
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.explain import Explainer, Occlusion
from tests.support import networks
from tests.support.guest import state
from tests.support.networks import seeded
from tests.support.techniques import all_techniques


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Batches, "batch", 4)
    yield
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)


@all_techniques
def test_maps_are_the_same_to_the_last_bit_whatever_the_number_of_cores(
    explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = seeded(networks.ConvGapLinear).train()
    classifier = networks.classifier(network)
    assert may_be_replicated(classifier)
    pixels = networks.picture(classifier)
    before, threads = state(network), torch.get_num_threads()
    found = []
    for count in (1, 2, 3, 2):
        monkeypatch.setattr(workers.WORKERS, "count", count)
        found.append(explainer(classifier, pixels, 1))
    for other in found[1:]:
        np.testing.assert_array_equal(other.values, found[0].values)
        np.testing.assert_array_equal(other.cells, found[0].cells)
        assert other.note == found[0].note
    assert state(network) == before
    assert torch.get_num_threads() == threads


def test_one_worker_makes_no_replica_and_no_pass_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", 1)
    monkeypatch.setattr(Classifier, "replica", None)
    seen: list[int] = []

    class Seen(networks.ConvGapLinear):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            seen.append(len(pixels))
            return super().forward(pixels)

    classifier = networks.classifier(seeded(Seen))
    assert may_be_replicated(classifier)
    seen.clear()
    found = Occlusion(3, 3)(classifier, networks.picture(classifier), 1)
    assert sum(seen) == 1 + found.cells.size


@all_techniques
def test_an_error_of_the_network_arrives(explainer: Explainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", 2)
    main = threading.get_ident()

    class Failing(networks.ConvGapLinear):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            if broken and (threading.get_ident() != main or len(pixels) > 1):
                raise ZeroDivisionError("on purpose")
            return super().forward(pixels)

    broken: list[int] = []
    classifier = networks.classifier(seeded(Failing))
    pixels = networks.picture(classifier)
    expected = explainer(classifier, pixels, 1)
    broken.append(1)
    try:
        found = explainer(classifier, pixels, 1)
    except ClassifierError as error:
        assert "on purpose" in str(error)
    else:  # of a single pass
        np.testing.assert_allclose(found.values, expected.values, atol=1e-5)


def test_the_users_threads_are_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", 2)
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    torch.set_num_threads(2)
    try:
        for _ in Occlusion(3, 1).steps(classifier, pixels, 1):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
