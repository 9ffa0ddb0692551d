"""Does a map depend on what was learned? Weights are drawn anew from the last layer down, in a copy of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, TargetLike
from cnnviz_widgets.classifier.hooks import noting_calls
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ExplanationError, MethodError
from cnnviz_widgets.explain.evaluation import sentences
from cnnviz_widgets.explain.evaluation.agreement import OTHER_PHOTOGRAPH
from cnnviz_widgets.explain.evaluation.other_class import finished, signed
from cnnviz_widgets.explain.explainer import Explainer, LayerExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import rank_correlation
from cnnviz_widgets.parameters import Range, check_count, check_share
from cnnviz_widgets.study.untrained import initial_kernels

_Norm = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True, eq=False)
class RandomizedMap:
    """The map with the weights of the last `count` of `total` layers drawn anew, of which `layer` is the first.

    `correlation` is the rank correlation of its signed values with the trained network's map; NaN where either is the
    same everywhere.
    """

    count: int
    total: int
    layer: str
    heatmap: Heatmap
    correlation: float
    label: str

    @property
    def sentence(self) -> str:
        """How like the map is to the trained network's."""
        if math.isnan(self.correlation):
            return "One of the two maps is the same everywhere: there is nothing to compare."
        return sentences.randomised(self.count, self.total, self.correlation, OTHER_PHOTOGRAPH.get(self.label))


@dataclass(frozen=True)
class RandomizationTest:
    """A technique's map while the weights of a copy of the network are drawn anew, in `depths` steps from the end.

    A map that stays as it is does not show what was learned. Each weight is drawn once, by `seed`: one draw of weights
    is no verdict on a technique. Adebayo et al. 2018 (arXiv 1810.03292), the cascading test.
    """

    depths: Annotated[int, Range(2, 20)] = 6
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_count("depths", self.depths, low=2)
        check_count("seed", self.seed, low=0)

    def maps(
        self,
        technique: Explainer,
        classifier: Classifier,
        pixels: Tensor,
        target: TargetLike | None = None,
        layer: str | None = None,
    ) -> Iterator[RandomizedMap]:
        """Yield the trained network's map, then that with the last layer drawn anew, and so on down to the first.

        The maps keep their negative values. Raises MethodError where the network cannot be copied or has no weights,
        and what the technique raises.
        """
        instance = Instance.of(classifier, pixels, target, layer)
        technique = signed(technique)
        if isinstance(technique, LayerExplainer):  # a random network's own choice would be another
            instance = technique.place(instance)
        trained = finished(technique, instance)
        randomizer = Randomizer(classifier, instance.pixels, self.seed)
        total = randomizer.total
        yield RandomizedMap(0, total, "", trained, 1.0, technique.label)
        for count in sorted({max(1, round(total * step / (self.depths - 1))) for step in range(self.depths)}):
            random = randomizer.randomize(count)
            found = finished(technique, Instance.of(random, instance.pixels, instance.target, instance.layer))
            correlation = rank_correlation(trained.cells, found.cells)
            yield RandomizedMap(count, total, randomizer.names[total - count], found, correlation, technique.label)


def randomize(
    classifier: Classifier, share_of_layers: float, pixels: Tensor | None = None, *, seed: int = 0
) -> Classifier:
    """A classifier of a copy of the network in which the last `share_of_layers`, 0 to 1, have random weights.

    The weights are those that the library of the network's builder begins with, where that is known, and else normal
    ones (He et al. 2015, fan out). Their batch norms are new, with statistics of `pixels` (1, C, H, W) and of these
    mirrored; without pixels, of noise. The user's network stays as it is. Raises MethodError where it cannot be copied
    or has no weights.
    """
    check_share("share_of_layers", share_of_layers, 0, 1)
    check_count("seed", seed, low=0)
    if pixels is None:
        generator = torch.Generator().manual_seed(seed)
        pixels = torch.randn(1, classifier.channels, *classifier.input_size, generator=generator)
    randomizer = Randomizer(classifier, classifier.input_copy(pixels), seed)
    return randomizer.randomize(round(share_of_layers * randomizer.total))


class Randomizer:
    """A copy of a classifier's network whose layers get random weights, one after another from the last."""

    def __init__(self, classifier: Classifier, pixels: Tensor, seed: int) -> None:
        self._classifier = copy_of(classifier)
        self._network = self._classifier.network
        self._pixels = torch.cat([pixels.flip(sides) for sides in ((), (3,), (2,), (2, 3))])
        self._seed = seed
        known = initial_kernels(classifier.network, seed)
        self._initial: Mapping[str, Tensor] = {} if known is None else known[1]
        #: The layers that have weights, in the order in which they are run; with the norms that follow each.
        self.names, self._norms = _weighted(self._network, self._pixels[:1].to(classifier.device, classifier.dtype))
        if not self.names:
            raise MethodError(f"{classifier.name} has no weights to draw anew; choose another test.")
        self._done = 0

    @property
    def total(self) -> int:
        """How many layers there are."""
        return len(self.names)

    @torch.inference_mode(False)
    @torch.no_grad()
    def randomize(self, count: int) -> Classifier:
        """The copy with the last `count` layers drawn anew; there is no way back."""
        modules = dict(self._network.named_modules())
        for place in range(self.total - self._done - 1, self.total - count - 1, -1):
            name = self.names[place]
            generator = torch.Generator().manual_seed(1000 * self._seed + place)
            _draw(modules[name], self._initial.get(name), generator)
        self._done = max(self._done, count)
        norms = [modules[name] for name in self._norms_of(self._done)]
        for norm in norms:
            _renew(norm)
        self._measure(norms)
        return self._classifier

    def _norms_of(self, count: int) -> list[str]:
        last = set(self.names[self.total - count :])
        return [norm for norm, after in self._norms.items() if after in last]

    def _measure(self, norms: list[nn.Module]) -> None:
        """Give the norms that keep statistics those of the pictures."""
        measuring = [
            norm for norm in norms if isinstance(norm, nn.modules.batchnorm._BatchNorm) and norm.track_running_stats
        ]
        if not measuring:
            return
        momenta = [norm.momentum for norm in measuring]
        batches = self._pixels.split(1 if self._classifier.one_at_a_time else len(self._pixels))
        for norm in measuring:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        try:
            for batch in batches:
                self._network(batch.to(self._classifier.device, self._classifier.dtype))
        except Exception as error:
            raise MethodError(
                f"The batch norms of a copy of {self._classifier.name} cannot be measured anew "
                f"({summarize_error(error)}); choose another test."
            ) from error
        finally:
            for norm, momentum in zip(measuring, momenta, strict=True):
                norm.momentum = momentum
                norm.eval()


@torch.inference_mode(False)
def copy_of(classifier: Classifier) -> Classifier:
    """A classifier of a copy of the network, with weights of its own. Raises MethodError where there can be none."""
    try:
        with classifier.evaluating():
            network = copy.deepcopy(classifier.shadow).eval()
        return Classifier(
            network,
            classifier.preprocess,
            classifier.class_names,
            input_size=classifier.input_size,
            name=f"a copy of {classifier.name}",
            scores=classifier.scores,
            output=classifier.output,
            autocast=classifier.autocast,
        )
    except Exception as error:
        # A network may refuse to be copied with any exception of its own.
        text = str(error) if isinstance(error, ExplanationError) else summarize_error(error)
        raise MethodError(f"{classifier.name} cannot be copied to draw its weights anew ({text}).") from error


def _weighted(network: nn.Module, pixels: Tensor) -> tuple[list[str], dict[str, str]]:
    """Names of the modules with weights as they are run, and of the norms, each with the module that it follows."""
    modules = dict(network.named_modules())
    run: list[str] = []
    norms: dict[str, str] = {}

    def called(name: str) -> None:
        if isinstance(modules[name], _Norm):
            norms[name] = run[-1] if run else ""
        elif name not in run:
            run.append(name)

    own = [name for name, module in modules.items() if any(True for _ in module.parameters(recurse=False))]
    weighted = [name for name in own if _has_weights(modules[name])]
    with noting_calls(network, weighted, called), torch.inference_mode(False), torch.no_grad():
        network(pixels.clone())
    return run, norms


def _has_weights(module: nn.Module) -> bool:
    own = module.parameters(recurse=False)
    return isinstance(module, _Norm) or any(weight.ndim > 1 and weight.is_floating_point() for weight in own)


def _draw(module: nn.Module, initial: Tensor | None, generator: torch.Generator) -> None:
    """Give a module new weights: `initial`, or normal ones; convolutions and linear layers as by He, without a bias."""
    usual = isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
    for weight in module.parameters(recurse=False):
        if not weight.is_floating_point() or (usual and weight.ndim < 2):
            weight.zero_()
        elif weight.ndim > 1 and initial is not None and initial.shape == weight.shape:
            weight.copy_(initial)
        else:
            draw = torch.randn(weight.shape, generator=generator)
            mean, scale = (0.0, _he(weight)) if usual else (float(weight.mean()), float(weight.std(correction=0)))
            weight.copy_(mean + scale * draw)


def _he(weight: Tensor) -> float:
    """The standard deviation that keeps the size of gradients behind a ReLU, by the outputs a value reaches."""
    return math.sqrt(2 / max(1, len(weight) * math.prod(weight.shape[2:])))


def _renew(norm: nn.Module) -> None:
    for name, weight in norm.named_parameters(recurse=False):
        weight.fill_(0.0 if name == "bias" else 1.0)
