"""`runs`: trainings that were started from the Fine-tune page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from fer_core.cli.output import AsJson, escaped, fails_clearly, fitted_table, print_json, stdout, warn
from fer_core.jobs import PATIENCE
from fer_core.runs import queue
from fer_core.runs import run as promotion
from fer_core.runs.estimate import duration_text
from fer_core.runs.run import Run, list_runs, open_run
from fer_core.runs.status import STATE_LABELS

runs = typer.Typer(help="List, stop, resume and promote the trainings of the Fine-tune page.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="The run's id, as `runs list` shows it.")]


@runs.command(name="list")
@fails_clearly
def list_(as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    all_runs, warnings = list_runs()
    warn(*warnings)
    if as_json:
        print_json([_row(run) for run in all_runs])
        return
    rows = [_row(run) for run in all_runs]
    cells = [
        {
            "Id": row["id"],
            "Title": escaped(row["title"]),
            "State": STATE_LABELS[row["state"]],
            "Epoch": f"{row['epoch']}/{row['epochs']}",
            "Left": duration_text(row["seconds_left"]) if row["seconds_left"] is not None else "",
        }
        for row in rows
    ]
    stdout.print(fitted_table(cells, ["Id", "Title", "State", "Epoch", "Left"]))


@runs.command()
@fails_clearly
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show a run's state, its last epochs, and the end of its log."""
    run = open_run(run_id)
    history = run.history()
    if as_json:
        print_json({**_row(run), "plan": asdict(run.plan), "history": history.to_dict("records")})
        return
    status = run.status()
    stdout.print(f"{run.title}: {STATE_LABELS[status.state]}. {status.message}", markup=False, soft_wrap=True)
    warn(*status.warnings)
    if not history.empty:
        stdout.print(history.tail(10).to_string(index=False))
    stdout.print(run.log(15), markup=False, soft_wrap=True)


@runs.command()
@fails_clearly
def stop(run_id: RunId) -> None:
    """Stop a run; `runs resume` continues it after its last finished epoch."""
    run = open_run(run_id)
    queue.stop(run)
    _print_state(run, queue.wait(run, PATIENCE + 5).state)


@runs.command()
@fails_clearly
def resume(run_id: RunId) -> None:
    """Queue a run again that was stopped or interrupted, or that failed."""
    run = queue.resume(open_run(run_id))
    _print_state(run, run.status().state)


@runs.command()
@fails_clearly
def delete(run_id: RunId) -> None:
    """Delete a run that is not working; promoted models are kept."""
    run = open_run(run_id)
    queue.delete(run)
    stdout.print(f"{run.id} was deleted.")


@runs.command()
@fails_clearly
def promote(
    run_id: RunId,
    name: Annotated[str | None, typer.Option(help="The model's name; default: made from the run's title.")] = None,
    title: Annotated[str | None, typer.Option(help="The model's title; default: the run's.")] = None,
    replace: Annotated[bool, typer.Option(help="Replace a model of that name.")] = False,
) -> None:
    """Make a finished run's model available to all pages and commands."""
    run = open_run(run_id)
    model = promotion.promote(run, name or promotion.suggested_name(run), title=title or run.title, replace=replace)
    stdout.print(f"{model.name} is in {model.folder}", soft_wrap=True, markup=False)


def _print_state(run: Run, state: str) -> None:
    stdout.print(f"{run.id}: {STATE_LABELS[state]}")


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
