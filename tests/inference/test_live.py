"""What streamlit-webrtc calls, with real `av.VideoFrame`s and a clock of the test's own."""

from __future__ import annotations

import csv
import gc
import io
import logging
import threading
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from fer_core.inference import Classifier
from fer_core.inference.live import MAX_ROWS, RECORDING_COLUMNS, LiveSession, Recording
from fer_core.inference.stream import FrameResult, StreamSettings
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model
from tests.inference.streams import (
    BLANK,
    ScriptedClassifier,
    ScriptedDetector,
    frame_with_heads,
    one_hot,
)

SCENE = frame_with_heads([(240, 120)], side=200)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_model().classifier()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(classifier, clock) -> LiveSession:
    session = LiveSession(classifier, "compact_cnn", clock=clock)
    session.configure(StreamSettings(detect_every=1))
    return session


def video_frame(image: np.ndarray = SCENE, number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 30)
    return frame


def play(session: LiveSession, clock: Clock, frames: int, rate: float = 30, image: np.ndarray = BLANK) -> None:
    frame = video_frame(image)
    for _ in range(frames):
        clock.now += 1 / rate
        session.video_frame_callback(frame)


@pytest.fixture
def scripted(clock) -> LiveSession:
    """A session whose detector and classifier take no time."""
    detector = ScriptedDetector(lambda _: [(40, 30, 40, 50)])
    return LiveSession(ScriptedClassifier(one_hot(3)), "compact_cnn", clock=clock, detector=detector)


def test_a_frame_comes_back_drawn_upon_and_on_time(session, clock):
    frame = video_frame(number=7)
    answer = session.video_frame_callback(frame)
    assert (answer.width, answer.height, answer.pts, answer.time_base) == (640, 480, 7, Fraction(1, 30))
    assert np.abs(answer.to_ndarray(format="rgb24").astype(int) - SCENE).max() > 60
    status = session.status()
    (face,) = status.result.faces
    assert face.result.expression == "happy"
    assert (status.frames, status.failures) == (1, 0)


@pytest.mark.parametrize("kind", ["gray", "rgba", "yuvj420p", "nv12", "gray16le"])
def test_any_pixel_format(session, kind):
    answer = session.video_frame_callback(video_frame().reformat(format=kind))
    assert (answer.width, answer.height) == (640, 480)
    assert session.status().failures == 0
    assert len(session.status().result.faces) == 1


def test_a_frame_without_a_time_will_do(session):
    answer = session.video_frame_callback(av.VideoFrame.from_ndarray(SCENE, format="rgb24"))
    assert (answer.pts, session.status().failures) == (None, 0)


@pytest.mark.parametrize("size", [(641, 479), (2, 2), (1280, 720)])
def test_the_size_may_change_at_any_time(session, size):
    session.video_frame_callback(video_frame())
    answer = session.video_frame_callback(video_frame().reformat(width=size[0], height=size[1]))
    assert (answer.width, answer.height) == size
    assert session.status().failures == 0


def test_a_failing_frame_goes_through_and_the_next_one_is_analysed(session, caplog):
    class Broken:
        def to_ndarray(self, format: str) -> np.ndarray:
            raise MemoryError("no room for this frame")

    broken = [Broken(), Broken(), object()]
    with caplog.at_level(logging.ERROR, logger="fer_core"):
        assert [session.video_frame_callback(frame) for frame in broken] == broken
    assert len(caplog.records) == 1
    session.video_frame_callback(video_frame())
    status = session.status()
    assert (status.frames, status.failures, len(status.result.faces)) == (4, 3, 1)


def test_rate_and_staleness_by_the_clock(scripted, clock):
    play(scripted, clock, 60, rate=25)
    assert scripted.status().frames_per_second == pytest.approx(25)
    assert scripted.status().result is not None
    clock.now += 0.6
    assert scripted.status().result is None
    clock.now += 2.0
    assert scripted.status().frames_per_second == 0


def test_the_timeline_holds_one_minute_five_times_a_second(scripted, clock):
    play(scripted, clock, 90 * 10, rate=10)
    table = scripted.timeline()
    assert list(table.columns) == ["seconds", "face", *EXPRESSIONS]
    assert 290 <= len(table) <= 301
    assert table["seconds"].min() >= -60
    assert -0.3 <= table["seconds"].max() <= 0
    assert set(table["happy"]) == {1.0}


def test_another_camera_or_a_pause_gives_the_face_another_number(session, clock):
    """The same head at the same place: seen by another camera, then after three seconds without frames."""
    here, there = SCENE.copy(), SCENE.copy()
    here[:, :240], here[:, 440:] = 20, 230
    there[:, :240], there[:, 440:] = 230, 20
    session.start_recording()
    play(session, clock, 4, image=here)
    play(session, clock, 4, image=there)
    clock.now += 3.0
    play(session, clock, 4, image=there)
    rows = list(csv.DictReader(io.StringIO(session.recording_csv())))
    assert [int(row["face"]) for row in rows] == [1] * 4 + [2] * 4 + [3] * 4


def test_recording_by_the_row(session, clock, classifier):
    assert session.recording_csv() == ""
    play(session, clock, 2, image=SCENE)
    session.start_recording()
    play(session, clock, 3, rate=10, image=SCENE)
    session.use(classifier, "another")
    play(session, clock, 1, rate=10, image=SCENE)
    session.stop_recording()
    play(session, clock, 5, image=SCENE)
    table = list(csv.DictReader(io.StringIO(session.recording_csv())))
    assert tuple(table[0]) == RECORDING_COLUMNS
    assert [float(row["seconds"]) for row in table] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [row["model"] for row in table] == ["compact_cnn"] * 3 + ["another"]
    for row in table:
        assert (row["face"], row["expression"]) == ("1", "happy")
        assert sum(float(row[name]) for name in EXPRESSIONS) == pytest.approx(1, abs=1e-4)
        assert 240 <= float(row["x"]) <= 440
    assert session.status().recorded == 4
    session.start_recording()
    assert session.status().recorded == 0


def test_a_recording_stops_when_it_is_full(scripted, clock):
    play(scripted, clock, 1)
    result = scripted.status().result
    recording = Recording(start=result.seconds, max_rows=3)
    for _ in range(5):
        recording.add(result, "m")
    assert recording.full
    assert len(recording.as_csv().splitlines()) == 1 + 3
    late = Recording(start=0.0, max_rows=MAX_ROWS)
    late.add(FrameResult(result.seconds + 0.1, result.faces), "m")  # a face not seen in this frame
    assert late.rows == 0


def test_freezing_keeps_the_clean_frame_and_the_drawn_one(session, clock):
    assert session.freeze() is None
    session.video_frame_callback(video_frame())
    frozen = session.freeze()
    clean, drawn = (np.asarray(Pillow.open(io.BytesIO(png))) for png in frozen)
    assert np.abs(clean.astype(int) - SCENE).mean() < 3  # what yuv420p loses
    assert clean.shape == drawn.shape == SCENE.shape
    assert np.abs(clean.astype(int) - drawn).max() > 60


def test_mirrored_only_for_show(session):
    frame = video_frame(frame_with_heads([(20, 120)], side=200))
    session.video_frame_callback(frame)
    there = session.status().result.faces[0].result.face.box
    session.configure(StreamSettings(detect_every=1), mirror=True)
    shown = session.video_frame_callback(frame).to_ndarray(format="rgb24")
    assert session.status().result.faces[0].result.face.box == pytest.approx(there, abs=3)
    assert shown[:, 420:].std() > 40
    assert shown[:, :400].std() < 5


def test_read_from_other_threads_while_frames_come(scripted, clock):
    scripted.start_recording()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(40):
                scripted.status(), scripted.timeline(), scripted.freeze(), scripted.recording_csv()
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    play(scripted, clock, 200)
    for reader in readers:
        reader.join()
    assert not errors
    assert scripted.status().failures == 0
    assert scripted.status().recorded == 200


def test_memory_stays_bounded_over_five_minutes(scripted, clock):
    scripted.start_recording(max_rows=300)
    frame = video_frame(BLANK)
    held = []
    tracemalloc.start()
    for k in range(1000):
        clock.now += 0.3
        scripted.video_frame_callback(frame)
        if k % 125 == 0:
            gc.collect()  # Pillow's and NumPy's reference cycles otherwise wait for the next full collection
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert scripted.status().full
    assert max(held[5:]) < max(held[:5]) + 40_000  # 100 bytes a frame
