import gc
import threading
from itertools import pairwise

import cv2
import numpy as np
import pytest

from fer_core.faces import default_detector
from fer_core.files import cache_folder
from fer_core.inference import Prediction
from fer_core.inference.face_table import expression_runs, seconds_without_face, time_shares, video_columns
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoJob, VideoProgress, analyze_video
from fer_core.inference.video_reader import VideoReader
from fer_core.inference.video_writer import CLIP_SECONDS, clip_frames, sample_clip
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model
from fer_core.types import Face, FerError
from tests.clips import HEAD_BOX, cut_off, decoded, film, scene, with_sound
from tests.conftest import require
from tests.waiting import PATIENCE

HAPPY, SAD = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")
LIGHT, GRAY = 250, 170
SIDE = 60


def squares(*places: tuple[int, int, int]) -> np.ndarray:
    """A dark frame with bright squares: left, top, brightness of each."""
    frame = np.full((240, 320, 3), 20, np.uint8)
    for left, top, bright in places:
        frame[top : top + SIDE, left : left + SIDE] = bright
    return frame


class SquareDetector:
    """Takes every bright square for a face."""

    note = None

    def detect(self, image: np.ndarray, thorough: bool = True) -> list[Face]:
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[:, :, 0] > 95).astype(np.uint8))
        return [Face((float(x), float(y), float(w), float(h)), 0.9) for x, y, w, h, area in stats[1:] if area > 1000]


class BrightnessClassifier:
    """Light squares are happy, gray ones sad."""

    input_size = 48
    locates = True
    not_sure_below, classes = 0.0, EXPRESSIONS

    def predict(self, faces: np.ndarray, flip: bool = False) -> Prediction:
        answers = np.full((len(faces), 7), 0.02, np.float32)
        for row, face in zip(answers, faces, strict=True):
            row[HAPPY if face[12:36, 12:36].mean() > 210 else SAD] = 0.88
        return Prediction(answers, np.ones((len(faces), 2, 2, 7), np.float32))


def make_analyzer(detector: SquareDetector | None = None) -> StreamAnalyzer:
    return StreamAnalyzer(BrightnessClassifier(), detector or SquareDetector(), settings=FILE_SETTINGS)


@pytest.fixture
def analyzer() -> StreamAnalyzer:
    return make_analyzer()


def moving_squares(count: int = 20) -> list[np.ndarray]:
    """The left one goes right and turns gray half-way; the right one stays, from the sixth to the fifteenth."""
    return [
        squares((10 + 4 * k, 50, LIGHT if k < count // 2 else GRAY), *([(240, 120, LIGHT)] if 5 <= k < 15 else []))
        for k in range(count)
    ]


def test_times_boxes_and_expressions_are_as_drawn(analyzer, tmp_path):
    source, progress = moving_squares(), []
    result = analyze_video(film(source), analyzer, annotate=tmp_path / "out.mp4", on_progress=progress.append)
    assert list(result.table.columns) == list(video_columns())
    assert (result.frames, result.seconds, result.stopped, result.notes) == (20, pytest.approx(2.0), False, ())
    assert (result.faces, result.annotated) == ([1, 2], tmp_path / "out.mp4")
    left, right = (result.table[result.table["face"] == number] for number in (1, 2))
    assert list(left["seconds"]) == pytest.approx(np.arange(20) / 10, abs=1e-3)
    for name, values, off in (("x", 10 + 4 * np.arange(20), 2), ("y", [50] * 20, 2), ("width", [SIDE] * 20, 3)):
        assert list(left[name]) == pytest.approx(values, abs=off)
    assert list(left["expression"]) == ["happy"] * 10 + ["sad"] * 10
    assert list(left["happy"]) == pytest.approx([0.88] * 10 + [0.02] * 10)  # not smoothed
    assert list(right["seconds"]) == pytest.approx(np.arange(5, 15) / 10, abs=1e-3)
    _, seconds, times, images = decoded(tmp_path / "out.mp4")
    assert seconds == pytest.approx(2.0, abs=0.01)
    assert times == pytest.approx(np.arange(20) / 10, abs=1e-3)
    difference = np.abs(images[0].astype(int) - source[0])
    assert difference[50:110, 10:15].max() > 60  # the box was drawn here,
    assert difference[200:, 200:].max() < 25  # and nothing there
    assert all(before.share <= after.share for before, after in pairwise(progress))
    assert (len(progress), progress[-1].share, progress[-1].left) == (21, 1, 0)
    assert (progress[4].frames, progress[4].total) == (5, pytest.approx(2.0))
    assert progress[4].left > 0


def test_frames_without_a_face_keep_their_time(analyzer):
    table = analyze_video(film([squares()] * 4), analyzer).table
    assert list(table["seconds"]) == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-3)
    assert table["frame"].tolist() == [0, 1, 2, 3]
    assert table.drop(columns=["seconds", "frame"]).isna().all(axis=None)
    assert seconds_without_face(table, 0.4) == pytest.approx(0.4)
    assert time_shares(table, 0.4).empty
    assert expression_runs(table, 0.4).empty


def test_shares_and_stretches_of_each_face_and_of_all(analyzer):
    pictures, times = moving_squares(), [k / 10 for k in range(20)]
    pictures[3] = squares()  # lost for a moment
    times[19] = 2.4  # the frame before stands for six tenths of a second
    result = analyze_video(film(pictures, times=times), analyzer)
    shares = time_shares(result.table, result.seconds)
    happy = shares[shares["expression"] == "happy"]["share"].tolist()  # of all faces, and of both
    assert happy == pytest.approx([1.9 / 3.4, 0.9 / 2.4, 1.0], abs=0.01)
    assert shares[shares["face"] == 1]["share"].sum() == pytest.approx(1.0)
    runs = expression_runs(result.table, result.seconds)
    assert [(row.face, row.expression, round(row.start, 1), round(row.end, 1)) for row in runs.itertuples()] == [
        (1, "happy", 0.0, 0.3),
        (1, "happy", 0.4, 1.0),
        (1, "sad", 1.0, 2.5),
        (2, "happy", 0.5, 1.5),
    ]
    assert seconds_without_face(result.table, result.seconds) == pytest.approx(0.1, abs=0.01)


def test_fewer_frames_a_second_last_as_long(analyzer, tmp_path):
    result = analyze_video(film(moving_squares()), analyzer, rate=2, annotate=tmp_path / "out.mp4")
    _, seconds, times, _ = decoded(tmp_path / "out.mp4")
    assert result.frames == 4
    assert times == pytest.approx([0, 0.5, 1.0, 1.5], abs=1e-3)
    assert seconds == pytest.approx(2.0, abs=0.01)
    shares = time_shares(result.table, result.seconds)
    assert shares[shares["face"] == 1]["seconds"].sum() == pytest.approx(2.0, abs=0.01)


def test_a_stop_keeps_what_is_done_and_an_error_leaves_a_film_that_plays(analyzer, tmp_path):
    asked, out = iter(range(100)), tmp_path / "out.mp4"
    result = analyze_video(film(moving_squares()), analyzer, annotate=out, should_stop=lambda: next(asked) == 6)
    assert (result.stopped, result.frames, result.seconds) == (True, 7, pytest.approx(0.7, abs=0.01))
    assert "Stopped after 0.7 seconds" in result.notes[0]
    assert (len(decoded(out)[3]), result.table["seconds"].nunique()) == (7, 7)

    def interrupt(progress: VideoProgress) -> None:
        if progress.frames == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze_video(film(moving_squares()), analyzer, annotate=out, on_progress=interrupt)
    assert len(decoded(out)[3]) == 5


def test_a_film_cut_off_is_analysed_as_far_as_it_goes(analyzer):
    noise = np.random.default_rng(0)
    pictures = [np.maximum(frame, noise.integers(0, 60, frame.shape)).astype(np.uint8) for frame in moving_squares()]
    whole = film(pictures, options={"movflags": "faststart"})
    result = analyze_video(cut_off(whole, 0.6), analyzer, name="half.mp4")
    assert 4 < result.frames < 18
    assert result.notes[0].startswith("half.mp4 is cut off")
    assert result.faces


def test_sound_is_dropped_and_said_so_and_the_film_itself_is_not_overwritten(analyzer, tmp_path):
    content, path = with_sound(moving_squares(5)), tmp_path / "film.mp4"
    assert analyze_video(content, analyzer).notes == ()
    assert analyze_video(content, analyzer, annotate=tmp_path / "o.mp4").notes == ("The annotated video has no sound.",)
    path.write_bytes(content)
    with pytest.raises(FerError, match="overwrite"):
        analyze_video(path, analyzer, annotate=path)
    assert path.read_bytes() == content


def test_frames_that_fail_are_counted(analyzer, monkeypatch):
    calls, detect = iter(range(9)), SquareDetector.detect
    monkeypatch.setattr(
        SquareDetector, "detect", lambda *given, **more: detect(*given, **more) if next(calls) != 2 else 1 / 0
    )
    result = analyze_video(film(moving_squares(5)), analyzer)
    assert result.frames == 5
    assert result.notes == ("1 of 5 frames could not be analysed; they count as without a face.",)


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
def test_a_pause_in_the_recording_is_told_and_not_counted(analyzer, tmp_path, kind, codec):
    times = [k / 10 + 3600 * (k >= 10) for k in range(20)]
    content = film([squares((50, 50, LIGHT))] * 20, kind, codec, times=times)
    result = analyze_video(content, analyzer, annotate=tmp_path / f"out.{kind}")
    assert result.faces == [1, 2]
    assert result.gaps == [(pytest.approx(1.0, abs=0.01), pytest.approx(3601.0, abs=0.01))]
    assert result.notes == (
        "The recording has gaps. Frames are missing for 3,600.0 seconds, from second 1.0 on; this time is not counted, "
        "and faces get new numbers after it.",
    )
    shares = time_shares(result.table, result.seconds)
    assert list(shares.groupby("face")["seconds"].sum()) == pytest.approx([1.0, 1.0], abs=0.02)


def test_real_faces_are_found_where_they_are():
    require("FER_YUNET_MODEL", "needs YuNet's weights")
    analyzer = StreamAnalyzer(load_model().classifier(), default_detector(detection_size=640), settings=FILE_SETTINGS)
    frames = [scene((5 + 6 * k, 20), (320, 40), scale=0.9) for k in range(8)]
    result = analyze_video(film(frames), analyzer)
    assert result.faces == [1, 2]
    x, y, width, height = (0.9 * value for value in HEAD_BOX)
    moving = result.table[result.table["x"] < 280].reset_index(drop=True)
    assert len(moving) == 8
    assert np.abs(moving["x"] + moving["width"] / 2 - (5 + 6 * np.arange(8) + x + width / 2)).max() < 6
    assert np.abs(moving["y"] + moving["height"] / 2 - (20 + y + height / 2)).max() < 8
    assert (result.table["expression"] == "happy").all()


class Gate(SquareDetector):
    """Waits before each frame until it is let through."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)

    def detect(self, image: np.ndarray, thorough: bool = True):
        self.entered.release()
        self.open.acquire(timeout=PATIENCE)
        return super().detect(image, thorough)


def job(content: bytes, detector: SquareDetector | None = None, longest: float | None = None) -> VideoJob:
    return VideoJob(content, lambda: make_analyzer(detector), name="film.mp4", longest=longest)


def folders() -> list[str]:
    return [path.name for path in cache_folder("visits").iterdir() if path.is_dir()]


def test_a_job_ends_with_its_result_and_its_folder_goes_with_it(home):
    one = job(film(moving_squares()))
    assert one.wait(PATIENCE)
    assert (one.running, one.error) == (False, None)
    assert (one.result.frames, one.progress.share) == (20, 1)
    assert one.result.annotated.stat().st_size > 1000
    assert len(folders()) == 1
    del one
    gc.collect()
    assert folders() == []


def test_progress_while_it_runs_and_a_stop_that_keeps(home):
    gate = Gate()
    one = job(film(moving_squares()), gate)
    for _ in range(5):
        gate.open.release()
    for _ in range(6):
        assert gate.entered.acquire(timeout=PATIENCE)
    assert (one.running, one.result) == (True, None)
    assert (one.progress.frames, one.progress.total) == (5, pytest.approx(2.0))
    one.stop()
    gate.open.release()
    assert one.wait(PATIENCE)
    assert (one.result.stopped, one.result.frames) == (True, 6)


def test_an_abandoned_job_stops_by_itself(home):
    gate = Gate()
    one = job(film(moving_squares()), gate)
    assert gate.entered.acquire(timeout=PATIENCE)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "video"]
    del one
    gc.collect()
    gate.open.release()
    thread.join(PATIENCE)
    assert folders() == []


def test_failures_are_sentences(home, caplog):
    bad, long = job(b"no film at all"), job(film(moving_squares()), longest=1.2)  # of 2 seconds
    assert bad.wait(PATIENCE) and long.wait(PATIENCE)
    assert bad.result is None
    assert bad.error.startswith("film.mp4 is not a video")
    assert long.error.startswith("film.mp4 is too long. Expected at most 0.02 minutes")

    def broken() -> StreamAnalyzer:
        raise RuntimeError("made up")

    worse = VideoJob(film(moving_squares(2)), broken, name="film.mp4")
    assert worse.wait(PATIENCE)
    assert worse.error == "film.mp4 could not be analysed. Try another video, or save this one as MP4 again."
    assert "made up" in caplog.text


def test_the_sample_clip_is_made_once_and_reads_as_it_was_drawn(home):
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
