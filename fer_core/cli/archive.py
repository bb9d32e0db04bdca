"""The options of `predict` and `video` for archives: `--out`, `--engine` and `--address`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fer_core.archives import Job, LocalEngine, RayEngine, Summary, run_archive
from fer_core.cli.output import escaped, print_json, stderr, stdout, warn
from fer_core.types import FerError


class Engine(StrEnum):
    """Where an archive is analysed."""

    LOCAL = "local"
    RAY = "ray"


Out = Annotated[
    str | None,
    typer.Option(
        help="Folder or address (s3://…, gs://…) for the results as partitioned Parquet. The same command continues "
        "after an interruption.",
        metavar="FOLDER",
    ),
]
EngineName = Annotated[Engine, typer.Option(help="With --out: this machine, or a Ray cluster.")]
Address = Annotated[
    str | None, typer.Option(help="With --engine ray: the cluster, such as auto. Default: a Ray on this machine.")
]


def require_out(engine: Engine, address: str | None) -> None:
    """Raise a `FerError` if an option is given that needs `--out`."""
    if engine != Engine.LOCAL or address:
        raise FerError("--engine and --address are for archives: also give --out FOLDER.")


def analyze_archive(
    inputs: Sequence[str], out: str, job: Job, engine: Engine, address: str | None, workers: int | None, as_json: bool
) -> None:
    """Analyse an archive with a progress bar, and print its summary.

    Raises:
        FerError: see `run_archive`.
        typer.Exit: with status 1 if a file has an error, 130 after Ctrl-C.
    """
    if address and engine != Engine.RAY:
        raise FerError("--address names a Ray cluster: also give --engine ray.")
    warn(*([job.note] if job.note else []))
    chosen = RayEngine(address, workers) if engine == Engine.RAY else LocalEngine(workers)
    try:
        with _bar() as bar:
            task = bar.add_task("Partitions", total=None, rate="")
            summary = run_archive(
                inputs,
                out,
                job,
                chosen,
                lambda now: bar.update(
                    task,
                    completed=now.done,
                    total=now.total,
                    rate=f"{now.files / now.seconds:,.1f} files/s, {now.faces / now.seconds:,.1f} faces/s",
                ),
            )
    except KeyboardInterrupt:
        warn("Stopped. What is done is kept; run the same command again to continue.")
        raise typer.Exit(130) from None
    finally:
        chosen.close()
    if as_json:
        print_json(summary.as_dict())
    else:
        _print(summary)
    if summary.errors:
        raise typer.Exit(1)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
    )


def _print(summary: Summary) -> None:
    before = summary.files - summary.done
    stdout.print(
        f"Files: {summary.files:,}, faces: {summary.faces:,}, errors: {sum(summary.errors.values()):,}, in "
        f"{escaped(summary.out)}. In this call {summary.done:,} in {summary.seconds:,.1f} seconds"
        + (f"; {before:,} before" if before else "")
    )
    for title, rows in (
        ("Faces per second", {name: f"{rate:,.1f}" for name, rate in summary.faces_per_second.items()}),
        ("Files", {kind: f"{count:,}" for kind, count in summary.errors.items()}),
    ):
        if rows:
            table = Table("Machine" if title != "Files" else "Error", title)
            for name, value in rows.items():
                table.add_row(escaped(name), value)
            stdout.print(table)
