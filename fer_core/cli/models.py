"""`models`: list the stored models."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.cli.output import AsJson, complain, escaped, fails_clearly, print_json, stdout
from fer_core.store import StoredModel, list_models
from fer_core.types import FerError


@fails_clearly
def models(
    markdown: Annotated[bool, typer.Option(help="Print the table of the README, with the scores.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models."""
    from fer_core.comparison import card_scoreboard

    if markdown and as_json:
        raise FerError("Choose one of --markdown and --json.")
    stored, warnings = list_models()
    for warning in warnings:
        complain(warning)
    if markdown:
        print(markdown_table(stored))
        return
    rows = [_chosen(row) for row in card_scoreboard(stored)]
    if as_json:
        print_json(rows)
    else:
        stdout.print(_table(rows))


def markdown_table(stored: list[StoredModel]) -> str:
    """Return the table of the README: scores of the plain view with 95 % intervals, the default model first, then by
    accuracy."""
    from fer_core.comparison import card_scoreboard

    lines = [
        "| Model | PublicTest | PrivateTest | Macro F1 (Public) | Parameters | Served file |",
        "|---|---|---|---|---|---|",
    ]
    rows = card_scoreboard(stored)
    for row in sorted(rows, key=lambda row: (not row["default"], -row.get("public_test_accuracy", 0.0))):
        f1 = f"{row['public_test_macro_f1']:.3f}" if "public_test_macro_f1" in row else "–"
        cells = [_accuracy(row, "public_test"), _accuracy(row, "private_test"), f1]
        cells += [_count(row["parameters"]), _size(row["size_bytes"])]
        lines.append(f"| `{row['name']}` | {' | '.join(cells)} |")
    return "\n".join(lines)


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


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("Name", "Title", "Parameters", "Size", "Input", "Weights from")
    for row in rows:
        table.add_row(
            row["name"] + (" (default)" if row["default"] else ""),
            escaped(row["title"]),
            _count(row["parameters"]),
            _size(row["size_bytes"]),
            "×".join(str(side) for side in row["input_shape"]),
            row["weights_from"],
        )
    return table


def _accuracy(row: dict[str, Any], split: str) -> str:
    if f"{split}_accuracy" not in row:
        return "–"
    accuracy, low, high = (row[f"{split}_accuracy{end}"] for end in ("", "_low", "_high"))
    return f"{accuracy:.1%} ({low:.1%}–{high:.1%})"


def _count(parameters: int | None) -> str:
    return "–" if parameters is None else f"{parameters:,}"


def _size(size: int | None) -> str:
    return f"{size / 1e6:.1f} MB" if size else "not served"
