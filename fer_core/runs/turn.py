"""Waiting for one's turn: one run works at a time, in the order in which they were submitted.

Each waiting run has a process of its own, which is cheap (some 30 MB) because this module loads next to nothing. So
nobody has to start the next run: the system itself gives the lock back when its holder ends, however it ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fer_core.runs.status import read_status

WORKING: Final = ".working.lock"
_PAUSE: Final = 0.5  # seconds between two looks at the queue


@contextmanager
def turn(folder: Path, say: Callable[[int], None]) -> Iterator[None]:
    """Wait until the run in `folder` may work, and keep all others waiting until the block ends.

    Args:
        folder: the run's folder, in the folder of all runs.
        say: told how many runs come before, whenever that changes.
    """
    lock = FileLock(folder.parent / WORKING)
    told = -1
    while True:
        working, before = queue_before(folder)
        if working + before != told:
            told = working + before
            say(told)
        if before == 0:
            try:
                lock.acquire(timeout=_PAUSE)
                break
            except Timeout:
                continue
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        lock.release()


def queue_before(folder: Path) -> tuple[int, int]:
    """Return how many other runs work now, and how many wait that were submitted before the run in `folder`."""
    mine = (read_status(folder).queued, folder.name)
    working = before = 0
    for other in folder.parent.iterdir():
        if other.name.startswith(".") or other == folder or not other.is_dir():
            continue
        status = read_status(other)
        working += status.running
        before += status.state == "waiting" and (status.queued, other.name) < mine
    return working, before
