"""How fast FER Lab is on this machine: `python -m tests.speed`, from the root of the repository.

Both sides of each ratio are measured in turn, in one run and with the same model. `keys.toml` says what the keys mean.
Those of the browser need Chromium and Playwright, and that of Ray needs Ray; without these they are missing.
"""

import json
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fer_core.store.folders import DEFAULT_MODEL, load_model
from tests.speed import measures

PARTS = {
    "start": measures.start_numbers,
    "serving": measures.serving_numbers,
    "stream": measures.stream_numbers,
    "batch": measures.batch_numbers,
    "archive": measures.archive_numbers,
    "features": measures.feature_numbers,
    "batch_norm": measures.batch_norm_numbers,
    "compare": measures.compare_numbers,
    "visits": measures.visit_numbers,
}
Part = StrEnum("Part", {part: part for part in PARTS})  # type: ignore[misc]  # mypy wants them written out


def main(
    parts: Annotated[list[Part] | None, typer.Argument(help="What to measure; by default everything.")] = None,
    model: Annotated[str, typer.Option(help="Name of a trained model with its `.keras` file.")] = DEFAULT_MODEL,
    seconds: Annotated[float, typer.Option(min=0.2, help="How long to time each function.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure speed and memory; the yardstick is what many demos do."""
    stored, numbers = load_model(model), dict[str, dict[str, float]]()
    meanings = tomllib.loads(Path(__file__).with_name("keys.toml").read_text(encoding="utf-8"))
    for part in parts or PARTS:
        Console(stderr=True).print(f"{part} …")
        numbers[part] = PARTS[part](stored, seconds)
    if as_json:
        print(json.dumps({key: value for part in numbers.values() for key, value in part.items()}, indent=2))
        return
    table = Table("Key", "Value", "Meaning")
    table.columns[0].no_wrap = True
    for part, values in numbers.items():
        for key, value in values.items():
            table.add_row(key, f"{value:,.2f}", meanings[part].get(key, ""))
    Console().print(table)


if __name__ == "__main__":  # not in the processes that are spawned
    typer.run(main)
