"""`report`: write a comparison of models as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.models import stored_models
from fer_core.cli.output import fails_clearly, stderr, stdout, warn
from fer_core.store.folders import load_model
from fer_core.types import FerError


@fails_clearly
def report(
    names: Annotated[list[str] | None, typer.Argument(help="Models; default: all.", metavar="NAME…")] = None,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    csv: Annotated[Path | None, typer.Option(help="Also write every table as CSV into this folder.")] = None,
    png: Annotated[Path | None, typer.Option(help="Also write every chart as a picture into this folder.")] = None,
    split: Annotated[str, typer.Option(help="PublicTest or PrivateTest.")] = "PublicTest",
    view: Annotated[str, typer.Option(help="plain, or flip: averaged with the mirror image.")] = "plain",
    by: Annotated[str, typer.Option(help="Judged by: label (FER2013's), or plurality (most annotators).")] = "label",
    ensemble: Annotated[str | None, typer.Option(help="Add an ensemble: mean, weighted or exponential.")] = None,
) -> None:
    """Write one HTML file that compares models: charts, tables, significance, and the results of the paper.

    Its charts need no network. It contains no pictures of the dataset, so it may be shared. --png needs Chromium or
    Chrome.
    """
    from fer_core.columns import TEST_SPLITS, VIEWS, YARDSTICKS
    from fer_core.metrics.ensembles import FUSIONS
    from fer_core.sections.html import write_html, write_png
    from fer_core.sections.results import build_report, write_csv

    for value, allowed, what in (
        (split, TEST_SPLITS, "--split"),
        (view, VIEWS, "--view"),
        (by, YARDSTICKS, "--by"),
        (ensemble, FUSIONS, "--ensemble"),
    ):
        if value is not None and value not in allowed:
            raise FerError(f"Expected {what} to be one of {', '.join(allowed)}. Received: {value}")
    models = [load_model(name) for name in dict.fromkeys(names)] if names else stored_models()
    if not models:
        raise FerError("There is no trained model to report on. Train one with `fer-lab train compact_cnn`.")
    stderr.print("Measuring and drawing …")
    results = build_report(models, split, view=view, fusion=ensemble, by=by)
    warn(*results.complaints)
    path = write_html(results, out)
    stdout.print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)", soft_wrap=True, markup=False)
    if csv is not None:
        stdout.print(f"Wrote {len(write_csv(results, csv))} tables into {csv}", soft_wrap=True, markup=False)
    if png is not None:
        stderr.print("Drawing the pictures …")
        stdout.print(f"Wrote {len(write_png(results, png))} pictures into {png}", soft_wrap=True, markup=False)
