"""A video file in; a table, and the video with its faces drawn in, out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from fer_core.inference.stream import FrameResult, StreamAnalyzer, StreamSettings
from fer_core.inference.video_reader import VideoReader
from fer_core.inference.video_table import Row, frame_rows, video_table
from fer_core.inference.video_writer import VideoWriter
from fer_core.types import FerError

FILE_SETTINGS: Final = StreamSettings(detect_every=1, smoothing=0.0, detection_size=640)
"""A file can wait, so accuracy goes before speed: faces are looked for in every analysed frame, on the copy of 640
pixels that photos get too, and probabilities stay as the model gives them, unsmoothed."""


@dataclass(frozen=True)
class VideoProgress:
    """How far an analysis is.

    Attributes:
        frames: analysed so far.
        seconds: of the video reached.
        total: seconds of the whole video, or None where the file does not say.
        left: seconds of waiting that are left at this pace, or None where that cannot be told.
    """

    frames: int
    seconds: float
    total: float | None
    left: float | None

    @property
    def share(self) -> float:
        """The part that is done, 0 to 1; 0 where the file does not say how long it is."""
        return min(self.seconds / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True, eq=False)
class VideoResult:
    """What was found in a video, or in the part of it that was analysed.

    Attributes:
        table: one row a face and frame, with `video_table.COLUMNS`.
        frames: how many were analysed.
        seconds: from the first frame to the end of the last one.
        annotated: the video with its faces drawn in, or None.
        stopped: whether the analysis was stopped before the end.
        notes: a sentence on each thing to know, such as a file that is cut off.
    """

    table: pd.DataFrame
    frames: int
    seconds: float
    annotated: Path | None
    stopped: bool
    notes: tuple[str, ...] = ()

    @property
    def faces(self) -> list[int]:
        """The numbers of all faces found."""
        return sorted(int(number) for number in self.table["face"].dropna().unique())


def analyze_video(
    source: Path | str | bytes,
    analyzer: StreamAnalyzer,
    rate: float | None = None,
    annotate: Path | None = None,
    on_progress: Callable[[VideoProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    name: str | None = None,
) -> VideoResult:
    """Analyse a video file, frame by frame; memory does not grow with its length but for the table.

    Args:
        source: the file's path, or its content.
        analyzer: follows the faces, best with `FILE_SETTINGS`; it starts anew here.
        rate: analyse so many frames a second; None for every frame.
        annotate: write the analysed frames with boxes and words here, as `.mp4` or `.webm`, at their own times and
            without sound.
        on_progress: told after every frame.
        should_stop: asked after every frame; what is done by then is kept.
        name: what messages call the video.

    Returns:
        The result; after a stop or for a file that is cut off, that of the part before.

    Raises:
        FerError: the file is no readable video, or the annotated one cannot be written.
    """
    if annotate and not isinstance(source, bytes) and annotate.resolve() == Path(source).resolve():
        raise FerError(f"The annotated video would overwrite the video itself. Give another name. Received: {annotate}")
    analyzer.reset()
    rows: list[Row] = []
    frames, failed, stopped = 0, 0, False
    start = time.monotonic()
    with VideoReader(source, name) as video:
        writer = VideoWriter(annotate, min(rate or video.rate, video.rate)) if annotate else None
        try:
            for seconds, image in video.frames(rate):
                found = _seen_now(analyzer.process(image, seconds))
                rows += frame_rows(found)
                frames, failed = frames + 1, failed + found.failed
                if writer:
                    writer.add(analyzer.annotate(image, found), seconds)
                if on_progress:
                    on_progress(_progress(frames, video, time.monotonic() - start))
                if should_stop and should_stop():
                    stopped = True
                    break
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
        return VideoResult(video_table(rows), frames, video.end, writer.path if writer else None, stopped, tuple(notes))


def _seen_now(found: FrameResult) -> FrameResult:
    """Leave out faces that the detector missed in this very frame: nothing is known of them but their past."""
    return replace(found, faces=tuple(face for face in found.faces if face.seen == found.seconds))


def _progress(frames: int, video: VideoReader, elapsed: float) -> VideoProgress:
    left = elapsed * max(video.seconds / video.end - 1, 0.0) if video.seconds and video.end else None
    return VideoProgress(frames, video.end, video.seconds, left)
