"""The Python that makes a panel again."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from cnnviz_widgets.explain.occlusion.mask import mask_text
from cnnviz_widgets.session import Session


@dataclasses.dataclass(frozen=True)
class Variable:
    """A value that is no literal, such as a data set: the code has a variable for it."""

    name: str

    def __repr__(self) -> str:
        return self.name


class Coded(Protocol):
    """What is asked of a panel to write its code."""

    session: Session

    @property
    def settings(self) -> Mapping[str, object]: ...
    def options_made_with(self) -> Mapping[str, object]: ...
    def layer_made_at(self) -> str: ...
    def calls_by_hand(self) -> Sequence[str]: ...


def code_of(panel: Coded) -> str:
    """Lines of Python after which `view` shows what `panel` shows.

    They need variables: `network`, `picture` where there is one, and those that a comment names.
    """
    kind, session = type(panel), panel.session
    imports = {_import_of(kind), _import_of(Session)}
    options = dict(panel.options_made_with())
    values = {name: getattr(panel, name) for name in panel.settings}
    values = {name: mask_text(one) if isinstance(one, np.ndarray) else one for name, one in values.items()}
    changed = {name: value for name, value in values.items() if value != panel.settings[name]}
    if "technique" in changed and changed["technique"] == _usual_technique(kind, changed["technique"]):
        del changed["technique"]
    _offer(panel, changed.get("technique"), options)
    taken = inspect.signature(kind).parameters
    options.update({name: changed.pop(name) for name in list(changed) if name in taken})
    shown = ", ".join(["session", *(f"{name}={literal(value, imports)}" for name, value in options.items())])
    first, then = _session_lines(session, panel.layer_made_at())
    lines = [
        *first,
        f"view = {kind.__name__}({shown})",
        *(f"view.{name} = {literal(value, imports)}" for name, value in changed.items()),
        *then,
        *panel.calls_by_hand(),
    ]
    return "\n".join([*_import_lines(imports), "", _variables(session, options), *lines]) + "\n"


def _usual_technique(kind: type, technique: Any) -> Any:
    """The technique that a new view begins with."""
    usual = getattr(kind, "techniques", None)
    return type(technique)() if usual is None else usual()[0]


def _offer(panel: Any, technique: Any, options: dict[str, object]) -> None:
    """Let the view be made with a technique that it does not offer by itself."""
    usual = getattr(type(panel), "techniques", None)
    if usual is None or technique is None or technique.label in {option.label for option in usual()}:
        return
    if "techniques" in inspect.signature(type(panel)).parameters:
        options["techniques"] = [technique]


def _variables(session: Session, options: Mapping[str, object]) -> str:
    """A comment that says what the variables stand for."""
    said = [f"network: {session.classifier.name!r}"]
    if session.picture is not None:
        said.append(f"picture: {session.picture.name!r}" if session.picture.name else "picture: the one looked at")
    others = [f"{value}: what the view was made with" for value in options.values() if isinstance(value, Variable)]
    return f"# {'; '.join([*said, *others])}"


def _session_lines(session: Session, layer: str) -> tuple[list[str], list[str]]:
    """Lines that make the session and bring it to `layer`, and lines that then bring it where it is."""
    classifier = session.classifier
    lines = [f"session = Session(network{'' if session.picture is None else ', picture'})"]
    for name in ("target", "against"):
        index = getattr(session, name)
        if index is not None:
            lines.append(f"session.{name} = {index}  # {classifier.class_names[index]!r}")
    if session.selection:
        lines.append(f"session.selection = {session.selection!r}")
    if layer != classifier.default_layer:
        lines.append(f"session.layer = {layer!r}")
    channel = [] if session.channel is None else [f"session.channel = {session.channel}"]
    if layer == session.layer:
        return [*lines, *channel], []
    return lines, [f"session.layer = {session.layer!r}", *channel]


def literal(value: Any, imports: set[tuple[str, str]]) -> str:
    """A value as Python; of a technique only the parameters that are not as usual. Classes are added to `imports`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Variable):
        kind = type(value)
        imports.add(_import_of(kind))
        fields = [field for field in dataclasses.fields(value) if field.init]
        changed = {
            field.name: getattr(value, field.name) for field in fields if getattr(value, field.name) != _usual(field)
        }
        return f"{kind.__name__}({', '.join(f'{name}={literal(found, imports)}' for name, found in changed.items())})"
    if isinstance(value, list):
        return f"[{', '.join(literal(item, imports) for item in value)}]"
    if isinstance(value, frozenset):
        return f"frozenset({sorted(value)!r})"
    return repr(value)


def _usual(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _import_of(kind: type) -> tuple[str, str]:
    """The shortest module that has a class among its public names, and the class's name."""
    whole = kind.__module__.split(".")
    for end in range(1, len(whole)):
        module = sys.modules.get(".".join(whole[:end]))
        if kind.__name__ in getattr(module, "__all__", ()):
            return ".".join(whole[:end]), kind.__name__
    return kind.__module__, kind.__name__


def _import_lines(imports: set[tuple[str, str]]) -> list[str]:
    names: dict[str, list[str]] = {}
    for module, name in sorted(imports):
        names.setdefault(module, []).append(name)
    return [f"from {module} import {', '.join(found)}" for module, found in names.items() if module != "__main__"]
