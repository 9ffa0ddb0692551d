"""What a network's scores are: guessed, set, read, and found behind its own probabilities."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, Scores
from cnnviz_widgets.classifier.capture import Inputs
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.errors import ClassifierError

SIZE = (24, 20)
End = Callable[[Tensor], Any]


class Net(nn.Module):
    """Convolutions, global average pooling and a linear layer, whose scores go through `end`."""

    def __init__(self, end: End, classes: int = 5, gain: float = 20) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
            self.head = nn.Linear(16, classes)
        self.gain = gain
        self.end = end

    def logits(self, pixels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(pixels).mean((2, 3))) * self.gain
        return scores

    def forward(self, pixels: Tensor) -> Any:
        return self.end(self.logits(pixels))


def pictures(count: int = 4) -> Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(3))


def made(end: End, classes: int = 5, scores: Scores | None = None, **options: Any) -> Classifier:
    return Classifier(Net(end, classes, **options), input_size=SIZE, scores=scores)


def own(classifier: Classifier) -> Tensor:
    """What the network returns for the pictures, each in a row."""
    with torch.no_grad():
        return classifier.network(pictures()).float().reshape(len(pictures()), -1)


def by_hand(scores: Tensor) -> Tensor:
    shifted = (scores - scores.max(dim=1, keepdim=True).values).exp()
    return shifted / shifted.sum(dim=1, keepdim=True)


def in_place(scores: Tensor) -> Tensor:
    scores = scores.clone()
    scores -= scores.amax(dim=1, keepdim=True)
    scores.exp_()
    return scores.div_(scores.sum(dim=1, keepdim=True))


def identity(scores: Tensor) -> Tensor:
    return scores


SOFTMAXES: dict[str, End] = {
    "module": nn.Softmax(dim=1),
    "function": lambda scores: functional.softmax(scores, dim=-1),
    "method": lambda scores: scores.softmax(1),
    "special": lambda scores: torch.special.softmax(scores, 1),
    "keyword": lambda scores: torch.softmax(input=scores, dim=1),
    "operator": lambda scores: torch.ops.aten.softmax.int(scores, 1),
    "maps and flatten": lambda scores: nn.Softmax2d()(scores[:, :, None, None]).flatten(1),
    "maps of one cell": lambda scores: scores[:, :, None, None].softmax(dim=1),
    "softmin": lambda scores: functional.softmin(-scores, dim=1),
    "exp of log": lambda scores: scores.log_softmax(1).exp(),
    "by hand": by_hand,
    "by hand in place": in_place,
    "clamped a little": lambda scores: scores.softmax(1).clamp(1e-7, 1 - 1e-7),
    "clamped": lambda scores: scores.softmax(1).clamp(0.01, 0.97),
    "double": lambda scores: scores.softmax(1).softmax(1),
    "twins": lambda scores: scores.softmax(1).clone()[:, None].squeeze(1),
}
LOGARITHMS: dict[str, End] = {
    "module": nn.LogSoftmax(dim=1),
    "function": lambda scores: functional.log_softmax(scores, dim=1),
    "special": lambda scores: torch.special.log_softmax(scores, 1),
    "of a softmax": lambda scores: scores.softmax(1).log(),
    "by hand": lambda scores: scores - scores.logsumexp(1, keepdim=True),
}
SIGMOIDS: dict[str, End] = {
    "module": nn.Sigmoid(),
    "function": functional.sigmoid,
    "special": torch.special.expit,
    "in place": lambda scores: scores.clone().sigmoid_(),
    "by hand": lambda scores: 1 / (1 + (-scores).exp()),
    "by tanh": lambda scores: (1 + (scores / 2).tanh()) / 2,
    "complement": lambda scores: 1 - (-scores).sigmoid(),
    "clamped": lambda scores: scores.sigmoid().clamp(0.02, 0.98),
}


def cases(ends: dict[str, End]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("end", ends.values(), ids=ends.keys())


# -- the logits behind a network's own probabilities -----------------------------------------------------------------


@cases(SOFTMAXES)
def test_a_softmax_is_taken_for_one_and_its_logits_are_found(end: End) -> None:
    classifier = made(end)
    assert classifier.scores == "softmax" and classifier.outputs_probabilities
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(classifier.logits(pictures()), classifier.network.logits(pictures()))
    assert not any("could not be found" in note for note in classifier.notes)


@cases(LOGARITHMS)
def test_so_are_logarithms_of_a_softmax(end: End) -> None:
    classifier = made(end)
    assert classifier.scores == "softmax" and not classifier.outputs_probabilities
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier).exp(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(classifier.logits(pictures()), classifier.network.logits(pictures()))


@cases(SIGMOIDS)
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_and_a_sigmoid(end: End, classes: int) -> None:
    classifier = made(end, classes, gain=3)
    assert classifier.scores == "sigmoid" and classifier.outputs_probabilities
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(classifier.logits(pictures()), classifier.network.logits(pictures()))
    assert "sigmoid" in classifier.notes[0] and "Classifier(..., scores=" in classifier.notes[0]


@pytest.mark.parametrize(
    "squeezed",
    [lambda p: p.squeeze(1), lambda p: p.squeeze(), lambda p: p.flatten(), lambda p: p[:, 0], lambda p: (p,)],
)
def test_a_probability_that_lost_its_axis(squeezed: End) -> None:
    classifier = made(lambda scores: squeezed(scores.sigmoid()), 1)
    expected = classifier.network.logits(pictures())
    assert classifier.scores == "sigmoid"
    torch.testing.assert_close(classifier.logits(pictures()), expected)
    torch.testing.assert_close(classifier.probabilities(pictures()[:1]), expected[:1].sigmoid())


def test_the_two_probabilities_of_one_sigmoid() -> None:
    classifier = made(lambda scores: torch.cat([1 - scores.sigmoid(), scores.sigmoid()], dim=1), 1)
    logits, single = classifier.logits(pictures()), classifier.network.logits(pictures())
    assert classifier.scores == "softmax"
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], single[:, 0])
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier))


def test_one_of_the_two_probabilities_of_a_softmax() -> None:
    classifier = made(lambda scores: scores.softmax(1)[:, 1], 2)
    pair = classifier.network.logits(pictures())
    assert classifier.scores == "sigmoid"
    torch.testing.assert_close(classifier.logits(pictures()), pair[:, 1:] - pair[:, :1])
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier))


@pytest.mark.parametrize(
    "end", [nn.Softmax(1), by_hand, in_place, nn.LogSoftmax(1)], ids=["softmax", "hand", "in place", "log"]
)
def test_the_gradient_of_a_sure_class_does_not_vanish(end: End) -> None:
    """A margin of 40 and more: the probability is 1, its logarithm has no gradient left."""
    classifier = made(end, gain=2000)
    pixels = pictures(1).requires_grad_()
    top = int(classifier.logits(pixels).argmax())
    assert float(classifier.probabilities(pixels.detach())[0, top]) == 1
    (found,) = torch.autograd.grad(classifier.logits(pixels)[0, top], pixels)
    (expected,) = torch.autograd.grad(classifier.network.logits(pixels)[0, top], pixels)
    assert float(expected.abs().max()) > 0
    torch.testing.assert_close(found, expected)


def test_a_softmax_on_a_softmax_is_said() -> None:
    classifier = made(lambda scores: scores.softmax(1).softmax(1))
    assert classifier.readout.links == ("softmax", "softmax")
    assert any("puts a softmax on a softmax" in note for note in classifier.notes)


def test_probabilities_that_are_cut_off_are_said() -> None:
    classifier = made(lambda scores: scores.sigmoid().clamp(0.02, 0.98))
    assert any("within 0.02 and 0.98" in note for note in classifier.notes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("end", [nn.Softmax(1), nn.Sigmoid(), nn.LogSoftmax(1)], ids=["softmax", "sigmoid", "log"])
def test_other_floating_types(end: End, dtype: torch.dtype) -> None:
    classifier = Classifier(Net(end).to(dtype), input_size=SIZE)
    assert classifier.scores == ("sigmoid" if isinstance(end, nn.Sigmoid) else "softmax")
    assert classifier.readout.capture is not None
    expected = classifier.network.logits(pictures().to(dtype)).float()
    assert classifier.logits(pictures()).dtype == torch.float32
    torch.testing.assert_close(classifier.logits(pictures()), expected)


@pytest.mark.parametrize("autocast", ["bfloat16", None])
def test_in_fewer_bits(autocast: Any) -> None:
    classifier = Classifier(Net(nn.Sigmoid()), input_size=SIZE, autocast=autocast)
    with torch.no_grad():
        found = classifier.probabilities(pictures())
    torch.testing.assert_close(found, own(classifier), atol=0.02, rtol=0.05)


@pytest.mark.parametrize("caller", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_in_any_mode_of_the_caller(caller: Callable[[], Any]) -> None:
    network = Net(nn.Softmax(1))
    with caller():
        depth = torch._C._len_torch_function_stack()
        classifier = Classifier(network, input_size=SIZE)
        found = classifier.logits(pictures())
        assert torch._C._len_torch_function_stack() == depth
    assert classifier.readout.capture is not None
    torch.testing.assert_close(found.clone(), network.logits(pictures()))


class Output(SimpleNamespace):
    """As what a Hugging Face network returns."""


@pytest.mark.parametrize(
    ("wrap", "captured"),
    [
        (lambda scores: Output(logits=scores), False),
        (lambda scores: Output(logits=scores.softmax(1)), True),
        (lambda scores: {"logits": scores, "probs": scores.softmax(1)}, False),
        (lambda scores: {"logits": scores.softmax(1)}, True),
        (lambda scores: (scores, scores.softmax(1)), False),
    ],
)
def test_what_holds_the_scores_does_not_matter(wrap: End, captured: bool) -> None:
    classifier = made(wrap)
    assert classifier.scores == "softmax" and (classifier.readout.capture is not None) is captured
    expected = classifier.network.logits(pictures())
    torch.testing.assert_close(classifier.logits(pictures()), expected)
    torch.testing.assert_close(classifier.probabilities(pictures()), expected.softmax(1))


def test_a_softmax_within_the_network_is_none_at_its_end() -> None:
    class Gated(Net):
        def forward(self, pixels: Tensor) -> Tensor:
            scores = self.logits(pixels)
            return scores * scores.softmax(1) - scores.sigmoid()

    classifier = Classifier(Gated(identity), input_size=SIZE)
    assert classifier.readout == Readout() and not classifier.notes
    torch.testing.assert_close(classifier.logits(pictures()), classifier.network(pictures()))


def test_a_network_that_ends_otherwise_all_of_a_sudden() -> None:
    classifier = made(lambda scores: scores.softmax(1))
    classifier.network.end = lambda scores: scores.softmax(1).flip(1)
    with pytest.raises(ClassifierError, match="scores='none'"):
        classifier.logits(pictures())
    classifier.network.end = identity
    with pytest.raises(ClassifierError, match="scores='none'"):
        classifier.logits(pictures())


def test_what_is_watched_is_what_went_in() -> None:
    values = torch.randn(3, 4)
    before = values.clone()
    with Inputs(most=2) as inputs:
        torch.relu(values)
        values.amax(dim=1)
        values.exp_()
        torch.sigmoid(values)
    first = inputs.at(2)
    assert len(inputs) == 2 and inputs.at(3) is None and first is not None
    torch.testing.assert_close(first, before)
    assert torch._C._len_torch_function_stack() == 0


# -- where they cannot be found --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_softmax_is_read_off_its_values() -> None:
    classifier = made(torch.jit.script(nn.Softmax(1)))
    assert classifier.scores == "softmax" and classifier.outputs_probabilities
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier))
    torch.testing.assert_close(classifier.logits(pictures()), own(classifier).log())
    assert any("could not be found" in note and "logarithms" in note for note in classifier.notes)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("classes", [1, 5])
def test_so_is_a_scripted_sigmoid(classes: int) -> None:
    classifier = made(torch.jit.script(nn.Sigmoid()), classes, gain=3)
    assert classifier.scores == "sigmoid"
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier))
    torch.testing.assert_close(classifier.logits(pictures()), classifier.network.logits(pictures()), atol=1e-4, rtol=0)
    assert any("between 0 and 1" in note for note in classifier.notes)
    assert any("log-odds" in note for note in classifier.notes)


OTHERS: dict[str, tuple[End, Scores]] = {
    "mean of two softmaxes": (lambda scores: (scores.softmax(1) + (2 * scores).softmax(1)) / 2, "softmax"),
    "a row at a time": (lambda scores: torch.stack([row.softmax(0) for row in scores]), "softmax"),
    "without the last class": (lambda scores: scores.softmax(1)[:, :-1], "sigmoid"),
    "two groups of classes": (
        lambda scores: torch.cat([scores[:, :3].softmax(1), scores[:, 3:].softmax(1)], dim=1),
        "sigmoid",
    ),
    "hard sigmoid": (functional.hardsigmoid, "sigmoid"),
    "yes or no": (lambda scores: (scores > 0).float(), "sigmoid"),
    "one of all": (lambda scores: functional.one_hot(scores.argmax(1), 5).float(), "softmax"),
}


@pytest.mark.parametrize(("end", "mode"), OTHERS.values(), ids=OTHERS.keys())
def test_other_probabilities_are_the_network_s_own(end: End, mode: Scores) -> None:
    classifier = made(end, gain=4)
    assert classifier.scores == mode and "could not be found" in classifier.notes[-1]
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier), atol=1e-6, rtol=1e-5)


def test_a_probability_of_zero_or_one_stays_finite() -> None:
    for links, inverse in ((("softmax",), "log"), (("sigmoid",), "logit")):
        readout = Readout(links, inverse=inverse)  # type: ignore[arg-type]
        shares = torch.tensor([[0.0, 1.0, 1e-30]], requires_grad=True)
        logits = readout.logits(shares, None, "Net")
        assert torch.isfinite(logits).all() and logits.min() > -90
        assert torch.isfinite(torch.autograd.grad(logits.sum(), shares)[0]).all()


# -- what is no probability ------------------------------------------------------------------------------------------


class Steady(Net):
    """Scale and contrast of the picture make no difference; the scores are near 0.4 by chance."""

    def __init__(self, classes: int) -> None:
        super().__init__(identity, classes)
        self.body.append(nn.InstanceNorm2d(16))
        with torch.no_grad():
            self.head.weight.mul_(0.01)
            self.head.bias.fill_(0.4)

    def logits(self, pixels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(pixels).abs().mean((2, 3)))
        return scores


@pytest.mark.parametrize("classes", [1, 2])
def test_scores_between_zero_and_one_by_chance(classes: int) -> None:
    classifier = Classifier(Steady(classes), input_size=SIZE)
    scores = classifier.network(pictures()).detach()
    assert float(scores.min()) > 0 and float(scores.max()) < 1
    torch.testing.assert_close(classifier.logits(pictures()), scores)
    assert classifier.scores == ("sigmoid" if classes == 1 else "softmax") and not classifier.outputs_probabilities


@pytest.mark.parametrize(
    "end", [functional.relu, functional.relu6, functional.softplus, nn.Tanh(), lambda s: -s.relu()]
)
def test_bounded_activations_that_are_no_sigmoid(end: End) -> None:
    classifier = made(end)
    assert classifier.readout == Readout()
    torch.testing.assert_close(classifier.logits(pictures()), own(classifier))


def test_a_single_score_is_a_logit_and_that_is_said() -> None:
    classifier = made(identity, 1)
    assert classifier.scores == "sigmoid" and "scores='none'" in classifier.notes[0]
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier).sigmoid())


def test_an_ordinary_classifier_has_nothing_to_say_and_its_scores_cost_no_further_pass() -> None:
    network = Net(identity)
    calls: list[int] = []
    network.register_forward_hook(lambda *_: calls.append(1))
    classifier = Classifier(network, input_size=SIZE)
    assert classifier.scores == "softmax"
    # A picture, by the network itself too, another one, and the two together.
    assert len(calls) == 4
    assert not classifier.notes


def test_small_scores_that_grow_with_the_picture_are_no_probabilities() -> None:
    classifier = made(lambda scores: scores.relu(), gain=0.05)
    assert float(own(classifier).max()) < 0.1 and classifier.readout == Readout()


def test_percentages_are_refused_with_a_mend() -> None:
    with pytest.raises(ClassifierError, match="divide them by 100, or make a Classifier with scores='none'"):
        made(lambda scores: 100 * scores.softmax(1))
    assert made(lambda scores: 100 * scores.softmax(1), scores="none").scores == "none"


def test_a_softmax_of_one_score_is_refused() -> None:
    with pytest.raises(ClassifierError, match="softmax of a single score"):
        made(nn.Softmax(1), 1)
    with pytest.raises(ClassifierError, match="choose scores='sigmoid' or 'none'"):
        made(identity, 1, "softmax")


@pytest.mark.parametrize(
    ("task", "mode"),
    [("multi_label_classification", "sigmoid"), ("regression", "none"), ("single_label_classification", "softmax")],
)
def test_what_a_network_s_configuration_says(task: str, mode: Scores) -> None:
    network = Net(identity)
    network.config = SimpleNamespace(problem_type=task)  # type: ignore[assignment]
    classifier = Classifier(network, input_size=SIZE)
    assert classifier.scores == mode and ("problem_type" in " ".join(classifier.notes)) is (mode != "softmax")


# -- what is set -----------------------------------------------------------------------------------------------------


def test_scores_of_classes_each_by_itself() -> None:
    classifier = made(identity, scores="sigmoid")
    assert classifier.scores == "sigmoid" and not classifier.notes
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier).sigmoid())


@pytest.mark.parametrize("classes", [1, 3])
@cases({"plain": identity, **{name: SIGMOIDS[name] for name in ("module", "clamped")}})
def test_scores_that_are_no_probabilities(end: End, classes: int) -> None:
    classifier = made(end, classes, "none")
    assert classifier.scores == "none" and not classifier.notes and not classifier.outputs_probabilities
    torch.testing.assert_close(classifier.logits(pictures()), own(classifier))
    torch.testing.assert_close(classifier.probabilities(pictures()), own(classifier))


def test_a_softmax_read_as_classes_by_themselves_keeps_its_probabilities() -> None:
    for end in (nn.Softmax(1), nn.LogSoftmax(1), lambda scores: torch.stack([row.softmax(0) for row in scores])):
        classifier = made(end, scores="sigmoid")
        expected = classifier.network.logits(pictures()).softmax(1)
        assert classifier.scores == "sigmoid" and "log-odds" in classifier.notes[0]
        torch.testing.assert_close(classifier.probabilities(pictures()), expected, atol=1e-6, rtol=1e-5)


def test_a_sigmoid_read_as_classes_that_compete() -> None:
    classifier = made(nn.Sigmoid(), scores="softmax")
    expected = classifier.network.logits(pictures()).softmax(1)
    torch.testing.assert_close(classifier.probabilities(pictures()), expected)


@pytest.mark.parametrize("scores", ["logits", "Sigmoid", 1, True, ["softmax"]])
def test_another_mode_is_refused(scores: Any) -> None:
    with pytest.raises(ClassifierError, match=r"`scores` is 'softmax', 'sigmoid' or 'none', or None"):
        made(identity, scores=scores)


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["softmax", "sigmoid", "none"])
def test_logits_pictures_and_arrays_are_read_alike(mode: Scores) -> None:
    classifier = made(identity, scores=mode)
    with torch.no_grad():
        logits = classifier.logits(pictures())
        found = classifier.probabilities(logits)
        torch.testing.assert_close(classifier.probabilities(pictures()), found)
    expected = {"softmax": logits.softmax(1), "sigmoid": logits.sigmoid(), "none": logits}[mode]
    torch.testing.assert_close(found, expected)
    for values in (logits.numpy(), logits.numpy()[::2, ::-1], logits[0].numpy(), logits.numpy()[None]):
        shares = classifier.readout.probabilities(values)
        assert shares.dtype == np.float32 and shares.shape == values.shape
    np.testing.assert_allclose(classifier.readout.probabilities(logits.numpy()), expected.numpy(), rtol=1e-6)


def test_a_copy_in_another_arithmetic_reads_the_same() -> None:
    classifier = made(nn.Sigmoid())
    other = classifier.with_autocast("bfloat16")
    assert other.readout == classifier.readout and other.notes == classifier.notes


def test_quantities_are_named_by_what_they_are() -> None:
    assert Readout().worded("change of the logit") == "change of the logit"
    assert Readout(()).worded("change of the logit's mean") == "change of the score's mean"
