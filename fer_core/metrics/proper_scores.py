"""Proper scores of probabilities: log loss and Brier score. In expectation, both are lowest for the true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fer_core.metrics.checks import as_pair


def log_loss(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the mean of -log(probability of the true class), 0 (best) to 36.

    This is also called the negative log-likelihood (NLL), or cross-entropy. Probabilities are clipped to 2.2e-16 from
    below, as in scikit-learn.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.

    Raises:
        ValueError: the arrays are not valid (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    likelihood = values[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(likelihood, np.finfo(np.float64).eps)).mean())


def brier_score(y_true: ArrayLike, proba: ArrayLike) -> float:
    """Return the multi-class Brier score, 0 (best) to 2 (Brier 1950, Monthly Weather Review 78:1).

    It is the mean over the rows of the squared differences between the probabilities and the truth (1 for the true
    class, 0 for the others), summed over the classes. Some libraries halve it.

    Args:
        y_true: `(n,)` int 0..6.
        proba: `(n, 7)`.

    Raises:
        ValueError: the arrays are not valid (see `checks`).
    """
    labels, values = as_pair(y_true, proba)
    likelihood = values[np.arange(len(labels)), labels]
    return float(((values**2).sum(axis=1) - 2 * likelihood + 1).mean())
