"""How models keep up on degraded faces, from the results that are stored with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from fer_core.columns import YARDSTICKS
from fer_core.faces import DEGRADATIONS
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

CLEAN: Final = "clean"
_COLUMNS: Final = ["name", "model", "kind", "strength", "level", "faces", "accuracy", "low", "high", "confidence"]
_EXPECTED: Final = {(CLEAN, 0, 0.0)} | {
    (kind, strength, float(level))
    for kind, degradation in DEGRADATIONS.items()
    for strength, level in enumerate(degradation.levels, start=1)
}
"""Kind, strength and level of the rows of a model."""


def robustness(
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
        found = list(table[["kind", "strength", "level"]].itertuples(index=False, name=None))
        if found and set(found) != _EXPECTED:
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
        table: of `robustness`.
    """
    return table[table["kind"] != CLEAN].groupby("name", sort=False)["accuracy"].mean().astype(float)


def robustness_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each model, the one with the best mean on degraded faces first.

    Args:
        table: of `robustness`.

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
        table: of `robustness`.
        kind: a key of `faces.DEGRADATIONS`.
    """
    found = table[table["kind"].isin([CLEAN, kind])].sort_values(["name", "strength"], kind="stable")
    words = ["clean" if row.kind == CLEAN else f"{row.level:g}" for row in found.itertuples()]
    return found.assign(words=words)
