"""Reading a CSV from anywhere row by row, with a word on the first row that is wrong."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from fer_core.types import FerError

_LONGEST_LINE: Final = 1 << 20  # characters; a row of FER2013 has 9,000


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield (where, values) of every row: a phrase that names the row for messages, and the columns' values in order.

    Plain or gzipped, by content. Columns may stand in any order, in any case, among others; blank lines are passed
    over. Rows are counted from 1 below the header. The file is read as a stream: 300 MB never lie in memory.

    Raises:
        FerError: the file cannot be opened, is empty, damaged, cut off, or not gzip though named so; a column is
            missing; a row has another number of columns than the header; or there are no rows.
    """
    compressed = _is_gzip(path, columns)
    row = 0
    try:
        with _text(path, compressed) as stream:
            records = csv.reader(iter(lambda: stream.readline(_LONGEST_LINE), ""))
            names = [name.strip().lower() for name in next(records, [])]
            positions = _positions(names, columns, path.name)
            for record in records:
                if not record:
                    continue
                row += 1
                where = f"Row {row} (below the header) of {path.name}"
                if len(record) != len(names):
                    raise FerError(f"{where} has {len(record)} columns. Expected {len(names)}, as the header has.")
                yield where, [record[position] for position in positions]
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise FerError(
            f"{path.name} is damaged or cut off after {row} rows ({error}). Download it again, or look at its next row."
        ) from error
    if not row:
        raise FerError(f"{path.name} has no rows below its header. Expected the columns {', '.join(columns)}.")


def shown(text: str) -> str:
    """Return a value as messages quote it: short and on one line."""
    return repr(text[:40] + ("…" if len(text) > 40 else ""))


def _is_gzip(path: Path, columns: tuple[str, ...]) -> bool:
    if path.name.lower().endswith((".tar.gz", ".tgz")):
        raise FerError(f"{path.name} is a tar archive. Unpack it and give the CSV inside.")
    try:
        with path.open("rb") as stream:
            head = stream.read(2)
    except OSError as error:
        raise FerError(f"{path.name} cannot be read ({error.strerror}). Expected a CSV, plain or gzipped.") from error
    if not head:
        raise FerError(f"{path.name} is empty (0 bytes). Expected a table with the columns {', '.join(columns)}.")
    compressed = head == b"\x1f\x8b"
    if path.suffix.lower() == ".gz" and not compressed:
        raise FerError(f"{path.name} is not gzip, though named .gz. Expected a gzipped CSV, or a plain one named .csv.")
    return compressed


def _text(path: Path, compressed: bool) -> TextIO:
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _positions(names: list[str], columns: tuple[str, ...], name: str) -> list[int]:
    missing = [column for column in columns if column.lower() not in names]
    if missing:
        raise FerError(
            f"{name} has no column {missing[0]!r}. Expected the columns {', '.join(columns)}. "
            f"Received: {shown(', '.join(names))}"
        )
    return [names.index(column.lower()) for column in columns]
