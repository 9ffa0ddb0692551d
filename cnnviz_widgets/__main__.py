"""The `cnnviz` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnviz_widgets import __version__
from cnnviz_widgets.errors import ExplanationError, MissingExtra
from cnnviz_widgets.serve import ServeError, serve_lab, serve_voila, system_language
from cnnviz_widgets.words import LANGUAGES


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, by default the arguments of the process, and return the exit status."""
    arguments = _parser().parse_args((sys.argv[1:] if argv is None else argv) or ["demo"])
    try:
        if arguments.command == "export":
            _export(arguments)
        elif arguments.lab:
            serve_lab(arguments.folder, arguments.port, browser=not arguments.no_browser, language=arguments.language)
        else:
            serve_voila(
                arguments.port,
                browser=not arguments.no_browser,
                theme=arguments.theme,
                language=arguments.language,
                preheated=arguments.preheat,
            )
    except (ServeError, ExplanationError) as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the terminal has shown ^C
    return 0


def _parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="cnnviz",
        description="Look inside convolutional networks by hand.",
        epilog="Plain `cnnviz` is `cnnviz demo`.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, dest="command")
    _add_export(commands)
    demo = commands.add_parser(
        "demo",
        help="open the explorer in a browser",
        description="Serve the explorer on this machine only: as a page, or as a notebook to work in.",
    )
    demo.add_argument("--lab", action="store_true", help="open the notebooks in JupyterLab, in copies of your own")
    demo.add_argument("--port", type=_port, help="port to listen on (default: the first free one from 8866)")
    demo.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    demo.add_argument("--theme", choices=["light", "dark"], default="light", help="colours of the page")
    demo.add_argument(
        "--preheat",
        type=_count,
        default=0,
        metavar="N",
        help="keep N pages ready for the next visitors, each with some 400 MiB of memory (default: none)",
    )
    demo.add_argument(
        "--language",
        choices=LANGUAGES,
        default=system_language(),
        help="language of notebooks and page (default: the system's, here %(default)s)",
    )
    demo.add_argument(
        "--folder",
        type=Path,
        default=Path("cnnviz-notebooks"),
        help="where --lab keeps your copies of the notebooks (default: ./%(default)s)",
    )
    return parser


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `cnnviz export`."""
    export = commands.add_parser(
        "export",
        help="write a notebook as a page that lives without a kernel",
        description="Run a notebook and write it as one HTML file in which its panels go on living.",
    )
    export.add_argument("notebook", type=Path, help="the notebook")
    export.add_argument("-o", "--output", type=Path, help="the page (default: the notebook's name with .html)")
    export.add_argument("--folder", action="store_true", help="share one script with other pages in the same folder")
    export.add_argument("--classes", type=int, default=5, help="classes of each picture (default: %(default)s)")


def _export(arguments: argparse.Namespace) -> None:
    try:
        from cnnviz_widgets.publish import publish
    except ImportError as error:
        raise MissingExtra(f'This needs {error.name}: pip install "cnnviz-widgets[share]".') from error
    output = arguments.output or arguments.notebook.with_suffix(".html")
    publish(arguments.notebook, output, shared=arguments.folder, classes=arguments.classes)


def _port(text: str) -> int:
    """The port number in `text`. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    """The number in `text`, 0 to 16. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 16")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
