"""Folders and zips, whoever made them: the files in a folder, and a zip unpacked safely."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from fer_core.names import is_junk, normal_name
from fer_core.types import FerError

MAX_BYTES: Final = 2 * 1024**3
"""Total unpacked size. FER2013's CSV has 0.3 GB, five hundred photos of a phone about 2 GB."""

MAX_FILES: Final = 100_000
"""The edition of FER2013 with image folders has 35,887."""

MAX_RATIO: Final = 100
"""Unpacked size divided by packed size: about 1 for photos, 4 for tables of numbers, 1000 for a zip bomb."""

_SAYS_UTF8: Final = 0x800  # a bit of an entry's flags
_HARMLESS: Final = 64 * 1024**2  # bytes; below it a high ratio is allowed, since a plain picture may have one


def entries(folder: Path) -> list[Path]:
    """Return the files and folders in a folder, sorted, without junk (see `names.is_junk`)."""
    try:
        return sorted(path for path in folder.iterdir() if not is_junk(path.name))
    except OSError as error:
        _unreadable(error)


def files_in(folder: Path) -> list[Path]:
    """Return the files in a folder and its subfolders, sorted, without junk (see `names.is_junk`).

    Symbolic links are followed; a folder that several links lead to is read once.
    """
    files: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_junk(name))
        files += [path for name in names if not is_junk(name) and (path := Path(place, name)).is_file()]
    return sorted(files)


def _unreadable(error: OSError) -> NoReturn:
    raise FerError(
        f"The folder {str(error.filename)[-80:]} cannot be read ({error.strerror}). Check its permissions."
    ) from error


def extract_zip(
    source: Path | str | BinaryIO, target: Path | str, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> Path:
    """Unpack a zip into a new or empty folder, completely or not at all, and return the folder.

    All names and sizes are checked before anything is written; the limits are on the unpacked files. If unpacking
    fails, the folder is removed. Files get their normal names, and junk is skipped (see `fer_core.names`). A stream
    must be seekable.

    Raises:
        FerError: the source is not a zip, or is damaged, cut off or encrypted; a name points outside the folder; it
            contains a link or two files of the same name; a limit is exceeded; or the target is not empty or cannot be
            written.
    """
    name = source if isinstance(source, str | Path) else getattr(source, "name", None)
    shown = Path(name).name if isinstance(name, str | Path) else "The zip"
    folder = Path(target)
    try:
        with zipfile.ZipFile(source) as archive:
            paths = ((info, _path_in(info, shown)) for info in archive.infolist())
            members = [(info, path) for info, path in paths if not any(map(is_junk, path))]
            _check_limits([info for info, _ in members], shown, max_bytes, max_files)
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise FerError(f"{shown} cannot be unpacked into {folder}: the folder is not empty. Name a new one.")
            try:
                for info, path in members:
                    _write(archive, info, folder.joinpath(*path))
            except BaseException as error:
                shutil.rmtree(folder, ignore_errors=True)
                if isinstance(error, FileExistsError):
                    raise FerError(
                        f"{shown} holds two files of the same name, or of names that differ only in case or Unicode "
                        f"form ({Path(error.filename).name[:80]!r}). Rename one and pack them again."
                    ) from error
                raise
    except FerError:
        raise
    except FileNotFoundError as error:
        raise FerError(f"{shown} does not exist. Expected a zip file. Received: {source}") from error
    except (NotImplementedError, RuntimeError) as error:
        raise FerError(
            f"{shown} is packed in a way that cannot be read ({error}). Pack it as an ordinary zip."
        ) from error
    except OSError as error:
        raise FerError(
            f"{shown} cannot be unpacked ({error.strerror or error}). Check the file and the disk."
        ) from error
    except Exception as error:  # zipfile raises many types of errors for damaged files
        raise FerError(f"{shown} is not a zip, or is damaged or cut off. Pack or download it again.") from error
    return folder


def _check_limits(members: list[zipfile.ZipInfo], shown: str, max_bytes: int, max_files: int) -> None:
    files = [info for info in members if not _is_folder(info)]
    if not files:
        raise FerError(f"{shown} is an empty zip. Expected files in it.")
    if len(members) > max_files:
        raise FerError(f"{shown} holds too many files. Expected at most {max_files:,}. Received: {len(members):,}")
    unpacked = sum(info.file_size for info in files)
    packed = max(1, sum(info.compress_size for info in files))
    if unpacked > max_bytes:
        raise FerError(
            f"{shown} would unpack to too much. Expected at most {max_bytes / 1e6:,.0f} MB; leave files out or make "
            f"them smaller. Received: {unpacked / 1e6:,.0f} MB"
        )
    if unpacked > _HARMLESS and unpacked > MAX_RATIO * packed:
        raise FerError(
            f"{shown} looks like a zip bomb: {packed / 1e6:,.1f} MB would unpack to {unpacked / 1e6:,.0f} MB. "
            f"Expected pictures or tables, at most {MAX_RATIO} times their packed size."
        )


def _path_in(info: zipfile.ZipInfo, shown: str) -> tuple[str, ...]:
    """Return the parts of the entry's path relative to the target."""
    if info.flag_bits & 0x1:
        raise FerError(f"{shown} is encrypted. Pack it again without a password.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FerError(f"{shown} holds a link ({info.filename!r}). Pack the files themselves instead.")
    name = info.filename
    with contextlib.suppress(UnicodeError):
        if not info.flag_bits & _SAYS_UTF8:  # some programs, such as macOS' Finder, write UTF-8 without saying so
            name = name.encode("cp437").decode()
    name = normal_name(name)
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or any(":" in part for part in parts[:1]):
        raise FerError(
            f"{shown} holds a path that leads out of its folder ({info.filename!r}). Pack one folder plainly."
        )
    return parts


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\"))  # PowerShell 5 writes a backslash


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    if _is_folder(info):
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, path.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked)  # never more than the size that was checked
