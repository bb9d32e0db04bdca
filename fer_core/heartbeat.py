"""Watch and stop background processes, also those of other computers and containers that share the data folder.

A process of this computer is found by its id. One elsewhere cannot be; it touches its `ProcessNote` every second, and
looks for a file that asks it to stop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from fer_core.files import place, write_text
from fer_core.processes import PROCESS, ProcessNote, stop_process

ASKED: Final = "stop-asked"
"""Name of the file that asks a process elsewhere to stop; it holds the seconds after which it is killed."""

BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 60.0
"""A process elsewhere that has not touched its note for so long counts as ended: its computer may have been switched
off. A conversion may keep a process from doing so for some seconds."""


def alive(folder: Path) -> bool:
    """Return whether the process noted in `folder` is running. Cheap."""
    note = ProcessNote.read(folder)
    if note is None or note.place == place():
        return note is not None and note.find() is not None
    try:
        return time.time() - (folder / PROCESS).stat().st_mtime < SILENT_SECONDS
    except OSError:
        return False


def ask_to_stop(folder: Path, patience: float) -> None:
    """Ask the process noted in `folder` to end, and return at once; does nothing if it is not running.

    Args:
        folder: where its note is.
        patience: seconds after which it and its children are killed if it still runs.
    """
    note = ProcessNote.read(folder)
    if note is None or not alive(folder):
        return
    process = note.find()
    if process is not None:
        stop_process(process, patience)
    elif note.place != place():
        with contextlib.suppress(OSError):
            write_text(folder / ASKED, str(patience))


@contextlib.contextmanager
def beating(folder: Path) -> Iterator[None]:
    """Show other computers that this process, noted in `folder`, is running, and end it if one of them asks."""
    (folder / ASKED).unlink(missing_ok=True)
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(folder, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(folder: Path, done: threading.Event) -> None:
    asked = False
    while not done.wait(BEAT_SECONDS):
        with contextlib.suppress(OSError, ValueError):
            os.utime(folder / PROCESS)
            if not asked and (folder / ASKED).is_file():
                patience = float((folder / ASKED).read_text())
                (folder / ASKED).unlink()
                asked = True
                threading.Thread(target=_kill_this_process, args=(done, patience), daemon=True).start()
                signal.raise_signal(signal.SIGTERM)


def _kill_this_process(done: threading.Event, patience: float) -> None:
    if done.wait(patience):
        return
    this = psutil.Process()
    for one in (*this.children(recursive=True), this):
        with contextlib.suppress(psutil.Error):
            one.kill()
