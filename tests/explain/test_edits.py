from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_core.data import sample_portrait
from fer_core.explain import REGIONS, Edits, edit_and_rerun, occlusion_map
from fer_core.explain.edits import CLOSE_UP_FRAME, close_up, cover_region
from fer_core.faces import crop_face
from fer_core.inference import FaceAnalyzer, Prediction
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.store.folders import load_model
from fer_core.types import Face, FerError

HAPPY, SAD = expression_index("happy"), expression_index("sad")
EDITS = [{}, {"blur": 5}, {"brightness": 20}, {"contrast": 0.5}, {"noise": 10}, {"rotate": 15}, {"cover": ("eyes",)}]


class Watcher:
    """A classifier that looks at rows 30 to 40 and columns 8 to 18 only: the brighter they are, the happier."""

    locates, not_sure_below, classes = True, 0.0, EXPRESSIONS

    def __init__(self):
        self.calls = []

    def predict(self, faces, flip=False):
        self.calls.append((len(faces), flip))
        happy = faces[:, 30:40, 8:18].mean(axis=(1, 2)) / 255
        probabilities = np.repeat((1 - happy)[:, None] / 6, 7, axis=1).astype(np.float32)
        probabilities[:, HAPPY] = happy
        return Prediction(probabilities, np.zeros((len(faces), 6, 6, 7), np.float32))


@pytest.fixture
def watcher():
    return Watcher()


@pytest.fixture
def face() -> Face:
    """An upright face at the centre of a 200 x 160 picture (width x height)."""
    landmarks = np.array([[88, 70], [112, 70], [100, 84], [90, 96], [110, 96]], np.float32)
    return Face((70.0, 40.0, 60.0, 80.0), 0.9, landmarks)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (160, 200, 3), dtype=np.uint8)


@pytest.mark.parametrize("edits", EDITS)
def test_each_changes_a_copy_and_none_changes_nothing(picture, face, edits):
    before = picture.copy()
    changed = Edits(**edits).apply(picture, [face])
    np.testing.assert_array_equal(picture, before)
    assert (changed.shape, changed.dtype) == (picture.shape, np.uint8)
    assert not np.shares_memory(changed, picture)
    assert (changed != picture).any() == bool(edits)


def test_light_and_a_quarter_turn():
    picture = np.array([[[0, 128, 250]]], np.uint8)
    for light, expected in (
        ({"brightness": 10}, [26, 154, 255]),
        ({"contrast": 0}, [128, 128, 128]),
        ({"contrast": 2}, [0, 128, 255]),
    ):
        assert Edits(**light).apply(picture)[0, 0].tolist() == expected
    square = np.random.default_rng(0).integers(0, 256, (41, 41, 3), dtype=np.uint8)
    turned = Edits(rotate=90).apply(square).astype(int)
    assert np.abs(turned - np.rot90(square)).max() <= 2, "counter-clockwise"


def test_noise_is_the_same_each_time_and_blur_is_measured_in_face_widths(picture, face):
    gray = np.full((100, 100, 3), 128, np.uint8)
    noisy = Edits(noise=10).apply(gray)
    np.testing.assert_array_equal(noisy, Edits(noise=10).apply(gray))
    assert noisy.std() == pytest.approx(25.5, rel=0.03)
    wide = Face((face.box[0], face.box[1], 2 * face.box[2], face.box[3]), 0.9)
    np.testing.assert_array_equal(Edits(blur=4).apply(picture, [face]), Edits(blur=2).apply(picture, [wide]))


@pytest.mark.parametrize("region", REGIONS)
def test_covered_region_is_gray_in_the_crop_and_nothing_else(face, region):
    white = np.full((160, 200, 3), 255, np.uint8)
    crop, _ = crop_face(cover_region(white, face, region), face)
    left, top, right, bottom = (round(48 * share) for share in REGIONS[region])
    covered = np.zeros((48, 48), np.uint8)
    covered[top:bottom, left:right] = 1
    square = np.ones((5, 5), np.uint8)  # but for two pixels at the border
    assert (crop[cv2.erode(covered, square, borderValue=0) == 1] == 128).all()
    assert (crop[cv2.dilate(covered, square) == 0] == 255).all()


def test_wrong_settings():
    with pytest.raises(FerError, match=r"Unknown region\. Expected some of eyes, nose"):
        Edits(cover=("hair",))
    for wrong in ({"blur": -1}, {"noise": float("nan")}, {"contrast": -0.1}):
        with pytest.raises(FerError, match="of 0 or more"):
            Edits(**wrong)


@pytest.mark.parametrize("factor", [0.2, 1, 4, 12])
def test_close_up_shows_the_same_crop(face, factor):
    smooth = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (160, 200, 3), dtype=np.uint8), (0, 0), 6)
    size = (round(200 * factor), round(160 * factor))
    picture = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    there = Face(tuple(v * factor for v in face.box), 0.9, face.landmarks * factor)
    part, inside = close_up(picture, there)
    assert max(part.shape) <= 2 * CLOSE_UP_FRAME + 4
    assert abs(part.shape[0] - part.shape[1]) <= 2
    before, after = crop_face(picture, there)[0].astype(int), crop_face(part, inside)[0].astype(int)
    assert np.abs(before - after).mean() < 3


def corner_and_middle(image, thorough=True):
    """Find a face in the corner, and one in the middle."""
    middle = image.shape[0] / 2
    return [Face((0.0, 0.0, 20.0, 20.0), 1.0), Face((middle - 15, middle - 20, 30.0, 40.0), 0.8)]


def test_rerun_keeps_the_framing_or_looks_again(watcher, picture, face):
    blind, turned = FaceAnalyzer(watcher, SimpleNamespace(detect=lambda *_, **__: [])), Edits(rotate=20)
    (before,) = blind.classify(picture, [face])
    image, kept = edit_and_rerun(blind, picture, before=before, edits=turned)
    assert kept is not None
    part, there = close_up(picture, face)
    np.testing.assert_array_equal(image, turned.apply(part, [there]))
    assert edit_and_rerun(blind, picture, before=before, edits=turned, find_again=True)[1] is None
    seeing = FaceAnalyzer(watcher, SimpleNamespace(detect=corner_and_middle))
    _, again = edit_and_rerun(seeing, picture, before=before, edits=turned, find_again=True)
    assert again.face.score == 0.8


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("find_again", [False, True])
def test_without_an_edit_the_prediction_is_the_same_also_of_a_large_face(watcher, picture, face, factor, find_again):
    large = np.kron(picture, np.ones((factor, factor, 1), np.uint8))
    there = Face(tuple(v * factor for v in face.box), 0.9, face.landmarks * factor)
    analyzer = FaceAnalyzer(watcher, SimpleNamespace(detect=corner_and_middle))
    (before,) = analyzer.classify(large, [there])
    assert edit_and_rerun(analyzer, large, before=before, edits=Edits(), find_again=find_again)[1] is before


def bright_square() -> np.ndarray:
    crop = np.zeros((48, 48), np.uint8)
    crop[30:40, 8:18] = 255
    return crop


def test_the_place_that_the_model_looks_at_costs_most(watcher):
    crop = bright_square()
    found = occlusion_map(watcher, crop, flip=True)
    assert watcher.calls == [(1 + 12 * 12, True)]  # one batch
    np.testing.assert_array_equal(crop, bright_square())
    assert found.probabilities[HAPPY] == pytest.approx(1.0)
    assert found.drop[:, :, SAD].min() < 0
    np.testing.assert_allclose(found.drop.sum(axis=2), 0, atol=1e-6)
    drop = found.drop[:, :, HAPPY]
    row, column = np.unravel_index(drop.argmax(), drop.shape)
    cell = 48 / len(drop)
    assert 30 <= (row + 0.5) * cell <= 40
    assert 8 <= (column + 0.5) * cell <= 18
    assert drop[0, -1] == 0


def test_drop_is_what_a_plain_loop_gives(watcher):
    crop = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    found = occlusion_map(watcher, crop, patch=12, stride=8)
    uncovered = watcher.predict(crop[None]).probabilities[0]
    for row in range(6):
        for column in range(6):
            covered = crop.copy()
            y, x = row * 8 + 4 - 6, column * 8 + 4 - 6
            covered[max(0, y) : y + 12, max(0, x) : x + 12] = round(crop.mean())
            expected = uncovered - watcher.predict(covered[None]).probabilities[0]
            np.testing.assert_allclose(found.drop[row, column], expected, atol=1e-6)


def test_sizes_that_do_not_divide_and_wrong_arguments(watcher):
    assert occlusion_map(watcher, bright_square(), stride=5).drop.shape == (10, 10, 7)
    assert occlusion_map(watcher, bright_square(), patch=200, stride=100).drop.shape == (1, 1, 7)
    with pytest.raises(ValueError, match="gray uint8 crop"):
        occlusion_map(watcher, np.zeros((48, 48, 3), np.uint8))
    with pytest.raises(ValueError, match="at least 1 pixel"):
        occlusion_map(watcher, bright_square(), stride=0)


def test_covering_the_mouth_of_the_sample_makes_it_less_happy():
    classifier = load_model().classifier()
    (face,) = FaceAnalyzer(classifier).analyze(sample_portrait())
    found = occlusion_map(classifier, face.crop)
    np.testing.assert_allclose(found.probabilities, face.probabilities, atol=1e-3)
    assert face.expression == "happy"
    half = len(found.drop) // 2
    assert found.drop[half:, :, HAPPY].max() > found.drop[:half, :, HAPPY].max()
