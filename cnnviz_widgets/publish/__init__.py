"""Notebooks as pages: run, and written as one HTML file in which the panels go on living."""

from cnnviz_widgets.publish.notebook import Published, publish

__all__ = ["Published", "publish"]
