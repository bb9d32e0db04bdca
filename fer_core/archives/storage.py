"""Files and folders on this machine or in an object store, through pyarrow's file systems."""

from __future__ import annotations

import fnmatch
import glob
import http.client
import io
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from pyarrow import fs

from fer_core.data import read_image
from fer_core.data.folders import files_in
from fer_core.files import usable_path, whole_file
from fer_core.names import is_junk, readable
from fer_core.types import FerError, Image, reason

WEB: Final = ("http://", "https://")
MAX_DOWNLOAD: Final = 500_000_000  # bytes of one file of the web, which is kept in memory
TIMEOUT_SECONDS: Final = 30.0


class Unreachable(FerError):
    """A file could not be read because of its connection or its store: later it may be."""


@dataclass(frozen=True)
class Location:
    """A file or folder: its pyarrow file system, the path in it, and the absolute path or address that people write.

    All methods but `read` raise a `FerError` if an address cannot be understood, reached or written.
    """

    filesystem: Any
    path: str
    address: str

    @classmethod
    def of(cls, address: str) -> Location:
        """Return the location of a path on this machine or of an address."""
        scheme, separator, rest = address.partition("://")
        if not separator:
            path = os.path.abspath(usable_path(address))  # noqa: PTH100 (links are kept as they are named)
            return cls(fs.LocalFileSystem(), path, path)
        rest, options = _without_options(rest)
        host, _, path = rest.partition("/")
        filesystem, base = filesystem_of(f"{scheme}://{host}", options)
        return cls(filesystem, f"{base}/{path}".rstrip("/") if path else base, address)

    def child(self, name: str) -> Location:
        """Return a file in this folder."""
        return Location(self.filesystem, f"{self.path}/{name}", f"{self.address}/{name}")

    def read(self) -> bytes:
        """Return the content of a file; an `OSError` if it cannot be read."""
        with self.filesystem.open_input_stream(self.path) as stream:
            return bytes(stream.read())

    def write(self, content: bytes) -> None:
        """Write a file completely or not at all, and create its folder. In a store it appears when it is complete."""
        try:
            if isinstance(self.filesystem, fs.LocalFileSystem):
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
                with whole_file(Path(self.path)) as partial:
                    partial.write_bytes(content)
            else:
                with self.filesystem.open_output_stream(self.path) as stream:
                    stream.write(content)
        except OSError as error:
            text = f"{self.address} cannot be written: {reason(error)}. Check the folder and the disk."
            raise FerError(text) from error

    def files(self, recursive: bool = False) -> list[Any]:
        """Return what pyarrow says of a file, or of the files in a folder; nothing if it does not exist."""
        try:
            info = self.filesystem.get_file_info(self.path)
            if info.type == fs.FileType.File:
                return [info]
            folder = fs.FileSelector(self.path, recursive=recursive, allow_not_found=True)
            return [info for info in self.filesystem.get_file_info(folder) if info.type == fs.FileType.File]
        except OSError as error:
            raise FerError(f"{shown(self.address)} cannot be listed: {reason(error)}. Check the address.") from error

    def names(self) -> set[str]:
        """Return the names of the files in this folder; empty if it does not exist."""
        return {info.base_name for info in self.files()}


@contextmanager
def opened(address: str) -> Iterator[Path | BinaryIO]:
    """Yield the path of a file on this machine, or a file of a store or the web, opened for reading.

    Errors are FerErrors, those of the connection `Unreachable`; while a file of a store is read, it seems to end there,
    and the error comes when the block ends.
    """
    if address.startswith(WEB):
        yield io.BytesIO(_downloaded(address))
        return
    location, name = Location.of(address), short_name(address)
    if isinstance(location.filesystem, fs.LocalFileSystem):
        yield Path(location.path)
        return
    try:
        stream = location.filesystem.open_input_file(location.path)
    except FileNotFoundError as error:
        raise FerError(f"{name} does not exist. Check the address. Received: {shown(address)}") from error
    except OSError as error:
        denied = isinstance(error, PermissionError) or "ACCESS_DENIED" in str(error)  # the second is S3's
        raise (FerError if denied else Unreachable)(_not_read(name)) from error
    file = _StoreFile(stream)
    with stream:
        try:
            yield cast(BinaryIO, file)
        finally:
            if file.error:
                raise Unreachable(_not_read(name)) from file.error


class _StoreFile:
    """A file of a store, which ends where it cannot be read; `error` is why. Decoders hide or print errors."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell
        self.error: OSError | None = None

    def read(self, size: int | None = None) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except OSError as error:
            self.error = error
            return b""


def _not_read(name: str) -> str:
    return f"{name} could not be read from its store. Check the connection and the permissions."


def read_picture(address: str) -> Image:
    """Return a picture file of this machine, a store or the web as RGB; a FerError says why it cannot be read."""
    with opened(address) as source:
        return read_image(source if isinstance(source, Path) else source.read(), short_name(address))


def _downloaded(address: str) -> bytes:
    name = short_name(address)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "fer-lab"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            content: bytes = response.read(MAX_DOWNLOAD + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        kind = Unreachable if _may_pass(error) else FerError
        raise kind(f"{name} could not be downloaded ({reason(error)}). Received: {shown(address)}") from error
    if len(content) > MAX_DOWNLOAD:
        raise FerError(f"{name} is too large to download. Expected at most {MAX_DOWNLOAD / 1e6:.0f} MB.")
    return content


def _may_pass(error: Exception) -> bool:
    """Tell whether a download that failed may succeed later: not if the file, its host or its rights are missing."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in (408, 429) or error.code >= 500
    cause = getattr(error, "reason", error)
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_AGAIN
    return isinstance(cause, OSError | http.client.IncompleteRead) and not isinstance(cause, ssl.SSLError)


@lru_cache(maxsize=64)
def filesystem_of(root: str, options: str) -> tuple[Any, str]:
    """Return pyarrow's file system of scheme and host or bucket, with options such as `region=eu-west-1`, and the path
    of its root."""
    try:
        filesystem, base = fs.FileSystem.from_uri(f"{root}/" + (f"?{options}" if options else ""))
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are among these
        raise FerError(
            f"This address cannot be opened: {reason(error).rstrip('.')}. Expected a path, or an address such as "
            f"s3://bucket/photos, gs://bucket/photos or file:///photos. Received: {root}"
        ) from error
    return filesystem, base.rstrip("/")


def find_files(inputs: Sequence[str], suffixes: Sequence[str]) -> dict[str, int]:
    """Return the files of folders, patterns and addresses, sorted by name in each, without repeats.

    A folder stands for all files in it and its subfolders that have one of the suffixes (in lower case, with the dot)
    and are no junk (see `names.is_junk`). A name that matches nothing stays, so that it is reported as missing.

    Returns:
        The size of each file in bytes by its address; -1 if there is no such file, or if it is on the web.
    """
    sizes: dict[str, int] = {}
    for text in inputs:
        if text.startswith(WEB):
            sizes[text] = -1
        elif "://" in text:
            sizes |= _in_store(text, tuple(suffixes))
        else:
            for path in local_files([text], suffixes):
                sizes[Location.of(str(path)).path] = path.stat().st_size if path.is_file() else -1
    return sizes


def local_files(inputs: Iterable[str], suffixes: Sequence[str]) -> list[Path]:
    """Return the files that names, folders and patterns on this machine stand for, as `find_files` does."""
    files: list[Path] = []
    for text in inputs:
        path = usable_path(text)
        if path.is_dir():
            files.extend([p for p in files_in(path) if p.suffix.lower() in suffixes] or [path])
        elif not path.exists() and glob.has_magic(text):
            fixed = next(k for k, part in enumerate(path.parts) if glob.has_magic(part))
            matches = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 (absolute patterns)
            files.extend([m for m in matches if m.is_file() and not any(map(is_junk, m.parts[fixed:]))] or [path])
        else:
            files.append(path)
    return list(dict.fromkeys(files))


def shown(address: str) -> str:
    """Return an address as tables show it: without options, and `readable`."""
    return readable(_without_options(address)[0] if "://" in address else address)


def short_name(address: str) -> str:
    """Return the name of a file for messages."""
    return PurePosixPath(shown(address)).name[:80]


def _in_store(address: str, suffixes: tuple[str, ...]) -> dict[str, int]:
    whole = Location.of(address)
    root = whole.path
    while glob.has_magic(root):  # list the folder before the first part with a wildcard
        root = root.rpartition("/")[0]
    plain, options = _without_options(address)
    before, after = plain[: len(plain.rstrip("/")) - len(whole.path)], f"?{options}" if options else ""

    def matches(path: str) -> bool:
        if path == whole.path:  # a single file
            return True
        is_pattern = root != whole.path
        fits = fnmatch.fnmatchcase(path, whole.path) if is_pattern else path.lower().endswith(suffixes)
        return fits and not any(map(is_junk, path.removeprefix(root).split("/")))

    files = sorted(Location(whole.filesystem, root, address).files(recursive=True), key=lambda info: info.path)
    return {f"{before}{info.path}{after}": info.size for info in files if matches(info.path)} or {address: -1}


def _without_options(address: str) -> tuple[str, str]:
    """Divide an address at the question mark before its options; one without an equals sign is a wildcard."""
    head, mark, tail = address.rpartition("?")
    return (head, tail) if mark and "=" in tail else (address, "")
