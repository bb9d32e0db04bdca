"""`audit`: compare the predictions of a model between groups of people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Table

from fer_core.audit.faces import AuditedFaces, picture_faces
from fer_core.audit.groups import ALL, LIMITS, MINIMUM, RATES, GroupAudit, records
from fer_core.audit.pictures import open_grouped
from fer_core.cli.output import AsJson, escaped, fails_clearly, print_json, progress_bar, stdout, warn
from fer_core.faces import default_detector
from fer_core.files import csv_text
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import DEFAULT_MODEL, load_model
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
        sys.stdout.write(csv_text(pd.concat([one.rates.assign(by=one.by) for one in audits])))
    else:
        stdout.print(f"{escaped(faces.model)} on {len(faces):,} faces")
        for one in audits:
            _print(one)
        if (tree := _tree(faces)) is not None:
            _print_tree(tree)
        _print_limits()


def _document(faces: AuditedFaces, audits: list[GroupAudit]) -> dict[str, Any]:
    tree = _tree(faces)
    return {
        "model": faces.model,
        "faces": len(faces),
        "labelled": faces.labels is not None,
        "notes": list(faces.notes),
        "divisions": [one.as_dict() for one in audits],
        "error_tree": None if tree is None else records(tree),
    }


def _tree(faces: AuditedFaces) -> pd.DataFrame | None:
    """Return where the model fails most; None if that is unknown or there are too few faces."""
    try:
        return faces.where_it_fails()
    except FerError:
        return None


def _print(audit: GroupAudit) -> None:
    """Print a table for each kind of rate: groups below each other, then the largest gap between them."""
    for rate, part in audit.rates.groupby("rate", sort=False):
        names = [one for one in (*EXPRESSIONS, ALL) if (part["expression"] == one).any()]
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column(RATES[str(rate)], min_width=12)
        for name in names:
            table.add_column(name)
        values = {(row["group"], row["expression"]): row for row in records(part)}
        for group, size in audit.sizes.items():
            cells = [_cell(values[group, name]) for name in names]
            table.add_row(f"{escaped(group)}\n[dim]{size:,} faces[/]", *cells)
        gaps = audit.gaps[audit.gaps["rate"] == rate].set_index("expression").reindex(names)
        for title, cell in _GAPS.items():
            cells = ["–" if gap.isna()["gap"] else cell(gap) for _, gap in gaps.iterrows()]
            table.add_row(f"[bold]{title}[/]", *cells)
        stdout.print(f"\n[bold]By {escaped(audit.by)}[/]")
        stdout.print(table)


def _cell(cell: dict[str, Any]) -> str:
    """Return a rate with its interval below, or the number of faces if there are too few."""
    if not cell["compared"]:
        return f"–\n[dim]of {cell['faces']:,}[/]"
    return f"{100 * cell['value']:.1f} %\n[dim]{_ends(100 * cell['low'], 100 * cell['high'])}[/]"


def _gap(gap: pd.Series) -> str:
    return f"{100 * gap['gap']:.1f}\n[dim]{_ends(100 * gap['low'], 100 * gap['high'])}[/]"


def _ratio(gap: pd.Series) -> str:
    if pd.isna(gap["ratio"]):
        return "–"
    ends = "" if pd.isna(gap["ratio_low"]) else f"\n[dim]{gap['ratio_low']:.1f}–{gap['ratio_high']:.1f}[/]"
    return f"{gap['ratio']:.2f}{ends}"


_GAPS: dict[str, Callable[[pd.Series], str]] = {
    "Gap, points": _gap,
    "Ratio": _ratio,
    "p (Holm)": lambda gap: f"{gap['p_holm']:.4f}",
}


def _ends(low: float, high: float) -> str:
    """Return an interval that is short enough for seven of them on a line."""
    digits = 0 if high >= 10 else 1
    return f"{low:.{digits}f}–{high:.{digits}f}"


def _print_tree(tree: pd.DataFrame) -> None:
    stdout.print("\n[bold]Where it fails most[/] (share of wrong predictions; half of the faces grew this tree)")
    for leaf in records(tree):
        ends = f"{100 * leaf['low']:.0f}–{100 * leaf['high']:.0f}"
        stdout.print(f"- {100 * leaf['value']:.0f} % ({ends}) of {leaf['faces']:,} faces: {escaped(leaf['where'])}")


def _print_limits() -> None:
    stdout.print(
        "\nRates with 95 % intervals: Wilson’s for a group, Newcombe’s for a gap, a bootstrap for a ratio (lowest "
        "divided by highest). p: permutation test with Holm’s correction over all rates of a division."
    )
    stdout.print("\n[bold]What this can say, and what not[/]")
    for title, text in LIMITS.items():
        stdout.print(f"- [bold]{title}[/] {text}")
