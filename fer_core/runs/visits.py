"""Who has a page of a shared server open, and the deletion of what others left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

from fer_core.files import home
from fer_core.runs.data import FACES_FILE
from fer_core.runs.queue import PICTURES, stop
from fer_core.runs.run import Run, read_run
from fer_core.temporary import FOLDER, delete_leftovers
from fer_core.types import FerError
from fer_core.visitors import VISITORS, Limits

AWAY_MINUTES: Final = 10
"""Minutes without an open page after which a visitor has left: a reload or a lost connection takes less."""

_SWEEP_SECONDS: Final = 60.0

_LOG = logging.getLogger(__name__)


class Visits:
    """The visitors who have a page of this copy of the app open. A background thread deletes what others left.

    Every method may be called from any thread. The time of a visitor's last visit is that of the visitor's folder, so
    all copies of the app that share the data folder know it.

    Args:
        limits: of each visitor.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._home = home()
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name="visits", daemon=True).start()

    def come(self, name: str) -> None:
        """Note that a visitor has opened a page."""
        with self._lock:
            self._open[name] += 1
        self._touch()

    def leave(self, name: str) -> None:
        """Note that one of the visitor's pages was closed."""
        self._touch()
        with self._lock:
            self._open[name] -= 1

    def _touch(self) -> None:
        with self._lock:
            here = [name for name, pages in self._open.items() if pages > 0]
        for name in here:
            with contextlib.suppress(OSError):  # the visitor has stored nothing
                os.utime(self._home / VISITORS / name)

    def _work(self) -> None:
        while True:
            try:
                self._touch()
                sweep(self._limits, self._home)
            except Exception:  # the thread must go on
                _LOG.exception("What visitors left behind could not be deleted.")
            time.sleep(_SWEEP_SECONDS)


def sweep(limits: Limits, root: Path) -> None:
    """Delete what visitors left behind, and temporary folders of killed processes.

    `AWAY_MINUTES` after a visit, the visitor's uploads and snapshots go, and the copies of pictures in runs, unless a
    training is still waiting or working. `Limits.keep_hours` after it, everything goes.

    Args:
        limits: of each visitor.
        root: the data folder.
    """
    delete_leftovers(root / "cache" / FOLDER)
    for folder in (root / VISITORS).glob("*"):
        try:
            away = time.time() - folder.stat().st_mtime
        except OSError:  # deleted by another copy of the app
            continue
        active = [run for run in _runs(folder) if run.status().active]
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
    for place in (folder / "uploads", *folder.glob(f"runs/*/{PICTURES}")):
        shutil.rmtree(place, ignore_errors=True)
    for file in folder.glob(f"runs/*/{FACES_FILE}"):
        file.unlink(missing_ok=True)
    os.utime(folder, (last, last))


def _runs(folder: Path) -> list[Run]:
    found = []
    for place in folder.glob("runs/*"):
        with contextlib.suppress(FerError):
            found.append(read_run(place))
    return found
