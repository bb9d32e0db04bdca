"""Find FER2013 on this computer and load it, from a cache after the first time."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data.archive import extract_zip
from fer_core.data.dataset import SPLITS, FerDataset, usage_codes
from fer_core.data.fer2013_rows import with_rows
from fer_core.data.ferplus import find_ferplus, load_ferplus
from fer_core.data.readers import is_image_edition, read_csv, read_folder
from fer_core.data.walk import entries, files_in
from fer_core.files import cache_folder, home, whole_file
from fer_core.types import FerError

CSV_NAMES: Final = ("fer2013.csv", "fer2013.csv.gz", "icml_face_data.csv")
HOW_TO_GET: Final = (
    "Get FER2013 with `fer-lab data download` (about 60 MB from Kaggle), or set the environment variable "
    "FER2013_PATH to fer2013.csv, fer2013.csv.gz, a zip of it, or the folder that holds train/ and test/."
)

_CACHE_VERSION: Final = 3  # increase it when the readers' results change
_LOG = logging.getLogger(__name__)


class DatasetMissing(FerError):
    """FER2013 is not available. The message says how to get it."""


def load_fer2013(path: Path | str | None = None) -> FerDataset:
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


def _with_votes(dataset: FerDataset) -> FerDataset:
    """Add FER+'s votes, unless the faces are another dataset, which FER+ does not know."""
    if (dataset.rows < 0).all() or find_ferplus() is None:
        return dataset
    return dataset.with_votes(load_ferplus())


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


def _signature(source: Path) -> str:
    """Return a text that changes with the source: size and time of the file, or path, size and time of all files."""
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    for path in files_in(source) if source.is_dir() else [source]:
        stat = path.stat()
        digest.update(os.fsencode(path) + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read_cache(source: Path, signature: str) -> FerDataset | None:
    """Return the cached dataset of this source and signature; None if there is none or it is damaged."""
    try:
        path = _cache_path(source)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["signature"]) != signature:
                return None
            usage = np.array(SPLITS)[arrays["usage"]]
            return FerDataset(arrays["images"], arrays["labels"], usage, arrays["rows"])
    except Exception as error:  # a damaged cache is not a problem: the source can be parsed again
        _LOG.warning("The cache of %s cannot be used (%s) and will be built again.", source, error)
        return None


def _write_cache(source: Path, signature: str, dataset: FerDataset) -> None:
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
