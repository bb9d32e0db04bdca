"""A video analysed in the background, so that a page can show how far it is, stop it, and come back for the result."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import psutil

from fer_core.files import cache_folder
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import VideoProgress, VideoResult, analyze_video
from fer_core.types import FerError

LEFT_BEHIND = 24 * 3600
"""Seconds after which the folder of a job whose process is gone is deleted."""

_log = logging.getLogger(__name__)


class VideoJob:
    """One analysis in a thread of its own, and a temporary folder for the annotated video.

    The folder lives as long as the job: when nobody holds the job any more, the analysis stops and the folder goes.

    Args:
        source: the video's path, or its content.
        make_analyzer: called in the thread, for models take time to load.
        name: what messages call the video.
        rate: analyse so many frames a second; None for every frame.
        model: the name of the model that the analyser uses, to be shown with the results.

    Attributes:
        name: as given.
        rate: as given.
        model: as given.

    Raises:
        FerError: the cache folder cannot be written.
    """

    def __init__(
        self,
        source: Path | bytes,
        make_analyzer: Callable[[], StreamAnalyzer],
        name: str,
        rate: float | None = None,
        model: str = "",
    ) -> None:
        self.name, self.rate, self.model = name, rate, model
        root = cache_folder("video")
        _sweep(root)
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"job-{os.getpid()}-", dir=root))
        except OSError as error:
            raise FerError(f"The folder {root} cannot be written ({error.strerror or error}).") from error
        self._state = _State(folder)
        # The thread holds the state, not the job: it would keep an abandoned job alive for ever.
        threading.Thread(
            target=_run, args=(self._state, source, make_analyzer, rate, name), name="video", daemon=True
        ).start()
        weakref.finalize(self, self._state.abandon)

    @property
    def progress(self) -> VideoProgress | None:
        """The latest progress; None before the first frame."""
        return self._state.progress

    @property
    def running(self) -> bool:
        """Whether the analysis still goes on."""
        return not self._state.done.is_set()

    @property
    def result(self) -> VideoResult | None:
        """What was found, once it is not running any more; None if it failed."""
        return self._state.result

    @property
    def error(self) -> str | None:
        """The sentence that says why it failed, or None."""
        return self._state.error

    def stop(self) -> None:
        """End the analysis after the frame at hand; what is done by then becomes the result."""
        self._state.stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is no longer running, or so many seconds; return whether it is done."""
        return self._state.done.wait(seconds)


class _State:
    """What the thread and its job share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stop, self.done, self.abandoned = threading.Event(), threading.Event(), threading.Event()
        self.progress: VideoProgress | None = None
        self.result: VideoResult | None = None
        self.error: str | None = None

    def abandon(self) -> None:
        """Stop, and delete the folder; a thread that is still writing into it does so again at its end."""
        self.stop.set()
        self.abandoned.set()
        shutil.rmtree(self.folder, ignore_errors=True)


def _run(
    state: _State,
    source: Path | bytes,
    make_analyzer: Callable[[], StreamAnalyzer],
    rate: float | None,
    name: str,
) -> None:
    def note(progress: VideoProgress) -> None:
        state.progress = progress

    target = state.folder / "annotated.mp4"
    try:
        state.result = analyze_video(source, make_analyzer(), rate, target, note, state.stop.is_set, name)
    except FerError as error:
        state.error = str(error)
    except Exception:  # whatever a damaged file makes of the decoder, the page must not wait for ever
        if not state.abandoned.is_set():
            _log.exception("The video %s could not be analysed.", name)
        state.error = f"{name} could not be analysed. Try another video, or save this one anew as MP4."
    finally:
        state.done.set()
        if state.abandoned.is_set():
            state.abandon()


def _sweep(root: Path) -> None:
    """Delete what jobs of killed processes left behind."""
    for folder in root.glob("job-*-*"):
        try:
            old = time.time() - folder.stat().st_mtime > LEFT_BEHIND
            if old and not psutil.pid_exists(int(folder.name.split("-")[1])):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError):  # gone meanwhile, or none of ours
            continue
