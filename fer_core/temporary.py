"""Folders for what visitors bring: deleted when their visit ends, or, if the process was killed, by the next one."""

from __future__ import annotations

import secrets
import shutil
import weakref
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fer_core.types import FerError
from fer_core.visitors import check_room, own_cache

FOLDER: Final = "visits"
"""Name of the cache folder that holds the temporary folders."""


class TemporaryFolder:
    """A new, empty folder in the visitor's cache.

    It is deleted by `close`, or when this object is garbage-collected. A lock beside it is held as long as the process
    lives, so what a killed process left is found and deleted when the next folder is made.

    Attributes:
        path: of the folder.

    Raises:
        FerError: the folder cannot be written, or the visitor's disk space is used up.
    """

    def __init__(self) -> None:
        check_room(0)
        root = own_cache(FOLDER)
        delete_leftovers(root)
        self.path = root / secrets.token_hex(8)
        lock = FileLock(_lock_of(self.path), thread_local=False)  # it may be released by another thread
        try:
            lock.acquire()
            self.path.mkdir()
        except OSError as error:
            raise FerError(f"The folder {root} cannot be written ({error.strerror or error}).") from error
        self._finalizer = weakref.finalize(self, _delete, self.path, lock)

    def close(self) -> None:
        """Delete the folder, if it is still there."""
        self._finalizer()


def delete_leftovers(root: Path) -> None:
    """Delete the temporary folders in `root` whose process was killed."""
    for path in root.glob("*.lock"):
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # in use, or already deleted
            continue
        _delete(path.with_suffix(""), lock)


def _delete(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")
