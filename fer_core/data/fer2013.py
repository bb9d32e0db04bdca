"""Finding FER2013, in whichever edition it lies there, and loading it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from fer_core.data.archive import extract_zip
from fer_core.data.cache import read_cache, source_signature, write_cache
from fer_core.data.csv_reader import read_csv
from fer_core.data.dataset import FerDataset
from fer_core.data.folder_reader import is_image_edition, read_folder
from fer_core.files import cache_folder, home
from fer_core.types import FerError

CSV_NAMES: Final[tuple[str, ...]] = ("fer2013.csv", "fer2013.csv.gz", "icml_face_data.csv")
HOW_TO_GET: Final = (
    "Get FER2013 with `python -m fer_core data download`, or set the environment variable FER2013_PATH to "
    "fer2013.csv, fer2013.csv.gz, a zip of it, or the folder that holds train/ and test/."
)


class DatasetMissing(FerError):
    """FER2013 is not here. The message tells how to get it."""


def load_fer2013(path: Path | str | None = None) -> FerDataset:
    """Load FER2013 from wherever it is.

    The first load parses the source (seconds); later ones read a cache under `cache_folder("fer2013")`, which follows
    the source's size and time.

    Args:
        path: `fer2013.csv`, `fer2013.csv.gz`, the image-folder edition, a folder holding one of these, or a zip of
            either. By default what the environment variable `FER2013_PATH` names, else `home()/fer2013`.

    Raises:
        DatasetMissing: nothing is there.
        FerError: what is there cannot be used; the message names the row or file.
    """
    source = find_fer2013(path)
    try:
        signature = source_signature(source)  # taken before reading: a source that changes meanwhile is read again
        dataset = read_cache(source, signature)
        if dataset is None:
            dataset = _read(source)
            write_cache(source, signature, dataset)
    except OSError as error:
        raise FerError(
            f"FER2013 at {source} cannot be read ({error.strerror}). Check the files' permissions."
        ) from error
    return dataset


def find_fer2013(path: Path | str | None = None) -> Path:
    """Return the CSV, zip or image folder that `load_fer2013(path)` would read, without reading it.

    Raises:
        DatasetMissing: nothing is there.
    """
    named = path if path is not None else os.environ.get("FER2013_PATH") or None
    place = Path(named).expanduser() if named is not None else home() / "fer2013"
    try:
        found = _found_in(place)
    except OSError as error:
        raise DatasetMissing(f"{str(place)[:80]} cannot be looked into ({error.strerror}). {HOW_TO_GET}") from error
    if found is not None:
        return found
    if named is None:
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
    inside = sorted(entry for entry in place.iterdir() if not entry.name.startswith((".", "__")))
    zips = [entry for entry in inside if entry.suffix.lower() == ".zip" and entry.is_file()]
    if zips:
        return zips[0]
    folders = [entry for entry in inside if entry.is_dir()]
    return _found_in(folders[0]) if len(folders) == 1 else None  # an archive's usual single top folder


def _read(source: Path) -> FerDataset:
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
