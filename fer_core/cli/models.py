"""`models` and `evaluate`: list the stored models, and measure them again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich import box
from rich.table import Table

from fer_core.card import ModelCard
from fer_core.cli.degraded import degraded_rows, degraded_table, measured_degraded
from fer_core.cli.output import AsJson, escaped, fails_clearly, print_json, progress_bar, stdout, warn
from fer_core.columns import METRICS
from fer_core.data import FerDataset, load_fer2013
from fer_core.store import StoredModel, list_models, load_model
from fer_core.types import FerError

_METRICS = {**METRICS, "ece": "Calibration error", "accuracy_without_leaked": "Accuracy, no leaks*"}


@fails_clearly
def models(
    markdown: Annotated[bool, typer.Option(help="Print the table of the README, with the scores.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models."""
    from fer_core.comparison import card_scoreboard

    if markdown and as_json:
        raise FerError("Choose one of --markdown and --json.")
    stored = stored_models()
    if markdown:
        print(markdown_table(stored))
        return
    rows = [_chosen(row) for row in card_scoreboard(stored)]
    if as_json:
        print_json(rows)
    else:
        stdout.print(_models_table(rows))


@fails_clearly
def evaluate(
    names: Annotated[list[str] | None, typer.Argument(help="Models to measure.", metavar="NAME…")] = None,
    every: Annotated[bool, typer.Option("--all", help="Measure all models.")] = False,
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    degraded: Annotated[bool, typer.Option("--degraded", help="Measure on degraded faces too: noise, blur …")] = False,
    save: Annotated[bool, typer.Option("--save", help="With --degraded: keep these results for Compare.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure models on PublicTest and PrivateTest, plain and with flip, with 95 % intervals.

    For a model that is kept for comparison only, the metrics are computed from its stored predictions.

    With --degraded, also measure accuracy and mean confidence on 1,000 test faces with noise, blur, low resolution, low
    brightness and contrast, and occlusion, in five strengths each. --save keeps these results in the model's folder.
    """
    if save and not degraded:
        raise FerError("--save keeps the results of --degraded: use both.")
    stored = stored_models()
    if not names and not every:
        known = ", ".join(model.name for model in stored) or "none"
        raise FerError(f"Name the models to measure, or use --all. Trained models here: {known}.")
    chosen = stored if every else [load_model(name) for name in names or []]
    dataset = load_fer2013(data)
    report: dict[str, Any] = {}
    robustness: dict[str, pd.DataFrame] = {}
    with progress_bar() as bar:
        for model in bar.track(chosen, description="Measuring"):
            try:
                report[model.name] = _measure(model, dataset)
                if degraded and (table := measured_degraded(model, dataset, save)) is not None:
                    robustness[model.name] = table
            except FerError as error:
                warn(f"{model.name} is skipped: {error}")
                continue
            _compare_with_card(model.name, report[model.name], model.card)
    if not report:
        raise FerError("No model could be measured.")
    if as_json:
        rows = {name: {"degraded": degraded_rows(table)} for name, table in robustness.items()}
        print_json({name: splits | rows.get(name, {}) for name, splits in report.items()})
    else:
        for name, splits in report.items():
            stdout.print(_metrics_table(name, splits))
            if name in robustness:
                stdout.print(degraded_table(name, robustness[name]))
        stdout.print("* on the test faces whose pixels do not occur in Training")


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


def stored_models() -> list[StoredModel]:
    """Return the stored models; print a warning for each that cannot be read."""
    stored, warnings = list_models()
    warn(*warnings)
    return stored


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


def _measure(model: StoredModel, dataset: FerDataset) -> dict[str, Any]:
    """Measure the served file, or compute the metrics from the stored predictions if they are of the same data."""
    from fer_core.inference import Classifier
    from fer_core.inference.measure import predict_splits, summarize

    if model.servable:
        return summarize(predict_splits(Classifier.of(model), dataset), dataset, dataset.split("training"))
    if model.card.data_fingerprint != dataset.fingerprint:
        raise FerError("it is not served, and its stored predictions are of other data.")
    warn(f"{model.name} is not served: the metrics are computed from its stored predictions.")
    return summarize(model.all_predictions(), dataset, dataset.split("training"))


def _compare_with_card(name: str, measured: dict[str, Any], card: ModelCard) -> None:
    """Warn where the accuracy differs from the card by more than another processor's rounding can explain."""
    for split, views in measured.items():
        for view, values in views.items():
            stored = card.score(split, view)
            if stored is not None and abs(stored.accuracy - values["accuracy"]) > 0.001:
                said = f"measured {values['accuracy']:.4f}, but the card says {stored.accuracy}"
                warn(f"{name}, {split}, {view}: {said}.")


def _metrics_table(name: str, splits: dict[str, Any]) -> Table:
    """Return a table of one model with one row for each metric, at most 80 columns wide."""
    views = [(split, view, values) for split, by_view in splits.items() for view, values in by_view.items()]
    table = Table(title=name, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("")
    for split, view, _ in views:
        table.add_column(f"{split}\n{view}")
    for key, title in _METRICS.items():
        table.add_row(title, *(f"{values[key]:.4f}" for _, _, values in views))
        if f"{key}_interval" in views[0][2]:
            intervals = [values[f"{key}_interval"] for _, _, values in views]
            table.add_row("  95 % interval", *(f"{low:.3f}–{high:.3f}" for low, high in intervals), style="dim")
    return table
