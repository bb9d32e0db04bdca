"""Photos of a partition to one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import pyarrow as pa

from fer_core.archives.places import Place, shown
from fer_core.data import read_image
from fer_core.inference import FaceAnalyzer
from fer_core.inference.tables import PICTURE_COLUMNS, PictureResult
from fer_core.types import FerError

_TEXT: Final = {"file", "error", "expression"}
PHOTO_SCHEMA: Final = pa.schema(
    [
        (name, pa.string() if name in _TEXT else pa.int64() if name == "face" else pa.float64())
        for name in PICTURE_COLUMNS
    ]
)
"""Types of `PICTURE_COLUMNS`. What a row does not have is missing: the error of a face, the face of an error."""


def photo_table(files: Sequence[str], analyzer: FaceAnalyzer, whole_image: bool, check: Callable[[], None]) -> pa.Table:
    """Return one row a face, and one row for each file without a face or that cannot be used.

    Args:
        files: paths or addresses.
        analyzer: finds and classifies faces.
        whole_image: take each photo as one face crop.
        check: called before each file; may raise to end the work.
    """
    rows: list[list[Any]] = []
    for file in files:
        check()
        rows += _rows(file, analyzer, whole_image)
    columns = list(zip(*rows, strict=True)) or [()] * len(PICTURE_COLUMNS)
    arrays = [pa.array(column, kind.type) for column, kind in zip(columns, PHOTO_SCHEMA, strict=True)]
    return pa.table(arrays, PHOTO_SCHEMA)


def unexpected(file: str, error: Exception) -> str:
    """Return the sentence for a file whose analysis failed in a way that nobody foresaw."""
    return f"{PurePosixPath(shown(file)).name[:80]} could not be analysed ({type(error).__name__})."


def _rows(file: str, analyzer: FaceAnalyzer, whole_image: bool) -> list[list[Any]]:
    try:
        place = Place.of(file)
        if place.is_local:
            image = read_image(place.path)
        else:
            image = read_image(_content(place), PurePosixPath(place.path).name[:80])
        result = PictureResult(shown(file), "", tuple(analyzer.analyze(image, whole_image=whole_image)))
    except FerError as error:
        result = PictureResult(shown(file), "", error=str(error))
    except Exception as error:  # one file must not end the work on all others
        result = PictureResult(shown(file), "", error=unexpected(file, error))
    return result.rows()


def _content(place: Place) -> bytes:
    name = PurePosixPath(place.path).name[:80]
    try:
        return place.read()
    except FileNotFoundError as error:
        raise FerError(f"{name} does not exist. Check the address. Received: {shown(place.address)}") from error
    except OSError as error:
        raise FerError(f"{name} could not be read from its store. Check the connection and the permissions.") from error
