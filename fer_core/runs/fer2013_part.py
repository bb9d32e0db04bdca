"""A part of FER2013 to learn from, drawn by class and always the same for the same seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset
from fer_core.labels import NUM_CLASSES
from fer_core.training.training_data import TrainingData


def fer2013_part(dataset: FerDataset, faces: int | None, balanced: bool, seed: int) -> TrainingData:
    """Return FER2013 by the house's protocol, with fewer faces to learn from.

    Args:
        dataset: FER2013, all splits.
        faces: to learn from; None for all, or, balanced, for as many of each expression as the rarest has.
        balanced: the same number of each expression, as far as they go.
        seed: of the draw.

    Raises:
        FerError: there is no Training split.
    """
    whole = TrainingData.of(dataset)
    if faces is None and not balanced:
        return whole
    available = _counts(whole.training)
    present = available > 0
    wanted = int(available[present].min() * present.sum()) if faces is None else faces
    training = draw(whole.training, wanted, balanced, seed)
    holdout = draw(whole.holdout, len(training), False, 0)
    shares = "equal classes" if balanced else "FER2013's own shares"
    name = f"{len(training):,} faces of FER2013 Training ({shares}), without the fixed hold-out"
    return TrainingData(training, holdout, whole.tests, name)


def draw(faces: FerDataset, wanted: int, balanced: bool, seed: int) -> FerDataset:
    """Return about `wanted` of the faces by class, in their order; all of them if there are no more."""
    if wanted >= len(faces):
        return faces
    generator = np.random.default_rng(seed)
    shares = shared_out(_counts(faces), wanted, balanced)
    chosen = [
        generator.permutation(np.flatnonzero(faces.labels == label))[: shares[label]] for label in range(NUM_CLASSES)
    ]
    return faces.subset(np.sort(np.concatenate(chosen)))


def shared_out(available: NDArray[np.int64], wanted: int, balanced: bool) -> NDArray[np.int64]:
    """Share `wanted` faces out among the classes.

    Args:
        available: `(7,)` int64 faces of each class.
        wanted: how many there should be in all, at most what is available.
        balanced: the same number of each as far as they go, instead of their own shares.

    Returns:
        `(7,)` int64 faces to take of each class; at least one of each that has any.
    """
    if balanced:
        low, high = 0, int(available.max())
        while low < high:  # the greatest level up to which all can be filled
            level = (low + high + 1) // 2
            low, high = (level, high) if np.minimum(available, level).sum() <= wanted else (low, level - 1)
        shares = np.minimum(available, low)
        spare = np.flatnonzero(available > low)[: wanted - int(shares.sum())]
    else:
        exact = available * wanted / available.sum()
        shares = np.floor(exact).astype(np.int64)
        spare = np.argsort(shares - exact, kind="stable")[: wanted - int(shares.sum())]
    shares[spare] += 1
    return np.maximum(shares, np.minimum(available, 1))


def _counts(faces: FerDataset) -> NDArray[np.int64]:
    return np.bincount(faces.labels, minlength=NUM_CLASSES)
