"""The command line, `fer-lab` or `python -m fer_core`: reports go to stdout, progress and warnings to stderr."""

from __future__ import annotations

import typer

from fer_core.cli.audit import audit
from fer_core.cli.data import data
from fer_core.cli.evaluate import compare, evaluate
from fer_core.cli.models import models, report
from fer_core.cli.output import Commands, write_utf8
from fer_core.cli.predict import predict, video
from fer_core.cli.runs import runs
from fer_core.cli.start import SETTINGS, start
from fer_core.cli.train import pretrain, train, tune

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Commands,
    help="FER Lab: facial expression recognition from the command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for command in (predict, video, train, tune, pretrain, evaluate, compare, audit, report):
    app.command()(command)
app.command("app", context_settings=SETTINGS)(start)
app.add_typer(data, name="data")
app.add_typer(runs, name="runs")
app.add_typer(models, name="models")


def main(name: str = "fer-lab") -> None:
    """Run the command line; `name` is what a person typed to start it."""
    write_utf8()
    app(prog_name=name)
