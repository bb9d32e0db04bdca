"""Robustness: models measured on degraded faces, 1,000 fixed test faces, five kinds in five strengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.columns import DEGRADED_COLUMNS
from fer_core.data import FaceDataset
from fer_core.faces import DEGRADATIONS, degrade
from fer_core.measuring.own_data import keeping, own_file
from fer_core.measuring.results import Gathered, gathered
from fer_core.metrics.intervals import wilson_interval
from fer_core.metrics.predictions import check_yardstick
from fer_core.store.datasets import OwnDataset
from fer_core.store.stored_model import StoredModel
from fer_core.tables import read_table
from fer_core.types import FerError

FACES: Final = 1000  # test faces to measure on: the 95 % interval of an accuracy is then about ±3 points

CLEAN: Final = "clean"

_COLUMNS: Final = ["name", "model", "kind", "strength", "level", "faces", "accuracy", "low", "high", "confidence"]

_COPIES: Final = [(CLEAN, 0, 0.0)] + [
    (kind, strength, float(level))
    for kind, degradation in DEGRADATIONS.items()
    for strength, level in enumerate(degradation.levels, start=1)
]
"""Kind, strength and level of the rows of a model."""


def robustness_faces(dataset: FaceDataset) -> FaceDataset:
    """Return the 1,000 faces of both test splits whose hashes of the pixels are the smallest, in the order of the hash.

    This choice is as good as random, but depends neither on a seed nor on the order of the faces, so it is the same for
    every edition of FER2013 with the same pixels. Fewer test faces are all returned.
    """
    tests = dataset.subset(dataset.usage != "Training")
    if len(tests) == 0:
        raise FerError(
            f"Expected faces of PublicTest or PrivateTest to measure a model on. Received: {len(dataset):,} faces of "
            f"other splits."
        )
    return _smallest_hashes(tests)


def _smallest_hashes(tests: FaceDataset) -> FaceDataset:
    order = sorted(range(len(tests)), key=lambda place: (tests.ids[place], tests.labels[place]))
    return tests.subset(np.array(order[:FACES]))


def own_degraded(model: StoredModel, dataset: OwnDataset, *, measure: bool = True) -> pd.DataFrame:
    """Return `measure_degraded` of at most 1,000 of `dataset.tests()`, measured now if it is not kept yet.

    What is kept of other kinds or strengths, from another version, is measured again. Without `measure`, nothing is
    measured: the table is as it is kept, or empty. A FerError says that the model cannot predict.
    """
    path = own_file(model, dataset, "degraded.parquet")
    with suppress(FerError, KeyError):
        table = read_table(path)[DEGRADED_COLUMNS]
        if _is_current(table) or not measure:
            return table
    if not measure:
        return pd.DataFrame(columns=DEGRADED_COLUMNS)
    table = measure_degraded(model.classifier(), _smallest_hashes(dataset.tests()))
    with keeping(path) as stream:
        table.to_parquet(stream, index=False)
    return table


def measure_degraded(
    classifier: Classifier, faces: FaceDataset, plurality: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Measure accuracy and mean confidence on clean faces and on 25 degraded copies of them, without mirror images.

    What most annotators say of each face, `(n,)`, or -1, is by default `faces.plurality`.

    Returns:
        Columns `columns.DEGRADED_COLUMNS`: one row for the clean faces, then one for each kind and strength, with ends
        of Wilson's 95 % interval. Where no face has a plurality, the columns of it are 0 faces and NaN.
    """
    truths = {"": faces.labels, "_plurality": faces.plurality if plurality is None else plurality}
    rows = []
    for kind, strength, level in _COPIES:
        images = faces.images if kind == CLEAN else degrade(faces.images, kind, level)
        probabilities = classifier.predict(images).probabilities
        row: dict[str, Any] = {"kind": kind, "strength": strength, "level": level}
        row["confidence"] = float(probabilities.max(axis=1).mean(dtype=np.float64))
        for ending, truth in truths.items():
            judged = truth >= 0
            right = (probabilities.argmax(axis=1) == truth)[judged]
            interval = wilson_interval(int(right.sum()), len(right))
            row |= {f"faces{ending}": len(right), f"accuracy{ending}": right.mean() if len(right) else np.nan}
            row |= {f"{end}{ending}": value for end, value in vars(interval).items()}
        rows.append(row)
    return pd.DataFrame(rows, columns=DEGRADED_COLUMNS)


def robustness_table(
    models: Sequence[StoredModel],
    titles: Mapping[str, str] | None = None,
    by: str = "label",
    on: OwnDataset | None = None,
) -> Gathered:
    """Read the results of models on degraded faces, by one of `columns.YARDSTICKS`; 26 rows for each model.

    With `on` they are of the faces of a data set of one's own, as far as they were measured.

    The columns are `name`, `model` (title), and `kind`, `strength`, `level`, `faces`, `accuracy`, `low`, `high`,
    `confidence` as in `columns.DEGRADED_COLUMNS`. By `plurality`, `confidence` is still the mean over all faces, not
    only over the `faces` with a plurality: the confidence of each face is not stored.

    Raises:
        FerError: `by` is no yardstick.
    """
    check_yardstick(by)

    def read(model: StoredModel) -> pd.DataFrame:
        if on is not None and not (model.servable and model.card.classes == on.classes):
            return pd.DataFrame()
        table = model.degraded() if on is None else own_degraded(model, on, measure=False)
        if len(table) and not _is_current(table):
            words = "--save" if on is None else f"--on {on.name}"
            raise FerError(
                f"The results of {model.name} on degraded faces are left out: they are of other kinds or strengths "
                f"than those of this version. Measure again: fer-lab evaluate {model.name} --degraded {words}"
            )
        if by == "plurality":
            replaced = ["faces", "accuracy", "low", "high"]
            table = table.drop(columns=replaced).rename(columns={f"{name}_plurality": name for name in replaced})
        return table.head(0) if table["accuracy"].isna().all() else table

    return gathered(models, titles, read, columns=_COLUMNS)


def _is_current(table: pd.DataFrame) -> bool:
    """Whether a table of `measure_degraded` is of the kinds, strengths and levels of this version."""
    return set(table[["kind", "strength", "level"]].itertuples(index=False, name=None)) == set(_COPIES)


def mean_corruption_accuracy(table: pd.DataFrame) -> pd.Series:
    """Return the mean accuracy of each model of `robustness_table` over five kinds in five strengths, by name."""
    return table[table["kind"] != CLEAN].groupby("name", sort=False)["accuracy"].mean().astype(float)


def robustness_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each model of `robustness_table`, the one with the best mean on degraded faces first.

    Columns `name`, `model`, `clean`, `degraded` (accuracy, on clean faces and as the mean over five kinds in five
    strengths), each kind (mean accuracy over its strengths), `confidence` (mean, on degraded faces) and `faces`.
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
    """Return the rows of `robustness_table` of one kind, and the clean faces as strength 0; `words` is the level."""
    rows = table[table["kind"].isin([CLEAN, kind])].sort_values(["name", "strength"], kind="stable")
    words = ["clean" if row.kind == CLEAN else f"{row.level:g}" for row in rows.itertuples()]
    return rows.assign(words=words)
