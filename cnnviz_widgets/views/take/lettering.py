"""The font of figures: Pillow's own, so that a figure looks the same on every computer.

A text with letters that this font does not have, such as Korean, is drawn in a font of the computer.
"""

from __future__ import annotations

import functools
from typing import Any

import PIL.ImageFont

#: Fonts of Linux, macOS and Windows with more letters; where none has all letters of a text, these are empty boxes.
_OTHERS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansKR-Regular.otf",
    "NanumGothic.ttf",
    "AppleSDGothicNeo.ttc",
    "malgun.ttf",
    "DejaVuSans.ttf",
    "Arial.ttf",
    "arial.ttf",
)
#: No letter: what a font draws for it, it draws for every letter that it does not have.
_NO_LETTER = "\uffff"
#: Signs that Pillow's font does not have, in letters that it has.
_SPELLED = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{PLUS-MINUS SIGN}": "+/-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{MULTIPLICATION SIGN}": "x",
    }
)


@functools.cache
def _font(name: str, size: int) -> Any:
    """A font of the computer, or Pillow's own where `name` is empty; None where it is not there."""
    try:
        return PIL.ImageFont.truetype(name, size) if name else PIL.ImageFont.load_default(size)
    except OSError:
        return None


@functools.cache
def _has(name: str, letter: str) -> bool:
    font = _font(name, 20)
    if font is None:
        return False
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))


@functools.lru_cache(4096)
def font_of(text: str, size: int) -> Any:
    """The font that a line of text is drawn in, `size` pixels high."""
    for name in ("", *_OTHERS):
        if all(_has(name, letter) for letter in text):
            return _font(name, size)
    return _font("", size)


def clean(text: str) -> str:
    """`text` on one line, without what no file of text may hold: control characters and halves of characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))


def spelled(text: str) -> str:
    """`text` in letters that the font has, as far as they are known."""
    return text.translate(_SPELLED)


def width_of(text: str, size: int) -> float:
    """How many pixels wide a line of text is."""
    text = spelled(text)
    return float(font_of(text, size).getlength(text))


def wrapped(text: str, width: int, size: int, most: int = 100) -> list[str]:
    """`text` in lines that are at most `width` pixels wide; after `most` lines the rest is left out."""
    lines: list[str] = []
    line = ""
    for word in clean(text).split():
        longer = f"{line} {word}".strip()
        if width_of(longer, size) <= width:
            line = longer
            continue
        lines += [line] if line else []
        while width_of(word, size) > width and len(lines) < most:
            fitting = _fitting(word, width, size)
            lines.append(word[:fitting])
            word = word[fitting:]
        line = word
    lines += [line] if line else []
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(f"{lines[most - 1]} {lines[most]}", width, size)]
    return lines


def cut(text: str, width: int, size: int) -> str:
    """The beginning of `text` that is at most `width` pixels wide, with an ellipsis where something is missing."""
    text = clean(text)
    if width_of(text, size) <= width:
        return text
    ellipsis = "\N{HORIZONTAL ELLIPSIS}"
    return text[: _fitting(text, width - int(width_of(ellipsis, size)) - 1, size)].rstrip() + ellipsis


def _fitting(text: str, width: int, size: int) -> int:
    """How many letters of `text` fit into `width` pixels, at least one."""
    low, high = 1, max(1, len(text))
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(text[:middle], size) <= width:
            low = middle
        else:
            high = middle - 1
    return low
