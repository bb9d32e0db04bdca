import gc
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from fer_core.faces import default_detector
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.inference.stream import FrameResult, StreamAnalyzer, StreamSettings
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.store.folders import load_model
from fer_core.types import FerError
from tests.conftest import require
from tests.inference import streams
from tests.inference.streams import BLANK, ScriptedClassifier, ScriptedDetector, frame_with_heads, one_hot

HAPPY, SAD = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")
EVERY_FRAME = StreamSettings(detect_every=1, smoothing=0.0)
ONE_FACE = ScriptedDetector(lambda _: [(40, 30, 40, 50)])


def scripted(script, settings: StreamSettings = EVERY_FRAME) -> StreamAnalyzer:
    """A stream of happy faces at the boxes that a script names for each frame."""
    return StreamAnalyzer(ScriptedClassifier(one_hot(HAPPY)), ScriptedDetector(script), settings=settings)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_model().classifier()


def numbers(result: FrameResult) -> list[int]:
    return [face.number for face in result.faces]


def centre(result: FrameResult, number: int) -> float:
    (box,) = [face.result.face.box for face in result.faces if face.number == number]
    return box[0] + box[2] / 2


def test_a_moving_head_is_one_happy_face_and_its_box_keeps_up(classifier):
    require("FER_YUNET_MODEL", "needs YuNet's weights")
    stream = StreamAnalyzer(classifier)
    exact = FaceAnalyzer(classifier, default_detector(detection_size=320))
    off = []
    for k in range(36):
        frame = frame_with_heads([(20 + 12 * k, 100)], side=160)  # 360 pixels a second
        result = stream.process(frame, k / 30)
        (face,) = result.faces
        assert (face.number, face.result.expression) == (1, "happy")
        (found,) = exact.detector.detect(frame, thorough=False)
        off.append(abs(centre(result, 1) - found.box[0] - found.box[2] / 2))
    assert max(off[9:]) < 10  # standing still for two frames would be 24 behind
    assert not np.array_equal(stream.annotate(frame, result), frame)
    assert stream.failures == 0


def test_twelve_faces_keep_their_numbers(classifier):
    require("FER_YUNET_MODEL", "needs YuNet's weights")
    stream = StreamAnalyzer(classifier, settings=StreamSettings(detect_every=1))
    places = [(10 + 155 * column, 5 + 158 * row) for row in range(3) for column in range(4)]
    first = stream.process(frame_with_heads(places, side=140), 0.0)
    assert numbers(first) == list(range(1, 13))
    moved = stream.process(frame_with_heads([(x + 12, y) for x, y in places], side=140), 0.1)
    assert numbers(moved) == numbers(first)
    for number in numbers(first):
        assert 4 < centre(moved, number) - centre(first, number) < 20
    assert stream.annotate(frame_with_heads(places, side=140), moved).shape == (480, 640, 3)


def test_numbers_survive_a_crossing():
    def script(k):  # two faces pass each other; while one hides the other, only the nearer one is found
        near, far = (10.0 + 8 * k, 30, 40, 50), (114.0 - 8 * k, 34, 36, 44)
        return [near] if abs(near[0] - far[0]) < 16 else [far, near]

    stream = scripted(script)
    results = [stream.process(streams.numbered_frame(k), k / 15) for k in range(14)]
    (start_one, start_two), (end_one, end_two) = ([centre(r, n) for n in (1, 2)] for r in (results[0], results[-1]))
    assert (start_one - start_two) * (end_one - end_two) < 0
    assert {n for result in results for n in numbers(result)} == {1, 2}


def test_a_face_that_turns_back_during_a_stall_is_still_one_face():
    lefts = [10.0, 25.0, 40.0, 55.0, 20.0]  # to the right at 150 pixels a second, then a stall of 0.3 seconds
    stream = scripted(lambda k: [(lefts[k], 30, 40, 50)])
    for k, seconds in enumerate((0.0, 0.1, 0.2, 0.3, 0.6)):
        assert numbers(stream.process(streams.numbered_frame(k), seconds)) == [1]


@pytest.mark.parametrize(("left", "shown"), [(70, [1]), (115, [1, 2])])
def test_a_lost_face_is_not_shown_where_another_one_is_found(left, shown):
    boxes = [(40, 30, 40, 50), (left, 30, 40, 50)]
    stream = scripted(lambda k: boxes[: 2 - k])
    assert numbers(stream.process(streams.numbered_frame(0), 0.0)) == [1, 2]
    assert numbers(stream.process(streams.numbered_frame(1), 0.03)) == shown


@pytest.mark.parametrize(("away", "number"), [(0.4, 1), (4.0, 1), (6.0, 2)])
def test_a_face_that_returns_keeps_its_number_for_five_seconds(away, number):
    stream = scripted(lambda k: [] if 10 <= k < 10 + 20 * away else [(40, 30, 40, 50)])
    last = [stream.process(streams.numbered_frame(k), k / 20) for k in range(int(12 + 20 * away))][-1]
    assert numbers(last) == [number]


def test_nothing_older_than_half_a_second_is_shown():
    stream = scripted(lambda k: [(40, 30, 40, 50)] * (k == 0))
    for k in range(60):
        result = stream.process(streams.numbered_frame(k), k / 40)
        assert all(k / 40 - face.seen <= 0.5 for face in result.faces)
        assert bool(result.faces) == (k / 40 <= 0.5)


def test_smoothing_is_the_exponential_mean_whatever_the_frame_rate():
    tau, change = 0.4, 1.0
    for rate in (10, 37):
        classifier = ScriptedClassifier(one_hot(SAD))
        stream = StreamAnalyzer(classifier, ONE_FACE, settings=StreamSettings(smoothing=tau))
        for k in range(2 * rate + 1):
            classifier.says[:] = one_hot(HAPPY if k / rate > change else SAD)
            (face,) = stream.process(BLANK, k / rate).faces
        passed = (2 * rate - int(change * rate)) / rate  # since the last sad frame
        expected = np.zeros(7)
        expected[SAD] = math.exp(-passed / tau)
        expected[HAPPY] = 1 - expected[SAD]
        np.testing.assert_allclose(face.result.probabilities, expected, atol=1e-5)


def test_smoothing_can_be_changed_while_running_and_starts_anew_with_another_model():
    sad, happy = ScriptedClassifier(one_hot(SAD)), ScriptedClassifier(one_hot(HAPPY))
    stream = StreamAnalyzer(sad, ONE_FACE, settings=StreamSettings(smoothing=5.0))
    stream.process(BLANK, 0.0)
    sad.says[:] = one_hot(HAPPY)
    assert stream.process(BLANK, 0.1).faces[0].result.probabilities[SAD] > 0.9
    stream.settings = replace(stream.settings, smoothing=0.0)
    assert stream.process(BLANK, 0.2).faces[0].result.probabilities[SAD] == 0
    stream.settings = replace(stream.settings, smoothing=5.0)
    sad.says[:] = one_hot(SAD)
    stream.process(BLANK, 0.3)
    stream.classifier = happy
    (face,) = stream.process(BLANK, 0.4).faces
    np.testing.assert_array_equal(face.result.probabilities, one_hot(HAPPY))
    assert face.number == 1


def test_looks_every_few_frames_and_more_often_when_frames_are_rare():
    for rate, looks in ((30, 10), (4, 4)):  # in one second
        detector = ScriptedDetector(lambda _: [])
        stream = StreamAnalyzer(ScriptedClassifier(one_hot(0)), detector, settings=StreamSettings(detect_every=3))
        for k in range(rate):
            stream.process(BLANK, k / rate)
        assert detector.looks == looks


@pytest.mark.detector
def test_a_failing_frame_is_passed_through_counted_and_logged_once(classifier, caplog):
    stream = StreamAnalyzer(classifier, settings=EVERY_FRAME)
    good = frame_with_heads([(200, 100)])
    stream.process(good, 0.0)
    for k, image in enumerate((np.zeros((0, 0, 3), np.uint8), good[:, :, 0], good / 255.0, None), 1):
        result = stream.process(image, k / 30)
        assert (result.failed, result.faces) == (True, ())
        assert stream.annotate(image, result) is image
    assert stream.failures == 4
    assert len([record for record in caplog.records if record.name.startswith("fer_core")]) == 1
    after = stream.process(good, 0.2)
    assert (numbers(after), after.failed) == ([1], False)


@pytest.mark.detector
def test_sizes_may_change_and_time_may_start_again(classifier):
    stream = StreamAnalyzer(classifier)
    large = frame_with_heads([(300, 100)], side=200)
    assert numbers(stream.process(large, 0.0)) == [1]
    small = np.ascontiguousarray(large[::2, ::2])
    half = stream.process(small, 0.03)
    assert numbers(half) == [1]
    assert centre(half, 1) == pytest.approx(200, abs=8)
    assert stream.annotate(small, half).shape == small.shape
    assert stream.process(np.zeros((1, 1, 3), np.uint8), 0.06).failed is False
    assert numbers(stream.process(small, 0.0)) == [1]  # a new stream: numbers from 1
    assert stream.failures == 0


def test_the_mirrored_frame_has_its_box_on_the_other_side_and_the_heatmap_is_inside_the_face():
    stream = scripted(lambda _: [(30, 60, 90, 120)], StreamSettings(activation=True))
    image = np.full((240, 320, 3), 128, np.uint8)
    result = stream.process(image, 0.0)
    ink = [int(COLORS["happy"][i : i + 2], 16) for i in (1, 3, 5)]
    for mirror, left, right in ((False, 30, 120), (True, 200, 290)):
        drawn = stream.annotate(image, result, mirror=mirror)
        columns = (drawn[100:160] == ink).all(axis=2).all(axis=0).nonzero()[0]
        assert abs(columns.min() - left) <= 3
        assert abs(columns.max() - right) <= 3
        assert np.abs(drawn[120, left + 45].astype(int) - 128).max() > 30
        np.testing.assert_array_equal(np.delete(drawn, np.s_[max(left - 40, 0) : right + 40], axis=1), 128)


@pytest.mark.parametrize("wrong", [{"detect_every": 0}, {"smoothing": -1}, {"smoothing": math.nan}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(FerError, match="Received"):
        StreamSettings(**wrong)


def test_faces_that_come_and_go_leave_nothing_behind():
    rng = np.random.default_rng(0)
    places = [[(*rng.uniform(0, 90, 2), 30.0, 40.0) for _ in range(rng.integers(0, 4))] for _ in range(64)]
    stream = scripted(lambda k: places[k], StreamSettings())
    held = []
    tracemalloc.start()
    for k in range(384):
        result = stream.process(streams.numbered_frame(k * 7 % 64), k / 10)
        if k % 32 == 0:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert result.faces[-1].number > 10
    assert max(held[6:]) < max(held[:6]) + 30_000, "150 bytes a frame"
    assert stream.failures == 0
