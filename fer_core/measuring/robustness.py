"""Robustness: models measured on degraded faces, 1,000 fixed test faces, five kinds in five strengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.columns import DEGRADED_COLUMNS, YARDSTICKS
from fer_core.data import FaceDataset
from fer_core.faces import DEGRADATIONS, degrade
from fer_core.metrics.intervals import wilson_interval
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

FACES: Final = 1000
"""Number of test faces that models are measured on: the 95 % interval of an accuracy is then about ±3 points."""

CLEAN: Final = "clean"

_COLUMNS: Final = ["name", "model", "kind", "strength", "level", "faces", "accuracy", "low", "high", "confidence"]

_EXPECTED: Final = {(CLEAN, 0, 0.0)} | {
    (kind, strength, float(level))
    for kind, degradation in DEGRADATIONS.items()
    for strength, level in enumerate(degradation.levels, start=1)
}
"""Kind, strength and level of the rows of a model."""


def robustness_faces(dataset: FaceDataset) -> FaceDataset:
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
    keys = [(key, int(label)) for key, label in zip(tests.ids, tests.labels, strict=True)]
    return tests.subset(np.array(sorted(range(len(tests)), key=keys.__getitem__)[:FACES]))


def measure_degraded(
    classifier: Classifier, faces: FaceDataset, plurality: NDArray[np.int64] | None = None
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
    truths = {"": faces.labels, "_plurality": faces.plurality if plurality is None else plurality}
    rows = [_row(classifier, truths, "clean", 0, 0.0, faces.images)]
    for kind, degradation in DEGRADATIONS.items():
        for strength, level in enumerate(degradation.levels, start=1):
            rows.append(_row(classifier, truths, kind, strength, level, degrade(faces.images, kind, level)))
    return pd.DataFrame(rows, columns=DEGRADED_COLUMNS)


def _row(
    classifier: Classifier,
    truths: dict[str, NDArray[np.int64]],
    kind: str,
    strength: int,
    level: float,
    images: NDArray[np.uint8],
) -> dict[str, Any]:
    """Return one row of results; `truths` has the right answers by the ending of their columns."""
    probabilities = classifier.predict(images).probabilities
    predicted = probabilities.argmax(axis=1)
    row = {"kind": kind, "strength": strength, "level": float(level)}
    row["confidence"] = float(probabilities.max(axis=1).mean(dtype=np.float64))
    for ending, truth in truths.items():
        judged = truth >= 0
        correct, count = int((predicted == truth)[judged].sum()), int(judged.sum())
        interval = wilson_interval(correct, count)
        row |= {f"faces{ending}": count, f"accuracy{ending}": correct / count if count else float("nan")}
        row |= {f"low{ending}": interval.low, f"high{ending}": interval.high}
    return row


def robustness_table(
    models: Sequence[StoredModel], titles: Mapping[str, str] | None = None, by: str = "label"
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Read the results of models on degraded faces.

    Args:
        models: of the store.
        titles: replaces the titles of models, by name.
        by: what predictions are judged by, one of `columns.YARDSTICKS`.

    Returns:
        A table with 26 rows for each model and the columns `name`, `model`, `kind`, `strength`, `level`, `faces`,
        `accuracy`, `low`, `high`, `confidence`, as in `columns.DEGRADED_COLUMNS`; the titles of models without results;
        one sentence for each file that cannot be used. By `plurality`, `confidence` is still the mean over all faces,
        not only over the `faces` with a plurality: the confidence of each face is not stored.

    Raises:
        FerError: `by` is neither.
    """
    if by not in YARDSTICKS:
        raise FerError(f"Expected by to be one of {', '.join(YARDSTICKS)}. Received: {by}")
    tables: list[pd.DataFrame] = []
    without: list[str] = []
    complaints: list[str] = []
    for model in models:
        title = (titles or {}).get(model.name, model.title)
        try:
            table = model.degraded()
        except FerError as error:
            complaints.append(str(error))
            continue
        copies = list(table[["kind", "strength", "level"]].itertuples(index=False, name=None))
        if copies and set(copies) != _EXPECTED:
            complaints.append(
                f"The results of {model.name} on degraded faces are left out: they are of other kinds or strengths "
                f"than those of this version. Measure again: fer-lab evaluate {model.name} --degraded --save"
            )
            continue
        if by == "plurality":
            replaced = ["faces", "accuracy", "low", "high"]
            table = table.drop(columns=replaced).rename(columns={f"{name}_plurality": name for name in replaced})
        if table["accuracy"].isna().all():
            without.append(title)
        else:
            tables.append(table.assign(name=model.name, model=title)[_COLUMNS])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS), without, complaints


def mean_corruption_accuracy(table: pd.DataFrame) -> pd.Series:
    """Return the mean accuracy of each model over five kinds in five strengths, by name.

    Args:
        table: of `robustness_table`.
    """
    return table[table["kind"] != CLEAN].groupby("name", sort=False)["accuracy"].mean().astype(float)


def robustness_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each model, the one with the best mean on degraded faces first.

    Args:
        table: of `robustness_table`.

    Returns:
        Columns `name`, `model`, `clean`, `degraded` (accuracy, on clean faces and as the mean over five kinds in five
        strengths), each of `faces.DEGRADATIONS` (mean accuracy over its strengths), `confidence` (mean, on degraded
        faces) and `faces`.
    """
    degraded = table[table["kind"] != CLEAN]
    clean = table[table["kind"] == CLEAN].set_index("name")
    kinds = degraded.pivot_table(index="name", columns="kind", values="accuracy", sort=False)
    summary = clean[["model", "accuracy", "faces"]].rename(columns={"accuracy": CLEAN})
    summary["degraded"] = mean_corruption_accuracy(table)
    summary["confidence"] = degraded.groupby("name")["confidence"].mean()
    summary = summary.join(kinds.reindex(columns=list(DEGRADATIONS))).reset_index()
    columns = ["name", "model", CLEAN, "degraded", *DEGRADATIONS, "confidence", "faces"]
    return summary[columns].sort_values("degraded", ascending=False, kind="stable", ignore_index=True)


def robustness_curves(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the rows of one kind, and the clean faces as strength 0, with the column `words`: the level as text.

    Args:
        table: of `robustness_table`.
        kind: a key of `faces.DEGRADATIONS`.
    """
    rows = table[table["kind"].isin([CLEAN, kind])].sort_values(["name", "strength"], kind="stable")
    words = ["clean" if row.kind == CLEAN else f"{row.level:g}" for row in rows.itertuples()]
    return rows.assign(words=words)
