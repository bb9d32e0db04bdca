"""`data`: add data sets of one's own; count the faces of FER2013, find its duplicates, measure it, or fetch it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.table import Table
from typer import Argument, Option

from fer_core.cli.output import AsJson, WholeImage, fitted_table, print_json, progress_bar, say, stderr, stdout, warn
from fer_core.data import SPLITS, download_fer2013, download_ferplus, find_duplicates, leaked_mask, load_fer2013
from fer_core.data.near_duplicates import FILE, LEAST, same_pictures_by_row
from fer_core.data.spellings import NUMBERS
from fer_core.faces import default_detector, head_roll, save_roll
from fer_core.fairness.properties import FILE as PROPERTIES_FILE
from fer_core.fairness.properties import measured_properties
from fer_core.files import csv_text
from fer_core.store.datasets import RECORD, add_dataset, list_datasets, load_dataset, remove_dataset
from fer_core.types import FerError

data = typer.Typer(help="Add data sets of your own; inspect or download FER2013.", no_args_is_help=True)

NOTES = 10  # sentences about left-out pictures that are printed

Source = Annotated[Path | None, Argument(help="CSV, folder or zip. Default: FER2013_PATH or the downloaded copy.")]
SaveTable = Annotated[bool, Option("--save", help="Replace the table that comes with the package.")]


@data.command()
def add(
    name: Annotated[str, Argument(help="By which commands and pages offer the data set.")],
    path: Annotated[Path, Argument(help="Folder, zip or table: RAF-DB, AffectNet, FER+, CK+, JAFFE, or your own.")],
    whole_image: WholeImage = False,
    numbers: Annotated[
        str | None, Option(help=f"What numbered classes are: {', '.join(NUMBERS)}. Default: told by the numbers.")
    ] = None,
    own_classes: Annotated[
        bool, Option("--own-classes", help="Other names than the seven expressions are classes, 2 to 10.")
    ] = False,
) -> None:
    """Add a data set: a folder for each expression, in train/ and test/ or not, or a table (file, expression, split …).

    The largest face of each picture is found, turned upright and framed as the faces of photos are. Further columns of
    a table are groups for an audit. The pictures themselves are not kept.
    """
    if not whole_image and (note := default_detector().note):
        warn(note)
    with progress_bar() as bar:
        task = bar.add_task("Cutting out faces", total=None)
        added = add_dataset(
            name,
            path,
            whole_image=whole_image,
            numbers=numbers,
            own_classes=own_classes,
            say=lambda done, total: bar.update(task, completed=done, total=total),
        )
    record = added.record
    warn(*record["notes"][:NOTES])
    if len(record["notes"]) > NOTES:
        warn(f"… and {len(record['notes']) - NOTES} more, in {added.folder / RECORD}")
    how = "Each picture was taken as one face." if whole_image else f"{record['faceless']:,} pictures showed no face."
    say(f"Added {name}: {record['faces']:,} faces. {how} {record['unread']:,} could not be read.")
    stdout.print(_counts_table(pd.DataFrame(record["counts"]).T))


@data.command("list")
def list_own(as_json: AsJson = False) -> None:
    """List the data sets of your own."""
    own = list_datasets()
    if as_json:
        print_json([{"name": dataset.name, **dataset.record} for dataset in own])
        return
    rows = [
        (
            dataset.name,
            f"{dataset.record['faces']:,}",
            ", ".join(f"{split} {sum(row.values()):,}" for split, row in dataset.record["counts"].items()),
            dataset.how,
        )
        for dataset in own
    ]
    stdout.print(fitted_table(["Name", "Faces", "Splits", "Made of"], rows))


@data.command()
def remove(name: Annotated[str, Argument(help="Of the data set.")]) -> None:
    """Delete a data set of your own and what was measured on it; the pictures that it was made from stay."""
    remove_dataset(name)
    say(f"Removed {name}.")


def _counts_table(counts: pd.DataFrame) -> Table:
    """Return the number of faces with a row for each expression and a column for each split."""
    columns = pd.concat([counts.T, counts.T.sum().to_frame("all").T])
    cells = [[str(name), *(f"{count:,}" for count in row)] for name, *row in columns.itertuples()]
    return fitted_table(["", *columns], cells)


@data.command()
def info(path: Source = None, as_json: AsJson = False) -> None:
    """Count the faces of FER2013, or of the data set of your own with this name, and the exact duplicates."""
    own = path is not None and not path.exists() and path.name in {dataset.name for dataset in list_datasets()}
    dataset = load_dataset(path.name) if path and own else load_fer2013(path)
    counts, duplicates = dataset.counts(), find_duplicates(dataset)
    present = counts.index[counts.sum(axis=1) > 0]
    leaked = {
        split: int(leaked_mask(dataset.split(split), dataset.split("training")).sum())
        for split in present.drop("Training", errors="ignore")
        if "Training" in present
    }
    report = {
        "faces": len(dataset),
        "fingerprint": dataset.fingerprint,
        "counts": counts.to_dict("index"),
        "duplicate_groups": len(duplicates.groups),
        "duplicate_faces": duplicates.faces,
        "duplicate_groups_across_splits": int(duplicates.across_splits.sum()),
        "duplicate_groups_with_differing_labels": int(duplicates.differing_labels.sum()),
        "test_faces_also_in_training": leaked,
    }
    if as_json:
        print_json(report)
        return
    stdout.print(_counts_table(counts))
    stdout.print(
        f"{len(dataset):,} faces, fingerprint {dataset.fingerprint}. {duplicates.faces:,} are exact duplicates, in "
        f"{len(duplicates.groups):,} groups. {report['duplicate_groups_across_splits']} groups span several splits, "
        f"{report['duplicate_groups_with_differing_labels']} have different labels. "
        f"Test faces that are also in Training: {', '.join(f'{k} {v}' for k, v in leaked.items()) or 'none'}."
    )


@data.command()
def download() -> None:
    """Download FER2013 from Kaggle (about 60 MB) and FER+'s votes from GitHub (1.6 MB) into the app's data folder.

    What is already there, or where FER2013_PATH or FERPLUS_PATH points, is not downloaded. If one download fails, the
    other is still made, and the exit status is 1.
    """
    problems = []
    parts = (("FER2013 is", "Kaggle", download_fer2013), ("FER+'s votes are", "GitHub", download_ferplus))
    for what, origin, fetch in parts:
        stderr.print(f"Looking on this computer, then on {origin} …")
        try:
            say(f"{what} at {fetch()}")
        except FerError as error:
            problems.append(str(error))
    if problems:
        raise FerError(" ".join(problems))


@data.command()
def duplicates(
    path: Source = None,
    save: Annotated[bool, Option("--save", help="Replace the list that comes with the package.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find faces that are the same picture, with equal pixels or nearly so, which takes about a minute."""
    dataset = load_fer2013(path)
    stderr.print("Comparing every face with every other one …")
    same = same_pictures_by_row(dataset, FILE if save else None)
    training = dataset.rows[dataset.usage == "Training"]
    report: dict[str, Any] = {"pairs": len(same.pairs), "exact_pairs": int(same.exact.sum()), "least": LEAST}
    for split in SPLITS[1:]:
        faces = dataset.rows[dataset.usage == split]
        exact, near = (same.partners(faces, training, only) for only in (True, False))
        report[split] = {"exact_in_training": int(exact.sum()), "near_in_training": int((near & ~exact).sum())}
    if as_json:
        print_json(report)
        return
    stdout.print(
        f"{report['pairs']:,} pairs with a correlation of {LEAST} or more, {report['exact_pairs']:,} of them equal."
    )
    for split in SPLITS[1:]:
        counts = report[split]
        stdout.print(
            f"{split}: {counts['exact_in_training']} faces have equal pixels in Training, "
            f"{counts['near_in_training']} more nearly equal ones."
        )


@data.command()
def roll(path: Source = None, save: SaveTable = False, as_json: AsJson = False) -> None:
    """Measure how far each head is tilted to the side, which takes minutes."""
    dataset = load_fer2013(path)
    stderr.print("Looking for the eyes of every face …")
    degrees = save_roll(dataset) if save else head_roll(dataset.images)
    known = np.abs(degrees[~np.isnan(degrees)])
    report = {
        "faces": len(degrees),
        "without_roll": len(degrees) - len(known),
        "median": float(np.median(known)) if len(known) else None,
        "above_15_degrees": int((known > 15).sum()),
    }
    if as_json:
        print_json(report)
        return
    stdout.print(
        f"{report['faces']:,} faces, {report['without_roll']:,} without a measured roll. "
        + (f"Median {report['median']:.1f} degrees to either side, " if len(known) else "")
        + f"above 15 degrees: {report['above_15_degrees']:,} faces."
    )


@data.command()
def properties(path: Source = None, save: SaveTable = False) -> None:
    """Measure what audits divide the test faces by: brightness, contrast, sharpness, head roll, agreement; as CSV."""
    dataset = load_fer2013(path)
    table = measured_properties(dataset, PROPERTIES_FILE if save else None)
    sys.stdout.write(csv_text(table.round(3).reset_index()))
