"""A dataset of random faces, with and without votes."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data import FaceDataset, FerPlusVotes

TRAINING, TEST = 20, 140


@pytest.fixture(scope="session")
def made_up() -> FaceDataset:
    """Twenty training faces, then seventy of each test split whose labels go round the seven expressions."""
    n = TRAINING + TEST
    images = np.random.default_rng(1).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    usage = np.array(["Training"] * TRAINING + ["PublicTest"] * (TEST // 2) + ["PrivateTest"] * (TEST // 2))
    return FaceDataset(images, np.arange(n) % 7, usage, np.arange(n))


@pytest.fixture(scope="session")
def voted(made_up: FaceDataset) -> FaceDataset:
    """The same with votes: seven annotators say fear, two contempt, one neutral."""
    votes = np.zeros((len(made_up), 10), np.int64)
    votes[:, [6, 7, 0]] = 7, 2, 1
    return made_up.with_votes(FerPlusVotes(votes))
