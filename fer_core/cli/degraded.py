"""`evaluate --degraded`: measure models on degraded faces."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from fer_core.cli.output import warn
from fer_core.data import FerDataset
from fer_core.store import StoredModel, save_degraded


def measured_degraded(model: StoredModel, dataset: FerDataset, save: bool) -> pd.DataFrame | None:
    """Measure a served model on degraded faces; warn and return None if the model is not served.

    Args:
        model: in the store.
        dataset: with the test splits.
        save: write the results to the model's folder.

    Raises:
        FerError: the model's file or folder cannot be used, or there are no test faces.
    """
    from fer_core.inference import Classifier
    from fer_core.inference.robustness import measure_degraded, robustness_faces

    if not model.servable:
        warn(f"{model.name} is not served, so it cannot be measured on degraded faces.")
        return None
    table = measure_degraded(Classifier.of(model), robustness_faces(dataset))
    if save:
        save_degraded(model, table)
    return table


def degraded_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for `--json`; missing values are None."""
    rows = table.to_dict("records")
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]


def degraded_table(name: str, table: pd.DataFrame) -> Table:
    """Return a table of one model with a column for each strength, at most 80 columns wide."""
    from fer_core.faces import DEGRADATIONS

    clean = table[table["kind"] == "clean"].iloc[0]
    words = f"{name} on {clean['faces']:,} degraded faces; clean: {clean['accuracy']:.1%} accuracy, "
    shown = Table(
        title=f"{words}{clean['confidence']:.1%} confidence",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
    )
    shown.add_column("Strength")
    for strength in range(1, 6):
        shown.add_column(str(strength), justify="right")
    for kind, degradation in DEGRADATIONS.items():
        rows = table[table["kind"] == kind].sort_values("strength")
        shown.add_row(degradation.title, style="bold")
        shown.add_row(f"  {degradation.unit}", *(f"{level:g}" for level in degradation.levels), style="dim")
        for heading, column in (("accuracy", "accuracy"), ("mean confidence", "confidence")):
            shown.add_row(f"  {heading}", *(f"{value:.1%}" for value in rows[column]))
    return shown
