"""Pictures that people bring: snapshots collected on the page, and uploaded zips."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image as Pillow

from fer_core.data import read_image
from fer_core.data.folders import MAX_BYTES
from fer_core.faces import crop_face, default_detector
from fer_core.files import checked_name, whole_file
from fer_core.labels import EXPRESSIONS, checked_class, expression_index
from fer_core.runs.data import DataSettings
from fer_core.runs.own_pictures import MIN_IMAGES
from fer_core.runs.run import zips_folder
from fer_core.types import FerError, reason
from fer_core.visitors import check_room, max_pixels, own_home

MAX_SNAPSHOTS: Final = 500  # of one expression: more of the same person and room add little
_SUFFIX: Final = ".png"


@dataclass(frozen=True)
class Snapshot:
    """One face of a collection."""

    number: int  # within the expression, from 1; a new one has the next after the largest
    png: bytes  # the 48 x 48 gray face as a file


class Collection:
    """A named collection of snapshots with one folder per expression or class; every call reads the disk again."""

    def __init__(self, name: str = "mine") -> None:
        self.name = checked_name(name, "collection")

    @property
    def folder(self) -> Path:
        """The collection's folder; it is created with the first snapshot."""
        return collections_folder() / self.name

    def add(self, picture: bytes, expression: str) -> Snapshot:
        """Crop the largest face of an image file's bytes as FER2013 frames faces, and keep it.

        A `FerError` says if there is none, the expression has `MAX_SNAPSHOTS`, or the disk is full.
        """
        folder = self._folder_of(expression)
        image = read_image(picture, "The snapshot", max_pixels=max_pixels())
        faces = default_detector().detect(image)
        if not faces:
            raise FerError("No face was found in the snapshot. Look into the camera, with light on your face.")
        stream = io.BytesIO()
        Pillow.fromarray(crop_face(image, faces[0])[0]).save(stream, "PNG")
        png = stream.getvalue()
        numbers = self._numbers(expression)
        if len(numbers) >= MAX_SNAPSHOTS:
            raise FerError(f"The collection has {MAX_SNAPSHOTS} snapshots of {expression}, which is the maximum.")
        check_room(len(png))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _keep(folder, max(numbers, default=0) + 1, png)
        except OSError as error:
            raise FerError(f"The snapshot cannot be saved ({reason(error)}). Free some disk space.") from error

    def snapshots(self, expression: str) -> list[Snapshot]:
        """Return an expression's snapshots, oldest first, without files that cannot be read as pictures."""
        folder = self._folder_of(expression)
        readable = []
        for number in self._numbers(expression):
            with contextlib.suppress(OSError, SyntaxError):  # Pillow raises SyntaxError for a damaged PNG
                png = (folder / _file(number)).read_bytes()
                Pillow.open(io.BytesIO(png)).verify()
                readable.append(Snapshot(number, png))
        return readable

    def counts(self) -> dict[str, int]:
        """Return the number of snapshots of each of the seven expressions, then of other classes."""
        others = sorted({path.name for path in self.folder.glob("*/")} - {*EXPRESSIONS})
        return {expression: len(self._numbers(expression)) for expression in (*EXPRESSIONS, *others)}

    def remove(self, expression: str, number: int) -> None:
        """Delete one snapshot, if it still exists; a `FerError` says if the disk cannot be written."""
        folder = self._folder_of(expression)
        try:
            (folder / _file(number)).unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        except OSError as error:
            raise FerError(f"The snapshot cannot be deleted ({reason(error)}).") from error

    def clear(self, expression: str | None = None) -> None:
        """Delete all snapshots of an expression, or of all; a `FerError` says if the disk cannot be written."""
        folder = self.folder if expression is None else self._folder_of(expression)
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise FerError(f"The snapshots cannot be deleted ({reason(error)}).") from error

    def settings(self) -> DataSettings:
        """Return the settings of a run that learns from the collection; a submitted run copies the snapshots."""
        return DataSettings("folder", path=str(self.folder), whole_image=True)

    @property
    def missing(self) -> str | None:
        """One sentence on what is missing before a run can learn from the collection; None if nothing is."""
        counts = {name: count for name, count in self.counts().items() if count}
        if len(counts) < 2:
            return "Collect snapshots of at least two expressions to tell apart."
        few = [name for name, count in counts.items() if count < MIN_IMAGES]
        return f"Take at least {MIN_IMAGES} snapshots of {few[0]}, or remove what it has." if few else None

    def _folder_of(self, expression: str) -> Path:
        """Return the folder of an expression, or of another class, whose name may be new."""
        with contextlib.suppress(ValueError):
            return self.folder / EXPRESSIONS[expression_index(expression)]
        try:
            return self.folder / checked_class(expression)
        except ValueError as error:
            raise FerError(str(error)) from error

    def _numbers(self, expression: str) -> list[int]:
        files = self._folder_of(expression).glob(f"*{_SUFFIX}")
        return sorted(int(path.stem) for path in files if path.stem.isdigit())


def collections_folder() -> Path:
    """Return the folder of all collections, whether it exists or not."""
    return own_home() / "uploads" / "collections"


def list_collections() -> list[str]:
    """Return the names of all collections."""
    return sorted(path.name for path in collections_folder().glob("*/"))


def keep_upload(name: str, content: bytes) -> str:
    """Save an uploaded zip by its content, so that the same zip is saved only once; return the path.

    The letters and digits of its name are kept. `list_runs` deletes it when no run has used it for `KEPT_DAYS`.
    """
    if not content or len(content) > MAX_BYTES:
        raise FerError(
            f"{name[:80]} is empty or too large. Expected a zip of up to {MAX_BYTES / 1e9:.1f} GB. Received: "
            f"{len(content) / 1e6:,.1f} MB"
        )
    stem = "".join(letter for letter in Path(name).stem if letter.isalnum() or letter in "-_ ")[:40].strip() or "upload"
    target = zips_folder() / hashlib.sha256(content).hexdigest()[:16] / f"{stem}.zip"
    if target.is_file():
        os.utime(target.parent)
        return str(target)
    check_room(len(content))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise FerError(f"{name[:80]} cannot be saved ({error.strerror}). Free some disk space.") from error
    return str(target)


def _keep(folder: Path, number: int, png: bytes) -> Snapshot:
    """Write a snapshot under this number, or the next free one: two pages may add snapshots at once."""
    while True:
        path = folder / _file(number)
        try:
            path.open("xb").close()
            break
        except FileExistsError:
            number += 1
    try:
        with whole_file(path) as partial:
            partial.write_bytes(png)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Snapshot(number, png)


def _file(number: int) -> str:
    return f"{number:03d}{_SUFFIX}"
