"""Whose data is meant. On a shared server each visitor has a folder and limits; elsewhere there is only one user."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import secrets
import shutil
import sys
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from fer_core.files import cache_folder, created, home
from fer_core.types import FerError

VARIABLE: Final = "FER_VISITOR"  # environment variable: the name of the visitor for whom a process works
VISITORS: Final = "visitors"  # folder of all visitors' folders, in the data folder
VISITS: Final = "visits"  # cache folder that holds the temporary folders
_NAME: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Limits:
    """What one visitor of a shared server may use."""

    keep_hours: float = 24  # after the visitor's last visit, until everything of the visitor is deleted
    visitor_megabytes: float = 2000  # for one visitor's uploads, snapshots, trainings and models
    all_megabytes: float = 20_000  # for all visitors together
    trainings: int = 1  # of a visitor that wait or work at the same time
    training_minutes: float = 60  # estimated, of one training
    megapixels: float = 50  # of one picture
    pictures: int = 100  # in one upload
    video_minutes: float = 10  # of one video, of at most 60 Full HD frames per second
    rooms: int = 3  # of a visitor's quiz rooms, open at the same time

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Limits:
        """Return the limits in a table of settings, positive numbers, with the defaults for those that it lacks."""
        known = {field.name for field in fields(cls)}
        for name, value in settings.items():
            if name not in known:
                raise FerError(f"Unknown setting of the server. Expected: {', '.join(sorted(known))}. Received: {name}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise FerError(f"The server's setting {name} must be a number above 0. Received: {value!r}")
        return cls(**settings)


@dataclass(frozen=True)
class Visitor:
    """A visitor of a shared server; `limits` is None where nothing is to be checked, as in a process that trains."""

    name: str
    limits: Limits | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise FerError(f"Expected a visitor's name of 32 hexadecimal digits. Received: {self.name[:40]!r}")

    @classmethod
    def of(cls, secret: str, limits: Limits) -> Visitor:
        """Return the visitor who holds a secret, which cannot be found from the visitor's name."""
        return cls(hashlib.sha256(secret.encode()).hexdigest()[:32], limits)

    @property
    def folder(self) -> Path:
        """The visitor's folder, whether it exists or not."""
        return visitors_folder() / self.name


_asked: list[Callable[[], Visitor | None]] = []


def ask_for_visitor(ask: Callable[[], Visitor | None]) -> None:
    """Set the function that tells whose page is being shown; it returns None where there is only one user."""
    _asked[:] = [ask]


def visitor() -> Visitor | None:
    """Return the visitor for whom this code runs; None where there is only one user."""
    if named := os.environ.get(VARIABLE):
        return Visitor(named)
    return _asked[0]() if _asked else None


def limits() -> Limits | None:
    """Return the limits of the current visitor; None if there are none."""
    current = visitor()
    return current.limits if current else None


def max_pixels() -> float:
    """Return how many pixels a picture of the current visitor may have; infinity where there are no limits."""
    return 1e6 * given.megapixels if (given := limits()) else math.inf


def room() -> int:
    """Return the free bytes of the current visitor's disk space, or of all visitors' if there are fewer.

    Without a shared server, no disk is that large.
    """
    current = visitor()
    if current is None or current.limits is None:
        return sys.maxsize
    own = int(1e6 * current.limits.visitor_megabytes) - disk_use(current.folder)
    of_all = int(1e6 * current.limits.all_megabytes) - disk_use(visitors_folder())
    return max(0, min(own, of_all))


def check_room(more: int) -> None:
    """Raise a `FerError` if the space of the current visitor, or of all, is too small for `more` bytes."""
    current = visitor()
    if current is None or current.limits is None:
        return
    most = current.limits.visitor_megabytes
    if (total := disk_use(current.folder) + more) > 1e6 * most:
        raise FerError(
            f"Your disk space on this server is used up. Expected at most {most:,g} MB for each visitor; delete "
            f"trainings or snapshots. Received: {total / 1e6:,.1f} MB"
        )
    most = current.limits.all_megabytes
    if (total := disk_use(visitors_folder()) + more) > 1e6 * most:
        raise FerError(
            f"The disk space for all visitors of this server is used up. Expected at most {most:,g} MB; try again "
            f"later. Received: {total / 1e6:,.1f} MB"
        )


def own_home() -> Path:
    """Return the folder for the user's own data, created on demand: `home()`, or the visitor's folder in it."""
    current = visitor()
    return home() if current is None else created(current.folder)


def own_cache(name: str) -> Path:
    """Return the folder `cache/<name>` under `own_home()`, created on demand; a visitor's counts as the visitor's."""
    return created(own_home() / "cache" / name)


def visitors_folder() -> Path:
    """Return the folder of all visitors' folders, whether it exists or not."""
    return home() / VISITORS


def disk_use(folder: Path) -> int:
    """Return the bytes of all files in a folder; 0 if it does not exist."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # deleted in between
                total += (Path(inside) / name).lstat().st_size
    return total


class TemporaryFolder:
    """A new, empty folder `path` in the visitor's cache, deleted by `close` or when this object is garbage-collected.

    What is `shared` by all visitors is in the cache of all: a visitor's own is deleted when the visitor has left.

    A lock beside it is held as long as the process lives, so what a killed process left is found and deleted when the
    next folder is made.
    """

    def __init__(self, *, shared: bool = False) -> None:
        check_room(0)
        root = cache_folder(VISITS) if shared else own_cache(VISITS)
        delete_leftovers(root)
        self.path = root / secrets.token_hex(8)
        lock = FileLock(self.path.with_suffix(".lock"), thread_local=False)  # it may be released by another thread
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
