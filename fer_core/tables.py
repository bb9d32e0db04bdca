"""Read tables that somebody brings, CSV or Parquet: in pieces, within limits, and with each cell as the file has it."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import pandas as pd

from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import pyarrow as pa

MAX_ROWS: Final = 1_000_000  # rows or lines, blank ones included; FER2013 has 35,888
MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 3_000_000  # of a table that is kept in memory
MAX_BYTES: Final = 250_000_000  # of a table that is kept in memory, unpacked, with its pictures
MAX_TEXT: Final = 1_000_000_000  # characters of a CSV that is read row by row, unpacked; FER2013 has 301 million
_MAX_LINE: Final = 1 << 20  # characters of a row; one of FER2013 has 9,000
_AT_ONCE: Final = 10_000  # rows


def read_table(path: Path, columns: Sequence[str] = (), *, partial: bool = False) -> pd.DataFrame:
    """Read a table into memory: Parquet if the file is named so, else CSV as in `read_rows`.

    Cells of a CSV are texts, exactly as in the file: `NA`, `None` and `nan` are texts too, and an empty cell is an
    empty text. Cells of a Parquet table keep their types.

    Args:
        columns: names of the columns to read, as far as they are there; all by default.
        partial: the file may still be written: rows of a CSV with another number of cells than the header, and a last
            line without an end, are left out.

    Raises:
        FerError: the file cannot be read, or is larger than `MAX_ROWS`, `MAX_COLUMNS`, `MAX_CELLS` or `MAX_BYTES`.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path, columns)
    records = _records(path, MAX_BYTES, partial)
    names = next(records)[1]
    kept = [k for k, name in enumerate(names) if name in columns or not columns]
    pieces: list[pd.DataFrame] = []
    while not pieces or len(pieces[-1]) == _AT_ONCE:
        _check(path.name, _AT_ONCE * len(pieces), len(kept))
        rows = [[record[k] for k in kept] for _, record in islice(records, _AT_ONCE)]
        pieces.append(pd.DataFrame(rows, columns=[names[k] for k in kept], dtype="str"))
    return pd.concat(pieces, ignore_index=True)


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Read a CSV file row by row, so that memory use does not depend on its size.

    The file may be gzipped, which is recognised by its content. The columns may be in any order and case, among
    others. Blank lines are skipped.

    Yields:
        A phrase that names the row in messages (counted from 1 below the header), and the values of `columns`.

    Raises:
        FerError: the file cannot be opened, is empty, damaged or cut off, or is named `.gz` but not gzipped; a column
            is missing; a row has another number of columns than the header; there are no rows; or it is too large.
    """
    records = _records(path, MAX_TEXT)
    names = [name.strip().lower() for name in next(records)[1]]
    missing = [column for column in columns if column.lower() not in names]
    if missing:
        raise FerError(
            f"{path.name} has no column {missing[0]!r}. Expected the columns {', '.join(columns)}. "
            f"Received: {shortened(', '.join(names))}"
        )
    positions = [names.index(column.lower()) for column in columns]
    where = ""
    for where, record in records:
        yield where, [record[position] for position in positions]
    if not where:
        raise FerError(f"{path.name} has no rows below its header. Expected the columns {', '.join(columns)}.")


def shortened(text: str) -> str:
    """Return a value as quoted in messages: short and on one line."""
    return repr(text[:40] + ("…" if len(text) > 40 else ""))


def _records(path: Path, most: int, partial: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Yield the header of a CSV, then its rows, each with a phrase that names it."""
    row = in_row = 0

    def lines(stream: TextIO) -> Iterator[str]:
        """Yield lines, or pieces of very long ones: a small gzipped file may unpack to any size."""
        nonlocal in_row
        characters = number = 0
        while line := stream.readline(_MAX_LINE):
            characters, number, in_row = characters + len(line), number + 1, in_row + len(line)
            if characters > most or number > MAX_ROWS or in_row > _MAX_LINE:
                raise FerError(
                    f"{path.name} is too large. Expected a table of at most {most / 1e9:g} GB (unpacked), "
                    f"{MAX_ROWS:,} lines, blank ones included, and a million characters in a row."
                )
            if line.endswith("\n") or not partial:
                yield line

    try:
        with _text(path) as stream:
            width = 0
            for record in csv.reader(lines(stream)):
                in_row = 0
                if not record:
                    continue
                if not width:
                    width = len(record)
                    _check(path.name, 1, width)
                    yield "The header", record
                    continue
                row += len(record) == width or not partial
                where = f"Row {row} (below the header) of {path.name}"
                if len(record) == width:
                    yield where, record
                elif not partial:
                    raise FerError(f"{where} has {len(record)} columns. Expected {width}, as in the header.")
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise FerError(
            f"{path.name} is damaged or cut off after {row} rows ({reason(error)}). Download it again, or check the "
            f"next row."
        ) from error
    if not width:
        raise FerError(f"{path.name} has only blank lines. Expected a table with the names of its columns.")


def _text(path: Path) -> TextIO:
    """Open a CSV, plain or gzipped, as text."""
    if path.name.lower().endswith((".tar.gz", ".tgz")):
        raise FerError(f"{path.name} is a tar archive. Unpack it and use the CSV inside.")
    try:
        with path.open("rb") as stream:
            head = stream.read(2)
    except OSError as error:
        raise FerError(f"{path.name} cannot be read ({error.strerror}). Expected a CSV, plain or gzipped.") from error
    if not head:
        raise FerError(f"{path.name} is empty (0 bytes). Expected a table with the names of its columns.")
    if head == b"\x1f\x8b":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    if path.suffix.lower() == ".gz":
        raise FerError(f"{path.name} is named .gz but not gzipped. Expected a gzipped CSV, or a plain one named .csv.")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            leaves = [file.schema.column(k) for k in range(len(file.schema))]
        if any(leaf.max_repetition_level for leaf in leaves):
            raise FerError(f"The table {path.name[:80]} has lists in its cells. Expected one value in each cell.")
        size = sum(metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups))
        size += metadata.num_rows * sum(max(leaf.length, 0) for leaf in leaves)  # of texts of fixed length
        _check(path.name, metadata.num_rows, len(leaves), size)
        schema = pa.schema([field for field in schema if field.name in columns or not columns])
        texts = [field.name for field in schema if pa.types.is_binary(field.type) or pa.types.is_string(field.type)]
        pieces, rows, size = [schema.empty_table().to_pandas()], 0, 0
        with pq.ParquetFile(path, read_dictionary=texts) as file:  # else a text is copied for each row that has it
            for batch in file.iter_batches(_AT_ONCE, columns=schema.names):
                rows, size = rows + batch.num_rows, size + sum(map(_size, batch.columns))
                _check(path.name, rows, len(schema), size)
                pieces.append(batch.cast(schema).to_pandas())
        return pd.concat(pieces, ignore_index=True)
    except FerError:
        raise
    except Exception as error:  # pyarrow raises many types of errors for damaged files
        raise FerError(f"{path.name[:80]} cannot be read as a Parquet table ({reason(error)}).") from error


def _size(column: pa.Array) -> int:
    """Return the bytes of a column once each row has its own copy of its text."""
    import pyarrow.compute as pc

    if not hasattr(column, "dictionary"):
        return int(column.nbytes)
    return int(pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0)


def _check(name: str, rows: int, columns: int, size: int = 0) -> None:
    """Raise if a table that is kept in memory is too large."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS or size > MAX_BYTES:
        raise FerError(
            f"The table {name[:80]} is too large. Expected at most {MAX_ROWS:,} rows, {MAX_COLUMNS} columns, "
            f"{MAX_CELLS:,} cells and {MAX_BYTES / 1e6:.0f} MB. Received: {rows:,} rows, {columns:,} columns, or more."
        )
