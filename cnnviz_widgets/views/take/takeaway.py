"""What every panel can be taken away as: a file, numbers, code, and a state."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cnnviz_widgets.errors import ExportError, MissingExtra
from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.take.code import code_of
from cnnviz_widgets.views.take.save import save
from cnnviz_widgets.views.take.state import restore, state_of
from cnnviz_widgets.views.take.table import Columns
from cnnviz_widgets.widgets.status import Status


class Takeaway:
    """The part of a panel that writes down what it shows.

    A view names its `settings`, and has `table`; what its widgets draw is in the figure by itself.
    """

    session: Session
    status: Status
    follows: ClassVar[Sequence[str]]

    #: Attributes that can be set and belong to `state`, in the order in which they are set, with their values in a new
    #: panel; None where these depend on something.
    settings: ClassVar[Mapping[str, object]] = {}

    # -- for subclasses ------------------------------------------------------------------------------------------

    def options_made_with(self) -> Mapping[str, object]:
        """The arguments of `__init__`, besides `settings`, that are not as usual: `code` writes them."""
        return {}

    def layer_made_at(self) -> str:
        """The session's layer when what is shown was begun, for `code`: features stay those of their layer."""
        layer: str = self.session.layer
        return layer

    def calls_by_hand(self) -> Sequence[str]:
        """Lines that begin what was begun by hand, for `code`."""
        return ()

    def recorded_controls(self) -> Sequence[Any]:
        """The controls whose options a saved page shows without a kernel: those that cost next to nothing each."""
        return ()

    # -- the public face -----------------------------------------------------------------------------------------

    def table(self) -> Columns:
        """The numbers behind what is shown, by name of column. Raises ExportError while there are none."""
        raise ExportError(f"There are no numbers behind a {type(self).__name__}.")

    def frame(self) -> Any:
        """`table()` as a pandas DataFrame. Raises ExportError, and MissingExtra without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtra("A frame needs pandas: pip install pandas, or take table().") from error
        return pandas.DataFrame(self.table())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write what is shown to a file and return its path: `.png`, `.svg`, `.csv`, or `.html`, a page by itself.

        Raises ExportError for another suffix, while there is no result, and where nothing can be written.
        """
        return save(self, path)

    @in_turn
    def code(self) -> str:
        """The Python that makes this view again, of variables `network` and `picture`."""
        return code_of(self)

    @property
    def state(self) -> dict[str, Any]:
        """What is looked at and how this view is set, of JSON types; assign it to a view of the same kind.

        Assigning raises StateError for what is no such state, and what session and view raise for values that they
        refuse; all is then as it was before.
        """
        with between_callbacks():
            return state_of(self)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        with between_callbacks():
            restore(self, state)

    @property
    def title(self) -> str:
        """What this view shows, of which picture and network."""
        label = getattr(getattr(self, "technique", None), "label", "") or type(self).__name__.removesuffix("View")
        picture = self.session.picture if "picture" in self.follows else None
        return " \N{MIDDLE DOT} ".join(filter(None, [label, picture and picture.name, self.session.classifier.name]))

    @property
    def caption(self) -> str:
        """What the view says of what it shows."""
        text: str = self.status.text
        return text
