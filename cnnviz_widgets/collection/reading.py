"""Pictures of a data set as batches of network inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.items import Source
from cnnviz_widgets.errors import PictureError

#: Most pictures that a pass over a data set reads and runs at once. The pixels of so many are in memory, and so many
#: are read again when a pass that was stopped goes on.
MAX_BATCH = 32


@dataclass(frozen=True, eq=False)
class PixelBatch:
    """Network inputs `pixels` (n, C, H, W), the `indices` of their items, and their `labels`, -1 where unknown."""

    indices: list[int]
    pixels: Tensor
    labels: list[int]


def read_batches(
    source: Source,
    classifier: Classifier,
    indices: Sequence[int],
    size: int,
    report: Callable[[int, PictureError], None] | None = None,
) -> Iterator[PixelBatch]:
    """Network inputs of the items `indices`, `size` at a time.

    A picture that cannot be read is left out of its batch, and `report(index, error)` is called; a batch of which
    none can be read is left out.
    """
    for start in range(0, len(indices), size):
        read: list[int] = []
        labels: list[int] = []
        inputs: list[Tensor] = []
        for index in indices[start : start + size]:
            try:
                picture, label = source.item(index)
                inputs.append(classifier.pixels(picture))
            except PictureError as error:
                if report is not None:
                    report(index, error)
            else:
                read.append(index)
                labels.append(label)
        if read:
            yield PixelBatch(read, torch.cat(inputs), labels)


@dataclass(frozen=True, eq=False)
class ReadBatch:
    """What could be read of `items`, numbers in a data set.

    `indices` are the items of the network inputs `pixels` (n, C, H, W), `labels` theirs, -1 where unknown; `refused`
    says of each other one why it could not be read.
    """

    items: Sequence[int]
    indices: list[int]
    pixels: Tensor
    labels: list[int]
    refused: dict[int, PictureError]

    def numbered_from(self, first: int) -> ReadBatch:
        """The same with `first` added to the number of each item."""
        items, indices = [item + first for item in self.items], [index + first for index in self.indices]
        return replace(
            self, items=items, indices=indices, refused={item + first: why for item, why in self.refused.items()}
        )


def read_in_turn(source: Source, classifier: Classifier, items: Sequence[int], size: int) -> Iterator[ReadBatch]:
    """All of `items`, `size` at a time, also those of which none can be read."""
    for start in range(0, len(items), size):
        some, refused = items[start : start + size], dict[int, PictureError]()
        read = next(read_batches(source, classifier, some, size, refused.__setitem__), None)
        if read is None:
            read = PixelBatch([], torch.empty(0, classifier.channels, *classifier.input_size), [])
        yield ReadBatch(some, read.indices, read.pixels, read.labels, refused)
