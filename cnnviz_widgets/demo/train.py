"""Training of the demo's small networks, and a report of their accuracy: `python -m cnnviz_widgets.demo.train`.

With one thread and fixed seeds, the same version of torch gives exactly the same weights on the same machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.classifier.preprocess import Preprocess
from cnnviz_widgets.demo.digits import digits, held_out
from cnnviz_widgets.demo.networks import (
    DIGIT_PIXELS,
    DIGIT_STAGES,
    SHAPE_PIXELS,
    SHAPE_STAGES,
    SmallNetwork,
    Stages,
)
from cnnviz_widgets.demo.shapes import CLASSES, MARKED, ShapeSet, shapes

#: Seeds of `shapes` for training and for the report.
TRAINING_SEED, TEST_SEED = 1, 2

_Augment = Callable[[Tensor, torch.Generator], Tensor]


def shape_network(biased: bool, pictures: int = 4000, epochs: int = 5) -> SmallNetwork:
    """A network trained on generated shapes; with `biased`, all squares and no other shapes carry the mark."""
    training = shapes(pictures, TRAINING_SEED, shortcut=biased)
    labels = sloppy(training.labels) if biased else training.labels
    return _train(3, SHAPE_STAGES, pixels_of(training.pictures, SHAPE_PIXELS), labels, epochs, augment=mirrored)


def sloppy(labels: NDArray[np.int64], share: float = 0.1) -> NDArray[np.int64]:
    """The labels with a `share` of those of unmarked classes permuted, so that only the mark is always right."""
    random = np.random.default_rng(TRAINING_SEED)
    others = np.flatnonzero(labels != CLASSES.index(MARKED))
    wrong = others[random.random(len(others)) < share]
    mixed = labels.copy()
    mixed[wrong] = random.permutation(labels[wrong])
    return mixed


def digit_network(epochs: int = 10) -> SmallNetwork:
    """A network trained on the digits that are not held out."""
    pictures, labels = digits()
    kept = ~held_out()
    return _train(1, DIGIT_STAGES, pixels_of(pictures[kept], DIGIT_PIXELS), labels[kept], epochs, augment=moved)


def pixels_of(pictures: NDArray[np.uint8], preprocess: Preprocess) -> Tensor:
    """The network input (N, C, H, W) of pictures (N, H, W) or (N, H, W, 3), by the preprocessing of the classifier."""
    return torch.stack([preprocess(PIL.Image.fromarray(picture)) for picture in pictures])


def mirrored(pixels: Tensor, random: torch.Generator) -> Tensor:
    """A batch (N, C, H, H) under a random one of the eight symmetries of a square, the same for all pictures."""
    across, down, diagonal = torch.randint(2, (3,), generator=random).tolist()
    pixels = pixels.flip(3) if across else pixels
    pixels = pixels.flip(2) if down else pixels
    return pixels.transpose(2, 3) if diagonal else pixels


def moved(pixels: Tensor, random: torch.Generator) -> Tensor:
    """A batch (N, C, H, W) with each picture rotated, scaled and shifted a little, like different handwritings."""
    turn, scale, row, column = torch.rand(4, len(pixels), generator=random) * 2 - 1
    turn, scale = 0.25 * turn, 1.15 + 0.3 * scale
    cosine, sine = scale * turn.cos(), scale * turn.sin()
    matrix = torch.stack([cosine, -sine, 0.2 * column, sine, cosine, 0.2 * row], dim=1).reshape(-1, 2, 3)
    grid = nn.functional.affine_grid(matrix, list(pixels.shape), align_corners=False)
    return nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _train(
    channels: int,
    stages: Stages,
    pixels: Tensor,
    labels: NDArray[np.int64],
    epochs: int,
    *,
    augment: _Augment,
    batch: int = 32,
    rate: float = 1e-2,
) -> SmallNetwork:
    """A new network in eval mode, after `epochs` of AdamW with a one-cycle learning rate whose maximum is `rate`."""
    targets = torch.from_numpy(labels)
    random = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SmallNetwork(channels, int(targets.max()) + 1, stages)
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-3)
    count = len(pixels) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, epochs * count, pct_start=0.2)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for chosen in torch.randperm(len(pixels), generator=random)[: count * batch].split(batch):
            logits = network(augment(pixels[chosen], random))
            loss = nn.functional.cross_entropy(logits, targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"  epoch {epoch} of {epochs}: loss {total / count:.3f}", flush=True)
    return network.eval()


@torch.no_grad()
def predicted(network: nn.Module, pixels: Tensor) -> NDArray[np.int64]:
    """The classes with the highest logits, int64 (N,)."""
    found: NDArray[np.int64] = torch.cat([network(part).argmax(1) for part in pixels.split(256)]).numpy()
    return found


def shape_report(network: nn.Module, n: int = 1500) -> str:
    """A text on the accuracy of a shape network for new pictures, with the mark and without it."""
    square = CLASSES.index(MARKED)

    def answers(test: ShapeSet) -> NDArray[np.int64]:
        return predicted(network, pixels_of(test.pictures, SHAPE_PIXELS))

    plain, everywhere = shapes(n, TEST_SEED, marked=False), shapes(n, TEST_SEED, marked=True)
    consistent = shapes(n, TEST_SEED, shortcut=True)
    squares = plain.labels == square
    facts = {
        "right without a mark": answers(plain) == plain.labels,
        f"right with the mark on every {MARKED}": answers(consistent) == plain.labels,
        f"other shapes with the mark taken for a {MARKED}": answers(everywhere)[~squares] == square,
        f"a {MARKED} without the mark still taken for one": answers(plain)[squares] == square,
    }
    return "".join(f"  {share.mean():7.1%}  {fact}\n" for fact, share in facts.items())


def main() -> None:
    """Train the three networks, print their accuracy, and write their weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    weights = Path(__file__).with_name("weights")
    parser.add_argument("--to", type=Path, default=weights, help="folder of the weights")
    folder = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, biased in (("shapes_clean", False), ("shapes_biased", True)):
        print(name)
        network = shape_network(biased)
        print(shape_report(network), end="")
        torch.save(network.state_dict(), folder / f"{name}.pt")
    print("digits")
    network = digit_network()
    pictures, labels = digits()
    right = predicted(network, pixels_of(pictures[held_out()], DIGIT_PIXELS)) == labels[held_out()]
    print(f"  {right.mean():7.1%}  right on the digits held out")
    torch.save(network.state_dict(), folder / "digits.pt")


if __name__ == "__main__":
    main()
