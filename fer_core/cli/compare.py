"""`compare`: the gain of one way of training over another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.table import Table

from fer_core.cli.output import AsJson, fails_clearly, print_json, progress_bar, stdout
from fer_core.data import FaceDataset, load_fer2013, training_and_holdout
from fer_core.store.folders import load_model
from fer_core.store.stored_model import StoredModel

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.metrics.significance import Copies


@fails_clearly
def compare(
    first: Annotated[str, typer.Argument(help="A model, or several seeds of it: NAME,NAME_seed1")],
    second: Annotated[str, typer.Argument(help="What to compare with, in the same way.")],
    on: Annotated[
        Literal["holdout", "PublicTest", "PrivateTest"], typer.Option(help="The faces. Choose models on the hold-out.")
    ] = "holdout",
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the mean of one or more models with the mean of others, with paired 95 % intervals.

    The parts of the score are those by which the default model is chosen: accuracy by FER2013's label, accuracy and
    mean recall by most annotators, each on clean and on degraded faces. The intervals cover which faces were drawn;
    name several seeds of a model to see what training again changes.
    """
    from fer_core.metrics.significance import gains

    sides = [[load_model(name) for name in names.split(",")] for names in (first, second)]
    dataset = load_fer2013(data)
    faces = training_and_holdout(dataset)[1] if on == "holdout" else dataset.split(on)
    with progress_bar() as bar:
        models = {model.name: model for side in sides for model in side}
        copies = {name: _copies(model, faces) for name, model in bar.track(models.items(), description="Measuring")}
    first_copies, second_copies = ([copies[model.name] for model in side] for side in sides)
    table = gains(first_copies, second_copies, labels=faces.labels, plurality=faces.plurality)
    if as_json:
        print_json({"on": on, "faces": len(faces), "first": first, "second": second, "parts": table.to_dict("records")})
    else:
        stdout.print(_table(table, f"{first} minus {second}, on {len(faces):,} faces of {on}"))


def _copies(model: StoredModel, faces: FaceDataset) -> Copies:
    from fer_core.measuring.measure import degraded_copies

    classifier = model.classifier()
    return {name: classifier.predict(copy).probabilities for name, copy in degraded_copies(faces.images).items()}


def _table(rows: pd.DataFrame, title: str) -> Table:
    from fer_core.metrics.significance import PARTS

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for heading in ("", "First", "Second", "Difference", "95 % interval"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for row in rows.to_dict("records"):
        part = str(row["part"]).removesuffix("_degraded")
        name = PARTS.get(part, "Score: the mean of these")
        name += ", degraded" if part != row["part"] else ""
        points = [f"{100 * row[side]:.2f}" for side in ("first", "second")]
        interval = f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
        table.add_row(name, *points, f"{100 * row['difference']:+.2f}", interval)
    return table
