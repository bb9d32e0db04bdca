"""The gain of one way of training over another: paired differences, each way with one or more seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.metrics.bootstrap import resample_weights
from fer_core.metrics.intervals import percentile_interval
from fer_core.types import FerError

Copies = Mapping[str, NDArray[np.floating]]
"""A model's probabilities `(n, 7)` for each copy of the same faces: `clean`, and any degraded ones."""

PARTS = {
    "label": "Accuracy by FER2013's label",
    "plurality": "Accuracy by most annotators",
    "recall": "Mean recall by most annotators",
}
"""The parts of a score, with their titles."""


def gains(
    first: Sequence[Copies],
    second: Sequence[Copies],
    *,
    labels: NDArray[np.int64],
    plurality: NDArray[np.int64],
    n_resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the mean of some models with the mean of others on the same faces.

    All models share the resamples of the faces (paired bootstrap), so that faces which are hard for all cancel out. The
    intervals cover which faces were drawn; what another seed would change is seen from the single models.

    Args:
        first: the models of one way of training, one for each seed.
        second: those of the other.
        labels: `(n,)` FER2013's labels.
        plurality: `(n,)` what most annotators say, -1 where they have no clear answer.
        n_resamples: number of resamples.
        seed: of the resamples.

    Returns:
        One row for each of `PARTS` on the clean copy, one for each on the mean of the degraded copies if there are any,
        and last `score`, their mean, which chooses the default model on the hold-out. Columns `part` (with `_degraded`
        at its end), `first`, `second` (means over the models), `difference`, `low`, `high` (95 % interval).

    Raises:
        FerError: no face has a plurality, or a side has no models.
    """
    if not (plurality >= 0).any() or not first or not second:
        raise FerError("A comparison needs models on both sides, and faces with FER+'s votes.")
    weights = np.concatenate([np.ones((1, len(labels)), np.float32), *resample_weights(len(labels), n_resamples, seed)])
    sides = [_mean([_parts(copies, labels, plurality, weights) for copies in models]) for models in (first, second)]
    rows = []
    for part in sides[0]:
        one, other = (side[part] for side in sides)
        interval = percentile_interval((one - other)[1:], 0.95)
        rows.append((part, one[0], other[0], one[0] - other[0], interval.low, interval.high))
    return pd.DataFrame(rows, columns=["part", "first", "second", "difference", "low", "high"])


def _mean(models: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {part: np.mean([model[part] for model in models], axis=0) for part in models[0]}


def _parts(
    copies: Copies, labels: NDArray[np.int64], plurality: NDArray[np.int64], weights: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """Return each part of a model's score with each row of weights, `(resamples,)`."""
    clear = plurality >= 0
    classes = np.eye(NUM_CLASSES, dtype=np.float32)[plurality] * clear[:, None]
    by_copy: dict[str, dict[str, NDArray[np.float64]]] = {part: {} for part in PARTS}
    totals = weights @ classes
    for name, probabilities in copies.items():
        predicted = probabilities.argmax(axis=1)
        by_copy["label"][name] = weights @ (predicted == labels) / weights.sum(axis=1)
        hits = weights @ (classes * (predicted == plurality)[:, None])
        by_copy["plurality"][name] = hits.sum(axis=1) / totals.sum(axis=1)
        with np.errstate(invalid="ignore"):
            by_copy["recall"][name] = np.nanmean(hits / totals, axis=1)  # over the expressions that occur
    clean = {part: values.pop("clean") for part, values in by_copy.items()}
    degraded = {f"{part}_degraded": np.mean([*values.values()], axis=0) for part, values in by_copy.items() if values}
    parts = {**clean, **degraded}
    return {**parts, "score": np.mean([*parts.values()], axis=0)}
