"""Analyse a video file, directly or in the background."""

from __future__ import annotations

import logging
import math
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import pandas as pd

from fer_core.inference.face_table import Row, face_table, frame_rows, recording_gaps
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
    """Progress of an analysis."""

    frames: int  # analysed so far
    seconds: float  # position in the video
    total: float | None  # length of the video in seconds; None if the file does not contain it
    left: float | None  # estimated seconds until the end; None if unknown

    @property
    def share(self) -> float:
        """The share of the video that is done, 0 to 1; 0 if its length is unknown."""
        return 0.0 if self.total is None or self.total <= 0 else min(self.seconds / self.total, 1.0)


@dataclass(frozen=True, eq=False)
class VideoResult:
    """The faces found in the analysed part of a video."""

    table: pd.DataFrame  # one row per face and frame, with `video_columns`
    frames: int  # that were analysed
    seconds: float  # from the first frame to the end of the last one
    annotated: Path | None  # the annotated video
    stopped: bool  # before the end
    notes: tuple[str, ...]  # sentences for the user, for example that the file is cut off
    gaps: list[tuple[float, float]]  # start and end in seconds; no face and no expression lasts over a gap
    classes: tuple[str, ...]  # of the model

    @property
    def faces(self) -> list[int]:
        """The numbers of all faces."""
        return sorted(int(number) for number in self.table["face"].dropna().unique())


def analyze_video(
    source: Path | str | bytes | BinaryIO,
    analyzer: StreamAnalyzer,
    *,
    rate: float | None = None,
    annotate: Path | None = None,
    on_progress: Callable[[VideoProgress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    name: str | None = None,
    longest: float | None = None,
) -> VideoResult:
    """Analyse a video file frame by frame. Apart from the table, memory use does not depend on its length.

    Args:
        source, name, longest: as for `VideoReader`.
        analyzer: tracks the faces, usually with `FILE_SETTINGS`; it is reset first.
        rate: number of frames to analyse per second; None for all.
        annotate: where to write the analysed frames with boxes and labels, as `.mp4` or `.webm` without sound.
        on_progress: called after each frame.
        should_stop: called after each frame; True ends the analysis.

    Returns:
        The result, of the first part if the analysis was stopped or the file is cut off.

    Raises:
        FerError: the file is not a readable video or is too long, or the annotated video cannot be written.
    """
    if annotate and isinstance(source, Path | str) and annotate.resolve() == Path(source).resolve():
        raise FerError(f"The annotated video would overwrite the video itself. Give another name. Received: {annotate}")
    analyzer.reset()
    rows: list[Row] = []
    classes = analyzer.classifier.classes
    frames, failed, stopped = 0, 0, False
    start = time.monotonic()
    with VideoReader(source, name, longest=longest) as video:
        writer = VideoWriter(annotate, video.rate if rate is None else min(rate, video.rate)) if annotate else None
        try:
            for seconds, image in video.frames(rate):
                result = analyzer.process(image, seconds)
                result = replace(result, faces=tuple(face for face in result.faces if face.seen == seconds))
                rows += frame_rows(result, classes)
                frames, failed = frames + 1, failed + result.failed
                if writer:
                    writer.add(analyzer.annotate(image, result, largest=LONGEST), seconds)
                elapsed, share = time.monotonic() - start, video.end / (video.seconds or math.inf)
                left = elapsed * max(1 / share - 1, 0.0) if share else None
                on_progress(VideoProgress(frames, video.end, video.seconds, left))
                if should_stop():
                    stopped = True
                    break
            stopped = stopped or video.over
            on_progress(VideoProgress(frames, video.end, video.end if not stopped else video.seconds, 0.0))
        finally:
            if writer:
                writer.close(video.end)
    table = face_table(rows, classes)
    gaps = recording_gaps(table["seconds"].to_list(), video.end)
    notes = [video.note] if video.note else []
    if failed:
        notes.append(f"{failed} of {frames} frames could not be analysed; they count as without a face.")
    if stopped:
        notes.append(f"Stopped after {video.end:.1f} seconds of the video; what was done is kept.")
    if writer and video.has_sound:
        notes.append("The annotated video has no sound.")
    if gaps:
        missing = sum(end - begin for begin, end in gaps)
        notes.append(
            f"The recording has gaps. Frames are missing for {missing:,.1f} seconds, from second {gaps[0][0]:,.1f} on; "
            "this time is not counted, and faces get new numbers after it."
        )
    annotated = writer.path if writer else None
    return VideoResult(table, frames, video.end, annotated, stopped, tuple(notes), gaps, classes)


class VideoJob:
    """An analysis in a background thread, with a temporary folder for the annotated video.

    When the job is garbage-collected, the analysis stops and the folder is deleted.

    Args:
        source, name, rate, longest: as for `analyze_video`.
        make_analyzer: creates the analyzer; called in the thread, since loading a model takes time.
        model, not_sure_below: of the analyzer's model, to be shown with the results.

    Attributes:
        progress: the latest progress; None before the first frame.
        result: the result of a finished analysis; None if it is running or has failed.
        error: the reason why the analysis failed, or None.

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
        shared: bool = False,
    ) -> None:
        self.name, self.model, self.not_sure_below = name, model, not_sure_below
        self.progress: VideoProgress | None = None
        self.result: VideoResult | None = None
        self.error: str | None = None
        self._stop, self._done, folder = threading.Event(), threading.Event(), TemporaryFolder(shared=shared)
        analyze = partial(
            analyze_video,
            source,
            rate=rate,
            annotate=folder.path / "annotated.mp4",
            should_stop=self._stop.is_set,
            name=name,
            longest=longest,
        )
        # The thread refers weakly to the job, which could otherwise never be garbage-collected.
        abandon = partial(_abandon, self._stop, folder)
        arguments = (weakref.ref(self), self._done, abandon, make_analyzer, analyze)
        threading.Thread(target=_run, args=arguments, name="video", daemon=True).start()
        weakref.finalize(self, abandon)

    @property
    def running(self) -> bool:
        """Whether the analysis is running."""
        return not self._done.is_set()

    def stop(self) -> None:
        """Stop the analysis after the current frame. The result contains the part that was analysed."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the analysis has finished, or for some seconds; return whether it has finished."""
        return self._done.wait(seconds)


def _run(
    job: weakref.ref[VideoJob],
    done: threading.Event,
    abandon: Callable[[], None],
    make_analyzer: Callable[[], StreamAnalyzer],
    analyze: Callable[..., VideoResult],
) -> None:
    def tell(**news: Any) -> None:
        if owner := job():
            vars(owner).update(news)

    try:
        tell(result=analyze(make_analyzer(), on_progress=lambda now: tell(progress=now)))
    except FerError as error:
        tell(error=str(error))
    except Exception:  # decoders raise many types of errors for damaged files, and the page must not wait forever
        if owner := job():
            _LOG.exception("The video %s could not be analysed.", owner.name)
            owner.error = f"{owner.name} could not be analysed. Try another video, or save this one as MP4 again."
            del owner
    finally:
        done.set()
        if job() is None:  # its folder was deleted while this thread was still writing into it
            abandon()


def _abandon(stop: threading.Event, folder: TemporaryFolder) -> None:
    stop.set()
    folder.close()
    shutil.rmtree(folder.path, ignore_errors=True)
