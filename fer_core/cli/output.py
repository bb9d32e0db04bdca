"""Output that all commands share: tables or JSON on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fer_core.names import readable
from fer_core.types import FerError, reason

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

COLUMN_GAP: Final = 3
"""Characters between two columns of a table."""

MIN_WIDTH: Final = 12
"""Characters to which the first column of a table is narrowed at most."""

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
    from rich.markup import escape

    return escape(text)


@dataclass(frozen=True)
class ShortPath:
    """A path in a table. Where it does not fit, its first folders are left out; the file's name is always whole."""

    path: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(cell_len(self.path), cell_len(self._from_folder(-1))), cell_len(self.path))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        depth = len(Path(self.path).parts)
        forms = (self.path, *(self._from_folder(-count) for count in range(depth - 1, 0, -1)))
        shown = next((form for form in forms if cell_len(form) <= options.max_width), Path(self.path).name)
        yield Text(shown, overflow="fold")

    def _from_folder(self, part: int) -> str:
        return str(Path("…", *Path(self.path).parts[part:]))


def fitted_table(
    rows: Sequence[Mapping[str, RenderableType]], columns: Sequence[str], spare: Sequence[str] = ()
) -> Table:
    """Return a table for the width of the terminal: its lines break between words, and nothing is cut off.

    Args:
        rows: the cells of each row by column: text with Rich's markup, or a `ShortPath`.
        columns: the headings, in order.
        spare: columns to leave out, in this order, while the table is too wide.
    """
    room = {name: _room(name, rows) for name in columns}
    shown = list(columns)
    for name in spare:
        if _excess([room[one] for one in shown]) > 0:
            shown.remove(name)
    free = -_excess([room[name] for name in shown])
    if free < 0:  # even so: the first column's words are broken, no others
        least = max(MIN_WIDTH, room[shown[0]].minimum + free)
        room[shown[0]], free = Measurement(least, least), 0
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in shown:
        table.add_column(name, overflow="fold")
    # A column that lacks least is widened first.
    for column, name in sorted(zip(table.columns, shown, strict=True), key=lambda pair: room[pair[1]].span):
        more = min(free, room[name].span)
        column.width = room[name].minimum + more
        free -= more
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    return table


def _excess(room: Sequence[Measurement]) -> int:
    """Return by how many characters a table of these columns is too wide at least."""
    return sum(one.minimum for one in room) + COLUMN_GAP * (len(room) - 1) - stdout.width


def _room(name: str, rows: Sequence[Mapping[str, RenderableType]]) -> Measurement:
    """Return how many characters wide a column must be, and can be, without its margins."""
    endless = stdout.options.update(width=10_000)
    cells = (Text(name), *(row[name] for row in rows))
    widths = [Measurement.get(stdout, endless, cell) for cell in cells]
    return Measurement(max(one.minimum for one in widths), max(one.maximum for one in widths))


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
