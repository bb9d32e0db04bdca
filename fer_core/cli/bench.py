"""`bench`: measure how fast FER Lab is on this machine."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from fer_core.cli.output import AsJson, fails_clearly, print_json, stderr, stdout
from fer_core.store import DEFAULT_MODEL, load_model


@fails_clearly
def bench(
    model: Annotated[str, typer.Option(help="Name of a trained model.")] = DEFAULT_MODEL,
    seconds: Annotated[float, typer.Option(min=0.2, help="How long to time each step.")] = 3.0,
    as_json: AsJson = False,
) -> None:
    """Compare the speed of the served model with the usual setup (Haar on the full frame, `keras.Model.predict`)."""
    from fer_core.benchmarks.run import MEANINGS, run_benchmarks

    numbers = run_benchmarks(load_model(model), seconds, stderr.print)
    if as_json:
        print_json(numbers)
        return
    table = Table("Key", "Value", "Meaning")
    table.columns[0].no_wrap = True
    for key, value in numbers.items():
        table.add_row(key, f"{value:,.2f}", MEANINGS[key])
    stdout.print(table)
