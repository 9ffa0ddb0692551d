"""Formulas as MathML, which browsers draw by themselves: Sphinx's other renderers load a script or need LaTeX."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

#: Sizes that docutils does not know; in MathML brackets stretch by themselves.
_SIZES = re.compile(r"\\[bB]igg?[lr]?(?![a-zA-Z])")


def markup(formula: str, *, block: bool) -> str:
    """The MathML of a formula in LaTeX. Raises docutils' MathError for what it does not know."""
    return tex2mathml(_SIZES.sub("", formula), as_block=block)


def inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(markup(node.astext(), block=False))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(markup(node.astext(), block=True))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
