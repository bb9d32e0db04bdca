"""Read the file formats of FER2013: a CSV table, and the edition with image folders."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, SPLITS, FerDataset
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.data.walk import entries, files_in
from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.tables import read_rows, shortened
from fer_core.types import FerError

CSV_COLUMNS: Final = ("emotion", "pixels", "Usage")
SPLIT_FOLDERS: Final = ("train", "test")

_PIXELS: Final = FACE_SIZE * FACE_SIZE
_EMOTIONS: Final[dict[str, int]] = {str(i): i for i in range(NUM_CLASSES)}


def read_csv(path: Path) -> FerDataset:
    """Read `fer2013.csv`, plain or gzipped, with the columns `emotion`, `pixels` and `Usage`.

    Messages count rows from 1 below the header. The order of a file tells nothing, so `FerDataset.rows` is -1
    throughout; `with_rows` finds them.

    Raises:
        FerError: the file cannot be read (see `read_rows`), or a row has a label other than 0 to 6, not exactly 2304
            pixel values from 0 to 255, or an unknown Usage.
    """
    faces: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usage: list[str] = []
    for where, (emotion, pixels, use) in read_rows(path, CSV_COLUMNS):
        labels.append(_label(emotion, where))
        usage.append(_csv_usage(use, where))
        faces.append(_csv_face(pixels, where))
    return FerDataset(
        np.stack(faces), np.array(labels, dtype=np.int64), np.array(usage), np.full(len(faces), -1, dtype=np.int64)
    )


def is_image_edition(folder: Path) -> bool:
    """Return whether the folder contains `train` and `test`."""
    return all((folder / name).is_dir() for name in SPLIT_FOLDERS)


def read_folder(folder: Path) -> FerDataset:
    """Read the image edition of FER2013: `train/<class>/*.jpg` and `test/<class>/*.jpg`.

    The faces are ordered by split, class and file name. A file's name gives its split (`Training_…`, `PublicTest_…`,
    `PrivateTest_…`); in `train` any name is accepted. `FerDataset.rows` is -1 throughout; `with_rows` finds them.

    Raises:
        FerError: there are no class folders or no images, a class folder's name is unknown, or an image cannot be
            read, is not 48 x 48 pixels or its split is unknown.
    """
    found = [item for name in SPLIT_FOLDERS for item in _images(folder / name, training=name == "train")]
    if not found:
        raise FerError(
            f"{folder.name} has class folders but no images. Expected train/<class>/Training_*.jpg and so on."
        )
    found.sort(key=lambda item: (SPLITS.index(item[1]), item[2], item[0].name))
    return FerDataset(
        np.stack([_gray_face(path, folder) for path, _, _ in found]),
        np.array([label for _, _, label in found], dtype=np.int64),
        np.array([usage for _, usage, _ in found]),
        np.full(len(found), -1, dtype=np.int64),
    )


def _label(text: str, where: str) -> int:
    label = _EMOTIONS.get(text.strip())
    if label is None:
        raise FerError(
            f"{where} has an unknown emotion. Expected a whole number from 0 to 6. Received: {shortened(text)}"
        )
    return label


def _csv_usage(text: str, where: str) -> str:
    usage = text.strip()
    if usage not in SPLITS:
        raise FerError(
            f"{where} has an unknown Usage. Expected one of {', '.join(SPLITS)}. Received: {shortened(text)}"
        )
    return usage


def _csv_face(text: str, where: str) -> NDArray[np.uint8]:
    try:
        # The fastest way to parse "70 80 82 …": 40 µs per face. It only accepts whole numbers and spaces.
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError as error:
        raise FerError(
            f"{where} has pixels that are not whole numbers. Expected {_PIXELS} values from 0 to 255, separated by "
            f"spaces. Received: {shortened(text)}"
        ) from error
    count = len(values) if text.strip() else 0
    if count != _PIXELS:
        raise FerError(f"{where} has the wrong number of pixels. Expected {_PIXELS} (48 x 48). Received: {count}")
    if values.min() < 0 or values.max() > 255:
        worst = values[(values < 0) | (values > 255)][0]
        raise FerError(f"{where} has a pixel value out of range. Expected 0 to 255. Received: {worst}")
    return values.astype(np.uint8).reshape(FACE_SIZE, FACE_SIZE)


def _images(split_folder: Path, training: bool) -> list[tuple[Path, str, int]]:
    """Return path, usage and label of each image in the split's class folders."""
    classes = [entry for entry in entries(split_folder) if entry.is_dir()]
    if not classes:
        raise FerError(f"The folder {split_folder} has no class folders. Expected {', '.join(EXPRESSIONS)} in it.")
    found = []
    for class_folder in classes:
        try:
            label = expression_index(class_folder.name)
        except ValueError as error:
            raise FerError(
                f"The folder {split_folder.name}/{class_folder.name} is not named after an expression. "
                f"Expected {', '.join(EXPRESSIONS)}."
            ) from error
        pictures = (path for path in files_in(class_folder) if path.suffix.lower() in IMAGE_SUFFIXES)
        found += [(path, _file_usage(path, training), label) for path in pictures]
    return found


def _file_usage(path: Path, training: bool) -> str:
    prefix = path.name.split("_")[0].lower()
    usage = next((split for split in SPLITS if split.lower() == prefix), None)
    if training and usage in (None, "Training"):
        return "Training"
    if not training and usage in ("PublicTest", "PrivateTest"):
        return str(usage)
    expected = "Training_…" if training else "PublicTest_… or PrivateTest_…"
    raise FerError(
        f"The split of {path.parent.parent.name}/{path.parent.name}/{path.name} is unclear. "
        f"Expected a file name {expected} in this folder."
    )


def _gray_face(path: Path, folder: Path) -> NDArray[np.uint8]:
    name = path.relative_to(folder).as_posix()
    image = read_image(path, name=name)
    if image.shape[:2] != (FACE_SIZE, FACE_SIZE):
        raise FerError(
            f"{name} is not a face of FER2013, which has only pictures of 48 x 48 pixels. Use pictures of other sizes "
            f"as your own class folders instead. Received: {image.shape[1]} x {image.shape[0]}"
        )
    if (image == image[:, :, :1]).all():
        return np.ascontiguousarray(image[:, :, 0])
    return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
