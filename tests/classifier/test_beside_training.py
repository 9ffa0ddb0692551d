"""A cell trains while a technique is at work on another thread: neither notices the other."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import explain, study
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.activations import activations
from cnnviz_widgets.study.positive_copy import gradient_boxes
from cnnviz_widgets.study.receptive_field import receptive_field
from tests.support import networks
from tests.support.techniques import TECHNIQUES

PATIENCE = 60.0
#: So many training steps are made inside passes of the technique.
STEPS = 3
DATA = list(np.random.default_rng(0).integers(0, 256, (5, *networks.SIZE, 3), np.uint8))


class Turns:
    """Lets another thread stop inside a forward pass until a training step has been made."""

    def __init__(self) -> None:
        self.worker: int | None = None
        self.left = 0
        self.inside, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def here(self) -> None:
        if threading.get_ident() == self.worker and self.left:
            self.left -= 1
            self.inside.release()
            assert self.go.acquire(timeout=PATIENCE)


class Gate(nn.Module):
    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.turns = turns

    def forward(self, values: Tensor) -> Tensor:
        self.turns.here()
        return values

    def __deepcopy__(self, memo: Any) -> Gate:
        return self  # what waits is not copied


class Trained(nn.Module):
    """All that differs between training and evaluating, with gates before, between and behind."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.gate = Gate(turns)
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 6, 3, padding=1))
        self.bn = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.gate2 = Gate(turns)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(6, networks.CLASSES)
        self.gate3 = Gate(turns)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.gate2(self.relu(self.bn(self.conv(self.gate(pixels)))))
        values = torch.relu(self.conv2(values)).mean((2, 3))
        return self.gate3(self.fc(self.dropout(values)))


class Training:
    """A training loop of a cell."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.optimiser = torch.optim.Adam(network.parameters(), 0.05)
        self.pixels = torch.randn(6, 3, *networks.SIZE, generator=torch.Generator().manual_seed(3))
        self.seen: list[Any] = []

    def step(self) -> None:
        self.optimiser.zero_grad()
        loss = nn.functional.cross_entropy(self.network(self.pixels), torch.arange(6) % networks.CLASSES)
        loss.backward()
        self.optimiser.step()
        modes = [module.training for module in self.network.modules()]
        learns = [weight.requires_grad for weight in self.network.parameters()]
        self.seen.append((loss.item(), modes, learns, [weight.grad.tolist() for weight in self.network.parameters()]))

    @property
    def outcome(self) -> Any:
        hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in self.network.modules()]
        values = {name: value.tolist() for name, value in self.network.state_dict().items()}
        return self.seen, hooks, values, torch.get_rng_state().tolist(), torch.is_grad_enabled()


Job = Callable[[Classifier], Any]


def explained(explainer: explain.Explainer) -> Job:
    return lambda classifier: explainer(classifier, networks.picture(classifier), 1).values


def visualised(target: Any) -> Job:
    return lambda classifier: study.ActivationMaximisation(iterations=3)(classifier, target).parameters.numpy()


def features(classifier: Classifier) -> Any:
    return FeatureStore.build(classifier, DATA, batch=2).features


def strongest(classifier: Classifier) -> Any:
    *_, patches = scan(classifier, DATA, batch=2, k=2)
    return np.concatenate([spots.values.ravel() for spots in patches.layers.values()])


JOBS: dict[str, Job] = {
    **{kind.__name__: explained(explainer) for kind, explainer in TECHNIQUES.items()},
    "class visualisation": visualised(1),
    "channel visualisation": visualised(study.Channel("conv2", 1)),
    "activations": lambda c: activations(c, networks.picture(c), "conv2").maps,
    "ablation": lambda c: ablate(c, networks.picture(c), "conv2", [1, 2]),
    "filters": lambda c: study.filters(c, "conv").weights,
    "untrained filters": lambda c: study.initial_filters(c, "conv").weights,
    "receptive field": lambda c: receptive_field(c, "conv2").boxes,
    "receptive field by gradients": lambda c: gradient_boxes(c, "conv2").numpy(),
    "features": features,
    "patches": strongest,
    "layers": lambda c: np.array([hash(layer) % 97 for layer in c.layers]),
    "robustness": lambda c: study.ActivationMaximisation(iterations=2)(c, 1).robustness(4),
}


def network() -> tuple[Trained, Turns]:
    turns = Turns()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Trained(turns).train(), turns


@pytest.mark.parametrize("name", JOBS)
def test_a_cell_trains_as_if_it_were_alone(name: str) -> None:
    trained, turns = network()
    classifier = Classifier(trained, input_size=networks.SIZE)
    failures: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        turns.worker, turns.left = threading.get_ident(), STEPS
        try:
            JOBS[name](classifier)
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()
            turns.inside.release()

    torch.manual_seed(5)
    training = Training(trained)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    for _ in range(STEPS):
        assert turns.inside.acquire(timeout=PATIENCE)
        training.step()
        if done.is_set():
            turns.inside.release()
        turns.go.release()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not failures, failures

    torch.manual_seed(5)
    alone = Training(network()[0])
    for _ in range(STEPS):
        alone.step()
    assert training.outcome == alone.outcome


@pytest.mark.parametrize("name", JOBS)
def test_the_result_is_that_of_a_frozen_copy(name: str) -> None:
    trained, _ = network()
    Training(trained).step()
    frozen = copy.deepcopy(trained).eval().requires_grad_(False)
    found = JOBS[name](Classifier(trained, input_size=networks.SIZE))
    expected = JOBS[name](Classifier(frozen, input_size=networks.SIZE))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.size(found)
