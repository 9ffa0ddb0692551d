"""Panels as pages: one HTML file that shows widgets without a kernel, a server or a network."""

from cnnviz_widgets.export.axis import Axis, axis_of, hand_on
from cnnviz_widgets.export.packing import Packing, Player
from cnnviz_widgets.export.page import data_of, host, note, page, policy, style, write, write_document
from cnnviz_widgets.export.recording import Recording, record, record_all, recording_of
from cnnviz_widgets.export.tree import widgets_of

__all__ = [
    "Axis",
    "Packing",
    "Player",
    "Recording",
    "axis_of",
    "data_of",
    "hand_on",
    "host",
    "note",
    "page",
    "policy",
    "record",
    "record_all",
    "recording_of",
    "style",
    "widgets_of",
    "write",
    "write_document",
]
