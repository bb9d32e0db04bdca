import csv
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from fer_core.inference import Classifier
from fer_core.inference.face_table import face_columns
from fer_core.inference.live import LiveSession
from fer_core.inference.stream import StreamSettings
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model
from tests.inference.streams import BLANK, ScriptedClassifier, ScriptedDetector, frame_with_heads, one_hot

SCENE = frame_with_heads([(240, 120)], side=200)


class Clock:
    now = 1000.0

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


@pytest.fixture
def scripted(clock) -> LiveSession:
    """A session whose detector and classifier take no time."""
    detector = ScriptedDetector(lambda _: [(40, 30, 40, 50)])
    return LiveSession(ScriptedClassifier(one_hot(3)), "compact_cnn", clock=clock, detector=detector)


def video_frame(image: np.ndarray = SCENE, number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 30)
    return frame


def play(session: LiveSession, clock: Clock, frames: int, rate: float = 30, image: np.ndarray = BLANK) -> None:
    frame = video_frame(image)
    for _ in range(frames):
        clock.now += 1 / rate
        session.video_frame_callback(frame)


def test_a_frame_comes_back_drawn_upon_and_on_time_and_can_be_frozen(session):
    assert session.freeze() is None
    answer = session.video_frame_callback(video_frame(number=7))
    assert (answer.width, answer.height, answer.pts, answer.time_base) == (640, 480, 7, Fraction(1, 30))
    assert np.abs(answer.to_ndarray(format="rgb24").astype(int) - SCENE).max() > 60
    status = session.status()
    (face,) = status.result.faces
    assert face.result.expression == "happy"
    assert (status.frames, status.failures) == (1, 0)
    clean, drawn = (np.asarray(Pillow.open(io.BytesIO(png))) for png in session.freeze())
    assert np.abs(clean.astype(int) - SCENE).mean() < 3  # what yuv420p loses
    assert clean.shape == drawn.shape == SCENE.shape
    assert np.abs(clean.astype(int) - drawn).max() > 60


def test_any_pixel_format_any_size_and_no_time(session):
    for kind in ("gray", "rgba", "yuvj420p", "nv12", "gray16le"):
        session.video_frame_callback(video_frame().reformat(format=kind))
        assert len(session.status().result.faces) == 1
    for width, height in ((641, 479), (2, 2), (1280, 720), (640, 480)):
        answer = session.video_frame_callback(video_frame().reformat(width=width, height=height))
        assert (answer.width, answer.height) == (width, height)
    answer = session.video_frame_callback(av.VideoFrame.from_ndarray(SCENE, format="rgb24"))
    assert (answer.pts, session.status().failures) == (None, 0)


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
    clock.now += 1.5  # a slow machine shows a picture for as long
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
    assert table["seconds"].min() >= -60 and -0.3 <= table["seconds"].max() <= 0
    assert set(table["happy"]) == {1.0}


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
    assert tuple(table[0]) == (*face_columns(), "model")
    assert [float(row["seconds"]) for row in table] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [row["model"] for row in table] == ["compact_cnn"] * 3 + ["another"]
    for row in table:
        assert (row["face"], row["expression"]) == ("1", "happy")
        assert sum(float(row[name]) for name in EXPRESSIONS) == pytest.approx(1, abs=1e-4)
        assert 240 <= float(row["x"]) <= 440
    assert session.status().recorded == 4
    session.start_recording()
    assert session.status().recorded == 0


def test_a_model_of_other_classes_ends_the_recording_and_starts_another_timeline(scripted, clock):
    scripted.start_recording()
    play(scripted, clock, 3)
    other = ScriptedClassifier([0.2, 0.8])
    other.classes = ("calm", "confused")
    scripted.use(other, "own")
    assert not scripted.status().recording
    assert scripted.timeline().empty
    play(scripted, clock, 30)
    assert len(scripted.recording_csv().splitlines()) == 1 + scripted.status().recorded
    assert scripted.timeline()["confused"].tolist() == pytest.approx([0.8] * len(scripted.timeline()))
    assert scripted.status().result.faces[0].result.answer == "confused"
    scripted.start_recording()
    play(scripted, clock, 3)
    (first, *_) = csv.DictReader(io.StringIO(scripted.recording_csv()))
    assert (first["calm"], first["confused"], first["expression"]) == ("0.2", "0.8", "confused")


def test_a_recording_of_detected_faces_stops_when_it_is_full(clock):
    """A face that is not found in a frame is shown for half a second, but not recorded."""
    detector = ScriptedDetector(lambda number: [] if number > 200 else [(40, 30, 40, 50)])
    session = LiveSession(ScriptedClassifier(one_hot(3)), "m", clock=clock, detector=detector)
    session.configure(StreamSettings(detect_every=1))
    session.start_recording(max_rows=3)
    for image in (BLANK, np.full_like(BLANK, 250), BLANK, BLANK):
        assert not session.status().full
        play(session, clock, 1, image=image)
        assert len(session.status().result.faces) == 1
    play(session, clock, 2)
    status = session.status()
    assert (status.recorded, status.recording, status.full) == (3, False, True)
    assert len(session.recording_csv().splitlines()) == 1 + 3


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

    def read(_: int) -> None:
        for _ in range(40):
            scripted.status(), scripted.timeline(), scripted.freeze(), scripted.recording_csv()

    with ThreadPoolExecutor(3) as threads:
        readers = threads.map(read, range(3))
        play(scripted, clock, 200)
        list(readers)  # raises what a thread raised
    assert (scripted.status().failures, scripted.status().recorded) == (0, 200)
