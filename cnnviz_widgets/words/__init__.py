"""What the page says, in each language: `en.json` and `ko.json` hold the same keys and placeholders.

Keys are dotted: `tab.cam.question`, `help.cam.read`, `tooltip.layer`, `answer.cam`. In answers, what stands between
`**` is strong.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

#: The languages that there is a catalogue of; the first is the one of a page that asks for none of them.
LANGUAGES = ("en", "ko")


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language by their keys. Raises ValueError for a language that there is no catalogue of."""
    if language not in LANGUAGES:
        raise ValueError(f"There are no texts in {language!r}; language= takes {', '.join(LANGUAGES)}, or None.")
    texts: dict[str, str] = json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def text(key: str, language: str | None = "en", **values: object) -> str:
    """The text of `key` with `values` in its placeholders; a page's own language, None, is taken for English."""
    return catalogue(language or LANGUAGES[0])[key].format(**values)


def parts(key: str, language: str | None = "en", **values: object) -> list[tuple[str, bool]]:
    """The text of `key` in pieces, each with whether it is strong; values are never read for marks."""
    pieces = catalogue(language or LANGUAGES[0])[key].split("**")
    return [(piece.format(**values), bool(number % 2)) for number, piece in enumerate(pieces) if piece]


def sent(language: str | None) -> tuple[str, ...]:
    """The languages that a page is sent: the one, or for None all that it may choose from."""
    if language is None:
        return LANGUAGES
    catalogue(language)
    return (language,)
