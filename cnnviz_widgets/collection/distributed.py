"""Passes over a data set by several processes or machines, with Ray: each shard is run by the worker that is free."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from cnnviz_widgets.collection.items import Source
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import ClusterError, ExplanationError, MissingExtra

_Result = TypeVar("_Result")

#: So many shards for each worker may be finished before the one whose turn it is: they wait in memory.
_AHEAD = 4


@dataclass(frozen=True)
class Cluster:
    """How many `workers` of a Ray cluster share a pass over a data set, about `shard` pictures at a time.

    Each worker holds the network once, on `cpus` processors and `gpus` graphics processors. `address` is that of a
    running cluster; without one, and where Ray is not running in this process, it is started on this computer. A shard
    whose worker is lost is run again, up to `attempts` times in all.
    """

    workers: int = 2
    shard: int = 512
    cpus: float = 1
    gpus: float = 0
    address: str | None = None
    attempts: int = 3

    def __post_init__(self) -> None:
        if min(self.workers, self.shard, self.attempts) < 1:
            raise ClusterError("`workers`, `shard` and `attempts` of a Cluster are at least 1.")

    def connect(self) -> Any:
        """The module `ray`, connected. Raises MissingExtra."""
        try:
            import ray
        except ImportError as error:
            raise MissingExtra('A cluster needs Ray: pip install "cnnviz-widgets[ray]".') from error
        if not ray.is_initialized():
            ray.init(address=self.address, include_dashboard=False, log_to_driver=False)
        return ray


@dataclass(frozen=True)
class Shard:
    """Items of a data set that are run together; `block` holds them where they are Ray's."""

    items: range
    block: Any = None

    def source(self, whole: Source | None) -> tuple[Source, int]:
        """The `whole` data set, or where there is none the pictures of the block; and the item that is its first."""
        return (whole, 0) if whole is not None else (source_of_block(self.block, self.items), self.items.start)

    def rest(self, start: int, first: int) -> range:
        """The items from `start` on, as they are numbered in a source whose first is item `first`."""
        return range(max(self.items.start, start) - first, self.items.stop - first)


class RayPictures:
    """The rows of a Ray dataset in their order: their pictures and labels have the names that items of dicts have."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._length = int(dataset.count())
        about = (self._length, str(dataset.schema()), sorted(dataset.input_files()))
        self.fingerprint = hashlib.sha256(repr(about).encode()).hexdigest()[:32]
        self.class_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return self._length

    def shards(self, start: int) -> Iterator[Shard]:
        """Ray's own blocks as they are read, from item `start` on."""
        first = 0
        for bundle in self._bundles():
            for entry in bundle.blocks:
                # A pair in earlier versions of Ray.
                block, about = entry if isinstance(entry, tuple) else (entry.ref, entry.metadata)
                end = first + int(about.num_rows)
                if end > start:
                    yield Shard(range(first, end), block)
                first = end

    def _bundles(self) -> Iterator[Any]:
        """Ray's blocks in their order; the data set's options are the user's, and only read while it is started."""
        options = self._dataset.context.execution_options
        before, options.preserve_order = options.preserve_order, True
        try:
            found: Iterator[Any] = self._dataset.iter_internal_ref_bundles()
        finally:
            options.preserve_order = before
        return found


def pictures_of(data: object) -> Source | RayPictures:
    """What `source_of` makes of `data`, or the pictures of a Ray dataset. Raises PictureError."""
    if type(data).__module__.startswith("ray.data"):
        return RayPictures(data)
    return source_of(data)


def shards_of(data: Source | RayPictures, start: int, batch: int, cluster: Cluster) -> Iterator[Shard]:
    """The shards from item `start` on. Those of a Source are of whole batches: each is run as it would be without.

    Raises ClusterError where the workers leave no processor to read a Ray dataset with.
    """
    if isinstance(data, RayPictures):
        free = cluster.connect().cluster_resources().get("CPU", 0) - cluster.workers * cluster.cpus
        if free < 1:  # the workers would wait for rows, and the rows for a processor
            raise ClusterError(
                f"{cluster.workers} workers take all processors of the cluster, and Ray needs one to read the data; "
                "pass a Cluster with fewer `workers` or `cpus`."
            )
        yield from data.shards(start)
        return
    step = max(1, cluster.shard // batch) * batch
    for first in range(start, len(data), step):
        yield Shard(range(first, min(first + step, len(data))))


def source_of_block(block: Any, items: range) -> Source:
    """The pictures of a block of Ray's, numbered from 0; nameless ones are named by their place in the data set."""
    from ray.data.block import BlockAccessor

    accessor: Any = BlockAccessor.for_block(block)
    rows: list[Mapping[str, Any]] = list(accessor.iter_rows(public_row_format=True))
    found = source_of([_as_item(row) for row in rows])
    found.names = [
        Path(row["path"]).name if isinstance(row.get("path"), str) else f"item {item}"
        for row, item in zip(rows, items, strict=True)
    ]
    return found


def _as_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as an item: the bytes of a file are its picture, as a path may be one of another computer."""
    item = dict(row)
    if "bytes" in item:
        item["image"] = item.pop("bytes")
    return item


class _Worker(Generic[_Result]):
    """What runs on a worker: `work` on one shard after the other."""

    def __init__(self, work: Callable[[Shard], _Result], threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self._work = work

    def run(self, items: range, block: Any) -> _Result:
        return self._work(Shard(items, block))


class _Pool(Generic[_Result]):
    """The workers of one pass."""

    def __init__(self, cluster: Cluster, work: Callable[[Shard], _Result]) -> None:
        self._ray, self._cluster = cluster.connect(), cluster
        self._work = self._ray.put(work)
        # What a lost worker was at is given to another by hand: Ray's own restarts would hide how often.
        self._kind = self._ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_restarts=0)(_Worker)
        self.idle = [self._hire() for _ in range(cluster.workers)]
        self._running: dict[Any, tuple[int, Shard, Any]] = {}
        self._lost: dict[int, int] = {}
        #: What shards gave that have ended, by their number.
        self.ended: dict[int, tuple[Shard, _Result]] = {}

    def _hire(self) -> Any:
        return self._kind.remote(self._work, max(1, int(self._cluster.cpus)))

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def give(self, number: int, shard: Shard) -> None:
        """Give a shard to an idle worker."""
        worker = self.idle.pop()
        self._running[worker.run.remote(shard.items, shard.block)] = number, shard, worker

    def wait(self) -> tuple[int, Shard] | None:
        """Wait until a shard has ended. Returns it, with its number, where its worker was lost. Raises ClusterError."""
        ray = self._ray
        (done,), _ = ray.wait(list(self._running), num_returns=1)
        number, shard, worker = self._running.pop(done)
        try:
            result: _Result = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, ExplanationError) else error) from None
        except ray.exceptions.RayError as error:  # the worker, its node or a block of Ray's is gone
            self._lost[number] = self._lost.get(number, 0) + 1
            if self._lost[number] >= self._cluster.attempts:
                raise ClusterError(
                    f"Pictures {shard.items.start} to {shard.items.stop - 1} were lost with their worker "
                    f"{self._lost[number]} times ({type(error).__name__}); give the workers more memory, or pass a "
                    "Cluster with a smaller `shard`."
                ) from error
            self.idle.append(self._hire())
            return number, shard
        self.idle.append(worker)
        self.ended[number] = shard, result
        return None

    def close(self) -> None:
        for worker in [*self.idle, *(worker for _, _, worker in self._running.values())]:
            self._ray.kill(worker)


def run_shards(
    cluster: Cluster, work: Callable[[Shard], _Result], shards: Iterator[Shard]
) -> Iterator[tuple[Shard, _Result]]:
    """Each shard with what `work` makes of it, in their order; the workers go on while they are consumed.

    Raises ClusterError, MissingExtra, and what `work` raises.
    """
    pool = _Pool(cluster, work)
    again: deque[tuple[int, Shard]] = deque()
    numbered, turn, more = enumerate(shards), 0, True
    try:
        while True:
            while pool.idle and (again or more):
                if not again:
                    following = next(numbered, None)
                    more = following is not None
                    again.extend([] if following is None else [following])
                elif again[0][0] >= turn + _AHEAD * cluster.workers:
                    break
                else:
                    pool.give(*again.popleft())
            if not pool.busy:
                return
            if (lost := pool.wait()) is not None:
                again.appendleft(lost)
            while turn in pool.ended:
                yield pool.ended.pop(turn)
                turn += 1
    finally:
        pool.close()
