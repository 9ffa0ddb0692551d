"""What `scripts/test --fast` leaves out is there: a test that is renamed would be back in unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.slow import SLOW, is_slow

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("nodeid", SLOW)
def test_what_is_slow_is_there(nodeid: str) -> None:
    path, _, name = nodeid.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_folders_files_and_tests_are_told_apart() -> None:
    assert is_slow("tests/soak/test_races.py::test_any") and is_slow("tests/test_serve.py::test_any[1]")
    assert is_slow("tests/test_notebooks.py::test_it_runs[cam]")
    assert not is_slow("tests/test_notebooks.py::test_it_is_committed_without_results[cam]")
    assert not is_slow("tests/classifier/test_layers.py::test_layers_of_known_architectures_too")
