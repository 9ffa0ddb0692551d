"""What maps are compared with: each technique the slow way, torchvision's networks, and one that logs what it sees."""

from __future__ import annotations

import copy
import itertools
from functools import cache
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from tests.support.networks import ConvGapLinear
from tests.support.tally import Tally

#: Input sizes at which the networks still have some space to see.
SIZES = {"resnet18": 96, "vgg11": 64, "densenet121": 64, "mobilenet_v2": 96}


@cache
def torchvision_classifier(name: str) -> Classifier:
    """A torchvision network with random weights and ten classes."""
    # torchvision's own initialisation of VGG only takes time.
    options = {"init_weights": False} if name == "vgg11" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
    return Classifier(network, input_size=SIZES[name])


class Recorded(nn.Module):
    """Keeps a copy of every picture that the network inside was given, (C, H, W) each."""

    seen = Tally()

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen = []

    def forward(self, pixels: Tensor) -> Any:
        self.seen += pixels.detach().clone(memory_format=torch.contiguous_format)
        return self.network(pixels)


# -- each technique the slow way, one picture at a time in double precision ----------------------------------------


class Textbook:
    """The logit of one class of a `ConvGapLinear`, in double precision, and its layer number `at` of `features`."""

    def __init__(self, network: ConvGapLinear, pixels: Tensor, target: int, at: int = 4) -> None:
        self.network = copy.deepcopy(network).double().requires_grad_(False)
        self.pixels = pixels.double()
        self.target = target
        self.at = at

    @property
    def A(self) -> Tensor:
        """Activations (C, h, w)."""
        return self.network.features[: self.at + 1](self.pixels)[0]

    def behind(self, A: Tensor) -> Tensor:
        """The logit that follows from activations (C, h, w)."""
        values = self.network.features[self.at + 1 :](A[None])
        return self.network.fc(values.mean(dim=(2, 3)))[0, self.target]

    @property
    def g(self) -> Tensor:
        """Gradients (C, h, w)."""
        return torch.func.grad(self.behind)(self.A)

    def logit(self, pixels: Tensor | None = None) -> Tensor:
        return self.network(self.pixels if pixels is None else pixels)[0, self.target]

    def input_gradient(self, pixels: Tensor | None = None) -> Tensor:
        """(C, H, W), each by a difference: the network is linear between its kinks."""
        pixels, step = self.pixels if pixels is None else pixels, 1e-7
        changes = step * torch.eye(pixels.numel(), dtype=pixels.dtype).reshape(-1, *pixels.shape[1:])
        higher, lower = self.network(pixels + changes), self.network(pixels - changes)
        return ((higher - lower)[:, self.target] / (2 * step)).reshape(pixels.shape[1:])

    def guided(self) -> Tensor:
        """(C, H, W) with ReLUs that pass on what is positive."""
        network = copy.deepcopy(self.network)
        network.features[1] = network.features[4] = GuidedReLU()
        return torch.func.grad(lambda pixels: network(pixels)[0, self.target])(self.pixels)[0]


class _Guided(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values.clamp_min(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        return gradient.clamp_min(0) * (values > 0)


class GuidedReLU(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return _Guided.apply(values)


def occlusion(technique: Any, book: Textbook) -> Tensor:
    window, stride = technique.window, technique.stride
    height, width = book.pixels.shape[2:]
    mean = book.pixels.mean(dim=(2, 3), keepdim=True)
    tops, lefts = range(0, height - window + 1, stride), range(0, width - window + 1, stride)
    drops = torch.zeros(len(tops), len(lefts))
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            covered = book.pixels.clone()
            covered[:, :, top : top + window, left : left + window] = mean
            drops[row, column] = book.logit() - book.logit(covered)
    return drops


def rise(technique: Any, book: Textbook) -> Tensor:
    size = (book.pixels.shape[2], book.pixels.shape[3])
    mean = book.pixels.mean(dim=(2, 3), keepdim=True)
    masks = technique.draw(technique.masks, size, torch.Generator().manual_seed(technique.seed)).double()
    scores = []
    for mask in masks:
        logits = book.network(mean + mask * (book.pixels - mean))[0]
        scores.append(float(logits.softmax(dim=0)[book.target]))
    weighted = sum(score * mask for score, mask in zip(scores, masks, strict=True))
    return weighted / masks.sum(dim=0) - sum(scores) / len(scores)


def shapley_values(technique: Any, book: Textbook) -> Tensor:
    """Of squares in two rows and three columns: the mean of what each adds to those before it, in every order."""
    segments = torch.zeros(book.pixels.shape[2:], dtype=torch.long)
    for row, rows in enumerate(torch.tensor_split(torch.arange(segments.shape[0]), 2)):
        for column, columns in enumerate(torch.tensor_split(torch.arange(segments.shape[1]), 3)):
            segments[rows[:, None], columns] = 3 * row + column
    mean = book.pixels.mean(dim=(2, 3), keepdim=True)

    @cache
    def worth(shown: frozenset[int]) -> float:
        visible = torch.isin(segments, torch.tensor(sorted(shown), dtype=torch.long))
        return float(book.logit(torch.where(visible, book.pixels, mean)))

    orders = list(itertools.permutations(range(6)))
    values = torch.zeros(6, dtype=torch.float64)
    for order in orders:
        for place, segment in enumerate(order):
            before = frozenset(order[:place])
            values[segment] += (worth(before | {segment}) - worth(before)) / len(orders)
    return values[segments]


def grad_cam(technique: Any, book: Textbook) -> Tensor:
    return sum(g.mean() * A for g, A in zip(book.g, book.A, strict=True))


def finer_cam(technique: Any, book: Textbook) -> Tensor:
    """The mean of the differences of Grad-CAM maps."""
    logits = book.network(book.pixels)[0]
    others = sorted(set(range(len(logits))) - {book.target}, key=lambda index: abs(logits[index] - logits[book.target]))
    maps = []
    for index in [book.target, *others[: technique.similar]]:
        other = copy.copy(book)
        other.target = index
        maps.append(grad_cam(technique, other))
    return sum(maps[0] - technique.strength * other for other in maps[1:]) / len(maps[1:])


def hires_cam(technique: Any, book: Textbook) -> Tensor:
    return sum(g * A for g, A in zip(book.g, book.A, strict=True))


def layer_cam(technique: Any, book: Textbook) -> Tensor:
    return sum(g.clamp_min(0) * A for g, A in zip(book.g, book.A, strict=True))


def grad_cam_plus_plus(technique: Any, book: Textbook) -> Tensor:
    total = torch.zeros_like(book.A[0])
    for g, A in zip(book.g, book.A, strict=True):
        shares = torch.where(g == 0, 0, g**2 / (2 * g**2 + A.sum() * g**3))
        total += (shares * g.clamp_min(0)).sum() * A
    return total


def x_grad_cam(technique: Any, book: Textbook) -> Tensor:
    return sum((g * A).sum() / A.sum() * A for g, A in zip(book.g, book.A, strict=True) if A.sum() != 0)


def eigen_cam(technique: Any, book: Textbook) -> Tensor:
    cells = book.A.flatten(1).T
    projected = cells @ torch.linalg.svd(cells).Vh[0]
    return (projected * (projected @ cells.mean(dim=1)).sign()).reshape(book.A.shape[1:])


def score_cam(technique: Any, book: Textbook) -> Tensor:
    shown = [A for A in book.A if A.max() > A.min()]
    logits = []
    for A in shown:
        mask = functional.interpolate(A[None, None], size=book.pixels.shape[2:], mode="bilinear")
        logits.append(book.logit(book.pixels * (mask - mask.min()) / (mask.max() - mask.min())))
    return sum(weight * A for weight, A in zip(torch.stack(logits).softmax(dim=0), shown, strict=True))


def ablation_cam(technique: Any, book: Textbook) -> Tensor:
    total = torch.zeros_like(book.A[0])
    for channel, A in enumerate(book.A):
        without = book.A.clone()
        without[channel] = 0
        total += (book.logit() - book.behind(without)) / book.logit() * A
    return total


def cam(technique: Any, book: Textbook) -> Tensor:
    return sum(weight * A for weight, A in zip(book.network.fc.weight[book.target], book.A, strict=True))


def saliency(technique: Any, book: Textbook) -> Tensor:
    return book.input_gradient().abs().amax(dim=0)


def gradient_x_input(technique: Any, book: Textbook) -> Tensor:
    return (book.input_gradient() * book.pixels[0]).sum(dim=0)  # black is 0


def smooth_grad(technique: Any, book: Textbook) -> Tensor:
    generator = torch.Generator().manual_seed(technique.seed)
    deviation = technique.noise * (book.pixels.max() - book.pixels.min())
    draws = [torch.randn(book.pixels.shape[1:], generator=generator) for _ in range(technique.samples)]
    return torch.stack([book.input_gradient(book.pixels + deviation * draw) for draw in draws]).mean(0).abs().amax(0)


def integrated_gradients(technique: Any, book: Textbook) -> Tensor:
    """By the middles of many equal pieces, unlike the technique; black is 0."""
    shares = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    gradient = torch.func.grad(lambda pixels: book.network(pixels)[:, book.target].sum())
    return (gradient(shares[:, None, None, None] * book.pixels).mean(dim=0) * book.pixels[0]).sum(dim=0)


def guided_backprop(technique: Any, book: Textbook) -> Tensor:
    return book.guided().abs().amax(dim=0)


def guided_grad_cam(technique: Any, book: Textbook) -> Tensor:
    cells = grad_cam(technique, book).clamp_min(0)
    map_ = functional.interpolate(cells[None, None], size=book.pixels.shape[2:], mode="bilinear")[0, 0]
    return guided_backprop(technique, book) * map_


def lrp(technique: Any, book: Textbook) -> Tensor:
    """Layer by layer, each rule written out for this one network."""
    first, second, fc = book.network.features[0], book.network.features[3], book.network.fc
    a = [book.pixels, book.network.features[:2](book.pixels)]
    pooled, places = functional.max_pool2d(a[1], 2, return_indices=True)
    last = book.network.features[3:](pooled)
    means = last.mean(dim=(2, 3))[0]
    relevance = means * fc.weight[book.target]  # each term of the logit, the bias apart
    relevance = (relevance / means / last[0, 0].numel())[:, None, None].nan_to_num() * last[0]
    relevance = z_plus(second, pooled, relevance[None])
    relevance = functional.max_unpool2d(relevance, places, 2)
    return z_plus(first, a[0], relevance)[0].sum(dim=0)


def z_plus(layer: nn.Conv2d, x: Tensor, relevance: Tensor) -> Tensor:
    """The relevance of inputs (1, C, H, W) of a convolution of 3 x 3, by the positive terms of each sum."""
    height, width = x.shape[2:]
    patches = functional.unfold(x, 3, padding=1)  # (1, C x 9, H x W)
    terms = layer.weight.flatten(1)[:, :, None] * patches  # (K, C x 9, H x W)
    positive = terms.clamp_min(0)
    sums = positive.sum(dim=1) + layer.bias.clamp_min(0)[:, None]
    shares = positive * (relevance[0].flatten(1) / sums)[:, None]
    return functional.fold(shares.sum(dim=0)[None], (height, width), 3, padding=1)
