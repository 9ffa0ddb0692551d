"""The documentation: `python -m sphinx -W docs OUT`. Nothing is fetched, neither while it is built nor by its pages.

furo is the theme: one column of pages and one of headings, light and dark, without icon fonts or scripts of others.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent), str(HERE.parent / "scripts")]

from cnnviz_widgets import __version__  # noqa: E402

project = "cnnviz_widgets"
author = "The authors of cnnviz_widgets"
copyright = author
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "mathml", "plain_docstrings", "generated"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "cnnviz_widgets"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
pygments_style = "friendly"

# The notebooks run in tests, with kernels; here they are read.
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# The changelog has its headings under a title of its own, once for each version.
suppress_warnings = ["myst.header"]

html_math_renderer = "mathml"
default_role = "literal"  # docstrings have `code` in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
