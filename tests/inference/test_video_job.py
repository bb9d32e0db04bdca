"""Analyses in the background: they tell how far they are, stop, fail with a sentence, and leave nothing behind."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from fer_core.files import cache_folder
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoJob
from fer_core.inference.video_reader import VideoReader
from fer_core.inference.video_writer import CLIP_SECONDS, clip_frames, sample_clip
from tests.clips import film
from tests.inference.test_video import BrightnessClassifier, SquareDetector, moving_squares

pytestmark = pytest.mark.usefixtures("home")


class Gate(SquareDetector):
    """Waits before each frame until it is let through."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)

    def detect(self, image: np.ndarray, thorough: bool = True):
        self.entered.release()
        self.open.acquire(timeout=20)
        return super().detect(image, thorough)


def job(content: bytes, detector: SquareDetector | None = None, longest: float | None = None) -> VideoJob:
    make = lambda: StreamAnalyzer(BrightnessClassifier(), detector or SquareDetector(), settings=FILE_SETTINGS)  # noqa: E731
    return VideoJob(content, make, name="film.mp4", longest=longest)


def folders() -> list[str]:
    return [path.name for path in cache_folder("visits").iterdir() if path.is_dir()]


def test_a_job_ends_with_its_result_and_its_folder_goes_with_it():
    one = job(film(moving_squares()))
    assert one.wait(20)
    assert (one.running, one.error) == (False, None)
    assert (one.result.frames, one.progress.share) == (20, 1)
    assert one.result.annotated.stat().st_size > 1000
    assert len(folders()) == 1
    del one
    gc.collect()
    assert folders() == []


def test_progress_while_it_runs_and_a_stop_that_keeps():
    gate = Gate()
    one = job(film(moving_squares()), gate)
    for _ in range(5):
        gate.open.release()
    for _ in range(6):
        assert gate.entered.acquire(timeout=20)
    assert (one.running, one.result) == (True, None)
    assert (one.progress.frames, one.progress.total) == (5, pytest.approx(2.0))
    one.stop()
    gate.open.release()
    assert one.wait(20)
    assert (one.result.stopped, one.result.frames) == (True, 6)


def test_an_abandoned_job_stops_by_itself():
    gate = Gate()
    one = job(film(moving_squares()), gate)
    assert gate.entered.acquire(timeout=20)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "video"]
    del one
    gc.collect()
    gate.open.release()
    thread.join(20)
    assert folders() == []


def test_failures_are_sentences(caplog):
    bad, long = job(b"no film at all"), job(film(moving_squares()), longest=1.2)  # of 2 seconds
    assert bad.wait(20) and long.wait(20)
    assert bad.result is None
    assert bad.error.startswith("film.mp4 is not a video")
    assert long.error.startswith(
        "film.mp4 is too long. Expected at most 0.02 minutes; cut it and try again. Received: "
    )

    def broken() -> StreamAnalyzer:
        raise RuntimeError("made up")

    worse = VideoJob(film(moving_squares(2)), broken, name="film.mp4")
    assert worse.wait(20)
    assert worse.error == "film.mp4 could not be analysed. Try another video, or save this one as MP4 again."
    assert "made up" in caplog.text


def test_the_sample_clip_is_made_once_and_reads_as_it_was_drawn():
    path = sample_clip()
    stamp = path.stat().st_mtime_ns
    assert sample_clip() == path
    assert path.stat().st_mtime_ns == stamp
    assert [other.name for other in cache_folder("video").iterdir()] == [path.name]
    with VideoReader(path) as video:
        frames = list(video.frames())
        assert video.end == pytest.approx(CLIP_SECONDS, abs=0.01)
    assert len(frames) == 100
    first = next(clip_frames())
    assert np.abs(frames[0][1].astype(int) - first).mean() < 5
