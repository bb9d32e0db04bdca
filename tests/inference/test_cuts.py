from itertools import combinations

import cv2
import numpy as np
import pytest
from skimage.data import lfw_subset

from fer_core.inference.stream import StreamAnalyzer, StreamSettings
from fer_core.inference.tracking import FaceTracker, is_flat, look, same_face, same_scene, scene
from fer_core.inference.video_writer import CLIP_RATE, clip_frames
from fer_core.types import Face, Image
from tests.inference.streams import ScriptedClassifier, ScriptedDetector, frame_with_heads, one_hot

HAPPY, SAD = 3, 4
SIDE = 200
BOX = (240.0 + 45, 120.0 + 40, 110.0, 130.0)  # of the head in `frame`
FACES = [np.asarray(cv2.resize(face, (48, 48)) * 255, np.uint8) for face in lfw_subset()[:100]]
"""A hundred people of Labelled Faces in the Wild."""


def wall(seed: int) -> Image:
    """A room: large soft patches of light and dark."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def frame(room: Image, face: Image | None = None) -> Image:
    """The room with the portrait's head, or with another face at the same place."""
    picture = room.copy()
    head = frame_with_heads([(240, 120)], side=SIDE)[120 : 120 + SIDE, 240 : 240 + SIDE]
    picture[120 : 120 + SIDE, 240 : 240 + SIDE] = head if face is None else cv2.resize(face, (SIDE, SIDE))
    return picture


def shaken(number: int, image: Image) -> Image:
    """As by a hand-held camera: shifted by up to 2 % of the width, at random."""
    x, y = np.random.default_rng(number).uniform(-0.02, 0.02, 2) * image.shape[1]
    shift = np.float32([[1, 0, x], [0, 1, y]])
    return np.asarray(cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


CHANGES = {
    "none": lambda _, image: image,
    "shake": shaken,
    "flashes": lambda k, image: cv2.convertScaleAbs(image, alpha=2.5) if k % 10 == 5 else image,
    "fading to black and back": lambda k, image: cv2.convertScaleAbs(image, alpha=min(abs(k - 50) / 6, 1.0)),
    "black frames": lambda k, image: np.zeros_like(image) if k % 10 == 5 else image,
}


@pytest.mark.parametrize(("away", "number"), [(4.0, 1), (6.0, 2)])
def test_a_face_that_comes_back_elsewhere_keeps_its_number_for_five_seconds(away, number):
    settings = StreamSettings(cuts=False)
    stream = StreamAnalyzer(ScriptedClassifier(one_hot(HAPPY)), detector=_Heads(), settings=settings)
    places = {0.0: [(40, 120)], 1.0: [], away: [(400, 200)]}
    results = [stream.process(frame_with_heads(place, side=SIDE), seconds) for seconds, place in places.items()]
    assert [[face.number for face in result.faces] for result in results] == [[1], [], [number]]


def test_somebody_else_who_comes_in_gets_another_number():
    """Of pairs of different people, one in ten at most passes for the same."""
    known = 0
    for one, other in zip(FACES[::2], FACES[1::2], strict=True):
        tracker = FaceTracker()
        numbers = [
            tracker.update([Face(box, 1.0)], [look(crop)], seconds)[0].number
            for box, crop, seconds in (((0, 0, 90, 110), one, 0.0), ((400, 200, 90, 110), other, 3.0))
        ]
        known += numbers == [1, 1]
    assert known <= len(FACES) // 2 // 10


class _Heads:
    """Finds heads at two places."""

    note = None

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        inside = ((x, y) for x, y in ((40, 120), (400, 200)) if image[y : y + SIDE, x : x + SIDE].std() > 30)
        return [Face((x + 45.0, y + 40.0, 110.0, 130.0), 1.0) for x, y in inside]


@pytest.mark.parametrize("change", CHANGES)
def test_motion_light_and_shake_are_no_cut(change, yunet_file):
    stream = StreamAnalyzer(ScriptedClassifier(one_hot(HAPPY)), settings=StreamSettings(detect_every=1))
    frames = (CHANGES[change](k, image) for k, image in enumerate(clip_frames()))
    results = [stream.process(image, k / CLIP_RATE) for k, image in enumerate(frames)]
    surest = [max(result.faces, key=lambda face: face.result.face.score) for result in results if result.faces]
    assert {face.number for face in surest} == {1}
    assert len(surest) > 80


def test_scenes_of_the_sample_clip_are_one_scene_and_unrelated_ones_differ():
    scenes = [scene(image) for image in clip_frames()]
    for step in (1, 6):  # 6: half a second
        assert all(same_scene(before, after) for before, after in zip(scenes, scenes[step:], strict=False))
    rooms = [scene(wall(seed)) for seed in range(30)]
    assert np.mean([same_scene(*pair) for pair in combinations(rooms, 2)]) < 0.15
    assert all(same_scene(room, room) for room in rooms)
    flat = np.full((9, 16), 128, np.uint8)  # says nothing
    assert is_flat(flat)
    assert same_scene(flat, rooms[0]) and same_scene(rooms[0], flat)


@pytest.mark.parametrize(("seconds", "most"), [(0.04, 0.15), (0.5, 0.55)])
def test_different_people_look_different(seconds, most):
    """These crops are narrower than FER2013's, without hair or background, so they differ less than in a video."""
    looks = [look(face) for face in FACES]
    assert np.mean([same_face(before, after, seconds) for before, after in combinations(looks, 2)]) < most


def test_a_face_looks_like_itself_in_other_light_and_turned():
    turn = cv2.getRotationMatrix2D((24, 24), 6, 1.05)
    for face in FACES:
        for other in (
            cv2.convertScaleAbs(face, alpha=0.3, beta=20),
            cv2.warpAffine(face, turn, (48, 48), borderMode=cv2.BORDER_REFLECT),
            cv2.GaussianBlur(face, (0, 0), 2.5),
        ):
            assert same_face(look(face), look(np.asarray(other, np.uint8)), 0.04)


@pytest.mark.parametrize("detect_every", [1, 3])
@pytest.mark.parametrize("cut", ["person", "scene"])
def test_a_cut_ends_the_number_and_the_smoothing(cut, detect_every):
    other = np.repeat(FACES[0][:, :, None], 3, axis=2)
    before, after = frame(wall(1)), frame(wall(1), other) if cut == "person" else frame(wall(2))
    classifier = ScriptedClassifier(one_hot(HAPPY))
    settings = StreamSettings(detect_every=detect_every, smoothing=5.0)
    stream = StreamAnalyzer(classifier, ScriptedDetector(lambda _: [BOX]), settings=settings)
    results = []
    for k in range(60):
        if k == 31:
            classifier.says[:] = one_hot(SAD)
        results.append(stream.process(before if k < 31 else after, k / 30))
    late = 0 if cut == "scene" else detect_every - 1  # a cut is seen at once, a face when detected
    numbers = [[face.number for face in result.faces] for result in results]
    assert numbers[:31] == [[1]] * 31
    assert numbers[31 + late :] == [[2]] * (29 - late)
    np.testing.assert_array_equal(results[31 + late].faces[0].result.probabilities, one_hot(SAD))
