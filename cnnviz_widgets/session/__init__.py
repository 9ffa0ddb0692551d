"""What the user looks at: the only shared mutable state."""

from cnnviz_widgets.session.example import Example, Scene
from cnnviz_widgets.session.model import as_classifier
from cnnviz_widgets.session.session import Session

__all__ = ["Example", "Scene", "Session", "as_classifier"]
