"""`audit`: compare the predictions of a model between groups of people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from rich.markup import escape
from rich.table import Table
from typer import Argument, Option

from fer_core.cli.output import AsJson, Model, WholeImage, print_json, progress_bar, stdout, titled_table, warn
from fer_core.columns import CONSISTENCY_COLUMNS, percent
from fer_core.data.pictures import open_grouped
from fer_core.faces import default_detector
from fer_core.fairness.faces import AuditedFaces, dataset_faces, picture_faces
from fer_core.fairness.groups import ALL, LIMITS, MINIMUM, RATES, GroupAudit
from fer_core.files import csv_text, records
from fer_core.labels import EXPRESSIONS
from fer_core.store.datasets import find_dataset, list_datasets
from fer_core.store.folders import DEFAULT_MODEL, load_model, update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

NOTES = 10  # sentences about left-out pictures that are printed


def audit(
    folder: Annotated[
        Path,
        Argument(
            help="Folder or zip of pictures with a table of groups, Parquet table with both, or data set of your own."
        ),
    ],
    model: Model = DEFAULT_MODEL,
    by: Annotated[
        list[str] | None, Option(help="A division, or two crossed as in gender,age. Default: all, one by one.")
    ] = None,
    whole_image: WholeImage = False,
    minimum: Annotated[int, Option(min=1, help="Faces that a rate needs to be compared.")] = MINIMUM,
    save: Annotated[
        str | None, Option(help="Keep the consistency in the model's folder, under this name of the faces.")
    ] = None,
    as_csv: Annotated[bool, Option("--csv", help="Print the rates of all groups as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what a model predicts, and how often it is right, between groups of people.

    The table needs the column `file` and a column for each division; with the column `expression`, recall, precision
    and accuracy are compared too. Without a table, file names such as UTKFace's (age_gender_ethnicity_….jpg) are read.
    Pictures are also divided by brightness, contrast, sharpness and head roll.

    Consistency is how often the prediction stays the same when a face is mirrored, turned, darkened, blurred or half
    covered. It needs no labels. With --save, the model's card and the Fairness page show it.
    """
    if as_csv and as_json:
        raise FerError("Choose one of --csv and --json.")
    stored = load_model(model, classes=EXPRESSIONS)
    faces = _faces(folder, stored, whole_image)
    if save is not None:
        if faces.consistency.empty:
            raise FerError("--save needs pictures, a folder, zip or Parquet table, not a data set of your own.")
        update_model(stored, consistency=faces.consistency.assign(data=save)[CONSISTENCY_COLUMNS])
    warn(*faces.notes[:NOTES])
    if len(faces.notes) > NOTES:
        warn(f"… and {len(faces.notes) - NOTES} more.")
    audits = faces.compare_all(by, minimum)
    try:
        leaves = None if as_csv else records(faces.where_it_fails())
    except FerError:  # that is unknown, or there are too few faces
        leaves = None
    if as_json:
        document = {"model": faces.model, "faces": len(faces), "labelled": faces.labels is not None}
        parts = [division.as_dict() for division in audits]
        document |= {"notes": list(faces.notes), "divisions": parts, "error_tree": leaves}
        print_json(document | {"consistency": records(faces.consistency)})
    elif as_csv:
        sys.stdout.write(csv_text(pd.concat([division.rates.assign(by=division.by) for division in audits])))
    else:
        stdout.print(f"{escape(faces.model)} on {len(faces):,} faces")
        for division in audits:
            _print(division)
        if not faces.consistency.empty:
            stdout.print(_consistency_table(faces.consistency))
        _print_tree_and_limits(leaves)


def _faces(folder: Path, model: StoredModel, whole_image: bool) -> AuditedFaces:
    """Return the faces of a data set of that name, or of pictures, with the predictions of a model."""
    if not folder.exists() and folder.name in {dataset.name for dataset in list_datasets()}:
        return dataset_faces(model, find_dataset(folder.name))
    if not whole_image and (note := default_detector().note):
        warn(note)
    with open_grouped(folder) as pictures, progress_bar() as bar:
        task = bar.add_task("Predicting", total=len(pictures))
        say = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
        return picture_faces(pictures, model, whole_image, say)


def _print(audit: GroupAudit) -> None:
    """Print a table for each kind of rate: groups below each other, then the largest gap between them."""
    for rate, part in audit.rates.groupby("rate", sort=False):
        names = [name for name in (*EXPRESSIONS, ALL) if name in set(part["expression"])]
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column(RATES[str(rate)], min_width=12)
        for name in names:
            table.add_column(name)
        values = {(row["group"], row["expression"]): row for row in records(part)}
        for group, size in audit.sizes.items():
            cells = [_cell(values[group, name]) for name in names]
            table.add_row(f"{escape(group)}\n[dim]{size:,} faces[/]", *cells)
        gaps = audit.gaps[audit.gaps["rate"] == rate].set_index("expression").reindex(names)
        for title, cell in _GAPS.items():
            cells = ["–" if gap.isna()["gap"] else cell(gap) for _, gap in gaps.iterrows()]
            table.add_row(f"[bold]{title}[/]", *cells)
        stdout.print(f"\n[bold]By {escape(audit.by)}[/]")
        stdout.print(table)


def _consistency_table(consistency: pd.DataFrame) -> Table:
    """Return a table with a column for each change and a row for each group."""
    table = titled_table("Same prediction as before the change")
    table.add_column("")
    for change in consistency["change"].unique():
        table.add_column(change)
    for (_, group), part in consistency.groupby(["by", "group"], sort=False):
        cells = [percent(row["value"], ".1%") + _ends(100 * row["low"], 100 * row["high"]) for row in records(part)]
        table.add_row(f"{escape(str(group)) or 'all'}\n[dim]{part['faces'].iloc[0]:,} faces[/]", *cells)
    return table


def _cell(cell: dict[str, Any]) -> str:
    """Return a rate with its interval below, or the number of faces if there are too few."""
    if not cell["compared"]:
        return f"–\n[dim]of {cell['faces']:,}[/]"
    return f"{100 * cell['value']:.1f} %" + _ends(100 * cell["low"], 100 * cell["high"])


def _ends(low: float, high: float, digits: int | None = None) -> str:
    """Return an interval for the next line that is short enough for seven of them on a line."""
    digits = int(high < 10) if digits is None else digits
    return "" if pd.isna(low) else f"\n[dim]{low:.{digits}f}–{high:.{digits}f}[/]"


_GAPS: dict[str, Callable[[pd.Series], str]] = {
    "Gap, points": lambda gap: f"{100 * gap['gap']:.1f}" + _ends(100 * gap["low"], 100 * gap["high"]),
    "Ratio": lambda gap: (
        "–" if pd.isna(gap["ratio"]) else f"{gap['ratio']:.2f}" + _ends(gap["ratio_low"], gap["ratio_high"], digits=1)
    ),
    "p (Holm)": lambda gap: f"{gap['p_holm']:.4f}",
}


def _print_tree_and_limits(leaves: list[dict[str, Any]] | None) -> None:
    if leaves is not None:
        stdout.print("\n[bold]Where it fails most[/] (share of wrong predictions; half of the faces grew this tree)")
        for leaf in leaves:
            ends = f"{100 * leaf['low']:.0f}–{100 * leaf['high']:.0f}"
            stdout.print(f"- {100 * leaf['value']:.0f} % ({ends}) of {leaf['faces']:,} faces: {escape(leaf['where'])}")
    stdout.print(
        "\nRates with 95 % intervals: Wilson’s for a group, Newcombe’s for a gap, a bootstrap for a ratio (lowest "
        "divided by highest). p: permutation test with Holm’s correction over all rates of a division."
    )
    stdout.print("\n[bold]What this can say, and what not[/]")
    for title, text in LIMITS.items():
        stdout.print(f"- [bold]{title}[/] {text}")
