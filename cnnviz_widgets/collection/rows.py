"""The rows of a feature store, made batch by batch in this process, or shard by shard by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.replicas import parts_of
from cnnviz_widgets.collection.distributed import Cluster, RayPictures, Shard, run_shards, shards_of
from cnnviz_widgets.collection.extraction import rows_from
from cnnviz_widgets.collection.items import Source
from cnnviz_widgets.collection.reading import ReadBatch, read_in_turn
from cnnviz_widgets.collection.storage import RowBatch


class Further(NamedTuple):
    """The rows of further items, None where there are none, why others could not be read, and where these items end."""

    rows: RowBatch | None
    skipped: dict[int, str]
    visited: int


def further_rows(
    classifier: Classifier, data: Source | RayPictures, layer: str, batch: int, start: int, *, cluster: Cluster | None
) -> Iterator[Further]:
    """What items from `start` on add to a store, a batch at a time, here or by the workers of a cluster."""
    source = data if isinstance(data, Source) else None
    if cluster is not None:
        work = FeatureWork(classifier, source, layer, batch, start)
        for _, parts in run_shards(cluster, work, shards_of(data, start, batch, cluster)):
            yield from parts
    elif source is not None:
        items = range(start, len(source))
        batches = Batches(classifier, (classifier.channels, *classifier.input_size), "features")

        def call(read: ReadBatch) -> Callable[[Classifier], Further]:
            return lambda replica: _made_of(replica, source, read, layer)

        calls = map(call, read_in_turn(source, classifier, items, batch))
        yield from parts_of(batches, len(items)).in_order(calls, lambda further: further)


@dataclass(frozen=True)
class FeatureWork:
    """What a worker of a cluster does with a shard: rows of its items from `start` on."""

    classifier: Classifier
    source: Source | None
    layer: str
    batch: int
    start: int

    def __call__(self, shard: Shard) -> list[Further]:
        """What its items add, batch by batch."""
        source, first = shard.source(self.source)
        reads = read_in_turn(source, self.classifier, shard.rest(self.start, first), self.batch)
        return [_made_of(self.classifier, source, read, self.layer, first) for read in reads]


def _made_of(classifier: Classifier, source: Source, read: ReadBatch, layer: str, first: int = 0) -> Further:
    """The rows of what was read of a source whose first item is number `first`."""
    rows = rows_from(classifier, source, read, layer)
    rows = replace(rows, items=rows.items + first) if rows is not None and first else rows
    skipped = {item + first: str(error) for item, error in read.refused.items()}
    return Further(rows, skipped, read.items[-1] + 1 + first)
