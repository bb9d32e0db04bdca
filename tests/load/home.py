"""What the scripts share: a fresh data folder, and a table at the end with exit status 1 if a limit is violated."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

MEGABYTE = 1e6


@contextmanager
def fresh_home() -> Iterator[Path]:
    """Yield a temporary folder; `home` and `tmp` in it are FER_HOME and TMPDIR of this process and its children.

    SIGTERM ends the script in order from here on: the folder is deleted, and servers and children are stopped.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    before = {variable: os.environ.get(variable) for variable in ("FER_HOME", "TMPDIR")}
    with tempfile.TemporaryDirectory(prefix="fer-load-", ignore_cleanup_errors=True) as name:
        for variable, part in (("FER_HOME", "home"), ("TMPDIR", "tmp")):
            (Path(name) / part).mkdir()
            os.environ[variable] = str(Path(name) / part)
        tempfile.tempdir = None  # read TMPDIR again
        try:
            yield Path(name)
        finally:
            for variable, value in before.items():
                os.environ.pop(variable)
                if value is not None:
                    os.environ[variable] = value
            tempfile.tempdir = None


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], violations: Sequence[str]) -> int:
    """Print the table and every violation; return the exit status."""
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    long = any(len(cell) > 60 for row in rows for cell in row)
    table = Table(*columns, title=title, title_justify="left", show_lines=long)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for violation in violations:
        console.print(f"[red]violated[/] {violation}", soft_wrap=True)
    console.print("[red]A limit is violated.[/]" if violations else "[green]All limits are kept.[/]")
    return 1 if violations else 0
