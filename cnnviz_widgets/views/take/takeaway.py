"""What every panel can be taken away as: a file, numbers, code, and a state."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from cnnviz_widgets.errors import ExportError, MissingExtra
from cnnviz_widgets.export import Axis, Player
from cnnviz_widgets.schedule import between_callbacks, in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.take.code import code_of
from cnnviz_widgets.views.take.page.html import SavedPage, check_options, panel_to_html
from cnnviz_widgets.views.take.page.network import Live, Weights
from cnnviz_widgets.views.take.page.wanted import CLASSES, SharedAxes, Wanted
from cnnviz_widgets.views.take.save import save
from cnnviz_widgets.views.take.state import restore, state_of
from cnnviz_widgets.views.take.still import still_bundle
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

    #: Whether what is shown is of the session's picture.
    page_of_picture: ClassVar[bool] = True
    #: Whether the network itself is of use on a page of the view.
    page_takes_network: ClassVar[bool] = False

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

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """What can be chosen on a page without a kernel, besides picture and class: what costs next to nothing each."""
        return ()

    def page_players(self, shared: SharedAxes) -> Sequence[Player]:
        """What answers the hand on a page beside what is recorded."""
        return ()

    def settle_on_page(self) -> None:
        """Finish what is shown, when the work that a choice set off is done."""

    def being_recorded(self) -> AbstractContextManager[None]:
        """Entered while a page is made: what is only of use to a hand can be left off."""
        return nullcontext()

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

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        live: Live = "auto",
        weights: Weights = "float16",
        pictures: Sequence[object] | None = None,
        classes: int | Sequence[int | str] = CLASSES,
        layers: Sequence[str] | None = None,
        tell: Callable[[str], object] | None = print,
    ) -> SavedPage:
        """Write a page that goes on living without a kernel, a server or a network, and return what was written.

        On it are the `pictures`, by default the one that is shown, and of each the best so many `classes` or those
        that are listed; of the sliders the `layers` that are named, or all. `live`: "tables" answers the hand by what
        was computed before; "network" takes the network along, its `weights` stored as "float16" or "float32"; "auto"
        does where that is possible. `tell` is called with what is done, and at the end with the size.

        Raises ExportError while there is no result, for options that are none, and where nothing can be written.
        """
        check_options(live, weights)
        wanted = Wanted(classes, layers, live=live, weights=weights)
        return panel_to_html(self, path, pictures=pictures, wanted=wanted, tell=tell)

    @in_turn
    def code(self) -> str:
        """The Python that makes this view again, of variables `network` and `picture`."""
        return code_of(self)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any] | None:
        bundle: dict[str, Any] | None = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        return None if bundle is None else still_bundle(self, bundle)

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
