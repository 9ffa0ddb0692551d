"""Which of the tensors that a network returns are its class scores: named, counted or asked for, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import explain
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.errors import ClassifierError
from cnnviz_widgets.session import as_classifier

SIZE = (12, 16)


class Heads(nn.Module):
    """`wrap` of a vector (N, 8), of coarse (N, 3) and of fine scores (N, 5)."""

    def __init__(self, wrap: Callable[[Tensor, Tensor, Tensor], object]) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 8, 3)
            self.coarse = nn.Linear(8, 3)
            self.fine = nn.Linear(8, 5)
        self.wrap = wrap

    def forward(self, pixels: Tensor) -> Any:
        vector = self.conv(pixels).relu().mean(dim=(2, 3))
        return self.wrap(vector, self.coarse(vector), self.fine(vector))


class Named(NamedTuple):
    vector: Tensor
    scores_of_mine: Tensor


@dataclass
class Answer:
    vector: Tensor
    fine: Tensor


class Late:
    """Computes its scores when it is asked for them."""

    def __init__(self, fine: Tensor) -> None:
        self._fine = fine

    @property
    def logits(self) -> Tensor:
        return self._fine


def fine(picture: Tensor) -> Tensor:
    return Heads(lambda vector, coarse, fine: fine)(picture)


def pictures(count: int = 3) -> Tensor:
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


#: What decides for the fine scores: what the network returns, the arguments of the Classifier.
DECIDED: dict[str, tuple[Callable[[Tensor, Tensor, Tensor], object], dict[str, Any]]] = {
    "an index": (lambda v, c, f: (v, f), {"output": 1}),
    "an index from the end": (lambda v, c, f: [c, v, f], {"output": -1}),
    "a key": (lambda v, c, f: {"logits": c, "fine": f}, {"output": "fine"}),
    "a key that is a number": (lambda v, c, f: {0: c, 7: f}, {"output": 7}),
    "an attribute": (lambda v, c, f: SimpleNamespace(logits=c, fine=f), {"output": "fine"}),
    "a field of a named tuple": (lambda v, c, f: Named(v, f), {"output": "scores_of_mine"}),
    "a field of a dataclass": (lambda v, c, f: Answer(v, f), {"output": "fine"}),
    "a path": (lambda v, c, f: (v, {"heads": [c, f]}), {"output": (1, "heads", 1)}),
    "a function": (lambda v, c, f: (v, f), {"output": lambda returned: returned[1]}),
    "a function of all": (lambda v, c, f: (f / 3, f / 1.5), {"output": lambda returned: returned[0] + returned[1]}),
    "as many names": (lambda v, c, f: (v, c, f), {"class_names": list("abcde")}),
    "as many names in a dict": (lambda v, c, f: {"x": c, "y": f}, {"class_names": {i: str(i) for i in range(5)}}),
    "names with their indices": (lambda v, c, f: (c, f), {"class_names": {n: i for i, n in enumerate("abcde")}}),
    "`logits`": (lambda v, c, f: {"coarse": c, "logits": f}, {}),
    "`logits` inside": (lambda v, c, f: (v, {"coarse": c, "logits": f}), {}),
    "the outermost `logits`": (lambda v, c, f: {"aux": {"logits": c}, "logits": f}, {}),
    "a property": (lambda v, c, f: Late(f), {}),
    "the same twice": (lambda v, c, f: (f, f.clone()), {}),
    "its own softmax": (lambda v, c, f: (f.softmax(1), f), {}),
    "its own log-softmax": (lambda v, c, f: {"logs": f.log_softmax(1), "plain": f}, {}),
    "other types": (lambda v, c, f: (f.argmax(1), f, f.sum(), "cat", None), {}),
    "maps": (lambda v, c, f: (f, f[:, :, None, None].expand(-1, -1, 4, 4)), {}),
    "squeezed": (lambda v, c, f: (v, f.squeeze()), {"output": 1}),
    "trailing ones": (lambda v, c, f: (v, f[:, :, None, None]), {"output": 1}),
}


@pytest.mark.parametrize("name", DECIDED)
def test_what_decides(name: str) -> None:
    wrap, arguments = DECIDED[name]
    classifier = Classifier(Heads(wrap), input_size=SIZE, **arguments)
    torch.testing.assert_close(classifier.logits(pictures()), fine(pictures()))
    torch.testing.assert_close(classifier.logits(pictures(1)), fine(pictures(1)))
    assert len(classifier.class_names) == 5
    assert not classifier.one_at_a_time and not classifier.notes


#: Several differ, and nothing decides: what the network returns, and the candidates of the message.
OPEN: dict[str, tuple[Callable[[Tensor, Tensor, Tensor], object], list[str]]] = {
    "features and scores": (lambda v, c, f: (v, f), ["output=0 (1, 8)", "output=1 (1, 5)"]),
    "task heads": (lambda v, c, f: {"a": c, "b": f}, ["output='a' (1, 3)", "output='b' (1, 5)"]),
    "early exits": (lambda v, c, f: [f, 2 * f, f - 1], ["output=0 (1, 5)", "output=1 (1, 5)", "output=2 (1, 5)"]),
    "nested": (lambda v, c, f: (v, [c, f]), ["output=(1, 0) (1, 3)", "output=(1, 1) (1, 5)"]),
    "an object": (lambda v, c, f: Answer(v, f), ["output='vector' (1, 8)", "output='fine' (1, 5)"]),
    "a named tuple": (lambda v, c, f: Named(v, f), ["output='vector'", "output='scores_of_mine'"]),
    "two of a usual name": (lambda v, c, f: {"out": c, "scores": f}, ["output='out'", "output='scores'"]),
    "sigmoids of scores": (lambda v, c, f: (f, f.sigmoid()), ["output=0 (1, 5)", "output=1 (1, 5)"]),
    "logits of two": (lambda v, c, f: {"logits": (c, f)}, ["output=('logits', 0)", "output=('logits', 1)"]),
}


@pytest.mark.parametrize("make", [Classifier, as_classifier])
@pytest.mark.parametrize("name", OPEN)
def test_what_is_left_open(name: str, make: Callable[..., Classifier]) -> None:
    wrap, candidates = OPEN[name]
    with pytest.raises(ClassifierError) as caught:
        make(Heads(wrap))
    text = str(caught.value)
    assert all(candidate in text for candidate in candidates)
    assert "`Classifier(network, output=...)`" in text and "`class_names`" in text and "input_size" not in text
    assert len(text.splitlines()) == 1


def test_as_many_names_as_two_outputs_have_columns_decide_nothing() -> None:
    with pytest.raises(ClassifierError, match=r"output=0 \(1, 5\) or output=1 \(1, 5\)"):
        Classifier(Heads(lambda v, c, f: (f, -f)), class_names=list("abcde"), input_size=SIZE)


def test_what_a_usual_name_decides_is_said() -> None:
    classifier = Classifier(Heads(lambda v, c, f: {"aux": c, "out": f}), input_size=SIZE)
    assert classifier.class_names[-1] == "class 4"
    assert classifier.notes == (
        "Of what Heads returns, output='out' is explained; there is output='aux' (1, 3) or output='out' (1, 5).",
    )
    # Names for the other one weigh more than `logits`.
    classifier = Classifier(
        Heads(lambda v, c, f: {"logits": f, "coarse": c}), class_names=["a", "b", "c"], input_size=SIZE
    )
    assert classifier.class_names == ("a", "b", "c") and "output='coarse' is explained" in classifier.notes[0]


@pytest.mark.parametrize(
    ("wrap", "output", "sentence"),
    [
        (lambda v, c, f: (v, f), 2, "returns nothing at output=2; choose output=0 (1, 8) or output=1 (1, 5)"),
        (lambda v, c, f: (v, f), "fine", "returns nothing at output='fine'; choose output=0 (1, 8)"),
        (lambda v, c, f: {"a": f}, ("a", "b"), "returns a tensor, which has no ('a', 'b'); leave `output` out"),
        (lambda v, c, f: f, 0, "returns a tensor, which has no 0; leave `output` out"),
        (lambda v, c, f: (f, v[..., None].expand(-1, -1, 2)), 1, "`output` 1 of Heads is a tensor of shape (1, 8, 2)"),
        (lambda v, c, f: (f, 3), 1, "`output` 1 of Heads is a int, not a row of class scores"),
        (lambda v, c, f: f, lambda returned: returned["x"], "`output` failed on what Heads returns, a tensor"),
        (lambda v, c, f: f, lambda returned: 3, "of Heads is a int, not a row of class scores"),
        (lambda v, c, f: {"features": v}, None, "returns features, output='features' (1, 8), but no class scores"),
        (lambda v, c, f: {"pooler_output": v[..., None, None]}, None, "pass the network with its classifying layer"),
        (lambda v, c, f: [{"boxes": v[:, :4], "labels": c.argmax(1)}], None, "it is a detector"),
    ],
)
def test_outputs_that_are_none(wrap: Any, output: Any, sentence: str) -> None:
    with pytest.raises(ClassifierError) as caught:
        Classifier(Heads(wrap), output=output)
    assert sentence in str(caught.value) and "input_size" not in str(caught.value)


@pytest.mark.parametrize("output", [True, 1.5, ["a"], (1, None), {"a": 1}])
def test_what_cannot_say_where_scores_are(output: Any) -> None:
    with pytest.raises(ClassifierError, match="`output` is the index, key or attribute of the class scores"):
        Classifier(Heads(lambda v, c, f: (v, f)), input_size=SIZE, output=output)


def test_features_are_taken_for_scores_by_one_who_says_so() -> None:
    assert len(Classifier(Heads(lambda v, c, f: {"features": v}), input_size=SIZE, output="features").class_names) == 8
    names = list("abcdefgh")
    assert Classifier(Heads(lambda v, c, f: {"features": v}), class_names=names, input_size=SIZE).class_names[0] == "a"


def test_the_choice_holds_for_every_pass() -> None:
    wrap: Any = lambda v, c, f: (c, f)  # noqa: E731
    network = Heads(wrap)
    first, second = (Classifier(network, input_size=SIZE, output=output) for output in (0, 1))
    assert weights_fingerprint(first) != weights_fingerprint(second)
    pixels = pictures(1)
    for classifier, count in ((first, 3), (second, 5), (second.with_autocast("bfloat16"), 5)):
        assert len(classifier.class_names) == classifier.logits(pictures()).shape[1] == count
        assert explain.Occlusion(4, 4)(classifier, pixels, 2).values.std() > 0
        assert len(explain.CAM().maps(classifier, pixels).cells) == count
    expected = explain.GradCAM(relu=False)(Classifier(Heads(lambda v, c, f: f), input_size=SIZE), pixels, 2).values
    assert (explain.GradCAM(relu=False)(second, pixels, 2).values == expected).all()


def test_a_network_that_returns_something_else_later() -> None:
    network = Heads(lambda v, c, f: {"logits": f})
    classifier = Classifier(network, input_size=SIZE)
    network.wrap = lambda v, c, f: {"other": f}
    with pytest.raises(ClassifierError, match="returns nothing at output='logits'; choose output='other'"):
        classifier.logits(pictures())
