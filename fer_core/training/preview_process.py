"""A helper process kept alive while somebody tries settings: starting Keras takes seconds, a request milliseconds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from fer_core.types import FerError

WORKER: Final = "fer_core.training.preview_worker"
IDLE: Final = 180.0
"""Seconds without a request after which the process ends, and gives some 500 MB back."""

_ROOT: Final = Path(__file__).resolve().parent.parent.parent


class PreviewProcess:
    """Starts the worker on demand, asks it one question at a time, and ends it when nobody asks any more.

    The worker ends with its input, and so with the process that started it, however that ends.

    Args:
        idle: seconds without a request after which the worker ends.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle, self._turn = idle, threading.Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._timer: threading.Timer | None = None

    @property
    def ready(self) -> bool:
        """Whether the worker runs."""
        return self._worker is not None and self._worker.poll() is None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the worker's answer; it is started anew if it has died.

        Raises:
            FerError: it cannot be started, died twice, or refused the request.
        """
        line = json.dumps(request) + "\n"
        with self._turn:
            reply = self._exchange(line) or self._exchange(line)
            self._wind_up()
        if not reply:
            raise FerError(
                "The preview of the augmentation does not work here: its process ended. "
                "`python -m fer_core.training.preview_worker` says why."
            )
        found = dict(json.loads(reply))
        if "error" in found:
            raise FerError(f"The preview of the augmentation failed. {found['error']}")
        return found

    def warm_up(self) -> None:
        """Start the worker if it does not run; returns at once."""
        if self._turn.acquire(blocking=False):
            try:
                with contextlib.suppress(FerError):
                    self._start()
                self._wind_up()
            finally:
                self._turn.release()

    def end(self) -> None:
        """End the worker after the request at hand."""
        with self._turn:
            if self._timer is not None:
                self._timer.cancel()
            self._discard()

    def _exchange(self, line: str) -> str:
        worker = self._start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        reply = ""
        with contextlib.suppress(OSError):
            worker.stdin.write(line)
            worker.stdin.flush()
            reply = worker.stdout.readline()
        if not reply:
            self._discard()
        return reply

    def _start(self) -> subprocess.Popen[str]:
        if self._worker is not None and self._worker.poll() is None:
            return self._worker
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        own = {"PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        try:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env={**os.environ, **own},
            )
        except OSError as error:
            raise FerError(f"The preview's process cannot be started ({error.strerror}).") from error
        return self._worker

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            with contextlib.suppress(OSError):  # what was not sent yet cannot be sent any more
                worker.communicate()

    def _wind_up(self) -> None:
        """Let the idle time begin anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(self._idle, self.end)
        self._timer.daemon = True
        self._timer.start()
