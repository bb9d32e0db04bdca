from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_core.faces import FallbackDetector, dataset_roll, head_roll, known_roll, roll, save_roll
from fer_core.types import FerError


@pytest.fixture
def face(portrait):
    return cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[:260, 90:350]


@pytest.mark.parametrize("degrees", [-40, -15, 15, 40])
def test_a_rotated_picture_adds_its_angle(face, yunet, degrees):
    side = len(face)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), -degrees, 1)  # OpenCV counts anticlockwise
    rotated = cv2.warpAffine(face, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    before, after = head_roll(np.stack([face, rotated]), yunet)
    assert after - before == pytest.approx(degrees, abs=5)


def test_it_is_unknown_without_a_face_and_upside_down(face, yunet):
    blank = np.full((2, 48, 48), 128, np.uint8)
    assert np.isnan(head_roll(blank, yunet)).all()
    upside_down = face[::-1, ::-1]
    assert yunet.detect(np.repeat(upside_down[..., None], 3, axis=2))
    assert np.isnan(head_roll(upside_down[None], yunet)).all()
    assert head_roll(blank[:0], yunet).shape == (0,)


def test_the_known_table_is_what_is_measured_and_other_rows_are_measured(fer2013, yunet, monkeypatch):
    monkeypatch.setattr(roll, "default_detector", lambda: yunet)
    part = fer2013.subset(np.random.default_rng(5).permutation(len(fer2013))[:60])
    measured, known = head_roll(part.images), known_roll(part.rows)
    assert (np.isnan(measured) == np.isnan(known)).mean() > 0.95
    assert np.nanmax(np.abs(measured - known)) <= 1
    assert np.isnan(known_roll(np.array([-1, 35_887]))).all()
    unknown = np.arange(60) % 2 == 1
    mixed = replace(part, rows=np.where(unknown, -1, part.rows))
    np.testing.assert_array_equal(dataset_roll(mixed), np.where(unknown, measured, known))


def test_it_is_saved_in_whole_degrees_by_row(fer2013, yunet, monkeypatch, tmp_path):
    monkeypatch.setattr(roll, "default_detector", lambda: yunet)
    part = fer2013.subset(np.array([2, 0, 1, 3]))
    measured = save_roll(part, tmp_path / "roll.npz")
    with np.load(tmp_path / "roll.npz") as arrays:
        assert arrays["degrees"].tolist() == np.rint(measured[[1, 2, 0, 3]]).tolist()
    with pytest.raises(FerError, match="all its rows"):
        save_roll(fer2013.subset(np.array([1, 2])), tmp_path / "roll.npz")
    monkeypatch.setattr(roll, "default_detector", lambda: FallbackDetector(note="No YuNet here."))
    with pytest.raises(FerError, match="needs YuNet"):
        save_roll(fer2013.subset(np.arange(2)), tmp_path / "roll.npz")
