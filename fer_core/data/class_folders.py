"""Read a user's own pictures to train on: one folder per expression, possibly in a zip."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fer_core.data.folders import MAX_BYTES, entries, extract_zip, files_in
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.files import home, whole_folder
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.names import readable
from fer_core.types import FerError, Image
from fer_core.visitors import max_pixels, own_home, room

MIN_IMAGES: Final[int] = 2
"""Readable images that every class needs: one to train on and one for the hold-out."""

_EXPECTED: Final = f"Expected a folder for each expression, named {', '.join(EXPRESSIONS)}, with pictures in it."


@dataclass(frozen=True, eq=False)
class ClassFolders:
    """Readable pictures with their classes. The pixels are not kept in memory.

    Attributes:
        paths: `n` files, ordered by class, then path.
        labels: `(n,)` int64 class indices in the order of `labels.EXPRESSIONS`.
        skipped: the reason for each file that was skipped.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    skipped: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def images(self) -> Iterator[Image]:
        """Yield the pictures one by one, `(height, width, 3)` uint8 RGB of any size."""
        return (read_image(path) for path in self.paths)


def read_class_folders(path: Path | str) -> ClassFolders:
    """Read class folders of pictures of any size and type.

    Each picture is decoded once, so that damaged ones are found before a training starts. A zip is unpacked under
    `own_home()/uploads` in a folder named after its hash, so the same zip is unpacked only once.

    Args:
        path: a folder, or a zip of it. The class folders may be inside a single folder.

    Raises:
        FerError: there are no class folders or only one, a folder is not named after an expression, or a class has
            too few readable pictures.
    """
    place = Path(path)
    try:
        if place.is_dir():
            return _scan(place, place.name)
        if place.is_file():
            return _scan_zip(place)
    except OSError as error:
        raise FerError(f"{place.name[:80]} cannot be read ({error.strerror}). Check its permissions.") from error
    raise FerError(f"{place.name or place} does not exist. {_EXPECTED} Received: {place}")


def _scan_zip(zipped: Path) -> ClassFolders:
    folder, is_new = _unpacked(zipped)
    try:
        return _scan(folder, zipped.name)
    except FerError:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpacked(zipped: Path) -> tuple[Path, bool]:
    """Return the folder with the zip's files, and whether it was unpacked by this call."""
    with zipped.open("rb") as stream:
        key = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    uploads = own_home() / "uploads"
    uploads.mkdir(exist_ok=True)
    folder = uploads / key
    with FileLock(home() / ".unpacking.lock"):  # another page, process or copy of the app may want the same zip
        if folder.is_dir():
            return folder, False
        with whole_folder(folder) as partial:
            extract_zip(zipped, partial, max_bytes=min(MAX_BYTES, room()))
    return folder, True


def _scan(folder: Path, shown: str) -> ClassFolders:
    root = _root(folder)
    classes = _class_folders(root, shown)
    paths: list[Path] = []
    labels: list[int] = []
    skipped = [
        readable(f"{entry.name} is outside the class folders.")
        for entry in entries(root)
        if entry.is_file() and entry.suffix.lower() in IMAGE_SUFFIXES
    ]
    for label, class_folder in classes:
        for file in files_in(class_folder):
            try:
                read_image(file, name=file.relative_to(root).as_posix(), max_pixels=max_pixels())
            except FerError as error:
                skipped.append(str(error))
            else:
                paths.append(file)
                labels.append(label)
    _check_counts(classes, labels, skipped, shown)
    return ClassFolders(tuple(paths), np.array(labels, dtype=np.int64), tuple(skipped))


def _root(folder: Path) -> Path:
    """Return the folder that contains the class folders; archives often have a single folder around them."""
    for _ in range(3):
        inside = _subfolders(folder)
        if len(inside) != 1 or _label(inside[0]) is not None:
            break
        folder = inside[0]
    return folder


def _class_folders(root: Path, shown: str) -> list[tuple[int, Path]]:
    """Return class index and folder of each class, by class; one class may have several folders."""
    subfolders = _subfolders(root)
    labelled = [(label, sub) for sub in subfolders if (label := _label(sub)) is not None]
    if not labelled:
        received = ", ".join(sub.name for sub in subfolders)[:80] or "no folders"
        raise FerError(f"{shown} has no class folders. {_EXPECTED} Received: {received}")
    unknown = [sub.name for sub in subfolders if _label(sub) is None]
    if unknown:
        raise FerError(
            f"The folder {unknown[0]!r} in {shown} is not named after an expression. Rename or remove it. {_EXPECTED}"
        )
    if len({label for label, _ in labelled}) == 1:
        raise FerError(
            f"{shown} has only one class, {EXPRESSIONS[labelled[0][0]]!r}. Expected at least two expressions; add "
            f"another folder."
        )
    return sorted(labelled)


def _check_counts(classes: list[tuple[int, Path]], labels: list[int], skipped: list[str], shown: str) -> None:
    for label in sorted({label for label, _ in classes}):
        count = labels.count(label)
        if count < MIN_IMAGES:
            hint = f" {len(skipped)} files were skipped, the first because: {skipped[0]}" if skipped else ""
            raise FerError(
                f"The class {EXPRESSIONS[label]!r} in {shown} has too few readable pictures. "
                f"Expected at least {MIN_IMAGES}. Received: {count}.{hint}"
            )


def _subfolders(folder: Path) -> list[Path]:
    return [entry for entry in entries(folder) if entry.is_dir()]


def _label(folder: Path) -> int | None:
    try:
        return expression_index(folder.name)
    except ValueError:
        return None
