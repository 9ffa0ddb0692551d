"""What the recorder writes down: calls that can be run again, notes of what holds for one picture only, aliases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.graph.boxes import Box
from cnnviz_widgets.graph.reach import Support, follow_supports
from cnnviz_widgets.tracing.trace import BATCH, Call, Recorder, Ref, Trace, UntraceableError, trace_scores
from tests.support.occluding import Branching, Odd, hand_made

SHAPE = (1, 4, 6, 6)


def picture() -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(0))


def record(function: Callable[[Tensor], Tensor], strict: bool = False) -> Trace:
    pixels = picture()
    recorder = Recorder(pixels, strict)
    with torch.no_grad(), recorder:
        output = function(pixels)
    return recorder.trace(recorder.number(output))


def support(trace: Trace) -> Support:
    ((_, found),) = follow_supports(trace)
    return found


@pytest.mark.parametrize("kind", [Odd, Branching])
def test_calls_run_again_on_other_pictures_give_what_the_network_gives(kind: type[Odd] | type[Branching]) -> None:
    network = hand_made(kind).network
    logits = (lambda output: output) if kind is Odd else (lambda output: output[0])
    pixels = torch.rand(BATCH, 3, *kind.size)
    trace = trace_scores(network, torch.rand(BATCH, 3, *kind.size), logits)
    values = {**trace.leaves, trace.input: pixels}
    with torch.no_grad():
        for call in trace.calls:
            values.update(zip(call.outputs, call.run(values.__getitem__), strict=True))
        torch.testing.assert_close(values[trace.outputs[0]], logits(network(pixels)))


def test_a_call_has_its_arguments_by_name() -> None:
    (call,) = record(lambda pixels: pixels.add_(pixels, alpha=2)).calls
    assert (call.name, call.inputs, call.args) == ("add", (0, 0), (Ref(0), Ref(0)))
    assert call.function is torch.ops.aten.add.Tensor, "in place, it would change what it reads"
    assert call.arguments == {"self": Ref(0), "other": Ref(0), "alpha": 2}


def numbers(pixels: Tensor) -> Tensor:
    return pixels * float(pixels.mean())


def random(pixels: Tensor) -> Tensor:
    return pixels + torch.rand_like(pixels)


def elsewhere(pixels: Tensor) -> Tensor:
    return torch.add(pixels, 1, out=torch.empty(SHAPE))


@pytest.mark.parametrize(
    ("function", "reason"),
    [(numbers, "takes a number out of a tensor"), (random, "is random"), (elsewhere, "changes its arguments")],
)
def test_what_holds_for_one_picture_only_is_noted(function: Callable[[Tensor], Tensor], reason: str) -> None:
    trace = record(function)
    assert [reason in note for note in trace.notes] == [True]
    assert support(trace).exact
    with pytest.raises(UntraceableError, match=reason):
        record(function, strict=True)


def test_a_buffer_is_not_changed_where_that_is_refused() -> None:
    buffer = torch.zeros(3)

    def observe(pixels: Tensor) -> Tensor:
        buffer[1:].add_(1)
        return pixels * buffer[2]

    with pytest.raises(UntraceableError, match="weight or buffer"):
        record(observe, strict=True)
    assert not buffer.any()
    assert "weight or buffer" in record(observe).notes[0]
    assert buffer.tolist() == [0, 1, 1]


def shifted(pixels: Tensor) -> Tensor:
    return torch.roll(pixels, 1, 3)


def test_who_shares_memory_with_what_is_written_has_a_new_value() -> None:
    def through_a_view(pixels: Tensor) -> Tensor:
        values = pixels * 2
        values[:, 1:3].add_(shifted(pixels)[:, 1:3])
        return values

    trace = record(through_a_view)
    assert [call.function for call in trace.calls].count(None) == 1
    assert not support(trace).exact
    with pytest.raises(UntraceableError, match="a view of it was changed"):
        trace_scores(Applied(through_a_view), torch.rand(BATCH, *SHAPE[1:]), lambda output: output)


def test_a_view_of_all_of_it_has_the_same_new_value() -> None:
    def through_an_alias(pixels: Tensor) -> Tensor:
        values = pixels * 2
        values.detach().add_(shifted(pixels))
        return values

    trace = record(through_an_alias)
    found = support(trace)
    assert trace.calls[-1].name == "add" and found.exact
    assert found.boxes()[2, 2].tolist() == [2, 1, 1, 2]


def test_other_parts_of_the_memory_stay_as_they_are() -> None:
    def halves(pixels: Tensor) -> Tensor:
        first, second = (pixels * 2).chunk(2, 1)
        first.add_(shifted(pixels)[:, :2])
        return second

    trace = record(halves)
    assert all(call.function is not None for call in trace.calls)
    found = support(trace)
    assert found.exact and found.boxes()[2, 2].tolist() == [2, 2, 1, 1]


def test_indices_are_kept_as_they_were() -> None:
    def mirrored(pixels: Tensor) -> Tensor:
        columns = torch.arange(6).flip(0)
        values = pixels.index_select(3, columns)
        columns.zero_()
        return values

    found = support(record(mirrored))
    assert found.exact and found.boxes()[0, :, 1].tolist() == [5, 4, 3, 2, 1, 0]


def test_what_the_outputs_do_not_need_is_left_out() -> None:
    def aside(pixels: Tensor) -> Tensor:
        pixels.exp().sum()
        return pixels.relu()

    assert [call.name for call in record(aside).calls] == ["relu"]


def test_a_call_of_which_nothing_is_known_cannot_be_run() -> None:
    call = Call(None, (Ref(0), Ref(1)), {}, (0, 1), (2,))
    assert call.name == ""
    with pytest.raises(TypeError):
        call.run(lambda _: picture())


def test_a_box_ends_where_the_next_begins() -> None:
    box = Box(top=2, left=3, height=4, width=5)
    assert (box.bottom, box.right) == (6, 8)
    assert box == (2, 3, 4, 5)


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, pixels: Tensor) -> Tensor:
        return self.function(pixels)
