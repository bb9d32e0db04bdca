"""`audit`: compare the predictions of a model between groups of people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Table

from fer_core.audit import MINIMUM, RATES, AuditedFaces, GroupAudit, open_grouped, picture_faces, records
from fer_core.cli.output import AsJson, escaped, fails_clearly, print_json, progress_bar, stdout, warn
from fer_core.faces import default_detector
from fer_core.labels import EXPRESSIONS
from fer_core.store import DEFAULT_MODEL, load_model
from fer_core.types import FerError

NOTES = 10  # sentences about left-out pictures that are printed


@fails_clearly
def audit(
    folder: Annotated[
        Path, typer.Argument(help="Folder or zip of pictures with a table of groups, or a Parquet table with both.")
    ],
    model: Annotated[str, typer.Option(help="Name of a trained model.")] = DEFAULT_MODEL,
    by: Annotated[
        list[str] | None, typer.Option(help="A division, or two crossed as in gender,age. Default: all, one by one.")
    ] = None,
    whole_image: Annotated[
        bool, typer.Option(help="Treat each picture as one face crop; do not search for faces.")
    ] = False,
    minimum: Annotated[int, typer.Option(min=1, help="Faces that a rate needs to be compared.")] = MINIMUM,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rates of all groups as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what a model predicts, and how often it is right, between groups of people.

    The table needs the column `file` and a column for each division; with the column `expression`, recall, precision
    and accuracy are compared too. Without a table, file names such as UTKFace's (age_gender_ethnicity_….jpg) are read.
    Pictures are also divided by brightness, contrast, sharpness and head roll.
    """
    if as_csv and as_json:
        raise FerError("Choose one of --csv and --json.")
    stored = load_model(model)
    if not whole_image and (note := default_detector().note):
        warn(note)
    with open_grouped(folder) as pictures, progress_bar() as bar:
        task = bar.add_task("Predicting", total=len(pictures))
        faces = picture_faces(
            pictures, stored, whole_image, lambda done, total: bar.update(task, completed=done, total=total)
        )
        bar.update(task, completed=len(pictures))
    warn(*faces.notes[:NOTES])
    if len(faces.notes) > NOTES:
        warn(f"… and {len(faces.notes) - NOTES} more.")
    divisions = [name.partition(",") for name in by or faces.divisions]
    audits = [faces.compare(first, second, minimum) for first, _, second in divisions]
    if as_json:
        print_json(_document(faces, audits))
    elif as_csv:
        pd.concat([one.rates.assign(by=one.by) for one in audits]).to_csv(sys.stdout, index=False)
    else:
        stdout.print(f"{escaped(faces.model)} on {len(faces):,} faces")
        for one in audits:
            _print(one)


def _document(faces: AuditedFaces, audits: list[GroupAudit]) -> dict[str, Any]:
    try:
        tree: list[dict[str, Any]] | None = records(faces.where_it_fails())
    except FerError:
        tree = None
    return {
        "model": faces.model,
        "faces": len(faces),
        "labelled": faces.labels is not None,
        "notes": list(faces.notes),
        "divisions": [one.as_dict() for one in audits],
        "error_tree": tree,
    }


def _print(audit: GroupAudit) -> None:
    """Print one table of rates with intervals for each kind of rate, then the gaps that chance does not explain."""
    stdout.print(f"\n[bold]{escaped(audit.by)}[/]", *(f"{escaped(g)}: {n:,}" for g, n in audit.sizes.items()), sep="  ")
    for rate, part in audit.rates.groupby("rate", sort=False):
        table = Table(RATES[str(rate)], *map(escaped, audit.sizes), "Gap in points", "Ratio", "p (Holm)")
        gaps = audit.gaps[audit.gaps["rate"] == rate].set_index("expression")
        for name in [one for one in (*EXPRESSIONS, "all") if (part["expression"] == one).any()]:
            cells = part[part["expression"] == name].set_index("group").reindex(list(audit.sizes))
            row = [_cell(cell) for cell in cells.itertuples()]
            gap = gaps.loc[name] if name in gaps.index else None
            last = (
                ["–"] * 3 if gap is None else [f"{100 * gap['gap']:.1f}", f"{gap['ratio']:.2f}", f"{gap['p_holm']:.4f}"]
            )
            table.add_row(name, *row, *last)
        stdout.print(table)


def _cell(cell: Any) -> str:
    if not cell.compared:
        return f"–\n{cell.faces:.0f} faces"
    return f"[bold]{100 * cell.value:.1f} %[/]\n{100 * cell.low:.1f}–{100 * cell.high:.1f}"
