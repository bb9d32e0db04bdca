"""From which confidence on a model's answers are right often enough; below it a model says that it is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fer_core.metrics.checks import as_pair

WANTED: Final = 0.9
"""Share of the answers that are to be right."""

MINIMUM: Final = 50
"""Answers that this share is measured on, at least: of fewer, it says little."""


@dataclass(frozen=True)
class Threshold:
    """A confidence, and what was measured with it.

    Attributes:
        below: the model says "not sure" below this confidence, 0 to 1.
        accuracy: share of the other answers that are right.
        answered: share of the faces that get an answer.
        faces: number of all faces.
    """

    below: float
    accuracy: float
    answered: float
    faces: int


def lowest_threshold(
    y_true: ArrayLike, proba: ArrayLike, wanted: float = WANTED, minimum: int = MINIMUM
) -> Threshold | None:
    """Return the lowest confidence, in whole percent, from which on enough answers are right.

    The confidence is the probability of the predicted class. Do not choose a threshold on the data that is shown.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.
        wanted: share of the answers that are to be right.
        minimum: number of answers that must remain.

    Returns:
        None if there is no such confidence.

    Raises:
        ValueError: the arrays are not valid (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    confidence, right = values.max(axis=1), values.argmax(axis=1) == labels
    for percent in range(101):
        below = percent / 100
        answered = confidence >= below
        if answered.sum() >= minimum and right[answered].mean() >= wanted:
            return Threshold(below, float(right[answered].mean()), float(np.mean(answered)), len(labels))
    return None
