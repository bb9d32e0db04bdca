"""Resamples of the test faces, shared by every model: the one source of all bootstrap numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from fer_core.evaluation.checks import FloatArray, IntArray, predicted_labels
from fer_core.labels import NUM_CLASSES

_CELLS = NUM_CLASSES**2
_DRAWS_AT_ONCE = 2_000_000
"""Bounds memory (about 40 MB) whatever the number of faces and resamples."""


def resample_weights(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of `n` rows was drawn in each resample, blocks `(b, n)`, `n_resamples` rows in all.

    Every row of a block is `n` draws with replacement. The same arguments yield the same draws.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _DRAWS_AT_ONCE // n)
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        drawn = rng.integers(0, n, size=(size, n))
        drawn += np.arange(size)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float32)


def resampled_counts(
    labels: IntArray, probas: Mapping[str, FloatArray], n_resamples: int, seed: int
) -> dict[str, FloatArray]:
    """Return each model's confusion counts in every resample, `(n_resamples, 7, 7)`.

    All models see the same resamples, so differences between them are paired. Counting is one matrix product:
    weights `(b, n)` times a one-hot table of (true, predicted) cells `(n, 49 * models)`; exact in float32, which
    holds whole numbers up to 16.7 million.

    Args:
        labels: `(n,)` int64, checked.
        probas: name to `(n, 7)`, checked.
        n_resamples: how many.
        seed: of NumPy's default generator.
    """
    n = len(labels)
    cells = [labels * NUM_CLASSES + predicted_labels(values) for values in probas.values()]
    used = [np.unique(cell, return_inverse=True) for cell in cells]  # only cells that occur
    one_hot = np.zeros((n, sum(len(kinds) for kinds, _ in used)), dtype=np.float32)
    start = 0
    for kinds, place in used:
        one_hot[np.arange(n), start + place] = 1
        start += len(kinds)
    blocks = [weights @ one_hot for weights in resample_weights(n, n_resamples, seed)]
    products = np.concatenate(blocks)  # (n_resamples, cells of all models)
    result, start = {}, 0
    for name, (kinds, _) in zip(probas, used, strict=True):
        counts = np.zeros((n_resamples, _CELLS))
        counts[:, kinds] = products[:, start : start + len(kinds)]
        result[name] = counts.reshape(n_resamples, NUM_CLASSES, NUM_CLASSES)
        start += len(kinds)
    return result
