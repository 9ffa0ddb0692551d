"""What is explained: one class, or one minus another; the only place where scores are picked out of logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnviz_widgets.classifier import Contrast, Target
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.errors import MethodError, TargetError

LOGITS = torch.tensor([[1.0, 2.0, -3.0], [0.5, 0.0, 4.0]])


def test_a_logit_or_the_difference_of_two() -> None:
    assert torch.equal(Target(1).of(LOGITS), LOGITS[:, 1])
    assert torch.equal(Target(1, against=2).of(LOGITS), LOGITS[:, 1] - LOGITS[:, 2])
    assert torch.equal(Target(0, 0).of(LOGITS), torch.zeros(2))
    assert (Target(1).signed, Target(1, 0).signed) == (False, True)
    assert (Target(1).indices, Target(1, 0).indices) == ((1,), (1, 0))


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_probability_is_what_the_readout_says(link: Any) -> None:
    shares = LOGITS.softmax(dim=1) if link == "softmax" else LOGITS.sigmoid()
    readout = Readout((link,))
    torch.testing.assert_close(Target(1).of(LOGITS, "probability", readout), shares[:, 1])
    torch.testing.assert_close(Target(1, 2).of(LOGITS, "probability", readout), shares[:, 1] - shares[:, 2])


def test_scores_that_are_no_probabilities_have_none() -> None:
    assert torch.equal(Target(1).of(LOGITS, "logit", Readout(())), LOGITS[:, 1])
    with pytest.raises(MethodError, match="choose score='logit'"):
        Target(1).of(LOGITS, "probability", Readout(()))


def test_what_is_not_linear_in_the_scores_is_combined_too() -> None:
    squares = Target(0, against=2).combine(lambda index: LOGITS[:, index] ** 2)
    assert torch.equal(squares, LOGITS[:, 0] ** 2 - LOGITS[:, 2] ** 2)
    assert torch.equal(Target(0).combine(lambda index: LOGITS[:, index] ** 2), LOGITS[:, 0] ** 2)


@pytest.mark.parametrize("index", [-1, 3, True, 1.0, None, "cat"])
def test_an_index_that_does_not_exist(index: Any) -> None:
    for target in (Target(index), Target(0, against=index) if index is not None else Target(index)):
        with pytest.raises(TargetError, match="A class is an index from 0 to 2, not"):
            target.of(LOGITS)


def test_the_old_name_is_there_for_one_release() -> None:
    with pytest.warns(DeprecationWarning, match="Target"):
        assert Contrast(1, 2) == Target(1, against=2)
