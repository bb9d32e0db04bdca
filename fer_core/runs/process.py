"""Which process works for a run: noted in its folder, and recognised again even where process ids are used twice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

PROCESS: Final = "process.json"
_SAME: Final = 2.0
"""Seconds by which two readings of one process's start may differ: the system's clock may be set in between."""


@dataclass(frozen=True)
class RunProcess:
    """A process as it was noted.

    Attributes:
        pid: its id.
        created: when it started, in seconds since 1970: an id may be given to another process later.
    """

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> RunProcess | None:
        """Return the process that has this id now; None if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except (psutil.Error, ValueError):
            return None

    def find(self) -> psutil.Process | None:
        """Return the process itself if it still lives; None if it is gone, or if another has its id now."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < _SAME
            return found if same and found.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else None
        except (psutil.Error, ValueError):
            return None


def note_process(folder: Path, process: RunProcess) -> None:
    """Write down which process works for the run in `folder`."""
    write_whole(folder / PROCESS, {"pid": process.pid, "created": process.created})


def noted_process(folder: Path) -> RunProcess | None:
    """Return the process that was written down last; None if none was, or unreadably."""
    values = read_json(folder / PROCESS)
    try:
        return RunProcess(int(values["pid"]), float(values["created"]))
    except (KeyError, TypeError, ValueError):
        return None


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; an empty one where the file is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def write_whole(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file in one step: readers see the old one or the new one, never half of it.

    Raises:
        OSError: the disk is full, or the folder is gone.
    """
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        partial.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
