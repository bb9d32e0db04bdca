"""FER2013: find it on this computer, read its editions (a CSV table, image folders), and load it from a cache."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, SPLITS, FaceDataset, usage_codes
from fer_core.data.fer2013_rows import with_rows
from fer_core.data.ferplus import find_ferplus, load_ferplus
from fer_core.data.folders import entries, extract_zip, files_in
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.files import cache_folder, home, whole_file
from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.tables import read_rows, shortened
from fer_core.types import FerError

CSV_COLUMNS: Final = ("emotion", "pixels", "Usage")
SPLIT_FOLDERS: Final = ("train", "test")

_PIXELS: Final = FACE_SIZE * FACE_SIZE
_EMOTIONS: Final[dict[str, int]] = {str(i): i for i in range(NUM_CLASSES)}

CSV_NAMES: Final = ("fer2013.csv", "fer2013.csv.gz", "icml_face_data.csv")
HOW_TO_GET: Final = (
    "Get FER2013 with `fer-lab data download` (about 60 MB from Kaggle), or set the environment variable "
    "FER2013_PATH to fer2013.csv, fer2013.csv.gz, a zip of it, or the folder that holds train/ and test/."
)

_CACHE_VERSION: Final = 3  # increase it when the readers' results change
_LOG = logging.getLogger(__name__)


class DatasetMissing(FerError):
    """FER2013 is not available. The message says how to get it."""


def load_fer2013(path: Path | str | None = None) -> FaceDataset:
    """Load FER2013, with FER+'s votes if their table is here (see `load_ferplus`).

    Faces of every edition and in every order get the row numbers of the original `fer2013.csv`, by `with_rows`.

    The first load parses the source, which takes seconds. Later ones read a cache in `cache_folder("fer2013")` until
    the size or time of the source changes.

    Args:
        path: `fer2013.csv`, `fer2013.csv.gz`, the edition with image folders, a folder that contains one of these, or
            a zip. By default the value of the environment variable `FER2013_PATH`, else `home()/fer2013`.

    Raises:
        DatasetMissing: there is no such file or folder.
        FerError: the source cannot be used; the message names the row or file.
    """
    source = find_fer2013(path)
    try:
        signature = _signature(source)  # before reading, so that a source that changes meanwhile is read again
        dataset = _read_cache(source, signature)
        if dataset is None:
            dataset = with_rows(_read(source))
            _write_cache(source, signature, dataset)
    except OSError as error:
        raise FerError(
            f"FER2013 at {source} cannot be read ({error.strerror}). Check the files' permissions."
        ) from error
    return _with_votes(dataset)


def find_fer2013(path: Path | str | None = None) -> Path:
    """Return the CSV, zip or image folder that `load_fer2013(path)` would read, without reading it.

    Raises:
        DatasetMissing: there is none.
    """
    given = path if path is not None else os.environ.get("FER2013_PATH") or None
    place = Path(given).expanduser() if given is not None else home() / "fer2013"
    try:
        found = _found_in(place)
    except OSError as error:
        raise DatasetMissing(f"{str(place)[:80]} cannot be opened ({error.strerror}). {HOW_TO_GET}") from error
    if found is not None:
        return found
    if given is None:
        raise DatasetMissing(f"FER2013 is not here yet. {HOW_TO_GET}")
    origin = "" if path is not None else ", named by FER2013_PATH,"
    if not place.exists():
        raise DatasetMissing(f"{place}{origin} does not exist. {HOW_TO_GET}")
    raise DatasetMissing(f"The folder {place}{origin} holds neither fer2013.csv nor train/ and test/. {HOW_TO_GET}")


def _found_in(place: Path) -> Path | None:
    if place.is_file():
        return place
    if not place.is_dir():
        return None
    csv_file = next((place / name for name in CSV_NAMES if (place / name).is_file()), None)
    if csv_file is not None:
        return csv_file
    if is_image_edition(place):
        return place
    inside = entries(place)
    zips = [entry for entry in inside if entry.suffix.lower() == ".zip" and entry.is_file()]
    if zips:
        return zips[0]
    folders = [entry for entry in inside if entry.is_dir()]
    return _found_in(folders[0]) if len(folders) == 1 else None  # archives often have a single top folder


def _with_votes(dataset: FaceDataset) -> FaceDataset:
    """Add FER+'s votes, unless the faces are another dataset, which FER+ does not know."""
    if (dataset.rows < 0).all() or find_ferplus() is None:
        return dataset
    return dataset.with_votes(load_ferplus())


def _read(source: Path) -> FaceDataset:
    if source.is_dir():
        return read_folder(source)
    if source.suffix.lower() == ".zip" or zipfile.is_zipfile(source):
        with tempfile.TemporaryDirectory(dir=cache_folder("unpacked")) as folder:
            extract_zip(source, folder)
            inside = _found_in(Path(folder))
            if inside is None or inside.suffix.lower() == ".zip":
                raise FerError(f"{source.name} holds neither fer2013.csv nor train/ and test/. {HOW_TO_GET}")
            return _read(inside)
    return read_csv(source)


def _signature(source: Path) -> str:
    """Return a text that changes with the source: size and time of the file, or path, size and time of all files."""
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    for path in files_in(source) if source.is_dir() else [source]:
        stat = path.stat()
        digest.update(os.fsencode(path) + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read_cache(source: Path, signature: str) -> FaceDataset | None:
    """Return the cached dataset of this source and signature; None if there is none or it is damaged."""
    try:
        path = _cache_path(source)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["signature"]) != signature:
                return None
            usage = np.array(SPLITS)[arrays["usage"]]
            return FaceDataset(arrays["images"], arrays["labels"], usage, arrays["rows"])
    except Exception as error:  # a damaged cache is not a problem: the source can be parsed again
        _LOG.warning("The cache of %s cannot be used (%s) and will be built again.", source, error)
        return None


def _write_cache(source: Path, signature: str, dataset: FaceDataset) -> None:
    """Write the dataset for `_read_cache`. If the disk is full or read-only, only log a warning."""
    try:
        with whole_file(_cache_path(source)) as partial:
            np.savez(
                partial,
                signature=np.array(signature),
                images=dataset.images,
                labels=dataset.labels,
                usage=usage_codes(dataset.usage),
                rows=dataset.rows,
            )
    except (OSError, FerError) as error:
        _LOG.warning("FER2013 could not be cached (%s); it will be parsed again next time.", error)


def _cache_path(source: Path) -> Path:
    key = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    return cache_folder("fer2013") / f"{key}.npz"


def read_csv(path: Path) -> FaceDataset:
    """Read `fer2013.csv`, plain or gzipped, with the columns `emotion`, `pixels` and `Usage`.

    Messages count rows from 1 below the header. The order of a file tells nothing, so `FaceDataset.rows` is -1
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
    return FaceDataset(
        np.stack(faces), np.array(labels, dtype=np.int64), np.array(usage), np.full(len(faces), -1, dtype=np.int64)
    )


def is_image_edition(folder: Path) -> bool:
    """Return whether the folder contains `train` and `test`."""
    return all((folder / name).is_dir() for name in SPLIT_FOLDERS)


def read_folder(folder: Path) -> FaceDataset:
    """Read the image edition of FER2013: `train/<class>/*.jpg` and `test/<class>/*.jpg`.

    The faces are ordered by split, class and file name. A file's name gives its split (`Training_…`, `PublicTest_…`,
    `PrivateTest_…`); in `train` any name is accepted. `FaceDataset.rows` is -1 throughout; `with_rows` finds them.

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
    return FaceDataset(
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
