"""Cuts: another person at the same place and another scene are noticed; motion, light and shake are no cuts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import cv2
import numpy as np
import pytest
from skimage.data import lfw_subset

from fer_core.faces.framing import crop_face
from fer_core.inference.sample_clip import CLIP_RATE, clip_frames
from fer_core.inference.stream import StreamAnalyzer, StreamSettings
from fer_core.inference.tracking import is_flat, look, same_face, same_scene, scene
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


def other_person() -> Image:
    return np.repeat(FACES[0][:, :, None], 3, axis=2)


def moved(shake: float) -> Iterator[Image]:
    """The sample clip by a hand-held camera: each frame is shifted by up to a share of the width, at random."""
    random = np.random.default_rng(0)
    for image in clip_frames():
        x, y = random.uniform(-shake, shake, 2) * image.shape[1]
        shift = np.float32([[1, 0, x], [0, 1, y]])
        yield np.asarray(cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


def flashes() -> Iterator[Image]:
    """The sample clip with a flash in every tenth frame: two and a half times as bright, cut at white."""
    for number, image in enumerate(clip_frames()):
        yield cv2.convertScaleAbs(image, alpha=2.5) if number % 10 == 5 else image


def fading() -> Iterator[Image]:
    """The sample clip, to black and back within a second."""
    for number, image in enumerate(clip_frames()):
        yield cv2.convertScaleAbs(image, alpha=min(abs(number - 50) / 6, 1.0))


def black_frames() -> Iterator[Image]:
    for number, image in enumerate(clip_frames()):
        yield np.zeros_like(image) if number % 10 == 5 else image


@pytest.mark.parametrize(
    "frames", [clip_frames(), moved(0.01), moved(0.02), flashes(), fading(), black_frames()],
    ids=["as it is", "shake 1 %", "shake 2 %", "flashes", "fading", "black frames"],
)  # fmt: skip
def test_motion_light_and_shake_are_no_cut(frames, yunet_file):
    """All 100 frames, with the detector in use: one person, one number."""
    stream = StreamAnalyzer(ScriptedClassifier(one_hot(HAPPY)), settings=StreamSettings(detect_every=1))
    results = [stream.process(image, k / CLIP_RATE) for k, image in enumerate(frames)]
    surest = [max(result.faces, key=lambda face: face.result.face.score) for result in results if result.faces]
    assert {face.number for face in surest} == {1}
    assert len(surest) > 80


def test_scenes_of_the_sample_clip_are_one_scene_also_at_half_a_second():
    scenes = [scene(image) for image in clip_frames()]
    for step in (1, 6):
        assert all(same_scene(one, other) for one, other in zip(scenes, scenes[step:], strict=False))


def test_unrelated_scenes_differ():
    rooms = [scene(wall(seed)) for seed in range(30)]
    alike = [same_scene(one, other) for one, other in combinations(rooms, 2)]
    assert np.mean(alike) < 0.15
    assert all(same_scene(room, room) for room in rooms)


@pytest.mark.parametrize(("seconds", "most"), [(0.04, 0.15), (0.5, 0.55)])
def test_different_people_look_different(seconds, most):
    """These crops are narrower than FER2013's, without hair or background, so they differ less than in a video."""
    looks = [look(face) for face in FACES]
    assert np.mean([same_face(one, other, seconds) for one, other in combinations(looks, 2)]) < most


def test_a_face_looks_like_itself_in_other_light_and_turned():
    turn = cv2.getRotationMatrix2D((24, 24), 6, 1.05)
    for face in FACES:
        for other in (
            cv2.convertScaleAbs(face, alpha=0.3, beta=20),
            cv2.warpAffine(face, turn, (48, 48), borderMode=cv2.BORDER_REFLECT),
            cv2.GaussianBlur(face, (0, 0), 2.5),
        ):
            assert same_face(look(face), look(np.asarray(other, np.uint8)), 0.04)


def test_a_flat_picture_says_nothing():
    flat = np.full((9, 16), 128, np.uint8)
    assert is_flat(flat)
    assert same_scene(flat, scene(wall(0)))
    assert same_scene(scene(wall(0)), flat)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (480, 640), (4320, 7680), (3, 4000)])
def test_any_size_becomes_a_small_picture(size):
    small = scene(np.full((*size, 3), (200, 100, 50), np.uint8))
    assert small.shape == (9, 16)
    assert np.abs(small.astype(int) - 124).max() <= 1  # 0.299 R + 0.587 G + 0.114 B


CUTS = {
    "another person at the same place": (frame(wall(1)), frame(wall(1), other_person())),
    "the same person elsewhere": (frame(wall(1)), frame(wall(2))),
}


@pytest.mark.parametrize("detect_every", [1, 3])
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_ends_the_number_and_the_smoothing(cut, detect_every):
    before, after = CUTS[cut]
    classifier = ScriptedClassifier(one_hot(HAPPY))
    stream = StreamAnalyzer(
        classifier, ScriptedDetector(lambda _: [BOX]), settings=StreamSettings(detect_every=detect_every, smoothing=5.0)
    )
    results = []
    for k in range(60):
        if k == 31:
            classifier.says[:] = one_hot(SAD)
        results.append(stream.process(before if k < 31 else after, k / 30))
    late = 0 if cut == "the same person elsewhere" else detect_every - 1  # a cut is seen at once, a face when detected
    numbers = [[face.number for face in result.faces] for result in results]
    assert numbers[:31] == [[1]] * 31
    assert numbers[31 + late :] == [[2]] * (29 - late)
    np.testing.assert_array_equal(results[31 + late].faces[0].result.probabilities, one_hot(SAD))


def test_a_cut_there_and_back_gives_new_numbers_to_all():
    here, there = frame(wall(1)), frame(wall(2))
    stream = StreamAnalyzer(
        ScriptedClassifier(one_hot(HAPPY)),
        ScriptedDetector(lambda _: [BOX, (20.0, 20.0, 90.0, 110.0)]),
        settings=StreamSettings(detect_every=1),
    )
    shots = [here] * 5 + [there] * 5 + [here] * 5
    numbers = [[face.number for face in stream.process(image, k / 25).faces] for k, image in enumerate(shots)]
    assert numbers == [[1, 2]] * 5 + [[3, 4]] * 5 + [[5, 6]] * 5


def test_the_sample_heads_own_crops_stay_alike():
    """The margin: neighbouring frames correlate far above the threshold."""
    box = Face(BOX, 0.9)
    crops = [look(crop_face(image, box)[0]) for image in (frame(wall(1)), cv2.GaussianBlur(frame(wall(1)), (0, 0), 6))]
    assert all(same_face(one, other, 0.04) for one, other in pairwise(crops))
