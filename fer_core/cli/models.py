"""`models`: list the stored models."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.cli.output import AsJson, escaped, fails_clearly, fitted_table, print_json, stdout, warn, write_output
from fer_core.models.spec import WEIGHTS
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError


@fails_clearly
def models(
    markdown: Annotated[bool, typer.Option(help="Print the table of the README, with the scores.")] = False,
    cards: Annotated[bool, typer.Option(help="Write each model's card as README.md into its folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models."""
    from fer_core.measuring.scoreboard import card_scoreboard

    if markdown + cards + as_json > 1:
        raise FerError("Choose one of --markdown, --cards and --json.")
    stored = stored_models()
    if cards:
        _write_cards(stored)
        return
    if markdown:
        print(markdown_table(stored))
        return
    rows = [_chosen(row) for row in card_scoreboard(stored)]
    if as_json:
        print_json(rows)
    else:
        stdout.print(_models_table(rows))


def markdown_table(stored: list[StoredModel]) -> str:
    """Return the table of the README: the default model first, then by accuracy on PublicTest.

    Accuracies are those of the plain view, with 95 % intervals by FER2013's label.
    """
    from fer_core.measuring.scoreboard import card_scoreboard

    lines = [
        "| Model | PublicTest | PrivateTest | by most annotators | degraded | hold-out score | Parameters | File |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = card_scoreboard(stored)
    for row in sorted(rows, key=lambda row: (not row["default"], -row.get("public_test_accuracy", 0.0))):
        voted = [_percent(row.get(f"{split}_plurality_accuracy")) for split in ("public_test", "private_test")]
        cells = [_accuracy(row, "public_test"), _accuracy(row, "private_test"), " / ".join(voted)]
        cells += [_percent(row.get("degraded_accuracy")), _percent(row["holdout_score"])]
        cells += [_count(row["parameters"]), _size(row["size_bytes"] or 0)]
        lines.append(f"| `{row['name']}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def stored_models() -> list[StoredModel]:
    """Return the stored models; print a warning for each that cannot be read."""
    stored, warnings = list_models()
    warn(*warnings)
    return stored


def _write_cards(stored: list[StoredModel]) -> None:
    from fer_core.sections.cards import FILE, model_readme

    for model in stored:
        text = model_readme(model)
        write_output(model.folder / FILE, "model card", partial(Path.write_text, data=text, encoding="utf-8"))
        stdout.print(f"{model.name}/{FILE}")


def _chosen(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of `models --json`; the keys are stable."""
    return {
        "name": row["name"],
        "title": row["model"],
        "parameters": row["parameters"],
        "size_bytes": row["size_bytes"] or 0,
        "input_shape": [row["input_size"], row["input_size"], 1],
        "weights_from": row["weights_from"],
        "default": row["default"],
    }


def _models_table(rows: list[dict[str, Any]]) -> Table:
    cells = [
        {
            "Name": row["name"],
            "Title": escaped(row["title"]) + (" (default)" if row["default"] else ""),
            "Parameters": _count(row["parameters"]),
            "Size": _size(row["size_bytes"]),
            "Weights from": WEIGHTS.get(row["weights_from"], row["weights_from"]),
        }
        for row in rows
    ]
    return fitted_table(cells, list(cells[0]) if cells else ["Name"])


def _accuracy(row: dict[str, Any], split: str) -> str:
    if f"{split}_accuracy" not in row:
        return "–"
    accuracy, low, high = (row[f"{split}_accuracy{end}"] for end in ("", "_low", "_high"))
    return f"{accuracy:.1%} ({low:.1%}–{high:.1%})"


def _percent(share: float | None) -> str:
    return "–" if share is None or math.isnan(share) else f"{share:.1%}"


def _count(parameters: int | None) -> str:
    return "–" if parameters is None else f"{parameters:,}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size > 0 else "not served"
