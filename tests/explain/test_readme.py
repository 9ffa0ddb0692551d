"""The table of techniques in README.md is what the techniques say of themselves."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "techniques.py"


def test_the_table_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("techniques_table", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.README.read_text()
    assert module.BEGIN in text and module.END in text
    assert module.with_table(text) == text, "run scripts/techniques.py"
