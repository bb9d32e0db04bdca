"""`models`: what is trained and stored."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.card import Score
from fer_core.cli.output import AsJson, complain, escaped, fails_clearly, print_json, stdout
from fer_core.columns import TEST_SPLITS
from fer_core.store import DEFAULT_MODEL, StoredModel, list_models
from fer_core.types import FerError


@fails_clearly
def models(
    markdown: Annotated[bool, typer.Option(help="Print the README's table, numbers from the cards.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models."""
    if markdown and as_json:
        raise FerError("Choose one of --markdown and --json.")
    stored, warnings = list_models()
    for warning in warnings:
        complain(warning)
    if markdown:
        print(markdown_table(stored))
    elif as_json:
        print_json([_row(model) for model in stored])
    else:
        stdout.print(_table([_row(model) for model in stored]))


def markdown_table(stored: list[StoredModel]) -> str:
    """Return the README's table: plain accuracy with its 95 % interval on both test splits, from the cards.

    The default comes first, then the most accurate.
    """
    lines = [
        "| Model | PublicTest | PrivateTest | Macro F1 (Public) | Parameters | Served file |",
        "|---|---|---|---|---|---|",
    ]
    for model in sorted(stored, key=lambda model: (model.name != DEFAULT_MODEL, -_accuracy(model))):
        public, private = (model.card.score(split) for split in TEST_SPLITS.values())
        cells = [_percent(public), _percent(private), f"{public.macro_f1:.3f}" if public else "–"]
        cells += [_count(model.card.parameters), _size(model.size_bytes)]
        lines.append(f"| `{model.name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _accuracy(model: StoredModel) -> float:
    score = model.card.score("public_test")
    return score.accuracy if score else 0.0


def _row(model: StoredModel) -> dict[str, Any]:
    side = model.card.input_size
    return {
        "name": model.name,
        "title": model.title,
        "parameters": model.card.parameters,
        "size_bytes": model.size_bytes,
        "input_shape": [side, side, 1],
        "weights_from": model.card.weights_from,
        "default": model.name == DEFAULT_MODEL,
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


def _percent(score: Score | None) -> str:
    if score is None:
        return "–"
    interval = score.interval("accuracy")
    return f"{score.accuracy:.1%} ({interval.low:.1%}–{interval.high:.1%})"


def _count(parameters: int | None) -> str:
    return "–" if parameters is None else f"{parameters:,}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "not served"
