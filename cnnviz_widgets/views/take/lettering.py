"""The font of figures: Pillow's own, so that a figure looks the same on every computer."""

from __future__ import annotations

import functools
from typing import Any

import PIL.ImageFont

#: What the font has no letter for, in letters that it has; others are drawn as an empty box.
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
def font(size: int) -> Any:
    """The font, `size` pixels high."""
    return PIL.ImageFont.load_default(size)


def clean(text: str) -> str:
    """`text` on one line, without what no file of text may hold: control characters and halves of characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))


def spelled(text: str) -> str:
    """`text` in letters that the font has, as far as they are known."""
    return text.translate(_SPELLED)


def width_of(text: str, size: int) -> float:
    """How many pixels wide a line of text is."""
    return float(font(size).getlength(spelled(text)))


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
