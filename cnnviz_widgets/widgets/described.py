"""Controls with a description, which a page may show in another language than the program reads."""

from __future__ import annotations

import traitlets

from cnnviz_widgets.widgets.acknowledged import Acknowledged


class Described(Acknowledged):
    """A control whose texts are English for the program; a page shows what `texts` has for them in its language.

    `texts` maps a language to a mapping of English texts to what stands on the page in their place. A page that finds
    its own language there takes that, or else English, or else the only one there is.
    """

    description = traitlets.Unicode().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)
