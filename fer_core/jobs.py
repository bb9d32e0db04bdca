"""Background work: start a child Python, find it, stop it, and read its log, from any copy of the app.

A job is a folder. Its worker touches the file `ALIVE` every few seconds, and ends when it sees the file `STOP`. So all
computers and containers that share the folder can watch and stop the job; process ids mean nothing.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psutil

from fer_core.types import FerError
from fer_core.visitors import VARIABLE, visitor

ALIVE, STOP, LOG = "alive", "stop", "log.txt"
"""Names of a job's files: touched while it is worked on (it holds the worker's process id), the wish that it stops,
and its output."""

REFUSED: Final = 3  # exit status of a child whose last line of output is a message for the user
SILENT_SECONDS: Final = 60.0  # after which a job has vanished; a conversion may keep a worker from a touch for seconds
PATIENCE: Final = 30.0  # seconds until a worker that was asked to stop kills itself: it may be in a long conversion
_BEAT_SECONDS: Final = 1.0
_NICENESS: Final = 5  # background work yields the CPU to the pages


def start(*arguments: str, folder: Path) -> None:
    """Start `python <arguments>`, which works `with working(folder)` and outlives this process; or an `OSError`."""
    claim(folder)
    options: dict[str, Any] = {"env": _environment(), "stdin": subprocess.DEVNULL}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    try:
        with (folder / LOG).open("ab") as log:
            command = [sys.executable, *arguments]
            child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
    except OSError:
        (folder / ALIVE).unlink(missing_ok=True)
        raise
    if sys.platform != "win32":
        with contextlib.suppress(psutil.Error):
            psutil.Process(child.pid).nice(min(19, psutil.Process().nice() + _NICENESS))
    with contextlib.suppress(OSError):  # the disk is full; the child will say so
        (folder / ALIVE).write_text(str(child.pid))
    threading.Thread(target=_wait, args=(child, folder), daemon=True).start()


def claim(folder: Path) -> None:
    """Make a job count as alive that is about to be started, and forget that it was to stop."""
    (folder / STOP).unlink(missing_ok=True)
    (folder / ALIVE).write_text("")


def alive(folder: Path) -> bool:
    """Return whether a job is worked on, wherever its worker runs. Cheap."""
    try:
        return abs(time.time() - (folder / ALIVE).stat().st_mtime) < SILENT_SECONDS
    except OSError:
        return False


def stop(folder: Path) -> None:
    """Ask a job to stop, and return at once; does nothing if it is not alive."""
    if alive(folder):
        with contextlib.suppress(OSError):
            (folder / STOP).touch()


def stop_asked(folder: Path) -> bool:
    """Return whether a job is to stop: it was asked to, or its folder is gone. Cheap enough for each batch or frame."""
    return (folder / STOP).exists() or not folder.exists()


@contextlib.contextmanager
def working(folder: Path) -> Iterator[None]:
    """Show that this process works on a job, until the block ends; the block looks at `stop_asked`."""
    with contextlib.suppress(OSError):  # the disk is full; the file is there
        (folder / ALIVE).write_text(str(os.getpid()))
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(folder, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        (folder / ALIVE).unlink(missing_ok=True)


def run_python(
    *arguments: str, timeout: float | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python <arguments>` to its end, with more environment variables, and return its exit status and output."""
    options: dict[str, Any] = {"env": {**_environment(), **(variables or {})}, "timeout": timeout}
    return subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=False, **options)


def file_of_child(*arguments: str, target: Path, failed: str, timeout: float | None = None) -> None:
    """Run `python <arguments>` to its end, with Keras on TensorFlow; it writes the file `target`.

    If not, a `FerError` begins with `failed`, a sentence without its full stop, or is the child's own.
    """
    try:
        done = run_python(*arguments, timeout=timeout, variables={"KERAS_BACKEND": "tensorflow"})
    except subprocess.TimeoutExpired as error:
        raise FerError(
            f"{failed} within {error.timeout / 60:.0f} minutes. Try again when the computer has less to do."
        ) from error
    except OSError as error:
        raise FerError(f"{failed}: {error.strerror}. Free some memory and try again.") from error
    if done.returncode == REFUSED:
        raise FerError(done.stdout.strip().splitlines()[-1])
    if done.returncode != 0 or not target.is_file():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise FerError(f"{failed}: {last}")


def read_log(folder: Path, lines: int) -> str:
    """Return the last lines of a job's output; empty if there is none."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 1000 * lines))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def log_line(text: str) -> None:
    """Print a line with the time, for a job's log; if the disk is full, it is lost."""
    with contextlib.suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {text}", flush=True)


def _environment() -> dict[str, str]:
    """Return the environment of a child: this process's, the visitor, UTF-8, no start-up messages of TensorFlow."""
    current = visitor()
    named = {VARIABLE: current.name} if current else {}
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace", **named}


def _wait(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for a child, which would stay a zombie otherwise; if it was killed, its job is known at once to be dead."""
    child.wait()
    with contextlib.suppress(OSError):
        if (folder / ALIVE).read_text() == str(child.pid):
            (folder / ALIVE).unlink()


def _beat(folder: Path, done: threading.Event) -> None:
    limit = None
    while not done.wait(_BEAT_SECONDS):
        with contextlib.suppress(OSError):
            (folder / ALIVE).touch()
        if stop_asked(folder):
            limit = limit or time.monotonic() + PATIENCE
            if time.monotonic() > limit:
                for child in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        child.kill()
                (folder / ALIVE).unlink(missing_ok=True)
                os._exit(1)
