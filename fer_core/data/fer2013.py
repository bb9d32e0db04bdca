"""FER2013 and FER+'s votes (Barsoum et al., 2016): find them on this computer, read all editions, keep a cache."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import spellings
from fer_core.data.dataset import FACE_SIZE, SPLITS, VOTE_COLUMNS, FaceDataset, FerPlusVotes
from fer_core.data.fer2013_rows import known_rows, same_rows, with_rows
from fer_core.data.folders import entries, extract_zip, files_in
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.files import cache_folder, home, usable_path, whole_file
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.tables import read_rows, shortened
from fer_core.types import FerError, Image
from fer_core.visitors import TemporaryFolder

CSV_COLUMNS: Final = ("emotion", "pixels", "Usage")
CSV_NAMES: Final = ("fer2013.csv", "fer2013.csv.gz", "icml_face_data.csv")
VOTES_NAMES: Final = ("ferplus_votes.csv", "fer2013new.csv")
HOW_TO_GET: Final = (
    "Get FER2013 with `fer-lab data download` (about 60 MB from Kaggle), or set the environment variable "
    "FER2013_PATH to fer2013.csv, fer2013.csv.gz, a zip of it, or the folder that holds train/ and test/."
)
_NO_VOTES: Final = (
    "The FER+ votes are not here. Get them with `fer-lab data download` (1.6 MB from GitHub), or set the environment "
    "variable FERPLUS_PATH to fer2013new.csv from github.com/microsoft/FERPlus."
)

_PIXELS: Final = FACE_SIZE * FACE_SIZE
_LABELS: Final = [str(label) for label in range(NUM_CLASSES)]
_IMAGE_NAME: Final = "Image name"
_UNNAMED: Final = -1  # as in `known_rows`
_OTHER_NAME: Final = -2  # not of FER+
_CACHE_VERSION: Final = 3  # increase it when the readers' results change
_LOG = logging.getLogger(__name__)


class DatasetMissing(FerError):
    """FER2013 is not available. The message says how to get it."""


def load_fer2013(path: Path | str | None = None) -> FaceDataset:
    """Load FER2013, with FER+'s votes if their table is here (see `load_ferplus`).

    Faces of every edition and in every order get the row numbers of the original `fer2013.csv`, by `with_rows`. The
    first load parses the source, which takes seconds; later ones read a cache until its size or time changes.

    Args:
        path: `fer2013.csv`, `fer2013.csv.gz`, the edition with image folders, a folder that contains one of these, or
            a zip. By default the environment variable `FER2013_PATH`, else `home()/fer2013`.

    Raises:
        DatasetMissing: there is no such file or folder.
        FerError: the source cannot be used; the message names the row or file.
    """
    source = find_fer2013(path)
    try:
        dataset = _cached(source)
    except OSError as error:
        raise FerError(
            f"FER2013 at {source} cannot be read ({error.strerror}). Check the files' permissions."
        ) from error
    if (dataset.rows < 0).all() or find_ferplus() is None:  # FER+ does not know other datasets
        return dataset
    return dataset.with_votes(load_ferplus())


def find_fer2013(path: Path | str | None = None) -> Path:
    """Return the CSV, zip or image folder that `load_fer2013(path)` would read; raise `DatasetMissing` without one."""
    given = path if path is not None else os.environ.get("FER2013_PATH") or None
    place = usable_path(given) if given is not None else home() / "fer2013"
    try:
        source = _source_in(place)
    except OSError as error:
        raise DatasetMissing(f"{str(place)[:80]} cannot be opened ({error.strerror}). {HOW_TO_GET}") from error
    if source is not None:
        return source
    if given is None:
        raise DatasetMissing(f"FER2013 is not here yet. {HOW_TO_GET}")
    origin = "" if path is not None else ", named by FER2013_PATH,"
    if not place.exists():
        raise DatasetMissing(f"{place}{origin} does not exist. {HOW_TO_GET}")
    raise DatasetMissing(f"The folder {place}{origin} holds neither fer2013.csv nor train/ and test/. {HOW_TO_GET}")


def _source_in(place: Path) -> Path | None:
    if place.is_file():
        return place
    if not place.is_dir():
        return None
    for name in CSV_NAMES:
        if (place / name).is_file():
            return place / name
    if is_image_edition(place):
        return place
    inside = entries(place)
    zips = [entry for entry in inside if entry.suffix.lower() == ".zip" and entry.is_file()]
    folders = [entry for entry in inside if entry.is_dir()]
    if zips or len(folders) != 1:
        return zips[0] if zips else None
    return _source_in(folders[0])  # archives often have a single top folder


def is_image_edition(folder: Path) -> bool:
    """Return whether the folder contains `train` and `test`."""
    return all((folder / name).is_dir() for name in ("train", "test"))


def _read(source: Path) -> FaceDataset:
    if source.is_dir():
        return read_folder(source)
    if source.suffix.lower() != ".zip" and not zipfile.is_zipfile(source):
        return read_csv(source)
    with closing(TemporaryFolder(shared=True)) as folder:
        inside = _source_in(extract_zip(source, folder.path))
        if inside is None or inside.suffix.lower() == ".zip":
            raise FerError(f"{source.name} holds neither fer2013.csv nor train/ and test/. {HOW_TO_GET}")
        return _read(inside)


def _cached(source: Path) -> FaceDataset:
    """Return the faces of a source, read again if its files have changed or the cache is damaged."""
    signature = _signature(source)  # before reading, so that a source that changes meanwhile is read again
    key = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    try:
        with np.load(cache_folder("fer2013") / f"{key}.npz", allow_pickle=False) as arrays:
            if str(arrays["signature"]) == signature:
                usage = np.array(SPLITS)[arrays["usage"]]
                return FaceDataset(arrays["images"], arrays["labels"], usage, arrays["rows"])
    except FileNotFoundError:
        pass
    except Exception as error:  # NumPy raises many types of errors for damaged files
        _LOG.warning("The cache of %s cannot be used (%s) and will be built again.", source, error)
    dataset = with_rows(_read(source))
    parts: dict[str, Any] = {name: getattr(dataset, name) for name in ("images", "labels", "rows")}
    try:
        with whole_file(cache_folder("fer2013") / f"{key}.npz") as partial:
            np.savez(partial, signature=np.array(signature), usage=dataset.split_codes, **parts)
    except (OSError, FerError) as error:  # the disk is full or read-only
        _LOG.warning("FER2013 could not be cached (%s); it will be parsed again next time.", error)
    return dataset


def _signature(source: Path) -> str:
    """Return a text that changes with the path, size or time of the file, or of a file in the folder."""
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    for path in files_in(source) if source.is_dir() else [source]:
        stat = path.stat()
        digest.update(os.fsencode(path) + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def read_csv(path: Path) -> FaceDataset:
    """Read `fer2013.csv`, plain or gzipped, with the columns `emotion`, `pixels` and `Usage`.

    The order of a file tells nothing, so `FaceDataset.rows` is -1 throughout; `with_rows` finds them. A `FerError`
    names the first row, from 1 below the header, that cannot be used.
    """
    faces, labels, usage = [], [], []
    for where, (emotion, pixels, use) in read_rows(path, CSV_COLUMNS):
        if emotion.strip() not in _LABELS:
            expected = "Expected a whole number from 0 to 6"
            raise FerError(f"{where} has an unknown emotion. {expected}. Received: {shortened(emotion)}")
        if use.strip() not in SPLITS:
            expected = f"Expected one of {', '.join(SPLITS)}"
            raise FerError(f"{where} has an unknown Usage. {expected}. Received: {shortened(use)}")
        labels.append(int(emotion))
        usage.append(use.strip())
        faces.append(csv_face(pixels, where))
    return _without_rows(faces, labels, usage)


def csv_face(text: str, where: str) -> Image:
    """Return a face `(48, 48)` from its gray levels as text; a `FerError` begins with `where`."""
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


def read_folder(folder: Path) -> FaceDataset:
    """Read the image edition of FER2013: `train/<class>/*.jpg` and `test/<class>/*.jpg`.

    The faces are ordered by split, class and file name. A file's name gives its split (`Training_…`, `PublicTest_…`,
    `PrivateTest_…`); in `train` any name is accepted. `FaceDataset.rows` is -1 throughout; `with_rows` finds them.
    """
    pictures = [*_pictures(folder / "train", SPLITS[:1]), *_pictures(folder / "test", SPLITS[1:])]
    if not pictures:
        raise FerError(
            f"{folder.name} has class folders but no images. Expected train/<class>/Training_*.jpg and so on."
        )
    pictures.sort(key=lambda picture: (SPLITS.index(picture[0]), picture[1], picture[2].name))
    usage, labels, paths = zip(*pictures, strict=True)
    return _without_rows([gray_face(path, folder) for path in paths], labels, usage)


def _pictures(split_folder: Path, splits: Sequence[str]) -> Iterator[tuple[str, int, Path]]:
    """Yield usage, label and path of each picture in the class folders; `splits` are the ones that belong there."""
    classes = [entry for entry in entries(split_folder) if entry.is_dir()]
    if not classes:
        raise FerError(f"The folder {split_folder} has no class folders. Expected {', '.join(EXPRESSIONS)} in it.")
    for class_folder in classes:
        label = spellings.index_of(class_folder.name)
        if label < 0:
            raise FerError(
                f"The folder {split_folder.name}/{class_folder.name} is not named after an expression. "
                f"Expected {', '.join(EXPRESSIONS)}."
            )
        for path in files_in(class_folder):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield _usage(path, splits), label, path


def _usage(path: Path, splits: Sequence[str]) -> str:
    """Return the split in a picture's name; where only one split belongs, other names count as this one."""
    prefix = path.name.split("_")[0].lower()
    usage = next((split for split in SPLITS if split.lower() == prefix), splits[0] if len(splits) == 1 else None)
    if usage in splits:
        return str(usage)
    expected = " or ".join(f"{split}_…" for split in splits)
    raise FerError(
        f"The split of {path.parent.parent.name}/{path.parent.name}/{path.name} is unclear. "
        f"Expected a file name {expected} in this folder."
    )


def gray_face(path: Path, folder: Path) -> Image:
    """Read a picture of 48 x 48 pixels as gray; messages name it by its path in `folder`."""
    name = path.relative_to(folder).as_posix()
    image = read_image(path, name=name)
    if image.shape[:2] != (FACE_SIZE, FACE_SIZE):
        raise FerError(
            f"{name} is not a face of FER2013, which has only pictures of 48 x 48 pixels. Use pictures of other sizes "
            f"as your own class folders instead. Received: {image.shape[1]} x {image.shape[0]}"
        )
    if (image == image[:, :, :1]).all():
        return image[:, :, 0]
    return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def _without_rows(faces: Sequence[Image], labels: Sequence[int], usage: Sequence[str]) -> FaceDataset:
    return FaceDataset(np.stack(faces), np.array(labels, np.int64), np.array(usage), np.full(len(faces), -1, np.int64))


def find_ferplus(path: Path | str | None = None) -> Path | None:
    """Return the table that `load_ferplus(path)` would read; None if there is none, and none is named."""
    given = path if path is not None else os.environ.get("FERPLUS_PATH") or None
    if given is None:
        return next((place for name in VOTES_NAMES if (place := home() / "fer2013" / name).is_file()), None)
    place = usable_path(given)
    if not place.is_file():
        raise FerError(f"{_NO_VOTES} Received: {given}")
    return place


def load_ferplus(path: Path | str | None = None) -> FerPlusVotes:
    """Load the votes of FER+, in the row order of the original `fer2013.csv`, whatever the order of the table.

    A row belongs to the face with its image name (`fer0000032.png`). The names of FER+ are not row numbers, and four
    names stand for two faces each: their votes, from more for neutral to less, are in the order of the faces. Pictures
    that FER+ removed have no name and all the same votes. A face that the table does not name has no votes.

    The table is `fer2013new.csv` of FER+, by default the environment variable `FERPLUS_PATH`, else `ferplus_votes.csv`
    or `fer2013new.csv` in `home()/fer2013`.

    Raises:
        FerError: the table is missing or damaged, lacks a column, has invalid votes, or names no faces.
    """
    source = find_ferplus(path)
    if source is None:
        raise FerError(_NO_VOTES)
    columns = list(VOTE_COLUMNS)
    names, counts = [], []
    for where, (name, *values) in read_rows(source, (_IMAGE_NAME, *columns)):
        for column, value in zip(columns, values, strict=True):
            if not (value.strip().isdecimal() and len(value) < 10):
                expected = "Expected a whole number, 0 or more"
                raise FerError(f"{where} has no valid votes for {column!r}. {expected}. Received: {shortened(value)}")
        match = re.fullmatch(r"fer(\d{1,9})\.png", name.strip())
        names.append(int(match[1]) if match else _OTHER_NAME if name.strip() else _UNNAMED)
        counts.append([int(value) for value in values])
    table = pd.DataFrame(counts, columns=columns).assign(name=names)
    known = pd.DataFrame({"name": known_rows().names})
    if len(table[table["name"] == _UNNAMED].drop_duplicates()) > 1:
        raise FerError(f"{source.name} has different votes in rows without an image name, so nobody can tell whose.")
    at, rows = same_rows(table.sort_values(columns, ascending=False), known, ["name"])
    if not len(rows):
        expected = f"Expected names such as fer0000032.png in the column {_IMAGE_NAME!r}."
        raise FerError(f"{source.name} names no face of FER2013. {expected}")
    votes = np.zeros((len(known), len(columns)), np.int64)
    votes[rows] = table.loc[at, columns]
    return FerPlusVotes(votes)


@dataclass(frozen=True, eq=False)
class Fer2013Faces:
    """The faces of FER2013 and the FER+ votes by row number, or of another data set by place, as far as they are there.

    Attributes:
        missing: why there are no faces, and how to get them; empty if there are.
        votes_missing: the same for the votes.
        dataset: all faces; None if they are missing.
        all_votes: by row; None if they are missing.
        files: names of the pictures by row, of another data set.
    """

    missing: str = ""
    votes_missing: str = ""
    dataset: FaceDataset | None = None
    all_votes: FerPlusVotes | None = None
    files: Sequence[str] = ()

    @classmethod
    def of_files(cls, dataset: FaceDataset, files: Sequence[str], votes_missing: str = "") -> Fer2013Faces:
        """Return the faces of another data set with the names of their pictures; their places are their rows."""
        return cls("", votes_missing, replace(dataset, rows=np.arange(len(dataset))), files=files)

    @cached_property
    def _places(self) -> dict[int, int]:
        rows = [] if self.dataset is None else self.dataset.rows.tolist()
        return {row: place for place, row in enumerate(rows) if row >= 0}

    def face(self, row: int, label: str) -> Image | None:
        """Return a face, `(48, 48)` uint8 gray; None if there is no such row or FER2013's label of it is another."""
        place = self._places.get(row)
        if self.dataset is None or place is None or self.dataset.classes[self.dataset.labels[place]] != label:
            return None
        return self.dataset.images[place]

    def name(self, row: int) -> str:
        """Return what a face is called: its file, or its row in FER2013."""
        return self.files[row] if self.files else f"Row {row}"

    def agreement(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of votes for the annotators' most frequent answer, `(n,)`; NaN where there are no votes."""
        shares = np.full(len(rows), np.nan)
        if self.all_votes is not None:
            known = (rows >= 0) & (rows < len(self.all_votes))
            shares[known] = self.all_votes[rows[known]].agreement()
        return shares

    def vote_counts(self, row: int) -> tuple[int, ...] | None:
        """Return the votes for the seven expressions, then those for other answers; None if there are no votes."""
        if self.all_votes is None or not 0 <= row < len(self.all_votes):
            return None
        votes = self.all_votes[np.array([row])]
        counts = votes.counts()[0].tolist()
        return (*counts, int(votes.votes.sum()) - sum(counts))

    def votes(self, row: int) -> str:
        """Return the votes of the ten annotators, most votes first ("disgust 6, neutral 3"); empty if unknown."""
        if self.all_votes is None or not 0 <= row < len(self.all_votes):
            return ""
        counts = self.all_votes.votes[row]
        order = np.argsort(-counts, kind="stable")
        names = {"happiness": "happy", "sadness": "sad", "anger": "angry", "NF": "not a face"}
        return ", ".join(f"{names.get(VOTE_COLUMNS[k], VOTE_COLUMNS[k])} {counts[k]}" for k in order if counts[k])


def load_fer2013_faces() -> Fer2013Faces:
    """Load FER2013 and FER+ from their usual places; what is missing is explained, not raised."""
    dataset, votes, missing, votes_missing = None, None, "", ""
    try:
        dataset = load_fer2013()
        if (dataset.rows < 0).all():
            missing = "These faces are not those of FER2013, so stored predictions cannot be matched with them."
    except FerError as error:
        missing = str(error)
    try:
        votes = load_ferplus()
    except FerError as error:
        votes_missing = str(error)
    return Fer2013Faces(missing, votes_missing, dataset, votes)
