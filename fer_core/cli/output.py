"""How every command speaks: tables on stdout, or one JSON document; the rest on stderr."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
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
    """Print a `FerError` as one sentence and exit with 1; leave every other error as it is.

    Also keeps TensorFlow's start-up chatter out of the way of the report.
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


def complain(text: str) -> None:
    """Print one warning to stderr."""
    stderr.print(f"[yellow]{escaped(text)}[/]", soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document to stdout, undecorated."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def progress_bar() -> Progress:
    """Return a progress bar on stderr with the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
    )


def escaped(text: str) -> str:
    """Return text as Rich prints it letter by letter: a file may be called `[draft].jpg`."""
    from rich.markup import escape

    return escape(text)
