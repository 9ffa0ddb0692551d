"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from cnnviz_widgets.errors import ExportError


def replace_file(target: Path, data: bytes, what: str) -> None:
    """Write `data` to a file; one that is there is replaced at once when the new one is complete.

    Raises ExportError, which calls the content `what`, if it cannot be written.
    """
    try:
        unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            unfinished.write_bytes(data)
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ExportError(
            f"The {what} cannot be written to {str(target)!r} ({reason}): give a file in a folder that is there "
            "and that you may write to."
        ) from error
