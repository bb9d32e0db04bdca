"""`models`: what can be served."""

from __future__ import annotations

from rich.table import Table

from fer_core.cli.output import AsJson, complain, fails_clearly, print_json, stdout
from fer_core.store import DEFAULT_MODEL, list_models


@fails_clearly
def models(as_json: AsJson = False) -> None:
    """List the trained models."""
    stored, warnings = list_models()
    for warning in warnings:
        complain(warning)
    rows = [
        {
            "name": model.name,
            "title": model.title,
            "parameters": model.card["parameters"],
            "size_bytes": model.size_bytes,
            "input_shape": [model.card["input_size"], model.card["input_size"], 1],
            "weights_from": model.card["weights_from"],
            "default": model.name == DEFAULT_MODEL,
        }
        for model in stored
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("Name", "Title", "Parameters", "Size", "Input", "Weights from")
    for row in rows:
        table.add_row(
            row["name"] + (" (default)" if row["default"] else ""),
            row["title"],
            f"{row['parameters']:,}",
            f"{row['size_bytes'] / 1e6:.1f} MB" if row["size_bytes"] else "not served",
            "×".join(str(side) for side in row["input_shape"]),
            row["weights_from"],
        )
    stdout.print(table)
