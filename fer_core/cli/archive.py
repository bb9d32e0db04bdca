"""The options of `predict` and `video` for archives: `--out`, `--engine` and `--address`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from fer_core.archives import Job, LocalEngine, Progress, RayEngine, Summary, run_archive
from fer_core.cli.output import escaped, print_json, progress_bar, stdout, warn
from fer_core.types import FerError


class EngineKind(StrEnum):
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
EngineName = Annotated[EngineKind, typer.Option(help="With --out: this machine, or a Ray cluster.")]
Address = Annotated[
    str | None, typer.Option(help="With --engine ray: the cluster, such as auto. Default: a Ray on this machine.")
]


def require_out(engine: EngineKind, address: str | None) -> None:
    """Raise a `FerError` if an option is given that needs `--out`."""
    if engine != EngineKind.LOCAL or address:
        raise FerError("--engine and --address are for archives: also give --out FOLDER.")


def analyze_archive(
    inputs: Sequence[str],
    out: str,
    *,
    job: Job,
    engine: EngineKind,
    address: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Analyse an archive with a progress bar, and print its summary.

    Raises:
        FerError: see `run_archive`.
        typer.Exit: with status 1 if a file has an error, 130 after Ctrl-C.
    """
    if address and engine != EngineKind.RAY:
        raise FerError("--address names a Ray cluster: also give --engine ray.")
    warn(*([job.note] if job.note else []))
    chosen = RayEngine(address, workers) if engine == EngineKind.RAY else LocalEngine(workers)
    try:
        with progress_bar() as bar:
            task = bar.add_task("Partitions", total=None)

            def show(now: Progress) -> None:
                rates = f"{now.files / now.seconds:,.1f} files/s, {now.faces / now.seconds:,.1f} faces/s"
                bar.update(task, completed=now.done, total=now.total, description=f"Partitions, {rates}")

            summary = run_archive(inputs, out, job=job, engine=chosen, on_progress=show)
    except KeyboardInterrupt:
        warn("Stopped. What is done is kept; run the same command again to continue.")
        raise typer.Exit(130) from None
    finally:
        chosen.close()
    if as_json:
        print_json(summary._asdict())
    else:
        _print(summary)
    if summary.errors:
        raise typer.Exit(1)


def _print(summary: Summary) -> None:
    before = summary.files - summary.done
    stdout.print(
        f"Files: {summary.files:,}, faces: {summary.faces:,}, errors: {sum(summary.errors.values()):,}, in "
        f"{escaped(summary.out)}. In this call {summary.done:,} in {summary.seconds:,.1f} seconds"
        + (f"; {before:,} before" if before else "")
    )
    rates = {machine: f"{rate:,.1f}" for machine, rate in summary.faces_per_second.items()}
    errors = {kind: f"{count:,}" for kind, count in summary.errors.items()}
    for titles, values in ((("Machine", "Faces per second"), rates), (("Error", "Files"), errors)):
        if values:
            table = Table(*titles)
            for name, value in values.items():
                table.add_row(escaped(name), value)
            stdout.print(table)
