"""What the scripts share: a fresh data folder, small files, and a table; exit status 1 if a limit is violated."""

import io
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from PIL import Image
from rich.console import Console
from rich.table import Table

from tests.bad_inputs import good_input
from tests.data.conftest import make_zip

MEGABYTE: Final = 1e6


class Input(NamedTuple):
    """One damaged file."""

    what: str  # the good file and how it was damaged, for messages
    name: str
    content: bytes


def face() -> Image.Image:
    """Return the head of the sample portrait."""
    return Image.open(io.BytesIO(good_input()))


def packed(files: dict[str, bytes]) -> bytes:
    """Return a zip of files by name."""
    return make_zip(io.BytesIO(), files.items()).getvalue()


@contextmanager
def fresh_home() -> Iterator[Path]:
    """Yield a temporary folder; `home` and `tmp` in it are FER_HOME and TMPDIR of this process and its children.

    SIGTERM ends the script in order from here on: the folder is deleted, and servers and children are stopped.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.TemporaryDirectory(prefix="fer-load-", ignore_cleanup_errors=True)
    with folder as name, pytest.MonkeyPatch.context() as patch:
        for variable, part in (("FER_HOME", "home"), ("TMPDIR", "tmp")):
            (Path(name) / part).mkdir()
            patch.setenv(variable, str(Path(name) / part))
        patch.setattr(tempfile, "tempdir", None)  # read TMPDIR again
        yield Path(name)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], violations: Sequence[str]) -> int:
    """Print the table and every violation; return the exit status."""
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    table = Table(*columns, title=title, title_justify="left", show_lines=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for violation in violations:
        console.print(f"[red]violated[/] {violation}", soft_wrap=True)
    console.print("[red]A limit is violated.[/]" if violations else "[green]All limits are kept.[/]")
    return 1 if violations else 0
