"""Who has a page of a shared server open, and the deletion of what others left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fer_core.runs.data import FACES_FILE
from fer_core.runs.queue import PICTURES, stop
from fer_core.runs.run import list_runs
from fer_core.threads import kept
from fer_core.visitors import VISITORS, VISITS, Limits, delete_leftovers

AWAY_MINUTES: Final = 10  # without an open page until a visitor has left: a reload or a lost connection takes less
SWEEP_SECONDS: Final = 60.0
_LOG = logging.getLogger(__name__)


class Visits:
    """The pages of a shared server that are open. A background thread deletes what visitors left behind.

    The time of a visitor's last visit is that of the visitor's folder, so all copies of the app that share the data
    folder `root` know it. `is_open` tells whether the page of a session, given by its id, is still open.
    """

    def __init__(self, root: Path, is_open: Callable[[str], bool]) -> None:
        self._root, self._is_open = root, is_open
        self._pages: dict[str, tuple[str, float]] = {}  # visitor, and when the page was last open, by session
        self._limits = Limits()
        self._lock = threading.Lock()

    def come(self, session: str, name: str, limits: Limits) -> None:
        """Note that a visitor has a page open, and what visitors may use. Any thread may call this, at each visit."""
        with self._lock:
            self._pages[session], self._limits = (name, time.time()), limits
        _touch(self._root / VISITORS / name)

    def sweep(self) -> None:
        """Note who still has a page open, and delete what the others left behind."""
        now = time.time()
        with self._lock:
            for session, (name, last) in list(self._pages.items()):
                if self._is_open(session):
                    self._pages[session] = (name, now)
                elif now - last > 60 * AWAY_MINUTES:  # until then a lost connection may come back
                    del self._pages[session]
            here, limits = {name for name, last in self._pages.values() if last == now}, self._limits
        for name in here:
            _touch(self._root / VISITORS / name)
        sweep(limits, self._root)


@kept()
def visits(root: Path, is_open: Callable[[str], bool]) -> Visits:
    """Return the visits of a data folder. The first call starts the thread that sweeps; no page can stop it."""
    made = Visits(root, is_open)

    def work() -> None:
        while True:
            time.sleep(SWEEP_SECONDS)
            try:
                made.sweep()
            except Exception:  # the thread must go on
                _LOG.exception("What visitors left behind could not be deleted.")

    threading.Thread(target=work, name="visits", daemon=True).start()
    return made


def _touch(folder: Path) -> None:
    with contextlib.suppress(OSError):  # the visitor has stored nothing
        os.utime(folder)


def sweep(limits: Limits, root: Path) -> None:
    """Delete what visitors left behind in a data folder, and temporary folders of killed processes.

    `AWAY_MINUTES` after a visit, the visitor's uploads, snapshots and caches go, and the copies of pictures in runs,
    unless a training is still waiting or working. `Limits.keep_hours` after it, everything goes.
    """
    delete_leftovers(root / "cache" / VISITS)
    for folder in (root / VISITORS).glob("*"):
        delete_leftovers(folder / "cache" / VISITS)
        try:
            away = time.time() - folder.stat().st_mtime
        except OSError:  # deleted by another copy of the app
            continue
        active = [run for run in list_runs(folder / "runs")[0] if run.status().active]
        if away > 3600 * limits.keep_hours:
            for run in active:
                stop(run)
            if not active:
                shutil.rmtree(folder, ignore_errors=True)
        elif away > 60 * AWAY_MINUTES and not active:
            _delete_pictures(folder)


def _delete_pictures(folder: Path) -> None:
    """Delete a visitor's pictures; the folder keeps the time of the last visit."""
    last = folder.stat().st_mtime
    for pictures in (folder / "uploads", folder / "cache", *folder.glob(f"runs/*/{PICTURES}")):
        shutil.rmtree(pictures, ignore_errors=True)
    for file in folder.glob(f"runs/*/{FACES_FILE}"):
        file.unlink(missing_ok=True)
    os.utime(folder, (last, last))
