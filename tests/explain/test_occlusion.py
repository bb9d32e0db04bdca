from __future__ import annotations

import numpy as np
import pytest

from fer_core.data import sample_portrait
from fer_core.explain import occlusion_map
from fer_core.inference import FaceAnalyzer
from fer_core.labels import expression_index
from fer_core.store.folders import load_model

HAPPY, SAD = expression_index("happy"), expression_index("sad")


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


def test_how_often_each_pixel_is_covered(watcher, monkeypatch):
    seen = []
    predict = watcher.predict
    monkeypatch.setattr(watcher, "predict", lambda faces, **more: seen.append(faces) or predict(faces, **more))
    crop = np.zeros((48, 48), np.uint8)
    crop[:, ::2] = 255  # covered pixels are neither black nor white
    occlusion_map(watcher, crop)
    covered = seen[0][1:] == round(crop.mean())  # (144, 48, 48)
    along = [2] * 3 + [3, 3, 3, 3] + [4, 4, 3, 3] * 8 + [4, 4] + [3] * 4 + [2] * 3
    np.testing.assert_array_equal(covered.sum(axis=0), np.outer(along, along))
    assert covered[0].sum() == 9 * 9
    assert covered[12 * 5 + 5].sum() == 14 * 14


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
