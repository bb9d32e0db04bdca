"""Where the user's data lives, and how files and folders are written: completely or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import platformdirs

from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import pandas as pd

_TEMPORARY: Final = re.compile(r"\.(partial|old)-[0-9a-f]{8}-(.+)")  # not complete yet, or being replaced; hidden
_ABANDONED: Final = 86_400.0  # seconds after which no process still writes to something temporary
_BETWEEN: Final = 60.0  # seconds that no process needs for two renames
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")  # the first characters of text that spreadsheets run
_MAX_NAME: Final = 60
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # not allowed as file names on Windows


def home() -> Path:
    """Return the user's data folder, created on demand: `FER_HOME`, or the system's default for user data."""
    folder = os.environ.get("FER_HOME") or platformdirs.user_data_dir("fer-lab", appauthor=False)
    return created(usable_path(folder))


def usable_path(given: os.PathLike[str] | str) -> Path:
    """Return a path that somebody gives, with the user's folder for `~`; it need not exist.

    A `FerError` says that the system refuses it: its name is too long, say, or there is no such user.
    """
    try:
        path = Path(given).expanduser()
        path.exists()
    except (OSError, RuntimeError) as error:
        raise FerError(f"This path cannot be used ({reason(error)}). Received: {str(given)[-80:]}") from error
    return path


def cache_folder(name: str) -> Path:
    """Return the folder `cache/<name>` under `home()`, created on demand; its contents can always be rebuilt."""
    return created(home() / "cache" / name)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` with the same suffixes to write to; the file replaces `path` when the block ends.

    Other processes see the old file or the new one, never a part of it. If the block raises, `path` stays as it was.
    """
    partial = _beside(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def partial_beside(path: Path) -> Path:
    """Return a path as of `whole_file`, for a file that takes long to write; the caller renames it at the end."""
    _clean_up(path.parent)
    return _beside(path)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file with the line ends of the text, by `whole_file`."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by `whole_file`."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table for people as `csv_text`, by `whole_file`."""
    write_text(path, csv_text(table))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON types; missing values become None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def csv_text(table: pd.DataFrame) -> str:
    """Return a table for people as CSV without its index: missing values are empty, lines end with a line feed."""
    stream = io.StringIO()
    write_rows(stream, [table.columns, *table.astype(object).where(table.notna(), None).to_numpy()])
    return stream.getvalue()


def write_rows(stream: TextIO, rows: Iterable[Iterable[Any]]) -> None:
    """Append rows to a CSV file for people, with `no_formula`."""
    csv.writer(stream, lineterminator="\n").writerows(map(no_formula, row) for row in rows)


def no_formula(value: Any) -> Any:
    """Return text that a spreadsheet would run as a formula with an apostrophe before it, and all else as it is."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # Python 3.11 does not quote the former
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, by `whole_file`."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, or an empty dictionary if the file is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def stamp(path: Path) -> tuple[int, ...]:
    """Return what differs when a file has been written anew; nothing if it cannot be read."""
    try:
        known = path.stat()
    except OSError:
        return ()
    return known.st_ino, known.st_mtime_ns, known.st_ctime_ns, known.st_size


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; it replaces `path` when the block ends.

    Other processes see the old folder or the new one, never a part of it; between the two there is a moment without
    either. If the block raises, or the process is killed, `path` stays as it was. What killed processes leave behind
    is removed a day later by a call for the same parent folder; if one was killed in that moment, the next call after a
    minute puts the old folder back.
    """
    _clean_up(path.parent)
    new = _beside(path)
    old = new.with_name(new.name.replace(".partial-", ".old-", 1))
    new.mkdir()
    try:
        yield new
        if path.exists():
            path.rename(old)
        new.rename(path)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def checked_name(name: str, kind: str) -> str:
    """Return the name of a `kind`, such as `model`, or raise a `FerError` if it is no folder name on every system."""
    if len(name) > _MAX_NAME or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or _RESERVED.fullmatch(name):
        raise FerError(
            f"This is not a valid {kind} name. Expected lower-case letters, digits, _ and -, at most {_MAX_NAME}, for "
            f"example my_first_{kind}. Received: {name[: _MAX_NAME + 1]!r}"
        )
    return name


def name_from(title: str) -> str:
    """Return a name that `checked_name` accepts, made of a title's letters and digits."""
    plain = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40].strip("_")
    return plain if plain and not _RESERVED.fullmatch(plain) else f"my_{plain or 'model'}"


def created(folder: Path) -> Path:
    """Return a folder of the data folder, created if it does not exist; a `FerError` says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FerError(
            f"FER Lab's data folder {folder} cannot be created ({error.strerror}). Set the environment variable "
            "FER_HOME to a folder that can be written."
        ) from error
    return folder


def _beside(path: Path) -> Path:
    return path.with_name(f".partial-{secrets.token_hex(4)}-{path.name}")


def _clean_up(folder: Path) -> None:
    """Remove what killed processes left of `partial_beside` and `whole_folder` in a folder."""
    for left in folder.glob(".*"):
        if not (named := _TEMPORARY.fullmatch(left.name)):
            continue
        path = left.with_name(named[2])
        with contextlib.suppress(OSError):  # it was renamed in between
            known = left.stat()
            if named[1] == "old" and not path.exists():
                if time.time() - known.st_ctime > _BETWEEN:
                    left.rename(path)
            elif time.time() - known.st_mtime > _ABANDONED or named[1] == "old":
                shutil.rmtree(left) if left.is_dir() else left.unlink()
