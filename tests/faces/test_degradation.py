import math

import numpy as np
import pytest

from fer_core.faces import CHANGES, DEGRADATIONS, add_noise, blur_faces, degrade
from fer_core.faces.degradation import turn_faces
from fer_core.types import FerError

FLAT = np.full((4, 48, 48), 128, np.uint8)
EVERY = [(kind, level) for kind, one in DEGRADATIONS.items() for level in one.levels]


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize(("kind", "level"), EVERY)
def test_a_face_is_degraded_in_the_same_way_alone_and_among_others(faces, kind, level):
    before = faces.copy()
    together = degrade(faces, kind, level)
    assert (together.shape, together.dtype) == (faces.shape, np.uint8)
    np.testing.assert_array_equal(faces, before)
    np.testing.assert_array_equal(together[3:4], degrade(faces[3:4], kind, level))
    assert (together != faces).any(axis=(1, 2)).all()
    assert degrade(faces[:0], kind, level).shape == (0, 48, 48)


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_every_strength_is_further_from_the_original(kind):
    smooth = blur_faces(np.random.default_rng(1).integers(0, 256, (20, 48, 48)).astype(np.uint8), 1.2)
    degraded = [degrade(smooth, kind, level).astype(float) for level in DEGRADATIONS[kind].levels]
    distances = [np.abs(faces - smooth).mean() for faces in degraded]
    assert distances == sorted(distances)


@pytest.mark.parametrize("deviation", DEGRADATIONS["noise"].levels)
def test_noise_has_the_standard_deviation_asked_for(deviation):
    noise = add_noise(FLAT[:1], deviation).astype(float) - 128
    assert noise.std() == pytest.approx(deviation, rel=0.05)
    assert abs(noise.mean()) < 3 * deviation / 48
    neighbours = np.corrcoef(noise[0, :, :-1].ravel(), noise[0, :, 1:].ravel())[0, 1]
    other = add_noise(FLAT[:1] + 2, deviation).astype(float) - 130  # other faces get other noise
    assert max(abs(neighbours), abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1])) < 0.08


@pytest.mark.parametrize("deviation", [1, 1.5, 2])
def test_an_impulse_is_blurred_to_a_gaussian(deviation):
    spike = np.zeros((1, 48, 48), np.uint8)
    spike[0, 24, 24] = 255
    distance = (np.arange(48)[:, None] - 24) ** 2 + (np.arange(48)[None] - 24) ** 2
    expected = 255 * np.exp(-distance / (2 * deviation**2)) / (2 * math.pi * deviation**2)
    np.testing.assert_allclose(blur_faces(spike, deviation)[0], expected, atol=1.5)


def test_low_resolution_averages_blocks(faces):
    means = faces[0].reshape(24, 2, 24, 2).mean(axis=(1, 3))
    coarse = degrade(faces[:1], "resolution", 24)[0].astype(float)
    # linear interpolation by two: a pixel is 9, 3, 3 and 1 sixteenths of the four blocks around it
    expected = (9 * means[5, 7] + 3 * means[4, 7] + 3 * means[5, 6] + means[4, 6]) / 16
    assert coarse[10, 14] == pytest.approx(expected, abs=1.5)


def test_less_light_scales_mean_and_contrast(faces):
    dark = degrade(faces, "light", 80)
    assert dark.mean() == pytest.approx(0.2 * faces.mean(), rel=0.01)
    assert dark.std() == pytest.approx(0.2 * faces.std(), rel=0.01)


@pytest.mark.parametrize("percent", DEGRADATIONS["occlusion"].levels)
def test_one_gray_square_covers_the_share_asked_for(percent):
    many = np.where(np.random.default_rng(2).random((40, 48, 48)) < 0.5, 10, 250).astype(np.uint8)
    degraded = degrade(many, "occlusion", percent)
    covered, side, places = degraded == 128, round(48 * math.sqrt(percent / 100)), set()
    assert side**2 / 48**2 == pytest.approx(percent / 100, abs=0.015)
    for mask in covered:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask.sum() == len(rows) * len(columns) == side**2
        places.add((rows[0], columns[0]))
    assert len(places) > 30
    np.testing.assert_array_equal(degraded[~covered], many[~covered])


def test_changed_faces_are_mirrored_turned_darkened_and_covered(faces):
    np.testing.assert_array_equal(turn_faces(faces, 90), np.rot90(faces, axes=(1, 2)))
    changed = {name: change(faces) for name, change in CHANGES.items()}
    assert {(copy.shape, copy.dtype.name) for copy in changed.values()} == {(faces.shape, "uint8")}
    np.testing.assert_array_equal(changed["mirror image"], faces[:, :, ::-1])
    assert changed["half the light"].mean() == pytest.approx(faces.mean() / 2, rel=0.01)
    half = changed["one half covered"]
    np.testing.assert_array_equal(half[:, :, :24], faces[:, :, :24])
    assert (half[:, :, 24:] == 128).all()


def test_a_level_of_nothing_changes_nothing(faces):
    for kind, level in (("noise", 0), ("blur", 0), ("resolution", 48), ("light", 0), ("occlusion", 0)):
        np.testing.assert_array_equal(degrade(faces, kind, level), faces)


@pytest.mark.parametrize(
    ("kind", "level", "message"),
    [
        ("fog", 1, "Expected one of noise, blur, resolution, light, occlusion. Received: fog"),
        ("noise", -1, "standard deviation of the noise of at least 0. Received: -1"),
        ("blur", math.inf, "Received: inf"),
        ("resolution", 0, "whole side from 1 to 48 pixels. Received: 0"),
        ("resolution", 49, "Received: 49"),
        ("light", 101, "percentage of the light from 0 to 100. Received: 101"),
        ("occlusion", -5, "percentage of the area from 0 to 100. Received: -5"),
    ],
)
def test_what_cannot_be_done_says_so(faces, kind, level, message):
    with pytest.raises(FerError, match=message):
        degrade(faces, kind, level)
    for bad in (faces[0], faces.astype(np.float32)):
        with pytest.raises(FerError, match=r"uint8 gray faces of shape \(n, height, width\). Received"):
            degrade(bad, "noise", 13)
