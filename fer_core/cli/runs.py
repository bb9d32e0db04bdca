"""`runs`: trainings that were started from the Fine-tune page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer import Argument, Option

from fer_core.cli.output import AsJson, fitted_table, print_json, say, stdout, warn
from fer_core.files import records
from fer_core.jobs import PATIENCE
from fer_core.runs import queue
from fer_core.runs import run as promotion
from fer_core.runs.estimate import duration_text
from fer_core.runs.run import Run, list_runs, open_run
from fer_core.runs.status import STATE_LABELS

runs = typer.Typer(help="List, stop, resume and promote the trainings of the Fine-tune page.", no_args_is_help=True)

RunId = Annotated[str, Argument(help="The run's id, as `runs list` shows it.")]


@runs.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    all_runs, warnings = list_runs()
    warn(*warnings)
    rows = [_row(run) for run in all_runs]
    if as_json:
        print_json(rows)
        return
    cells = [
        (
            row["id"],
            escape(row["title"]),
            STATE_LABELS[row["state"]],
            f"{row['epoch']}/{row['epochs']}",
            duration_text(row["seconds_left"]) if row["seconds_left"] is not None else "",
        )
        for row in rows
    ]
    stdout.print(fitted_table(["Id", "Title", "State", "Epoch", "Left"], cells))


@runs.command()
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show a run's state, its last epochs, and the end of its log."""
    run = open_run(run_id)
    history = run.history()
    if as_json:
        print_json({**_row(run), "plan": asdict(run.plan), "history": records(history)})
        return
    status = run.status()
    say(f"{run.title}: {STATE_LABELS[status.state]}. {status.message}")
    warn(*status.warnings)
    if not history.empty:
        stdout.print(history.tail(10).to_string(index=False))
    say(run.log(15))


@runs.command()
def stop(run_id: RunId) -> None:
    """Stop a run; `runs resume` continues it after its last finished epoch."""
    run = open_run(run_id)
    queue.stop(run)
    stdout.print(f"{run.id}: {STATE_LABELS[queue.wait(run, PATIENCE + 5).state]}")


@runs.command()
def resume(run_id: RunId) -> None:
    """Queue a run again that was stopped or interrupted, or that failed."""
    run = queue.resume(open_run(run_id))
    stdout.print(f"{run.id}: {STATE_LABELS[run.status().state]}")


@runs.command()
def delete(run_id: RunId) -> None:
    """Delete a run that is not working; promoted models are kept."""
    run = open_run(run_id)
    queue.delete(run)
    stdout.print(f"{run.id} was deleted.")


@runs.command()
def promote(
    run_id: RunId,
    name: Annotated[str | None, Option(help="The model's name; default: made from the run's title.")] = None,
    title: Annotated[str | None, Option(help="The model's title; default: the run's.")] = None,
    replace: Annotated[bool, Option(help="Replace a model of that name.")] = False,
) -> None:
    """Make a finished run's model available to all pages and commands."""
    run = open_run(run_id)
    model = promotion.promote(run, name or promotion.suggested_name(run), title=title or run.title, replace=replace)
    say(f"{model.name} is in {model.folder}")


def _row(run: Run) -> dict[str, Any]:
    status = run.status()
    return {
        "id": run.id,
        "title": run.title,
        "created": run.created.isoformat(timespec="seconds"),
        "state": status.state,
        "message": status.message,
        "epoch": status.epoch,
        "epochs": status.epochs or run.plan.recipe.epochs,
        "seconds": round(status.seconds, 1),
        "seconds_left": status.seconds_left,
        "peak_memory": status.peak_memory,
        "folder": str(run.folder),
    }
