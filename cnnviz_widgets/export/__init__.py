"""Panels as pages: one HTML file that shows widgets without a kernel, a server or a network."""

from cnnviz_widgets.export.page import page, write
from cnnviz_widgets.export.recording import Recording, hand_on, record

__all__ = ["Recording", "hand_on", "page", "record", "write"]
