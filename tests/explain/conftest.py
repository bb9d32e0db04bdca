from __future__ import annotations

import numpy as np
import pytest

from fer_core.inference import Prediction
from fer_core.labels import EXPRESSIONS
from fer_core.types import Face


class Watcher:
    """A classifier that looks at one square of the crop only: the brighter it is, the happier."""

    locates = True
    not_sure_below = 0.0

    def __init__(self, rows: slice, columns: slice) -> None:
        self.rows, self.columns = rows, columns
        self.calls: list[tuple[int, bool]] = []

    def predict(self, faces, flip=False):
        self.calls.append((len(faces), flip))
        happy = faces[:, self.rows, self.columns].mean(axis=(1, 2)) / 255
        probabilities = np.repeat((1 - happy)[:, None] / 6, 7, axis=1).astype(np.float32)
        probabilities[:, EXPRESSIONS.index("happy")] = happy
        return Prediction(probabilities, np.zeros((len(faces), 6, 6, 7), np.float32))


@pytest.fixture
def watcher():
    """Watches rows 30 to 40 and columns 8 to 18 of a 48-pixel crop."""
    return Watcher(slice(30, 40), slice(8, 18))


@pytest.fixture
def face() -> Face:
    """An upright face at the centre of a 200 x 160 picture (width x height)."""
    landmarks = np.array([[88, 70], [112, 70], [100, 84], [90, 96], [110, 96]], np.float32)
    return Face((70.0, 40.0, 60.0, 80.0), 0.9, landmarks)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (160, 200, 3), dtype=np.uint8)
