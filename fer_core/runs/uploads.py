"""Pictures that people bring: snapshots collected on the page, and uploaded zips."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pillow

from fer_core.data import read_class_folders, read_image
from fer_core.data.folders import MAX_BYTES, MIN_IMAGES
from fer_core.faces import crop_face, default_detector
from fer_core.files import checked_name, whole_file
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.runs.data import DataSettings
from fer_core.runs.own_pictures import as_faces, count_warnings, light_warnings
from fer_core.runs.run import list_runs
from fer_core.types import FerError, reason
from fer_core.visitors import check_room, max_pixels, own_home

KEPT_DAYS: Final = 30
"""Days after its last upload when a zip that no run uses is deleted, together with its unpacked files."""

MAX_SNAPSHOTS: Final = 500  # of one expression: more of the same person and room add little
_SUFFIX: Final = ".png"


@dataclass(frozen=True)
class Snapshot:
    """One face of a collection.

    Attributes:
        number: its number within the expression, from 1; numbers of removed snapshots are not used again.
        png: the 48 x 48 gray face as a PNG file's bytes.
    """

    number: int
    png: bytes


class Collection:
    """A named collection of snapshots with one folder per expression; every call reads the disk again.

    Args:
        name: lower-case letters, digits, `_` and `-`.

    Raises:
        FerError: the name cannot be used for a folder.
    """

    def __init__(self, name: str = "mine") -> None:
        self.name = checked_name(name, "collection")

    @property
    def folder(self) -> Path:
        """The collection's folder; it is created with the first snapshot."""
        return collections_folder() / self.name

    def add(self, picture: bytes, expression: str) -> Snapshot:
        """Crop the largest face of a picture as FER2013 frames faces, and keep it.

        Args:
            picture: bytes of an image file.
            expression: one of `labels.EXPRESSIONS`.

        Raises:
            FerError: the picture cannot be read or shows no face, the expression has 500 snapshots, or the disk is
                full.
        """
        folder = self._folder_of(expression)
        image = read_image(picture, "The snapshot", max_pixels=max_pixels())
        faces = default_detector().detect(image)
        if not faces:
            raise FerError("No face was found in the snapshot. Look into the camera, with light on your face.")
        stream = io.BytesIO()
        Pillow.fromarray(crop_face(image, faces[0])[0]).save(stream, "PNG")
        numbers = self._numbers(expression)
        if len(numbers) >= MAX_SNAPSHOTS:
            raise FerError(f"The collection has {MAX_SNAPSHOTS} snapshots of {expression}, which is the maximum.")
        check_room(len(stream.getvalue()))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _keep(folder, max(numbers, default=0) + 1, stream.getvalue())
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
        """Return the number of snapshots of each of the seven expressions."""
        return {expression: len(self._numbers(expression)) for expression in EXPRESSIONS}

    def remove(self, expression: str, number: int) -> None:
        """Delete one snapshot, if it still exists.

        Raises:
            FerError: the disk cannot be written.
        """
        folder = self._folder_of(expression)
        try:
            (folder / _file(number)).unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        except OSError as error:
            raise FerError(f"The snapshot cannot be deleted ({reason(error)}).") from error

    def remove_last(self, expression: str) -> None:
        """Delete the newest snapshot of an expression, if it has any."""
        numbers = self._numbers(expression)
        if numbers:
            self.remove(expression, numbers[-1])

    def clear(self, expression: str | None = None) -> None:
        """Delete all snapshots of an expression, or of all expressions.

        Raises:
            FerError: the disk cannot be written.
        """
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

    def warnings(self) -> list[str]:
        """Return one sentence for each problem of the snapshots; none while `missing` says what to add."""
        if self.missing is not None:
            return []
        pictures = read_class_folders(self.folder)
        faces = as_faces(np.stack([image[:, :, 0] for image in pictures.images()]), pictures.labels)
        return [*count_warnings(faces), *light_warnings(faces), *pictures.skipped]

    def _folder_of(self, expression: str) -> Path:
        try:
            return self.folder / EXPRESSIONS[expression_index(expression)]
        except ValueError as error:
            raise FerError(str(error)) from error

    def _numbers(self, expression: str) -> list[int]:
        folder = self._folder_of(expression)
        if not folder.is_dir():
            return []
        return sorted(int(path.stem) for path in folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdigit())


def collections_folder() -> Path:
    """Return the folder of all collections, whether it exists or not."""
    return own_home() / "uploads" / "collections"


def list_collections() -> list[str]:
    """Return the names of all collections."""
    folder = collections_folder()
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def keep_upload(name: str, content: bytes) -> str:
    """Save an uploaded zip under `own_home()/uploads` by its content, so that the same zip is saved only once.

    Zips that have not been used for `KEPT_DAYS` are deleted first.

    Args:
        name: the uploaded file's name; its letters and digits are kept in the saved file's name.
        content: its bytes.

    Returns:
        The path, for `DataSettings.path`.

    Raises:
        FerError: it is empty or too large, or there is no space for it.
    """
    if not content or len(content) > MAX_BYTES:
        raise FerError(
            f"{name[:80]} is empty or too large. Expected a zip of up to {MAX_BYTES / 1e9:.1f} GB. Received: "
            f"{len(content) / 1e6:,.1f} MB"
        )
    stem = "".join(letter for letter in Path(name).stem if letter.isalnum() or letter in "-_ ")[:40].strip() or "upload"
    target = own_home() / "uploads" / "zips" / hashlib.sha256(content).hexdigest()[:16] / f"{stem}.zip"
    _delete_old_uploads()
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


def _delete_old_uploads() -> None:
    uploads = own_home() / "uploads"
    used = {Path(run.plan.data.path).parent.name for run in list_runs()[0]}
    for folder in (uploads / "zips").glob("*"):
        if folder.name not in used and time.time() - folder.stat().st_mtime > KEPT_DAYS * 86_400:
            for old in (folder, uploads / folder.name):
                shutil.rmtree(old, ignore_errors=True)


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
