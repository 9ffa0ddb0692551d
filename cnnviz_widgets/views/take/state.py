"""A panel's session and settings as a dict of JSON types, and back."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import traitlets

from cnnviz_widgets.classifier.wording import short_repr
from cnnviz_widgets.errors import ExplanationError, PictureError, StateError
from cnnviz_widgets.explain.occlusion.mask import mask_text
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session

#: Grows when a state of before can no longer be restored.
VERSION = 1
#: What of a session is a state, in the order in which it is set: a channel is one of a layer.
_OF_SESSION = ("target", "against", "layer", "channel", "selection")

#: What validators raise, besides sentences of our own; nested lists without end are too deep for Python.
_REFUSALS = (traitlets.TraitError, TypeError, ValueError, OverflowError, RecursionError)


class Stateful(Protocol):
    """What is asked of a panel to keep its state: `settings` names attributes that can be set."""

    session: Session

    @property
    def settings(self) -> Mapping[str, object]: ...


def state_of(panel: Stateful) -> dict[str, Any]:
    """The state of a panel with its session, of JSON types."""
    return {
        "version": VERSION,
        "view": type(panel).__name__,
        "session": session_state(panel.session),
        "settings": settings_of(panel),
    }


def session_state(session: Session) -> dict[str, Any]:
    """What of a session is a state; of the picture its name, None where there is none."""
    picture = session.picture
    state = {name: encoded(getattr(session, name)) for name in _OF_SESSION}
    return {**state, "picture": None if picture is None else picture.name}


def settings_of(panel: Stateful) -> dict[str, Any]:
    """A panel's own settings, of JSON types."""
    return {name: encoded(getattr(panel, name)) for name in panel.settings}


def encoded(value: Any) -> Any:
    """A value of a setting in JSON types: a mask as text, a technique by its label and fields that JSON can hold."""
    if isinstance(value, np.ndarray):
        return mask_text(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [encoded(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encoded(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        kept = {name: found for name, found in fields.items() if _is_json(found)}
        return {"label": getattr(value, "label", type(value).__name__), "fields": kept}
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


# -- back --------------------------------------------------------------------------------------------------------


def restore(panel: Stateful, state: object) -> None:
    """Set a panel and its session to a state. Keys of the session and the settings may be missing: these stay.

    Raises StateError for what is no state of this kind of panel, and what the session and the panel raise for values
    that they refuse; all is then as it was before.
    """
    known = checked(state, {"version", "view", "session", "settings"}, "A view's state")
    kind = type(panel).__name__
    if known.get("view", kind) != kind:
        raise StateError(f"This is the state of a {short_repr(known['view'])}, and no {kind} can take it.")
    with kept(panel.session, panel):
        restore_session(panel.session, known.get("session", {}))
        restore_settings(panel, known.get("settings", {}))


@contextmanager
def kept(session: Session, *panels: Stateful) -> Iterator[None]:
    """Within the block a session and panels are changed; if something is raised, they become what they were before."""
    before = {name: getattr(session, name) for name in ("picture", *_OF_SESSION)}
    settings = [{name: getattr(panel, name) for name in panel.settings} for panel in panels]
    try:
        yield
    except Exception:
        with session.hold_trait_notifications():
            for name, value in before.items():
                setattr(session, name, value)
        for panel, values in zip(panels, settings, strict=True):  # after the session: a channel is one of a layer
            _assign(panel, values)
        raise


def checked(state: object, keys: set[str], what: str, *, versioned: bool = True) -> dict[str, Any]:
    """`state` if it is a dict of these keys and, if `versioned`, of this version. Raises StateError."""
    if not isinstance(state, dict):
        raise StateError(f"{what} is a dict, as `state` gives it, not {short_repr(state)}.")
    unknown = [key for key in state if key not in keys]
    if unknown:
        raise StateError(f"{what} has no {short_repr(unknown[0])}; it has {', '.join(sorted(keys))}.")
    version = state.get("version")
    if versioned and (isinstance(version, bool) or version != VERSION):
        raise StateError(
            f"{what} of version {short_repr(version)} cannot be restored here, only of version {VERSION}: take it anew "
            "from the `state` of a view of this release."
        )
    return state


def restore_session(session: Session, state: object, pictures: Sequence[Picture] = ()) -> None:
    """Set a session to a state of it, all of it or nothing; `pictures` are those that a name may mean."""
    known = checked(state, {*_OF_SESSION, "picture"}, "A session's state", versioned=False)
    wanted = {name: known[name] for name in _OF_SESSION if name in known}
    if "picture" in known:
        wanted["picture"] = _picture(session, known["picture"], pictures)
    try:
        with session.hold_trait_notifications():
            for name, value in wanted.items():
                if not _same(getattr(session, name), value):
                    setattr(session, name, value)
    except ExplanationError:
        raise
    except _REFUSALS as error:
        raise StateError(f"A session cannot take this state: {_first_line(error)}") from error


def _picture(session: Session, name: object, pictures: Sequence[Picture]) -> Picture | None:
    """The picture that a name means: the session's own, or one of `pictures`."""
    own: Picture | None = session.picture
    if name is None:
        return None
    if not isinstance(name, str):
        raise StateError(f"A picture is kept by its name, not as {short_repr(name)}.")
    if own is not None and (own.name == name or not name):
        return own
    found = next((picture for picture in pictures if picture.name == name), None)
    if found is None:
        raise PictureError(
            f"The picture {short_repr(name)} of this state is not here: assign it to session.picture first (for an "
            "app, pass it among the pictures), or take 'picture' out of the state's session."
        )
    return found


def restore_settings(panel: Stateful, state: object) -> None:
    """Set a panel's settings, one after the other."""
    known = checked(state, set(panel.settings), f"A {type(panel).__name__}'s settings", versioned=False)
    _assign(panel, {name: _decoded(panel, known[name]) for name in panel.settings if name in known})


def _assign(panel: Stateful, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        try:
            if not _same(getattr(panel, name), value):
                setattr(panel, name, value)
        except ExplanationError:
            raise
        except _REFUSALS as error:
            raise StateError(f"`{name}` cannot be {short_repr(value)}: {_first_line(error)}") from error


def _decoded(panel: Stateful, value: Any) -> Any:
    """A value as the attribute takes it: a technique of the panel for its label and fields, a tuple for a list."""
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, dict):
        return value
    given = checked(value, {"label", "fields"}, "A technique's state", versioned=False)
    options = {option.label: option for option in getattr(getattr(panel, "choice", None), "options", ())}
    label, fields = given.get("label"), given.get("fields", {})
    if not isinstance(label, str) or label not in options:
        raise StateError(f"This view shows {', '.join(options) or 'no techniques'}, not {short_repr(label)}.")
    option = options[label]
    hints = typing.get_type_hints(type(option), include_extras=True)
    names = {field.name for field in dataclasses.fields(option) if field.init}
    wanted = checked(fields, names, label, versioned=False)
    values = {field: tuple(found) if isinstance(found, list) else found for field, found in wanted.items()}
    for field, found in values.items():
        if not _fits(found, hints[field]):
            raise StateError(f"`{field}` of {label} cannot be {short_repr(found)}.")
    return dataclasses.replace(option, **values)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON is one of a field with this annotation; of annotations that are not known, all are."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _fits(value, arguments[0])
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in arguments)
    if origin is tuple and Ellipsis not in arguments:
        fitting = isinstance(value, tuple) and len(value) == len(arguments)
        return fitting and all(map(_fits, value, arguments))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint in (int, str, bool, types.NoneType):
        return type(value) is hint
    return True


def _same(one: Any, other: Any) -> bool:
    return type(encoded(one)) is type(encoded(other)) and bool(encoded(one) == encoded(other))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
