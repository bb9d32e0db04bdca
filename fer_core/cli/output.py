"""Options and output that commands share: tables or JSON on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from typer import Option
from typer.core import TyperGroup

from fer_core.extras import extras
from fer_core.names import readable
from fer_core.types import FerError, reason

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, Option("--json", help="Print one JSON document instead of a table.")]
Fer2013 = Annotated[Path | None, Option(help="FER2013: CSV, folder or zip.")]
Model = Annotated[str, Option(help="Name of a trained model.")]
WholeImage = Annotated[bool, Option(help="Treat each picture as one face crop; do not search for faces.")]

OTHER_COLUMNS: Final = 50
"""Characters that a column of paths leaves to the others."""


def write_utf8() -> None:
    """Let this process write UTF-8 with plain line feeds, whatever the console, so that no file's name ends it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


class Commands(TyperGroup):
    """Commands that print a `FerError`, an `OSError` or a missing extra as one sentence and exit with status 1.

    Other exceptions are not caught, nor a reader of the output that ends early. TensorFlow's start-up messages are
    switched off.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with extras():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (FerError, OSError) as error:
            words = str(error)
            if isinstance(error, OSError):
                words = f"{error.filename or 'A file'} cannot be read or written ({reason(error)})."
            stderr.print(f"[bold red]Error:[/] {escape(words)}", soft_wrap=True)
            raise typer.Exit(1) from error


def warn(*warnings: str) -> None:
    """Print each warning to stderr."""
    for text in warnings:
        stderr.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def say(text: str) -> None:
    """Print a sentence to stdout, as it is and on one line."""
    stdout.print(text, soft_wrap=True, markup=False)


def print_json(document: Any) -> None:
    """Print a JSON document to stdout, without Rich's formatting."""
    sys.stdout.write(readable(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")


def progress_bar() -> Progress:
    """Return a progress bar for stderr that shows the time left."""
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    return Progress(TextColumn("{task.description}"), *columns, console=stderr)


def fitted_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table whose cells are wrapped to the width of the terminal; those of the first column are not if short.

    Cells may have Rich's markup.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    short = max((cell_len(row[0]) for row in rows), default=0) <= stdout.width // 2
    for number, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=number == 0 and short)
    for row in rows:
        table.add_row(*row)
    return table


def titled_table(title: str) -> Table:
    """Return a table without columns that has its title at the left."""
    return Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")


def short_path(path: str) -> str:
    """Return the end of a path that leaves room for other columns: its file's name and as many folders as fit."""
    room = max(20, stdout.width - OTHER_COLUMNS)
    parts = Path(path).parts
    ends = (str(Path("…", *parts[start:])) for start in range(1, len(parts)))
    return next((text for text in (path, *ends) if cell_len(text) <= room), Path(path).name)


def write_output(path: Path, what: str, write: Callable[[Path], object]) -> None:
    """Create the folder of `path` if needed, then call `write(path)`; a `FerError` says `what` cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise FerError(f"The {what} cannot be written to {path}: {error.strerror or error}.") from error
