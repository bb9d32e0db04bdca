"""Analyse a video file, directly or in the background."""

from __future__ import annotations

import logging
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd

from fer_core.inference.face_table import Row, face_table, frame_rows, gap_note, recording_gaps
from fer_core.inference.stream import StreamAnalyzer, StreamSettings
from fer_core.inference.video_reader import VideoReader
from fer_core.inference.video_writer import LONGEST, VideoWriter
from fer_core.types import FerError
from fer_core.visitors import TemporaryFolder

FILE_SETTINGS: Final = StreamSettings(detect_every=1, smoothing=0.0, detection_size=640)
"""Settings for files, where accuracy matters more than speed: faces are detected in each analysed frame, at the same
size as in photos, and probabilities are not smoothed."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoProgress:
    """Progress of an analysis.

    Attributes:
        frames: number of analysed frames.
        seconds: position in the video.
        total: length of the video in seconds, or None if the file does not contain it.
        left: estimated remaining time in seconds, or None if unknown.
    """

    frames: int
    seconds: float
    total: float | None
    left: float | None

    @property
    def share(self) -> float:
        """The share of the video that is done, 0 to 1; 0 if its length is unknown."""
        return 0.0 if self.total is None or self.total <= 0 else min(self.seconds / self.total, 1.0)


@dataclass(frozen=True, eq=False)
class VideoResult:
    """The faces found in the analysed part of a video.

    Attributes:
        table: one row per face and frame, with `tables.FACE_COLUMNS`.
        frames: number of analysed frames.
        seconds: from the first frame to the end of the last one.
        annotated: path of the annotated video, or None.
        stopped: whether the analysis was stopped before the end.
        notes: sentences for the user, for example that the file is cut off.
    """

    table: pd.DataFrame
    frames: int
    seconds: float
    annotated: Path | None
    stopped: bool
    notes: tuple[str, ...] = ()

    @property
    def faces(self) -> list[int]:
        """The numbers of all faces."""
        return sorted(int(number) for number in self.table["face"].dropna().unique())

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Start and end of each gap in the recording, in seconds; no face and no expression lasts over a gap."""
        return recording_gaps(self.table["seconds"].to_list(), self.seconds)


def analyze_video(
    source: Path | str | bytes | BinaryIO,
    analyzer: StreamAnalyzer,
    *,
    rate: float | None = None,
    annotate: Path | None = None,
    on_progress: Callable[[VideoProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    name: str | None = None,
    longest: float | None = None,
) -> VideoResult:
    """Analyse a video file frame by frame. Apart from the table, memory use does not depend on its length.

    Args:
        source: the file's path, its content, or an open binary file that can seek.
        analyzer: tracks the faces, usually with `FILE_SETTINGS`; it is reset first.
        rate: number of frames to analyse per second; None for all.
        annotate: where to write the analysed frames with boxes and labels, as `.mp4` or `.webm` without sound.
        on_progress: called after each frame.
        should_stop: called after each frame; True ends the analysis.
        name: name of the video in messages.
        longest: as for `VideoReader`.

    Returns:
        The result, of the first part if the analysis was stopped or the file is cut off.

    Raises:
        FerError: the file is not a readable video or is too long, or the annotated video cannot be written.
    """
    if annotate and isinstance(source, Path | str) and annotate.resolve() == Path(source).resolve():
        raise FerError(f"The annotated video would overwrite the video itself. Give another name. Received: {annotate}")
    analyzer.reset()
    rows: list[Row] = []
    frames, failed, stopped = 0, 0, False
    start = time.monotonic()
    with VideoReader(source, name, longest=longest) as video:
        writer = VideoWriter(annotate, video.rate if rate is None else min(rate, video.rate)) if annotate else None
        try:
            for seconds, image in video.frames(rate):
                found = analyzer.process(image, seconds)
                found = replace(found, faces=tuple(face for face in found.faces if face.seen == seconds))
                rows += frame_rows(found)
                frames, failed = frames + 1, failed + found.failed
                if writer:
                    writer.add(analyzer.annotate(image, found, largest=LONGEST), seconds)
                if on_progress:
                    on_progress(_progress(frames, video, time.monotonic() - start))
                if should_stop and should_stop():
                    stopped = True
                    break
            stopped = stopped or video.over
            if on_progress:
                on_progress(VideoProgress(frames, video.end, video.end if not stopped else video.seconds, 0.0))
        finally:
            if writer:
                writer.close(video.end)
        notes = [video.note] if video.note else []
        if failed:
            notes.append(f"{failed} of {frames} frames could not be analysed; they count as without a face.")
        if stopped:
            notes.append(f"Stopped after {video.end:.1f} seconds of the video; what was done is kept.")
        if writer and video.has_sound:
            notes.append("The annotated video has no sound.")
        path = writer.path if writer else None
        result = VideoResult(face_table(rows), frames, video.end, path, stopped)
        note = gap_note(result.gaps)
        return replace(result, notes=(*notes, note) if note else tuple(notes))


class VideoJob:
    """An analysis in a background thread, with a temporary folder for the annotated video.

    When the job is garbage-collected, the analysis stops and the folder is deleted.

    Args:
        source, name, rate, longest: as for `analyze_video`.
        make_analyzer: creates the analyzer; called in the thread, since loading a model takes time.
        model: name of the analyzer's model, to be shown with the results.
        not_sure_below: the confidence below which this model is not sure, also to be shown; 0 for none.

    Raises:
        FerError: the cache folder cannot be written.
    """

    def __init__(
        self,
        source: Path | bytes,
        make_analyzer: Callable[[], StreamAnalyzer],
        *,
        name: str,
        rate: float | None = None,
        model: str = "",
        not_sure_below: float = 0.0,
        longest: float | None = None,
    ) -> None:
        self.name, self.model, self.not_sure_below = name, model, not_sure_below
        self._state = _State(TemporaryFolder())
        # The thread refers to the state and not to the job, which could otherwise never be garbage-collected.
        arguments = (self._state, source, make_analyzer, rate, name, longest)
        threading.Thread(target=_run, args=arguments, name="video", daemon=True).start()
        weakref.finalize(self, self._state.abandon)

    @property
    def progress(self) -> VideoProgress | None:
        """The latest progress; None before the first frame."""
        return self._state.progress

    @property
    def running(self) -> bool:
        """Whether the analysis is running."""
        return not self._state.done.is_set()

    @property
    def result(self) -> VideoResult | None:
        """The result of a finished analysis; None if it is running or has failed."""
        return self._state.result

    @property
    def error(self) -> str | None:
        """The reason why the analysis failed, or None."""
        return self._state.error

    def stop(self) -> None:
        """Stop the analysis after the current frame. The result contains the part that was analysed."""
        self._state.stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the analysis has finished, or for some seconds; return whether it has finished."""
        return self._state.done.wait(seconds)


class _State:
    """What a job shares with its thread."""

    def __init__(self, folder: TemporaryFolder) -> None:
        self._temporary = folder
        self.folder = folder.path
        self.stop, self.done, self.abandoned = threading.Event(), threading.Event(), threading.Event()
        self.progress: VideoProgress | None = None
        self.result: VideoResult | None = None
        self.error: str | None = None

    def abandon(self) -> None:
        """Stop, and delete the folder. A thread that is still writing to it calls this again when it ends."""
        self.stop.set()
        self.abandoned.set()
        self._temporary.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _run(
    state: _State,
    source: Path | bytes,
    make_analyzer: Callable[[], StreamAnalyzer],
    rate: float | None,
    name: str,
    longest: float | None,
) -> None:
    show = partial(setattr, state, "progress")
    target = state.folder / "annotated.mp4"
    try:
        state.result = analyze_video(
            source,
            make_analyzer(),
            rate=rate,
            annotate=target,
            on_progress=show,
            should_stop=state.stop.is_set,
            name=name,
            longest=longest,
        )
    except FerError as error:
        state.error = str(error)
    except Exception:  # decoders raise many types of errors for damaged files, and the page must not wait forever
        if not state.abandoned.is_set():
            _LOG.exception("The video %s could not be analysed.", name)
        state.error = f"{name} could not be analysed. Try another video, or save this one as MP4 again."
    finally:
        state.done.set()
        if state.abandoned.is_set():
            state.abandon()


def _progress(frames: int, video: VideoReader, elapsed: float) -> VideoProgress:
    left = elapsed * max(video.seconds / video.end - 1, 0.0) if video.seconds and video.end else None
    return VideoProgress(frames, video.end, video.seconds, left)
