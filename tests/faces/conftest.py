from pathlib import Path

import numpy as np
import pytest
from skimage import data

from fer_core.faces import YuNetDetector
from fer_core.types import Image


@pytest.fixture(scope="session")
def yunet(yunet_file: Path) -> YuNetDetector:
    """The YuNet detector, from a local file: tests never download it."""
    return YuNetDetector(yunet_file)


@pytest.fixture(scope="session")
def portrait() -> Image:
    """scikit-image's astronaut: `(512, 512, 3)` RGB with exactly one face."""
    return np.ascontiguousarray(data.astronaut())
