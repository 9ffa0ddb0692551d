"""Errors of files and folders as one sentence with what helps: a full disk, no permission, damage."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ExplanationError

_FULL = {errno.ENOSPC, errno.EDQUOT, 112}  # 112: ERROR_DISK_FULL of Windows
_FULL_WORDS = ("no space left", "disk quota", "not enough space", "storage full", "os error 28", "os error 122")
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_FORBIDDEN_WORDS = ("read-only file system", "permission denied", "permissiondenied", "access is denied", "os error 30")
#: Where some of LanceDB's errors name a place in its own source.
_SOURCE = re.compile(r"/\S*(?:rustc|cargo)")
_OS_ERROR = re.compile(r"os error (\d+)", re.IGNORECASE)


@contextmanager
def rephrase_errors(what: str, damaged: str, kind: type[ExplanationError]) -> Iterator[None]:
    """A context in which any exception is raised as one of `kind`, one sentence with the advice that helps.

    `what` names the file or folder, `damaged` says what to do where it holds something that cannot be read.
    """
    try:
        yield
    except ExplanationError:
        raise
    except Exception as error:
        raise kind(advice(error, what, damaged)) from error


def advice(error: Exception, what: str, damaged: str) -> str:
    """A sentence about an exception of the file system, or of a library whose message tells of one."""
    number, text = error.errno if isinstance(error, OSError) else None, str(error).lower()
    if found := _OS_ERROR.search(text):
        number = int(found[1])
    subject = f"{what[:1].upper()}{what[1:]}"
    if number in _FULL or any(words in text for words in _FULL_WORDS):
        return f"The disk of {what} is full; make room and begin again: what was stored before is kept."
    if number in _FORBIDDEN or any(words in text for words in _FORBIDDEN_WORDS):
        return f"{subject} may not be written or read; change its permissions, or choose a path in a folder of yours."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"The folder of {what} does not exist; make it, or choose another path."
    # Without the places in the library's own source that some of its errors end with.
    return f"{subject} is damaged ({_SOURCE.split(summarize_error(error))[0].rstrip(' ,')}); {damaged}."
