"""ONNX Runtime on the CPU: models as sessions of one thread each, run by as many threads as torch has."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.errors import MissingExtra

_T = TypeVar("_T")


def session_of(model: bytes) -> Any:
    """A session that has no threads of its own: it waits for nobody and leaves none behind. Raises MissingExtra."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(
            'ONNX Runtime is not installed: pip install "cnnviz-widgets[fast]", or choose `engine="torch"`.'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena keeps what a batch needed: taken from the system anew each time, a pass with all layers takes twice as
    # long. To bound that, pictures are given to it one by one or in small batches.
    options.enable_cpu_mem_arena = True
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def each(session: Any, pixels: Tensor, reduce: Callable[[dict[str, Tensor]], _T]) -> list[_T]:
    """What `reduce` makes of the outputs by name for each picture of pixels (N, C, H, W), in as many threads."""
    names = [output.name for output in session.get_outputs()]
    array = pixels.detach().contiguous().numpy()

    def run_one(place: int) -> _T:
        found = session.run(names, {"pixels": array[place : place + 1]})
        return reduce({name: torch.from_numpy(values) for name, values in zip(names, found, strict=True)})

    with ThreadPoolExecutor(max(1, min(len(array), torch.get_num_threads()))) as cores:
        return list(cores.map(run_one, range(len(array))))


def run(session: Any, pixels: Tensor) -> dict[str, Tensor]:
    """The outputs by name for pixels (N, C, H, W), N at least 1, float32: pictures are shared out among threads."""
    names = [output.name for output in session.get_outputs()]
    array = pixels.detach().contiguous().numpy()

    def run_some(some: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = session.run(names, {"pixels": some})
        return found

    pieces = np.array_split(array, min(len(array), torch.get_num_threads()))
    if len(pieces) == 1:
        found = [run_some(array)]
    else:
        with ThreadPoolExecutor(len(pieces)) as cores:
            found = list(cores.map(run_some, pieces))
    joined = [values[0] if len(values) == 1 else np.concatenate(values) for values in zip(*found, strict=True)]
    return {name: torch.from_numpy(values) for name, values in zip(names, joined, strict=True)}
