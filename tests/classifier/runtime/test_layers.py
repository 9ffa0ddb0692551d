"""What layers put out by ONNX Runtime is what torch has, in scans and features too; torch's wherever that is not so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.runtime import runtime, sessions
from cnnviz_widgets.collection.extraction import features_and_logits
from cnnviz_widgets.collection.maxima import _maxima_of_part
from tests.support.networks import DenseNetLike, FunctionalReLU, seeded

SIZE = (64, 64)


@pytest.fixture(autouse=True)
def always_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the clock says here, time on this machine is not what is tested."""
    passing: Iterator[int] = iter(range(10**9))
    monkeypatch.setattr(runtime, "perf_counter", lambda: -(next(passing) ** 3))


def made(engine: Any, kind: Any = DenseNetLike) -> Classifier:
    return Classifier(seeded(kind), input_size=SIZE, engine=engine)


def pictures(count: int) -> Tensor:
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(count))


def test_each_picture_is_handed_over_in_order_with_what_its_layers_put_out() -> None:
    classifier, pixels = made("onnxruntime"), pictures(5)
    names = [layer.name for layer in classifier.layers]
    found = classifier.each_picture(pixels, names, dict)
    with torch.no_grad(), classifier.recording(*names) as recorded:
        logits = classifier.logits(pixels)
    assert found is not None and len(found) == 5 and len(names) > 2
    for place, maps in enumerate(found):
        assert maps.keys() == {*names, "logits"}
        torch.testing.assert_close(maps["logits"][0], logits[place], rtol=1e-4, atol=1e-5)
        for name in names:
            torch.testing.assert_close(maps[name][0], recorded[name][place], rtol=1e-4, atol=1e-5)


def test_scans_and_features_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, plain, pixels = made("onnxruntime"), made("torch"), pictures(3)
    layers: dict[str, Any] = dict.fromkeys(layer.name for layer in plain.layers)
    for name, maxima in _maxima_of_part(ours, pixels, layers).items():
        expected = _maxima_of_part(plain, pixels, layers)[name]
        np.testing.assert_allclose(maxima.values, expected.values, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(maxima.cells, expected.cells)
    for found, expected in zip(
        features_and_logits(ours, pixels, "features.0"), features_and_logits(plain, pixels, "features.0"), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    given = []
    monkeypatch.setattr(sessions, "each", lambda session, pixels, reduce: given.append(len(pixels)) or [])
    assert ours.each_picture(pixels, ["features.0"], dict) == [] and given == [3]


def test_torch_goes_on_where_a_layer_is_put_out_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, other = made("onnxruntime"), made("torch")
    with torch.no_grad():
        other.network.features[0].bias[0] += 1
    write = runtime.onnx_model
    monkeypatch.setattr(runtime, "onnx_model", lambda _, *layers: write(other, *layers))
    assert classifier.each_picture(pictures(2), ["features.0"], dict) is None
    classifier.logits(pictures(1))
    assert classifier.engine.name == "onnxruntime"


def test_torch_goes_on_after_an_error_which_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = made("onnxruntime")

    def failing(*_: Any) -> bytes:
        raise RuntimeError("no room")

    monkeypatch.setattr(runtime, "onnx_model", failing)
    for _ in range(2):
        assert classifier.each_picture(pictures(2), ["features.0"], dict) is None
    assert len(caplog.messages) == 1 and "no room" in caplog.messages[0]


def test_torch_goes_on_where_a_session_fails_later_which_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    classifier, pixels = made("onnxruntime"), pictures(2)
    assert classifier.each_picture(pixels, ["features.0"], dict) is not None

    def failing(*_: Any) -> Any:
        raise RuntimeError("out of order")

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "each", failing)
        assert classifier.each_picture(pixels, ["features.0"], dict) is None
    assert classifier.each_picture(pixels, ["features.0"], dict) is None
    assert len(caplog.messages) == 1 and "out of order" in caplog.messages[0]


def test_a_change_of_weights_is_noticed() -> None:
    classifier, pixels = made("onnxruntime", FunctionalReLU), pictures(2)
    before = classifier.each_picture(pixels, ["conv1"], lambda maps: maps["conv1"])
    classifier.network.conv1.weight.data.mul_(2)
    after = classifier.each_picture(pixels, ["conv1"], lambda maps: maps["conv1"])
    assert before is not None and after is not None
    with torch.no_grad(), classifier.recording("conv1") as recorded:
        classifier.logits(pixels)
    torch.testing.assert_close(torch.cat(after), recorded["conv1"], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(torch.cat(before), torch.cat(after))


def test_torch_runs_the_layers_of_what_torch_runs() -> None:
    assert made("torch").each_picture(pictures(40), ["features.0"], dict) is None
