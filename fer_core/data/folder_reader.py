"""Reading the image-folder edition of FER2013: `train/<class>/*.jpg` and `test/<class>/*.jpg`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, SPLITS, FerDataset
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.types import FerError

SPLIT_FOLDERS: Final[tuple[str, str]] = ("train", "test")


def is_image_edition(folder: Path) -> bool:
    """Return whether the folder has the two split folders, `train` and `test`."""
    return all((folder / name).is_dir() for name in SPLIT_FOLDERS)


def read_folder(folder: Path) -> FerDataset:
    """Read FER2013's image-folder edition, ordered by split, then class, then file name.

    A file's name tells its split (`Training_…`, `PublicTest_…`, `PrivateTest_…`); in `train/` any name will do. The
    official row indices are unknown in this edition: `FerDataset.rows` is -1 throughout.

    Raises:
        FerError: there are no class folders or no images, a class folder's name is unknown, or an image cannot be
            read, is not 48 x 48 or belongs to no split; the message names the file.
    """
    found = [item for name in SPLIT_FOLDERS for item in _listed(folder / name, training=name == "train")]
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


def _listed(split_folder: Path, training: bool) -> list[tuple[Path, str, int]]:
    """Return (path, usage, label) of every image below the split's class folders."""
    classes = [entry for entry in split_folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__"))]
    if not classes:
        raise FerError(f"The folder {split_folder} has no class folders. Expected {', '.join(EXPRESSIONS)} in it.")
    found = []
    for class_folder in classes:
        try:
            label = expression_index(class_folder.name)
        except ValueError as error:
            raise FerError(
                f"The folder {split_folder.name}/{class_folder.name} is named after no expression. "
                f"Expected {', '.join(EXPRESSIONS)}."
            ) from error
        for path in class_folder.iterdir():
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
                found.append((path, _usage(path, training), label))
    return found


def _usage(path: Path, training: bool) -> str:
    prefix = path.name.split("_")[0].lower()
    named = next((split for split in SPLITS if split.lower() == prefix), None)
    if training and named in (None, "Training"):
        return "Training"
    if not training and named in ("PublicTest", "PrivateTest"):
        return str(named)
    expected = "Training_…" if training else "PublicTest_… or PrivateTest_…"
    raise FerError(
        f"The split of {path.parent.parent.name}/{path.parent.name}/{path.name} is unclear. "
        f"Expected a file name {expected} in this folder."
    )


def _gray_face(path: Path, folder: Path) -> NDArray[np.uint8]:
    image = read_image(path, name=path.relative_to(folder).as_posix())
    if image.shape[:2] != (FACE_SIZE, FACE_SIZE):
        raise FerError(
            f"{path.relative_to(folder).as_posix()} is no FER2013 face: all of these are 48 x 48 pixels. Train on "
            f"pictures of other sizes as your own class folders instead. Received: {image.shape[1]} x {image.shape[0]}"
        )
    if (image == image[:, :, :1]).all():
        return np.ascontiguousarray(image[:, :, 0])
    return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
