"""Measure how well a model works on degraded faces: 1,000 fixed test faces, five kinds in five strengths."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.columns import DEGRADED_COLUMNS
from fer_core.data import FerDataset, pixel_hashes
from fer_core.faces import DEGRADATIONS, degrade
from fer_core.metrics.intervals import wilson_interval
from fer_core.types import FerError

FACES: Final = 1000
"""Number of test faces that models are measured on: the 95 % interval of an accuracy is then about ±3 points."""


def robustness_faces(dataset: FerDataset) -> FerDataset:
    """Return the 1,000 faces of both test splits whose hashes of the pixels are the smallest, in the order of the hash.

    This choice is as good as random, but depends neither on a seed nor on the order of the faces, so it is the same for
    every edition of FER2013 with the same pixels. If there are fewer test faces, all of them are returned.

    Args:
        dataset: with at least one test split; faces of the Training split are left out.

    Raises:
        FerError: there are no test faces.
    """
    tests = dataset.subset(dataset.usage != "Training")
    if len(tests) == 0:
        raise FerError(
            f"Expected faces of PublicTest or PrivateTest to measure a model on. Received: {len(dataset):,} faces of "
            f"other splits."
        )
    keys = [(key, int(label)) for key, label in zip(pixel_hashes(tests), tests.labels, strict=True)]
    return tests.subset(np.array(sorted(range(len(tests)), key=keys.__getitem__)[:FACES]))


def measure_degraded(
    classifier: Classifier, faces: FerDataset, plurality: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Measure accuracy and mean confidence on clean faces and on 25 degraded copies of them, without mirror images.

    Args:
        classifier: of the model.
        faces: of `robustness_faces`.
        plurality: what most annotators say of each face, `(n,)` class indices or -1; by default `faces.plurality`.

    Returns:
        Columns `columns.DEGRADED_COLUMNS`: one row for the clean faces, then one for each kind and strength. `low` and
        `high` are ends of Wilson's 95 % interval. Where no face has a plurality, `faces_plurality` is 0 and the other
        columns of it are NaN. `confidence` is the mean over all faces, also over those without a plurality.
    """
    wanted = {"": faces.labels, "_plurality": faces.plurality if plurality is None else plurality}
    rows = [_row(classifier, wanted, "clean", 0, 0.0, faces.images)]
    for kind, degradation in DEGRADATIONS.items():
        for strength, level in enumerate(degradation.levels, start=1):
            rows.append(_row(classifier, wanted, kind, strength, level, degrade(faces.images, kind, level)))
    return pd.DataFrame(rows, columns=DEGRADED_COLUMNS)


def _row(
    classifier: Classifier,
    wanted: dict[str, NDArray[np.int64]],
    kind: str,
    strength: int,
    level: float,
    images: NDArray[np.uint8],
) -> dict[str, Any]:
    """Return one row of results; `wanted` has the right answers by the ending of their columns."""
    probabilities = classifier.predict(images).probabilities
    predicted = probabilities.argmax(axis=1)
    row = {"kind": kind, "strength": strength, "level": float(level)}
    row["confidence"] = float(probabilities.max(axis=1).mean(dtype=np.float64))
    for ending, answers in wanted.items():
        judged = answers >= 0
        correct, count = int((predicted == answers)[judged].sum()), int(judged.sum())
        interval = wilson_interval(correct, count)
        row |= {f"faces{ending}": count, f"accuracy{ending}": correct / count if count else float("nan")}
        row |= {f"low{ending}": interval.low, f"high{ending}": interval.high}
    return row
