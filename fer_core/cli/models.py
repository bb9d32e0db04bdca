"""`models`: list the stored models, or add one; and `report`: compare them in one HTML file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from rich.markup import escape
from typer import Argument, Context, Option, Typer

from fer_core.cli.added import add
from fer_core.cli.output import AsJson, fitted_table, print_json, say, stderr, stdout, warn, write_output
from fer_core.columns import percent
from fer_core.files import write_text
from fer_core.labels import EXPRESSIONS
from fer_core.models.spec import WEIGHTS
from fer_core.store.folders import list_models, load_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

models = Typer(help="List the trained models, or add one that was made elsewhere.")
models.command("add")(add)


@models.callback(invoke_without_command=True)
def list_stored(
    context: Context,
    markdown: Annotated[bool, Option(help="Print the table of docs/models.md, with the scores.")] = False,
    cards: Annotated[bool, Option(help="Write each model's card as README.md into its folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models."""
    from fer_core.measuring.scoreboard import card_scoreboard
    from fer_core.sections.cards import FILE, model_readme

    if context.invoked_subcommand is not None:
        return
    if markdown + cards + as_json > 1:
        raise FerError("Choose one of --markdown, --cards and --json.")
    stored = stored_models()
    if markdown:
        print(markdown_table(stored))
    elif as_json:
        print_json([_chosen(row) for row in card_scoreboard(stored)])
    elif cards:
        for model in stored:
            write_output(model.folder / FILE, "model card", partial(write_text, text=model_readme(model)))
            stdout.print(f"{model.name}/{FILE}")
    else:
        rows = [
            (
                row["name"],
                escape(row["model"]) + (" (default)" if row["default"] else ""),
                _count(row["parameters"]),
                _size(row["size_bytes"] or 0),
                WEIGHTS.get(row["weights_from"], row["weights_from"]),
            )
            for row in card_scoreboard(stored)
        ]
        columns = ["Name", "Title", "Parameters", "Size", "Weights from"]
        stdout.print(fitted_table(columns if rows else columns[:1], rows))


def report(
    names: Annotated[list[str] | None, Argument(help="Models; default: all.", metavar="NAME…")] = None,
    out: Annotated[Path, Option(help="The HTML file to write.")] = Path("report.html"),
    csv: Annotated[Path | None, Option(help="Also write every table as CSV into this folder.")] = None,
    png: Annotated[Path | None, Option(help="Also write every chart as a picture into this folder.")] = None,
    split: Annotated[str, Option(help="PublicTest, PrivateTest or a data set of your own.")] = "PublicTest",
    view: Annotated[str, Option(help="plain, or flip: averaged with the mirror image.")] = "plain",
    by: Annotated[str, Option(help="Judged by: label (FER2013's), or plurality (most annotators).")] = "label",
    ensemble: Annotated[str | None, Option(help="Add an ensemble: mean, weighted or exponential.")] = None,
) -> None:
    """Write one HTML file that compares models: charts, tables, significance, and the results of the paper.

    Its charts need no network. It contains no pictures of the dataset, so it may be shared. --png needs Chromium or
    Chrome.
    """
    from fer_core.columns import TEST_SPLITS, VIEWS, YARDSTICKS
    from fer_core.metrics.ensembles import FUSIONS
    from fer_core.sections.html import write_html, write_png
    from fer_core.sections.results import build_report, write_csv
    from fer_core.store.datasets import find_dataset, list_datasets

    for value, allowed, what in (
        (split, (*TEST_SPLITS, *(dataset.name for dataset in list_datasets())), "--split"),
        (view, VIEWS, "--view"),
        (by, YARDSTICKS, "--by"),
        (ensemble, FUSIONS, "--ensemble"),
    ):
        if value is not None and value not in allowed:
            raise FerError(f"Expected {what} to be one of {', '.join(allowed)}. Received: {value}")
    classes = EXPRESSIONS if split in TEST_SPLITS else find_dataset(split).classes
    chosen = [load_model(name, classes=classes) for name in dict.fromkeys(names or ())] or stored_models(classes)
    if not chosen:
        raise FerError("There is no trained model to report on. Train one with `fer-lab train compact_cnn`.")
    stderr.print("Measuring and drawing …")
    results = build_report(chosen, split, view=view, fusion=ensemble, by=by)
    warn(*results.complaints)
    path = write_html(results, out)
    say(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if csv is not None:
        say(f"Wrote {len(write_csv(results, csv))} tables into {csv}")
    if png is not None:
        stderr.print("Drawing the pictures …")
        say(f"Wrote {len(write_png(results, png))} pictures into {png}")


def markdown_table(stored: list[StoredModel]) -> str:
    """Return the table of docs/models.md: the default model first, then by accuracy on PublicTest.

    Accuracies are those of the plain view, with 95 % intervals by FER2013's label.
    """
    from fer_core.measuring.scoreboard import card_scoreboard

    lines = [
        "| Model | PublicTest | PrivateTest | by most annotators | degraded | hold-out score | Parameters | File |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = card_scoreboard(stored)
    for row in sorted(rows, key=lambda row: (not row["default"], -row.get("public_test_accuracy", 0.0))):
        cells = [f"`{row['name']}`"]
        for split in ("public_test", "private_test"):
            accuracy = percent(row.get(f"{split}_accuracy"), ".1%")
            cells.append(accuracy if accuracy == "–" else f"{accuracy} ({row[f'{split}_accuracy_interval']})")
        voted = (percent(row.get(f"{split}_plurality_accuracy"), ".1%") for split in ("public_test", "private_test"))
        cells.append(" / ".join(voted))
        cells += [percent(row.get("degraded_accuracy"), ".1%"), percent(row["holdout_score"], ".1%")]
        cells += [_count(row["parameters"]), _size(row["size_bytes"] or 0)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def stored_models(classes: tuple[str, ...] | None = None) -> list[StoredModel]:
    """Return the stored models, or those of these classes; print a warning for each that cannot be read."""
    stored, warnings = list_models(classes=classes)
    warn(*warnings)
    return stored


def _chosen(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of `models --json`; the keys are stable, and `classes` is there if they are not the seven."""
    return {
        "name": row["name"],
        "title": row["model"],
        "parameters": row["parameters"],
        "size_bytes": row["size_bytes"] or 0,
        "input_shape": [row["input_size"], row["input_size"], 1],
        "weights_from": row["weights_from"],
        "default": row["default"],
        **({} if row["classes"] == EXPRESSIONS else {"classes": row["classes"]}),
    }


def _count(parameters: int | None) -> str:
    return "–" if parameters is None else f"{parameters:,}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size > 0 else "not served"
