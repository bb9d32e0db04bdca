"""Output that all commands share: tables or JSON on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fer_core.names import readable
from fer_core.types import FerError, reason

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

OTHER_COLUMNS: Final = 50
"""Characters that a column of paths leaves to the others."""

P = ParamSpec("P")
R = TypeVar("R")


def write_utf8() -> None:
    """Let this process write UTF-8 with plain line feeds, whatever the console, so that no file's name ends it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def fails_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command to print a `FerError` or an `OSError` as one sentence and exit with status 1.

    Other exceptions are not caught, nor a reader of the output that ends early. TensorFlow's start-up messages are
    switched off.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            raise
        except (FerError, OSError) as error:
            words = str(error)
            if isinstance(error, OSError):
                words = f"{error.filename or 'A file'} cannot be read or written ({reason(error)})."
            stderr.print(f"[bold red]Error:[/] {escaped(words)}", soft_wrap=True)
            raise typer.Exit(1) from error

    return wrapped


def warn(*warnings: str) -> None:
    """Print each warning to stderr."""
    for text in warnings:
        stderr.print(f"[yellow]{escaped(text)}[/]", soft_wrap=True)


def print_json(document: Any) -> None:
    """Print a JSON document to stdout, without Rich's formatting."""
    sys.stdout.write(readable(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")


def progress_bar() -> Progress:
    """Return a progress bar for stderr that shows the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
    )


def escaped(text: str) -> str:
    """Escape Rich's markup, so that names such as `[draft].jpg` are printed unchanged."""
    return escape(text)


def fitted_table(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Table:
    """Return a table whose cells are wrapped to the width of the terminal; those of the first column are not if short.

    Args:
        rows: the cells of each row by column, text with Rich's markup.
        columns: the headings, in order.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    short = max((cell_len(row[columns[0]]) for row in rows), default=0) <= stdout.width // 2
    for number, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=number == 0 and short)
    for row in rows:
        table.add_row(*(row[name] for name in columns))
    return table


def short_path(path: str) -> str:
    """Return the end of a path that leaves room for other columns: its file's name and as many folders as fit."""
    room = max(20, stdout.width - OTHER_COLUMNS)
    parts = Path(path).parts
    ends = (str(Path("…", *parts[start:])) for start in range(1, len(parts)))
    return next((text for text in (path, *ends) if cell_len(text) <= room), Path(path).name)


def write_output(path: Path, what: str, write: Callable[[Path], object]) -> None:
    """Create the folder of `path` if needed, then call `write(path)`.

    Args:
        path: the file to write.
        what: name of the content for the error message, e.g. "table".
        write: function that writes the file.

    Raises:
        FerError: the folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise FerError(f"The {what} cannot be written to {path}: {error.strerror or error}.") from error
