"""Ports for servers of tests that run side by side."""

from __future__ import annotations

import socket

from cnnviz_widgets.serve import ADDRESS


def unused_port() -> int:
    """A port that the system gives out; `free_port` gives all who ask at the same time the same one."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
