"""Docstrings of this project are plain text with `code` in backticks; this makes reST of them for autodoc."""

from __future__ import annotations

import inspect
import re
from typing import Any

import traitlets
from sphinx.application import Sphinx

#: What means something to reST and nothing in a docstring, outside of backticks.
_MARKS = re.compile(r"[*|]|(?<=\w)_(?=\W|$)")
#: Members of views that are there for those who write one; CONTRIBUTING has them.
FOR_SUBCLASSES = {"begin", "compute", "follow", "follows", "job", "link", "on", "question", "say", "settings", "topic"}


def escaped(line: str) -> str:
    """The line with the marks of reST escaped, but for those between backticks."""
    parts = line.split("`")
    text = "`".join(part if number % 2 else _MARKS.sub(r"\\\g<0>", part) for number, part in enumerate(parts))
    return re.sub(r"(`[^`]+`)(?=\w)", r"\1\\ ", text)  # code ends where reST sees no end: `maximise`s


def rewrite(lines: list[str]) -> list[str]:
    """A docstring as reST: what is indented, or is a session of the interpreter, is code."""
    written: list[str] = []
    kind, before = "text", ""
    for line in lines:
        if line.startswith(">>> "):
            kind = "session"
        elif line.startswith("    ") and not before.strip() and kind != "item":
            if kind != "code":
                written += ["::", ""]
            kind = "code"
        elif line.startswith(("- ", "1. ")):
            kind = "item"
        elif not line.startswith(" ") and line.strip() and (kind != "session" or not before.strip()):
            kind = "text"
        written.append(line if kind in ("code", "session") else escaped(line))
        before = line
    return written


def traits_of(view: type[traitlets.HasTraits]) -> list[str]:
    """A list of the traits that this class declares itself, with their help."""
    found = []
    for name, trait in vars(view).items():
        if isinstance(trait, traitlets.TraitType) and trait.help and not name.startswith("_"):
            may = "read" if trait.read_only else "read and set"
            found.append(f"- `{name}` ({may}): {escaped(trait.help)}")
    return ["", "Traits:", "", *found, ""] if found else []


def process(app: Sphinx, what: str, name: str, subject: Any, options: Any, lines: list[str]) -> None:
    if what == "module":
        del lines[1:]  # what follows is an overview of names, which stand below
    lines[:] = rewrite(lines)
    if inspect.isclass(subject) and issubclass(subject, traitlets.HasTraits):
        lines += traits_of(subject)


def signature(
    app: Sphinx, what: str, name: str, subject: Any, options: Any, arguments: str | None, result: str | None
) -> tuple[str | None, str | None]:
    """The arguments of a view, which traitlets hides."""
    if not (inspect.isclass(subject) and issubclass(subject, traitlets.HasTraits)):
        return arguments, result
    _, *parameters = inspect.signature(subject.__init__).parameters.values()
    shown = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return str(inspect.Signature(shown)), result


def skip(app: Sphinx, what: str, name: str, subject: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out traits, which are listed, old names, and what only who writes a view needs."""
    old = (inspect.getdoc(subject) or "").startswith("Old name of")
    return True if old or isinstance(subject, traitlets.TraitType) or name in FOR_SUBCLASSES else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
