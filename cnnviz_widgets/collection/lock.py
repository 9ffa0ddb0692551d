"""One writer at a time in a folder: a lock of the operating system, which ends with the process that holds it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from cnnviz_widgets.errors import StoreError
from cnnviz_widgets.forks import Renewed, lock

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: The file that is locked.
NAME = ".building"

#: Windows keeps others from reading what is locked: this byte is far behind the process's number.
_LOCKED_BYTE = 2**20


class FolderLock:
    """The right to write into a `folder`, from `take` to the end of `with`, or of the process, however that ends.

    The file NAME in it is locked and, at the end, removed. One that a killed process left is taken over. So is the
    lock of another builder in this process, because nobody may be going on with that one; its next write raises
    StoreError. Where the file system cannot lock or write, nothing is held.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._key = os.path.realpath(folder)
        self._file: IO[bytes] | None = None
        self._process = os.getpid()
        self._lost = False

    def __enter__(self) -> FolderLock:
        self.take()
        return self

    def take(self) -> None:
        """Take the lock, unless it is held here already. Raises StoreError where another process has it, OSError."""
        with _changing:
            before = _HELD.by_path.get(self._key)
            if self._file is not None:
                return
            if before is not None:
                self._file, before._file, before._lost = before._file, None, True
            else:
                self._file = self._open_locked()
            if self._file is not None:
                _HELD.by_path[self._key] = self

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A context in which nobody else writes. Raises StoreError where another builder has taken over."""
        with _changing:
            if self._lost:
                raise StoreError(
                    f"Another build of {self._folder.name!r} was begun in this process and goes on; use that one."
                )
            yield

    def _open_locked(self) -> IO[bytes] | None:
        while True:
            try:
                # Without a buffer: there is nothing left to write when it is closed, on a full disk either.
                file = self._path.open("a+b", buffering=0)
            except OSError as error:
                if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                    return None
                raise
            locked = try_lock(file)
            if locked is None:
                refusal = f"{self._folder.name!r} is being built{_holder(file)}; wait, stop it, or choose another path."
                file.close()
                raise StoreError(refusal)
            # Whoever held it may have removed the file after it was opened here.
            if locked and not _is_at(file, self._path):
                file.close()
                continue
            with suppress(OSError):  # the number is only for the sentence above
                file.truncate(0)
                file.write(str(self._process).encode())
            return file

    def __exit__(self, *_: object) -> None:
        with _changing:
            file, self._file = self._file, None
            if file is None:
                return
            if _HELD.by_path.get(self._key) is self:
                del _HELD.by_path[self._key]
            if os.getpid() == self._process:  # and not a forked child, which has the file open too
                if sys.platform != "win32":
                    # Before it is unlocked: whoever comes in between would lock a file that is about to go.
                    self._path.unlink(missing_ok=True)
                _unlock(file)
            file.close()
            if sys.platform == "win32":
                with suppress(OSError):  # another process has it open by now, and will remove it
                    self._path.unlink(missing_ok=True)


class _Held(Renewed):
    """The locks that this process holds, by path; a forked child holds nothing of its parent's."""

    def __init__(self) -> None:
        super().__init__()
        self.renew()

    def renew(self) -> None:
        self.by_path: dict[str, FolderLock] = {}


_HELD = _Held()
_changing = lock()


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _holder(file: IO[bytes]) -> str:
    try:
        file.seek(0)
        process = int(file.read(20))
    except (OSError, ValueError):
        return ""
    return f" by process {process}"


def try_lock(file: IO[bytes]) -> bool | None:
    """True when the file is locked now, None when another process has it, False where nothing can be locked."""
    try:
        if sys.platform == "win32":
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return None
    except OSError:
        return False
    return True


def _unlock(file: IO[bytes]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            # Also where a forked child still has the file open.
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
