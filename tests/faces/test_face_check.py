"""The network that checks the windows of the Haar cascades."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2gray

from fer_core.faces.face_check import cut_windows, face_probability, standardized
from fer_core.types import Image

from .scenes import wall

FACE = (180, 70, 92)  # the astronaut's: left, top, side


def probability(gray: Image, window: tuple[int, int, int]) -> float:
    return float(face_probability(cut_windows(gray, np.array([window], np.int32)))[0])


@pytest.fixture
def gray(portrait: Image) -> Image:
    return np.round(rgb2gray(portrait) * 255).astype(np.uint8)


def test_a_face_is_confirmed_and_other_windows_are_not(gray: Image) -> None:
    assert probability(gray, FACE) > 0.5
    upside_down = np.ascontiguousarray(gray[::-1])
    x, y, side = FACE
    for picture, window in (
        (gray, (200, 300, 92)),  # the space suit
        (upside_down, (x, 512 - y - side, side)),
        (data.brick(), (100, 100, 100)),
        (wall(300, 300)[..., 0], (50, 50, 100)),
    ):
        assert probability(picture, window) < 0.5


def test_many_windows_in_the_order_given(gray: Image) -> None:
    windows = np.array([FACE, (200, 300, 92)] * 35, np.int32)
    found = face_probability(cut_windows(gray, windows))
    assert found.shape == (70,)
    assert found[::2] == pytest.approx(found[0], abs=1e-5)
    assert found[1::2] == pytest.approx(found[1], abs=1e-5)
    assert len(face_probability(cut_windows(gray, np.zeros((0, 3), np.int32)))) == 0


def test_windows_are_standardized_but_flat_ones_are_not_enlarged() -> None:
    window = np.random.default_rng(0).normal(100, 30, (1, 32, 32))
    assert standardized(window).std() == pytest.approx(1, abs=1e-3)
    assert standardized(window).mean() == pytest.approx(0, abs=1e-3)
    assert standardized(100 + (window - 100) / 100).std() < 0.1
