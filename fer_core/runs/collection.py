"""Snapshots that somebody collects, expression by expression, to learn from."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pillow

from fer_core.data import read_class_folders, read_image
from fer_core.data.class_folders import MIN_IMAGES
from fer_core.faces import crop_face, default_detector
from fer_core.files import home
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.runs.choice import DataChoice
from fer_core.runs.data_warnings import count_warnings, light_warnings
from fer_core.runs.names import checked_name
from fer_core.runs.own_pictures import as_faces
from fer_core.types import FerError

MOST: Final = 500
"""Snapshots of one expression; more of the same person and room teach little."""

_SUFFIX: Final = ".png"


@dataclass(frozen=True)
class Snapshot:
    """One face of a collection.

    Attributes:
        expression: what it is to show.
        number: its number in that expression, from 1; numbers of removed ones stay free.
        png: the 48 x 48 gray face as a PNG file's bytes.
    """

    expression: str
    number: int
    png: bytes


class Collection:
    """A named collection of snapshots, one folder an expression; each call looks at the disk anew.

    Args:
        name: lower-case letters, digits, `_` and `-`.

    Raises:
        FerError: the name cannot be a folder's.
    """

    def __init__(self, name: str = "mine") -> None:
        self.name = checked_name(name, "A collection")

    @property
    def folder(self) -> Path:
        """Where it is, or will be once it has a snapshot."""
        return collections_folder() / self.name

    def add(self, picture: bytes, expression: str) -> Snapshot:
        """Find the largest face in a picture and keep it, framed as FER2013 frames faces.

        Args:
            picture: any picture file's bytes, as a camera gives them.
            expression: one of `labels.EXPRESSIONS`.

        Raises:
            FerError: the picture cannot be read or shows no face, the expression has its 500, or the disk is full.
        """
        place = self._place(expression)
        image = read_image(picture, "The snapshot")
        faces = default_detector().detect(image)
        if not faces:
            raise FerError("No face was found in the snapshot. Look into the camera, with light on your face.")
        stream = io.BytesIO()
        Pillow.fromarray(crop_face(image, faces[0])[0]).save(stream, "PNG")
        numbers = self._numbers(expression)
        if len(numbers) >= MOST:
            raise FerError(f"{expression} has {MOST} snapshots, which is all that a collection keeps.")
        try:
            place.mkdir(parents=True, exist_ok=True)
            return self._keep(place, expression, max(numbers, default=0) + 1, stream.getvalue())
        except OSError as error:
            raise FerError(f"The snapshot cannot be kept ({error.strerror}). Make room on the disk.") from error

    def snapshots(self, expression: str) -> list[Snapshot]:
        """Return an expression's snapshots, oldest first."""
        place = self._place(expression)
        return [
            Snapshot(expression, number, (place / _file(number)).read_bytes()) for number in self._numbers(expression)
        ]

    def counts(self) -> dict[str, int]:
        """Return how many snapshots each of the seven has."""
        return {expression: len(self._numbers(expression)) for expression in EXPRESSIONS}

    def remove(self, expression: str, number: int) -> None:
        """Take one snapshot out; nothing happens if it is gone already."""
        place = self._place(expression)
        (place / _file(number)).unlink(missing_ok=True)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()

    def remove_last(self, expression: str) -> None:
        """Take the newest snapshot of an expression out; nothing happens if it has none."""
        numbers = self._numbers(expression)
        if numbers:
            self.remove(expression, numbers[-1])

    def clear(self, expression: str | None = None) -> None:
        """Take all snapshots of an expression out, or of all."""
        shutil.rmtree(self.folder if expression is None else self._place(expression), ignore_errors=True)

    def choice(self) -> DataChoice:
        """Return the collection as what a run learns from; a submitted run keeps a copy of its own."""
        return DataChoice("folder", path=str(self.folder), whole_image=True)

    @property
    def ready(self) -> str | None:
        """None if there is enough to learn from, else one sentence on what is missing."""
        counts = {name: count for name, count in self.counts().items() if count}
        if len(counts) < 2:
            return "Collect snapshots of at least two expressions to tell apart."
        thin = [name for name, count in counts.items() if count < MIN_IMAGES]
        return f"Take at least {MIN_IMAGES} snapshots of {thin[0]}, or remove what it has." if thin else None

    def warnings(self) -> list[str]:
        """Return what to know about the snapshots, a sentence each; none before there is enough to learn from."""
        if self.ready is not None:
            return []
        found = read_class_folders(self.folder)
        faces = as_faces(np.stack([image[:, :, 0] for image in found.images()]), found.labels)
        return [*count_warnings(faces), *light_warnings(faces), *found.skipped]

    def _place(self, expression: str) -> Path:
        try:
            return self.folder / EXPRESSIONS[expression_index(expression)]
        except ValueError as error:
            raise FerError(str(error)) from error

    def _numbers(self, expression: str) -> list[int]:
        place = self._place(expression)
        if not place.is_dir():
            return []
        return sorted(int(path.stem) for path in place.iterdir() if path.suffix == _SUFFIX and path.stem.isdigit())

    def _keep(self, place: Path, expression: str, number: int, png: bytes) -> Snapshot:
        """Write under the next free number: two pages may add at once."""
        while True:
            try:
                with (place / _file(number)).open("xb") as stream:
                    stream.write(png)
                return Snapshot(expression, number, png)
            except FileExistsError:
                number += 1


def collections_folder() -> Path:
    """Return the folder of all collections, whether it is there or not."""
    return home() / "uploads" / "collections"


def list_collections() -> list[str]:
    """Return the names of all collections."""
    place = collections_folder()
    return sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _file(number: int) -> str:
    return f"{number:03d}{_SUFFIX}"
