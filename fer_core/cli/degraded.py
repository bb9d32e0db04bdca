"""Results on degraded faces, for `evaluate --degraded`."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich import box
from rich.table import Table


def degraded_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for `--json`; missing values are None."""
    rows = table.to_dict("records")
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]


def degraded_table(name: str, table: pd.DataFrame) -> Table:
    """Return a table of one model with a column for each strength, at most 80 columns wide."""
    from fer_core.faces import DEGRADATIONS

    clean = table[table["kind"] == "clean"].iloc[0]
    lines = [("accuracy", "accuracy"), ("mean confidence", "confidence")]
    words = f"{name} on {clean['faces']:,} degraded faces; clean: {clean['accuracy']:.1%} accuracy, "
    voted = int(clean["faces_plurality"])
    if voted:
        lines.insert(1, ("by most annotators", "accuracy_plurality"))
        words += f"{clean['accuracy_plurality']:.1%} by most annotators, "
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
        for heading, column in lines:
            shown.add_row(f"  {heading}", *(f"{value:.1%}" for value in rows[column]))
    if voted:
        shown.caption = (
            f"Accuracy is by FER2013's label; by most annotators over the {voted:,} faces on which they have one clear "
            "answer. Mean confidence is over all faces."
        )
        shown.caption_justify = "left"
    return shown
