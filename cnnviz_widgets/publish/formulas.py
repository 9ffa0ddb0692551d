"""Formulas in the text of a notebook as MathML, which browsers draw themselves."""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

#: What is no formula, whatever is in it: code in the text. Then formulas on a line of their own, and in a line.
_PIECES = re.compile(
    r"(?P<code>```.*?```|~~~.*?~~~|`[^`\n]+`)"
    r"|\$\$(?P<block>.+?)\$\$|\\\[(?P<bracket>.+?)\\\]"
    r"|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])|\\\((?P<paren>.+?)\\\)",
    re.DOTALL,
)


def with_mathml(markdown: str) -> str:
    """Markdown with its LaTeX formulas replaced by MathML; one that cannot be converted stays as it is, as code."""
    return _PIECES.sub(_replaced, markdown)


def _replaced(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found[0]
    block = found["block"] or found["bracket"]
    latex = block or found["inline"] or found["paren"]
    try:
        mathml: str = convert(latex.strip(), display="block" if block else "inline")
    except Exception:  # the library raises what its parser does
        return f"<code>{html.escape(found[0])}</code>"
    return mathml
