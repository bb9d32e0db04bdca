"""Read the file formats of FER2013 and FER+: CSV tables, and the edition of FER2013 with image folders."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, SPLITS, FerDataset
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.types import FerError, reason

CSV_COLUMNS: Final = ("emotion", "pixels", "Usage")
SPLIT_FOLDERS: Final = ("train", "test")

_PIXELS: Final = FACE_SIZE * FACE_SIZE
_EMOTIONS: Final[dict[str, int]] = {str(i): i for i in range(NUM_CLASSES)}
_MAX_LINE: Final = 1 << 20  # characters; a row of FER2013 has 9,000
_MAX_TEXT: Final = 1_000_000_000  # characters, unpacked; FER2013 has 301 million
_MAX_LINES: Final = 1_000_000  # FER2013 has 35,888


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Read a CSV file row by row.

    The file may be gzipped, which is recognised by its content. The columns may be in any order and case, among
    others. Blank lines are skipped. The file is streamed, so memory use does not depend on its size.

    Yields:
        A phrase that names the row in messages (counted from 1 below the header), and the values of `columns`.

    Raises:
        FerError: the file cannot be opened, is empty, damaged or cut off, or is named `.gz` but not gzipped; a
            column is missing; a row has another number of columns than the header; there are no rows; or the text has
            over 1 GB unpacked or over a million lines.
    """
    compressed = _is_gzip(path, columns)
    row = 0
    try:
        with _text(path, compressed) as stream:
            records = csv.reader(_lines(stream, path.name))
            names = [name.strip().lower() for name in next(records, [])]
            positions = _positions(names, columns, path.name)
            for record in records:
                if not record:
                    continue
                row += 1
                where = f"Row {row} (below the header) of {path.name}"
                if len(record) != len(names):
                    raise FerError(f"{where} has {len(record)} columns. Expected {len(names)}, as in the header.")
                yield where, [record[position] for position in positions]
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise FerError(
            f"{path.name} is damaged or cut off after {row} rows ({reason(error)}). Download it again, or check the "
            f"next row."
        ) from error
    if not row:
        raise FerError(f"{path.name} has no rows below its header. Expected the columns {', '.join(columns)}.")


def shortened(text: str) -> str:
    """Return a value as quoted in messages: short and on one line."""
    return repr(text[:40] + ("…" if len(text) > 40 else ""))


def read_csv(path: Path) -> FerDataset:
    """Read `fer2013.csv`, plain or gzipped, with the columns `emotion`, `pixels` and `Usage`.

    Messages count rows from 1 below the header; `FerDataset.rows` counts them from 0.

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
        np.stack(faces), np.array(labels, dtype=np.int64), np.array(usage), np.arange(len(faces), dtype=np.int64)
    )


def is_image_edition(folder: Path) -> bool:
    """Return whether the folder contains `train` and `test`."""
    return all((folder / name).is_dir() for name in SPLIT_FOLDERS)


def read_folder(folder: Path) -> FerDataset:
    """Read the image edition of FER2013: `train/<class>/*.jpg` and `test/<class>/*.jpg`.

    The faces are ordered by split, class and file name. A file's name gives its split (`Training_…`, `PublicTest_…`,
    `PrivateTest_…`); in `train` any name is accepted. This edition has no row numbers, so `FerDataset.rows` is -1
    throughout; `find_rows` finds them.

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


def _is_gzip(path: Path, columns: tuple[str, ...]) -> bool:
    if path.name.lower().endswith((".tar.gz", ".tgz")):
        raise FerError(f"{path.name} is a tar archive. Unpack it and use the CSV inside.")
    try:
        with path.open("rb") as stream:
            head = stream.read(2)
    except OSError as error:
        raise FerError(f"{path.name} cannot be read ({error.strerror}). Expected a CSV, plain or gzipped.") from error
    if not head:
        raise FerError(f"{path.name} is empty (0 bytes). Expected a table with the columns {', '.join(columns)}.")
    compressed = head == b"\x1f\x8b"
    if path.suffix.lower() == ".gz" and not compressed:
        raise FerError(f"{path.name} is named .gz but not gzipped. Expected a gzipped CSV, or a plain one named .csv.")
    return compressed


def _text(path: Path, compressed: bool) -> TextIO:
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _lines(stream: TextIO, name: str) -> Iterator[str]:
    """Yield lines, or pieces of very long ones, up to the limits: a small gzipped file may unpack to any size."""
    characters = 0
    for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE), "")):
        characters += len(line)
        if characters > _MAX_TEXT or number >= _MAX_LINES:
            raise FerError(
                f"{name} is too large. Expected a table of at most {_MAX_TEXT / 1e9:g} GB (unpacked) and "
                f"{_MAX_LINES:,} lines, blank ones included. Received: more than that."
            )
        yield line


def _positions(names: list[str], columns: tuple[str, ...], name: str) -> list[int]:
    missing = [column for column in columns if column.lower() not in names]
    if missing:
        raise FerError(
            f"{name} has no column {missing[0]!r}. Expected the columns {', '.join(columns)}. "
            f"Received: {shortened(', '.join(names))}"
        )
    return [names.index(column.lower()) for column in columns]


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
    classes = [entry for entry in split_folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__"))]
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
        for path in class_folder.iterdir():
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
                found.append((path, _file_usage(path, training), label))
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
