"""Files and modules of the packages that `pip install "cnnviz-widgets[demo]"` installs."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cnnviz_widgets.errors import ExplanationError

_MEND = 'run `pip install "cnnviz-widgets[demo]"`'


def file_of(package: str, path: str, failure: type[ExplanationError]) -> Path:
    """The path of a file in an installed package, which is not imported. Raises `failure` if there is none."""
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder, path)
        if file.is_file():
            return file
    raise failure(f"The demo needs {path} of the package {package}; {_MEND}.")


def module_of(package: str, failure: type[ExplanationError]) -> Any:
    """The imported module of an installed package. Raises `failure` if it cannot be imported."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise failure(f"The demo needs the package {package}; {_MEND}.") from error
