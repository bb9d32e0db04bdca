"""The faces in the user's own pictures, cut out as FER2013 frames faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FACE_SIZE, FerDataset, extract_zip, read_class_folders, read_image
from fer_core.data.folders import MAX_BYTES
from fer_core.faces import crop_face, default_detector, whole_image_face
from fer_core.names import readable
from fer_core.temporary import TemporaryFolder
from fer_core.types import Image
from fer_core.visitors import max_pixels, room

_PROGRESS_EVERY: Final = 50  # pictures between two progress messages


@dataclass(frozen=True, eq=False)
class OwnFaces:
    """One face of each picture in which one was found.

    Attributes:
        dataset: the faces as a Training split of unknown rows.
        paths: `n` files, one for each face.
        classes: class indices of all folders, also of those without a face.
        skipped: one sentence for each picture that was left out.
        folder: the temporary folder of the files; None if they stay where they were.
    """

    dataset: FerDataset
    paths: tuple[Path, ...]
    classes: tuple[int, ...]
    skipped: tuple[str, ...]
    folder: TemporaryFolder | None = field(default=None, repr=False)

    def name(self, place: int) -> str:
        """Return folder and file name of a face's picture."""
        return _name(self.paths[place])

    def picture(self, place: int) -> Image:
        """Return a face's picture, `(height, width, 3)` uint8 RGB.

        Raises:
            FerError: the file was removed or changed since.
        """
        return read_image(self.paths[place], self.name(place), max_pixels=max_pixels())

    def close(self) -> None:
        """Delete the files, if they are in a temporary folder."""
        if self.folder is not None:
            self.folder.close()


def read_own_faces(place: Path, whole_image: bool, say: Callable[[str], None] = lambda _: None) -> OwnFaces:
    """Read class folders and crop the largest face of each picture.

    Args:
        place: a folder of class folders, or a zip of one.
        whole_image: the pictures are face crops already.
        say: called with progress messages.

    Raises:
        FerError: the folder or zip cannot be used.
    """
    found = read_class_folders(place)
    detector = None if whole_image else default_detector()
    crops: list[Image] = []
    kept: list[int] = []
    skipped = list(found.skipped)
    for index, (path, image) in enumerate(zip(found.paths, found.images(), strict=True)):
        if index % _PROGRESS_EVERY == 0:
            say(f"Looking for faces: {index} of {len(found)} pictures")
        faces = [whole_image_face(image)] if detector is None else detector.detect(image)
        if not faces:
            skipped.append(f"{_name(path)} shows no face that can be found and is left out.")
            continue
        crops.append(crop_face(image, faces[0])[0])
        kept.append(index)
    return OwnFaces(
        as_faces(np.array(crops, np.uint8), found.labels[kept]),
        tuple(found.paths[index] for index in kept),
        tuple(sorted(set(found.labels.tolist()))),
        tuple(skipped),
    )


def read_own_zip(stream: BinaryIO, name: str, whole_image: bool) -> OwnFaces:
    """Unpack a zip into a temporary folder and read it as `read_own_faces` does.

    Args:
        stream: of the zip, seekable.
        name: the zip's file name, for messages.
        whole_image: the pictures are face crops already.

    Returns:
        The faces; `close` deletes the files.

    Raises:
        FerError: the zip cannot be used.
    """
    folder = TemporaryFolder()
    shown = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in "-_. ")[:80].strip(" .")
    try:
        place = extract_zip(stream, folder.path / (shown or "pictures.zip"), max_bytes=min(MAX_BYTES, room()))
        return replace(read_own_faces(place, whole_image), folder=folder)
    except BaseException:
        folder.close()
        raise


def as_faces(images: NDArray[np.uint8], labels: NDArray) -> FerDataset:
    """Return faces `(n, 48, 48)` uint8 gray with labels `(n,)` as the Training split of a dataset."""
    n = len(images)
    shaped = images.reshape(n, FACE_SIZE, FACE_SIZE)
    return FerDataset(shaped, labels.astype(np.int64), np.full(n, "Training"), np.full(n, -1, dtype=np.int64))


def _name(path: Path) -> str:
    return readable(f"{path.parent.name}/{path.name}")
