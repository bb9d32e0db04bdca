"""Analyses in the background: they tell how far they are, stop, fail with a sentence, and leave nothing behind."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from fer_core.files import cache_folder
from fer_core.inference.sample_clip import CLIP_SECONDS, clip_frames, sample_clip
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoJob
from fer_core.inference.video_reader import VideoReader
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


def job(content: bytes, detector: SquareDetector | None = None) -> VideoJob:
    make = lambda: StreamAnalyzer(BrightnessClassifier(), detector or SquareDetector(), settings=FILE_SETTINGS)  # noqa: E731
    return VideoJob(content, make, name="film.mp4")


def folders() -> list[str]:
    return [path.name for path in cache_folder("visits").iterdir() if path.is_dir()]


def test_a_job_ends_with_its_result_and_its_folder_goes_with_it():
    one = job(film(moving_squares()))
    assert one.wait(20)
    assert not one.running
    assert one.error is None
    assert one.result.frames == 20
    assert one.progress.share == 1
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
    assert one.running
    assert one.result is None
    assert one.progress.frames == 5
    assert one.progress.total == pytest.approx(2.0)
    one.stop()
    gate.open.release()
    assert one.wait(20)
    assert one.result.stopped
    assert one.result.frames == 6


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


def test_a_film_that_is_too_long_is_refused_or_read_up_to_the_limit():
    make = lambda: StreamAnalyzer(BrightnessClassifier(), SquareDetector(), settings=FILE_SETTINGS)  # noqa: E731
    one = VideoJob(film(moving_squares()), make, name="film.mp4", longest=1.2)  # of 2 seconds
    assert one.wait(20)
    assert one.error.startswith("film.mp4 is too long. Expected at most 0.02 minutes; cut it and try again. Received: ")


def test_failures_are_sentences(caplog):
    bad = job(b"no film at all")
    assert bad.wait(20)
    assert bad.result is None
    assert bad.error.startswith("film.mp4 is not a video")

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
