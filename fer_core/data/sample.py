"""The built-in sample: a portrait that comes with scikit-image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_CREDIT = "Eileen Collins, NASA, public domain (from scikit-image)"


def sample_portrait() -> NDArray[np.uint8]:
    """Return the portrait of the astronaut Eileen Collins, `(512, 512, 3)` RGB uint8."""
    from skimage import data

    return np.asarray(data.astronaut(), dtype=np.uint8)
