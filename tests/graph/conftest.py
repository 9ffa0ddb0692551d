"""However small the network, the engine is worth it here."""

from __future__ import annotations

import pytest

from cnnviz_widgets.graph import plan


@pytest.fixture(autouse=True)
def worthwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MIN_WORK", 0.0)
