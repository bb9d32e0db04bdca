"""Output that all commands share: tables or JSON on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fer_core.types import FerError

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

P = ParamSpec("P")
R = TypeVar("R")


def fails_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command to print a `FerError` as one sentence and exit with status 1.

    Other exceptions are not caught. TensorFlow's start-up messages are switched off.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            return command(*args, **kwargs)
        except FerError as error:
            stderr.print(f"[bold red]Error:[/] {escaped(str(error))}", soft_wrap=True)
            raise typer.Exit(1) from error

    return wrapped


def warn(*warnings: str) -> None:
    """Print each warning to stderr."""
    for text in warnings:
        stderr.print(f"[yellow]{escaped(text)}[/]", soft_wrap=True)


def print_json(document: Any) -> None:
    """Print a JSON document to stdout, without Rich's formatting."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


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
    from rich.markup import escape

    return escape(text)


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
