"""Where a guess is marked: a window on the picture, a class, one of two, or a lasso."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

from cnnviz_widgets.errors import GuessError
from cnnviz_widgets.views.layout import row, show_if
from cnnviz_widgets.views.parts.guess_scores import LETTERS, Window, quarters
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.picture import PictureCanvas, WindowMoved
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: A smaller picture has no room for letters, in pixels of its shorter side.
_LEAST_FOR_LETTERS = 96
_TILE = 160


class Owner(Protocol):
    """The panel whose page this is."""

    def on(self, source: Acknowledged, kind: Any, handle: Any) -> None: ...
    def button(self, description: str, press: Callable[[], object], **traits: Any) -> ipywidgets.Button: ...


class Stage(Protocol):
    """Where one kind of guess is marked; `guess` is what is marked, None while nothing is."""

    guess: Any
    widget: ipywidgets.Widget

    def mark(self, guess: Any) -> None:
        """Mark a guess that was not made by hand. Raises GuessError."""

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show another picture to guess on."""


class WindowStage:
    """A window on the picture, (top, left, height, width); a letter stands for a quarter."""

    def __init__(self, owner: Owner, picture: NDArray[np.uint8], changed: Callable[[], object]) -> None:
        self._changed = changed
        self.guess: Window | None = None
        self.canvas = PictureCanvas(label="picture with the window of a guess", mode="window")
        self.show(picture)
        owner.on(self.canvas, WindowMoved, self._moved)
        letters = [owner.button(letter, functools.partial(self._pick, letter)) for letter in LETTERS]
        self.widget = ipywidgets.VBox([self.canvas, row(*letters, gap=4)])

    def show(self, picture: NDArray[np.uint8]) -> None:
        shown = _lettered(picture)
        self.canvas.show(shown)
        # The window is an outline: below it lies the picture itself.
        self.canvas.baseline = shown.tobytes()

    def mark(self, guess: Any) -> None:
        rows, columns = self.canvas.picture_size
        window = quarters(rows, columns).get(guess) if isinstance(guess, str) else guess
        try:
            top, left, height, width = window  # type: ignore[misc]
            fitted = self.canvas.fitted((int(top), int(left), int(height), int(width)))
        except (TypeError, ValueError) as error:
            raise GuessError(f"A guess here is (top, left, height, width) or one of A to D, not {guess!r}.") from error
        self.canvas.place_window(fitted)
        self.guess = fitted

    def _pick(self, letter: str) -> None:
        self.mark(letter)
        self._changed()

    def _moved(self, event: WindowMoved) -> None:
        self.guess = (event.top, event.left, event.height, event.width)
        if event.final:
            self._changed()


class ClassStage:
    """One of the class names, beside the picture if there is one; the guess is its index."""

    def __init__(
        self, owner: Owner, picture: NDArray[np.uint8] | None, names: Sequence[str], changed: Callable[[], object]
    ) -> None:
        self._names, self._changed = list(names), changed
        self.guess: int | None = None
        self.canvas = PictureCanvas(label="picture of which the class is to be guessed", display_width=320)
        self.picker = Picker(options=self._names, description="your guess", placeholder="choose a class")
        owner.on(self.picker, Picked, self._picked)
        self.widget = row(self.canvas, self.picker)
        show_if(picture is not None, self.canvas)
        if picture is not None:
            self.show(picture)

    def show(self, picture: NDArray[np.uint8]) -> None:
        show_if(True, self.canvas)
        if self.canvas.picture != picture.tobytes():
            self.canvas.show(picture)

    def mark(self, guess: Any) -> None:
        index = self._names.index(guess) if guess in self._names else guess
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(self._names):
            raise GuessError(f"A guess here is a class name, or an index below {len(self._names)}, not {guess!r}.")
        self.picker.index = self.guess = index

    def _picked(self, event: Picked) -> None:
        self.guess = event.index
        self._changed()


class PairStage:
    """Two tiles, A and B; the guess is a letter."""

    def __init__(self, owner: Owner, tiles: NDArray[np.uint8], changed: Callable[[], object]) -> None:
        self._changed = changed
        self.guess: str | None = None
        self.tiles = Tiles(tile_width=_TILE, pixelated=True, height=2 * _TILE)
        self.show(tiles)
        owner.on(self.tiles, TilePicked, self._picked)
        self.widget = self.tiles

    def show(self, picture: NDArray[np.uint8]) -> None:
        self.tiles.show(picture, LETTERS[: len(picture)])

    def mark(self, guess: Any) -> None:
        if guess not in LETTERS[:2]:
            raise GuessError(f"A guess here is A or B, not {guess!r}.")
        self.guess = guess
        self.tiles.selected = LETTERS.index(guess)

    def _picked(self, event: TilePicked) -> None:
        self.guess = LETTERS[event.index]
        self._changed()


class LassoStage:
    """Rows of a map that a lasso is around. `drawing(mark)` makes the map, which calls `mark(rows)`."""

    def __init__(
        self, drawing: Callable[[Callable[[Any], None]], ipywidgets.Widget], changed: Callable[[], object]
    ) -> None:
        self._changed = changed
        self.guess: tuple[int, ...] | None = None
        self.widget = drawing(self._lassoed)

    def show(self, picture: NDArray[np.uint8]) -> None:
        pass  # the map stands still while it is guessed

    def mark(self, guess: Any) -> None:
        try:
            self.guess = tuple(sorted({int(row) for row in guess})) or None
        except (TypeError, ValueError) as error:
            raise GuessError(f"A guess here is a list of rows of the map, not {guess!r}.") from error

    def _lassoed(self, rows: Any) -> None:
        self.mark(rows)
        self._changed()


def _lettered(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its quarters parted and named, where there is room."""
    height, width = picture.shape[:2]
    if min(height, width) < _LEAST_FOR_LETTERS:
        return picture
    image = PIL.Image.fromarray(picture)
    drawing = PIL.ImageDraw.Draw(image)
    for line in ((0, height // 2, width, height // 2), (width // 2, 0, width // 2, height)):
        drawing.line(line, "white")
    for letter, (top, left, _, _) in quarters(height, width).items():
        drawing.rectangle((left + 2, top + 2, left + 14, top + 16), "white", "black")
        drawing.text((left + 6, top + 4), letter, "black")
    return np.asarray(image)
