"""Start FER Lab's own Python programs as child processes, find them again later, and stop them with their children."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psutil

from fer_core.files import place, read_json, write_json
from fer_core.visitors import VARIABLE, visitor

LOG, PROCESS = "log.txt", "process.json"
"""Names of the files in a background process's folder: its output, and the note of which process it is."""

REFUSED: Final = 3
"""Exit status of a child whose last line of output is a message for the user, the text of a `FerError`."""

_NICENESS: Final = 5  # background work yields the CPU to the pages
_SAME: Final = 2.0
"""Seconds by which two readings of a process's start may differ: the system clock may be adjusted in between."""


@dataclass(frozen=True)
class ProcessNote:
    """A process that can be found again, also by other processes.

    Attributes:
        pid: its id.
        created: when it started, in seconds since 1970: systems reuse process ids.
        place: the computer or container that it runs on, see `files.place`.
    """

    pid: int
    created: float
    place: str = field(default_factory=place)

    @classmethod
    def of(cls, pid: int) -> ProcessNote | None:
        """Return a note of the process with this id; None if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except (psutil.Error, ValueError):
            return None

    @classmethod
    def read(cls, folder: Path) -> ProcessNote | None:
        """Return the note that was last written to `folder`; None if there is none or it is damaged."""
        values = read_json(folder / PROCESS)
        try:
            return cls(int(values["pid"]), float(values["created"]), str(values.get("place", place())))
        except (KeyError, TypeError, ValueError):
            return None

    def write(self, folder: Path) -> None:
        """Write the note to `folder`, for `read`."""
        write_json(folder / PROCESS, asdict(self))

    def find(self) -> psutil.Process | None:
        """Return the running process; None if it has ended, even if its id is in use again, or if it runs elsewhere."""
        if self.place != place():
            return None
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < _SAME
            return found if same and found.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else None
        except (psutil.Error, ValueError):
            return None


def start_python(*arguments: str, folder: Path) -> None:
    """Start `python <arguments>` in the background, at low priority; it outlives this process and its terminal.

    Args:
        arguments: for instance `"-m"`, a module's name, and the module's arguments.
        folder: existing folder for its output (`LOG`, appended to) and its `ProcessNote`.

    Raises:
        OSError: it cannot be started, or the folder cannot be written.
    """
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            **options,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # otherwise it would stay a zombie after it has ended
    if sys.platform != "win32":
        with contextlib.suppress(psutil.Error):
            psutil.Process(child.pid).nice(min(19, psutil.Process().nice() + _NICENESS))
    note = ProcessNote.of(child.pid)
    if note is not None:
        note.write(folder)


def run_python(
    *arguments: str, timeout: float | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python <arguments>` to its end and return its exit status and output as text.

    Args:
        arguments: for instance `"-m"`, a module's name, and the module's arguments.
        timeout: seconds after which it is killed; None for no limit.
        variables: environment variables that it gets in addition to this process's.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout`.
        OSError: it cannot be started.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        env={**_environment(), **(variables or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=timeout,
    )


def stop_process(process: psutil.Process, patience: float) -> None:
    """Ask a process to end, and return at once.

    Args:
        process: the one to stop.
        patience: seconds after which it and its children are killed if it still runs.
    """
    with contextlib.suppress(psutil.Error):
        process.terminate()
    threading.Thread(target=_kill_unless_ended, args=(process, patience), daemon=True).start()


def read_log(folder: Path, lines: int) -> str:
    """Return the last lines of a background process's output; empty if there is none."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 1000 * lines))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def log_line(text: str) -> None:
    """Print a line with the time, for a background process's log; if the disk is full, it is lost."""
    with contextlib.suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {text}", flush=True)


def _environment() -> dict[str, str]:
    """Return the environment of a child: this process's, the visitor, UTF-8, no start-up messages of TensorFlow."""
    current = visitor()
    named = {VARIABLE: current.name} if current else {}
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace", **named}


def _kill_unless_ended(process: psutil.Process, patience: float) -> None:
    with contextlib.suppress(psutil.Error):
        children = process.children(recursive=True)
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            for one in (process, *children):
                with contextlib.suppress(psutil.Error):
                    one.kill()
