"""Data sets of one's own, kept in `FER_HOME/datasets`: faces cut out of pictures, expressions, splits and groups.

A folder has `faces.npz` (gray crops, class indices, splits), `pictures.parquet` (the file and the groups of each face),
`dataset.json` (how it was made, what was left out), and `predictions/` of the models that were measured on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_core.data import FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.data.pictures import open_grouped
from fer_core.data.spellings import SPLITS
from fer_core.faces import cut_faces, default_detector
from fer_core.files import checked_name, created, home, read_json, stamp, whole_folder, write_json
from fer_core.tables import read_table
from fer_core.types import FerError, reason

FACES, PICTURES, RECORD = "faces.npz", "pictures.parquet", "dataset.json"
ALL: Final = "All"
"""The only split of a data set that is not divided."""

_TAKEN: Final = ("fer2013", "holdout")  # what commands call FER2013 and its hold-out
_NOTES: Final = 200  # sentences on single pictures that are kept


@dataclass(frozen=True)
class OwnDataset:
    """A data set of one's own: its name, folder and record.

    Attributes:
        record: `faces` (number), `counts` (by split and class), `whole_image` (whether each picture was taken as a
            face), `detector`, `faceless` and `unread` (numbers of pictures left out), `notes` (sentences), `orders`
            (the groups of each division in their order).
    """

    name: str
    folder: Path
    record: dict[str, Any]

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def version(self) -> tuple[int, ...]:
        """What differs once the faces have been written anew."""
        return stamp(self.folder / FACES)

    @property
    def classes(self) -> tuple[str, ...]:
        """The seven expressions, or the data set's own classes."""
        return tuple(next(iter(self.record["counts"].values())))

    def load(self) -> FaceDataset:
        """Return the faces; a FerError says that their file is damaged."""
        return _load(self, self.version)

    def tests(self) -> FaceDataset:
        """Return the faces to measure models on: the split Test, else Validation, else all faces."""
        faces = self.load()
        return faces.subset(faces.usage == self._test) if self._test else faces

    def pictures(self) -> pd.DataFrame:
        """Return a table in the order of the faces: `file`, and a column for each division by groups."""
        return read_table(self.folder / PICTURES)

    def test_pictures(self) -> pd.DataFrame:
        """Return the rows of `pictures` in the order of `tests`."""
        table = self.pictures()
        return table[self.load().usage == self._test].reset_index(drop=True) if self._test else table

    @property
    def how(self) -> str:
        """How the faces were made, in words."""
        return "whole pictures" if self.record["whole_image"] else "faces found in pictures"

    def tests_by_row(self) -> Fer2013Faces:
        """Return `tests` with their places as rows, as predictions for them have it; they have no votes."""
        files, missing = self.test_pictures()["file"].tolist(), f"The data set {self.name} has no votes of annotators."
        return Fer2013Faces.of_files(self.tests(), files, missing)

    @property
    def tests_in_words(self) -> str:
        """What `tests` are: "Test of rafdb"."""
        return f"{self._test or 'all faces'} of {self.name}"

    @property
    def _test(self) -> str:
        return next((name for name in SPLITS[:0:-1] if name in self.record["counts"]), "")


@lru_cache(4)
def _load(dataset: OwnDataset, version: tuple[int, ...]) -> FaceDataset:  # noqa: ARG001 (cache key)
    try:
        with np.load(dataset.folder / FACES, allow_pickle=False) as arrays:
            usage = arrays["usage"]
            splits = tuple(name for name in (*SPLITS, ALL) if (usage == name).any())
            given: dict[str, Any] = {"name": dataset.name, "splits": splits, "classes": dataset.classes}
            return FaceDataset(arrays["images"], arrays["labels"], usage, np.full(len(usage), -1), **given)
    except Exception as error:  # NumPy raises many types of errors for damaged files
        raise FerError(
            f"The data set {dataset.name} is damaged ({reason(error)}). Remove it, and add it again: fer-lab data "
            f"remove {dataset.name}"
        ) from error


def add_dataset(
    name: str,
    path: Path,
    *,
    whole_image: bool = False,
    numbers: str | None = None,
    own_classes: bool = False,
    say: Callable[[int, int], None] = lambda *_: None,
) -> OwnDataset:
    """Read pictures with expressions, cut out the largest face of each as FER2013 frames faces, and keep the faces.

    Args:
        name: by which the data set is offered from then on.
        path: a folder or zip of class folders, in splits or not, a table beside its pictures, or a Parquet table that
            holds them, see `data.pictures`.
        whole_image: the pictures are face crops already, so do not look for faces in them.
        numbers: what numbers stand for, one of `data.spellings.NUMBERS`, if that is unclear.
        own_classes: names that are not all expressions are classes of their own, 2 to 10.
        say: is called with the number of pictures that are done, and of all.

    Raises:
        FerError: the name is taken or not valid, the pictures or their expressions cannot be read, or fewer than two
            classes have a face.
    """
    if name in _TAKEN:
        raise FerError(f"{name} names faces of FER2013 already. Choose another name for the data set.")
    folder = _root() / checked_name(name, "dataset")
    if (folder / RECORD).is_file():
        raise FerError(f"There is a data set {name} already. Choose another name, or: fer-lab data remove {name}")
    with open_grouped(path, labelled=True, numbers=numbers, own_classes=own_classes) as pictures:
        known = np.flatnonzero(pictures.labels >= 0)
        names = [pictures.names[place] for place in known]
        cut = cut_faces([pictures.sources[place] for place in known], names, whole_image=whole_image, say=say)
    kept = known[cut.places]
    usage = np.where(pictures.splits[kept] == "", ALL, pictures.splits[kept])
    if len(np.unique(pictures.labels[kept])) < 2:
        hint = " ".join([*cut.unread, *cut.faceless][:1])
        raise FerError(
            f"{path.name[:80]} has faces of fewer than two classes. Expected at least two. Received: {len(kept):,} "
            f"faces in {len(known):,} pictures. {hint}"
        )
    splits = tuple(split for split in (*SPLITS, ALL) if (usage == split).any())
    given: dict[str, Any] = {"name": name, "splits": splits, "classes": pictures.classes}
    faces = FaceDataset(cut.images, pictures.labels[kept], usage, np.full(len(kept), -1), **given)
    counts = faces.counts()
    missing = {split: [word for word in pictures.classes if not row[word]] for split, row in counts.iterrows()}
    empty = [f"{split} has no face of {', '.join(words)}." for split, words in missing.items() if words]
    record = {
        "faces": len(faces),
        "counts": counts.to_dict("index"),
        "whole_image": whole_image,
        "detector": None if whole_image else type(default_detector()).__name__,
        "faceless": len(cut.faceless),
        "unread": len(cut.unread),
        "notes": [*pictures.skipped, *empty, *cut.unread, *cut.faceless][:_NOTES],
        "orders": pictures.orders,
    }
    table = pd.DataFrame({"file": [pictures.names[place] for place in kept]})
    with whole_folder(folder) as work:
        np.savez_compressed(work / FACES, images=faces.images, labels=faces.labels, usage=faces.usage)
        table.join(pictures.groups.iloc[kept].reset_index(drop=True)).to_parquet(work / PICTURES, index=False)
        write_json(work / RECORD, record)
    return OwnDataset(name, folder, record)


def list_datasets(classes: tuple[str, ...] | None = None) -> list[OwnDataset]:
    """Return all data sets of one's own by name, or those of these classes; a folder without a record is none."""
    try:
        folders = sorted(path.parent for path in _root().glob(f"[!.]*/{RECORD}"))
    except FerError:  # there is no data folder
        return []
    found = (OwnDataset(folder.name, folder, record) for folder in folders if (record := read_json(folder / RECORD)))
    return [dataset for dataset in found if classes in (None, dataset.classes)]


def find_dataset(name: str) -> OwnDataset:
    """Return a data set of one's own by name; a FerError names those that there are."""
    known = {dataset.name: dataset for dataset in list_datasets()}
    if name not in known:
        raise FerError(
            f"There is no data set of that name. Data sets here: {', '.join(known) or 'none'}. Add one with: fer-lab "
            f"data add NAME PATH. Received: {name}"
        )
    return known[name]


def load_dataset(name: str) -> FaceDataset:
    """Return the faces of a data set of one's own, of side 48 and unknown rows, without votes."""
    return find_dataset(name).load()


def remove_dataset(name: str) -> None:
    """Delete a data set of one's own, and the predictions for it; a FerError says that there is none."""
    folder = find_dataset(name).folder
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise FerError(f"The data set {name} cannot be deleted ({reason(error)}).") from error


def _root() -> Path:
    return created(home() / "datasets")
