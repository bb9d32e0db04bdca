"""Fixtures for the faces room."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from fer_core.faces import YuNetDetector
from fer_core.types import Image


@pytest.fixture(scope="session")
def yunet() -> YuNetDetector:
    """YuNet from the local copy that FER_YUNET_MODEL names; tests never download."""
    path = os.environ.get("FER_YUNET_MODEL", "")
    if not Path(path).is_file():
        reason = "needs YuNet's weights: set FER_YUNET_MODEL to face_detection_yunet_2023mar.onnx"
        if os.environ.get("FER_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return YuNetDetector()


@pytest.fixture(scope="session")
def portrait() -> Image:
    """scikit-image's astronaut: `(512, 512, 3)` RGB with exactly one face."""
    return np.ascontiguousarray(data.astronaut())
