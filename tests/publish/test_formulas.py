"""Formulas of a notebook's text as MathML."""

from __future__ import annotations

import pytest

pytest.importorskip("latex2mathml")

from cnnviz_widgets.publish.formulas import with_mathml


def test_formulas_become_mathml() -> None:
    text = with_mathml("The weight $\\alpha_k$ and\n\n$$y = \\sum_k w_k$$\n")
    assert text.count("<math") == 2 and 'display="block"' in text and 'display="inline"' in text
    assert "$" not in text and text.startswith("The weight <math")


@pytest.mark.parametrize(
    "text", ["`a $b$ c`", "```\n$x$ and $$y$$\n```", "It costs $5 and $6 more", "a \\$x\\$ b", "US$ 3, A$4$B"]
)
def test_what_is_no_formula_stays(text: str) -> None:
    assert with_mathml(text) == text


def test_what_cannot_be_converted_stays_readable() -> None:
    assert with_mathml("so $\\frac{1}{$ is") in ("so <code>$\\frac{1}{$</code> is", "so $\\frac{1}{$ is")
