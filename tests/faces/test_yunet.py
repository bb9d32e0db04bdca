import cv2
import numpy as np
import pytest

from fer_core.faces import crop_face, framing_roll
from fer_core.faces.yunet import _cuts
from fer_core.inference import FaceAnalyzer
from fer_core.store.folders import load_model

from .scenes import wall


def quarter_turned(image, quarters):
    return np.ascontiguousarray(np.rot90(image, quarters))


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("side", [96, 512])
def test_a_turned_portrait_gives_the_upright_crop(yunet, portrait, side, quarters):
    picture = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    (upright,), (turned,) = yunet.detect(picture), yunet.detect(quarter_turned(picture, quarters))
    assert (framing_roll(turned) - framing_roll(upright) + 90 * quarters + 180) % 360 - 180 == pytest.approx(0, abs=5)
    crops = [crop_face(picture, upright)[0], crop_face(quarter_turned(picture, quarters), turned)[0]]
    assert np.corrcoef(crops[0].ravel(), crops[1].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("quarters", range(4))
def test_a_face_of_a_video_frame_has_its_eyes_above_its_mouth(yunet, portrait, quarters):
    """A frame is searched once, upright. A turned face that is found nevertheless is not taken for an upright one."""
    faces = yunet.detect(quarter_turned(portrait, quarters), thorough=False)
    assert faces or quarters % 2
    downwards = 1j * 1j**-quarters  # x + iy: where the lower edge of the portrait is
    for face in faces:
        x, y = face.landmarks[3:].mean(0) - face.landmarks[:2].mean(0)
        assert abs(np.angle(complex(x, y) / downwards)) < np.pi / 4


def test_one_person_who_lies_among_others_keeps_them_upright(yunet, portrait):
    photo = wall(1400, 520)
    for number in range(3):
        left = 20 + 450 * number
        photo[40:490, left : left + 450] = quarter_turned(portrait[:450, :450], number)
    rolls = sorted(round(framing_roll(face) / 90) % 4 for face in yunet.detect(photo))
    assert rolls == [0, 2, 3]


@pytest.mark.slow
def test_turned_fer2013_faces_keep_their_expression(yunet, fer2013):
    """Of 50 faces in the three other turns, at least 95 % keep the expression that they have upright."""
    analyzer = FaceAnalyzer(load_model().classifier(), yunet)
    kept = []
    for face in fer2013.split("private_test").images[:50]:
        picture = np.repeat(face[..., None], 3, axis=2)
        upright = analyzer.analyze(picture)
        if upright:
            turned = [analyzer.analyze(quarter_turned(picture, quarters)) for quarters in (1, 2, 3)]
            kept.append([bool(found) and found[0].expression == upright[0].expression for found in turned])
    assert len(kept) > 0.95 * 50
    print(len(kept), np.mean(kept, axis=0))
    assert np.mean(kept) >= 0.95


def test_small_faces_of_a_panorama_are_found_once_each_also_where_tiles_meet(yunet, portrait):
    """Faces 24 pixels wide, anywhere in a picture of 27 megapixels, among them some on every border of two tiles."""
    photo = np.full((2250, 12_000, 3), 128, np.uint8)
    small = cv2.resize(portrait, (140, 140), interpolation=cv2.INTER_AREA)  # its face is 25 pixels wide
    cuts = {round(first) for _, _, first, _ in _cuts(12_000, 4096, 450) if first > 0}
    assert len(cuts) == 3
    places = [(x + shift - 62, y) for x in cuts for shift, y in ((-12, 100), (0, 700), (9, 1300), (400, 1900))]
    for x, y in places:
        photo[y : y + 140, x : x + 140] = small
    faces = yunet.detect(photo)
    assert len(faces) == len(places)
    for x, y in places:
        (nearest,) = [face for face in faces if np.hypot(face.center[0] - x - 62, face.center[1] - y - 33) < 12]
        assert 20 < nearest.box[2] < 32


def test_a_large_face_over_several_tiles_is_one_face(yunet, portrait):
    photo = np.full((2000, 12_000, 3), 128, np.uint8)
    photo[:, 4800:6800] = cv2.resize(portrait, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    (face,) = yunet.detect(photo)
    assert face.box[2] == pytest.approx(350, rel=0.15)
