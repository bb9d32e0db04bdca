"""What a run learns from: a part of FER2013, or the user's own pictures."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import IMAGE_SUFFIXES, FaceDataset, load_fer2013
from fer_core.data.folders import files_in
from fer_core.files import usable_path, whole_file
from fer_core.labels import EXPRESSIONS
from fer_core.names import is_junk, normal_name
from fer_core.runs.own_pictures import OwnFaces, as_faces, count_warnings, divided, listed, read_own_faces
from fer_core.store.datasets import find_dataset
from fer_core.training.data import TrainingData
from fer_core.types import FerError

MIN_FACES: Final = 70  # fewest training faces of FER2013 that can be asked for: ten per expression
ALL_FACES: Final = 26_040  # training faces in all of FER2013, without the fixed hold-out
FACES_FILE: Final = "faces.npz"  # name in a run's folder: the faces cut out of own pictures
_SOURCES: Final = ("fer2013", "folder", "dataset")
_DISGUST_FACES: Final = 402  # of FER2013's rarest expression in the training part


@dataclass(frozen=True)
class DataSettings:
    """Which faces to learn from; a `FerError` on creation says if a value is not valid.

    `balanced` takes the same number of each expression where possible, instead of FER2013's own proportions; of all
    faces, as many of each as there are of the rarest. A smaller draw is a subset of a larger one with the same seed.
    """

    source: str = "fer2013"  # or `folder` for the user's own pictures, `dataset` for a data set of one's own
    faces: int | None = None  # number of training faces of FER2013; None for all
    balanced: bool = False
    path: str = ""  # folder or zip with a folder of pictures per expression, or the name of a data set
    whole_image: bool = False  # the pictures are face crops already (`folder` only)
    papers_split: bool = False  # learn all of Training, validate on PrivateTest, test on PublicTest (FER2013 only)
    seed: int = 0  # which faces are drawn from FER2013

    def __post_init__(self) -> None:
        if self.source not in _SOURCES:
            raise FerError(f"Unknown source of faces. Expected one of: {', '.join(_SOURCES)}. Received: {self.source}")
        if self.source != "fer2013" and not self.path:
            raise FerError(
                "Expected the path of a folder or zip with a folder of pictures for each expression, or the name of a "
                "data set."
            )
        if self.faces is not None and self.faces < MIN_FACES:
            raise FerError(f"Expected at least {MIN_FACES} faces of FER2013. Received: {self.faces}")


@dataclass(frozen=True, eq=False)
class LoadedData:
    """The faces that a `DataSettings` describes."""

    data: TrainingData
    warnings: tuple[str, ...] = ()  # a sentence for what will make the model worse than its hold-out accuracy suggests
    skipped: tuple[str, ...] = ()  # a sentence for each picture that was left out

    @property
    def counts(self) -> pd.DataFrame:
        """Number of faces: one row per class of the data, columns `training` and `hold-out`."""
        parts = {"training": self.data.training, "hold-out": self.data.holdout}
        return pd.DataFrame({name: part.counts().sum() for name, part in parts.items()}).rename_axis("expression")


def load_training_data(settings: DataSettings, say: Callable[[str], None] = lambda _: None) -> LoadedData:
    """Load the faces to learn from, and FER2013's test splits if FER2013 is available and has the same classes.

    The hold-out of FER2013 is drawn from its fixed list, with at most as many faces as the training part; the finished
    model is scored on the whole list. Of own pictures it is about a seventh of each class, and the largest face of each
    picture is used; detecting it takes about 20 ms. A `FerError` says why faces cannot be used.
    """
    if settings.source == "fer2013":
        data = fer2013_part(
            load_fer2013(),
            settings.faces,
            balanced=settings.balanced,
            seed=settings.seed,
            papers_split=settings.papers_split,
        )
        return LoadedData(data, tuple(count_warnings(data.training)))
    source = usable_path(settings.path)
    kind: str = "own pictures"
    notes: list[str] = []
    if settings.source == "dataset":
        dataset = find_dataset(settings.path)
        kind, learn = f"own data set of {dataset.how}", dataset.load().split("train")
        present = tuple(np.unique(learn.labels).tolist())
        faces = OwnFaces(as_faces(learn.images, learn.labels, learn.classes), (), (), classes=present, skipped=())
        if len(dataset.record["counts"]) < 2:
            words = "so a model that learns from it is later measured on faces that it has seen"
            notes = [f"The data set {dataset.name} has no test split, {words}."]
    else:
        faces = read_own_faces(source, whole_image=settings.whole_image, to_learn=True, say=say)
    training, holdout, warnings = divided(faces, source.name)
    classes, tests = training.classes, None
    if classes == EXPRESSIONS:
        tests = _test_splits()
    else:
        warnings.insert(0, f"Not all folders are named after expressions, so the names are classes: {listed(classes)}.")
    data = TrainingData(training, holdout, tests=tests, name=f"{kind} ({source.name})")
    return LoadedData(data, (*warnings, *notes), skipped=faces.skipped)


def load_for_run(folder: Path, settings: DataSettings, *, say: Callable[[str], None]) -> LoadedData:
    """Load the faces of a run; own pictures are kept in the run's folder, so it can be resumed if they are deleted.

    A `FerError` comes as of `load_training_data`, or if FER2013 was available when the run began and is not any more.
    """
    kept = folder / FACES_FILE
    if settings.source != "fer2013" and kept.is_file():
        return _read_faces(kept)
    loaded = load_training_data(settings, say)
    if settings.source != "fer2013":
        _write_faces(kept, loaded)
    return loaded


def expected_faces(settings: DataSettings) -> int:
    """Return the approximate number of training faces, without detecting any."""
    if settings.source == "fer2013":
        every = _DISGUST_FACES * len(EXPRESSIONS) if settings.balanced else ALL_FACES
        return every if settings.faces is None else min(settings.faces, ALL_FACES)
    if settings.source == "dataset":
        return len(find_dataset(settings.path).load().split("train"))
    source = usable_path(settings.path)
    pictures: list[str] = []
    if source.is_dir():
        pictures = [path.name for path in files_in(source)]
    else:
        with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(source) as archive:  # refused later
            names = map(normal_name, archive.namelist())
            pictures = [name for name in names if not any(map(is_junk, name.split("/")))]
    return sum(name.lower().endswith(IMAGE_SUFFIXES) for name in pictures) or 1


def fer2013_part(
    dataset: FaceDataset, faces: int | None, *, balanced: bool, seed: int, papers_split: bool = False
) -> TrainingData:
    """Return FER2013 divided as everywhere in FER Lab, or as in the paper, with the faces that `DataSettings` names."""
    whole = TrainingData.of(dataset, papers_split=papers_split)
    if faces is None and not balanced:
        return whole
    if faces is None:
        available = np.bincount(whole.training.labels)
        faces = int(available[available > 0].min() * (available > 0).sum())
    training = _draw(whole.training, faces, balanced=balanced, seed=seed)
    holdout = _draw(whole.holdout, len(training), balanced=False, seed=0)
    shares = "equal classes" if balanced else "FER2013's own shares"
    without = "" if papers_split else ", without the fixed hold-out"
    name = f"{len(training):,} faces of FER2013 Training ({shares}){without}"
    rule = whole.holdout_rule
    return TrainingData(training, holdout, tests=whole.tests, name=name, holdout_rule=rule, scored=whole.holdout)


def faces_per_class(available: NDArray[np.int64], count: int, *, balanced: bool) -> NDArray[np.int64]:
    """Return how many of the available faces to take of each class, in proportion or equally; one of each at least."""
    if balanced:
        sums = np.minimum(available, np.arange(available.max() + 1)[:, None]).sum(axis=1)
        level = (
            np.searchsorted(sums, count, side="right") - 1
        )  # the highest equal count whose sum does not exceed count
        shares = np.minimum(available, level)
        spare = np.flatnonzero(available > level)[: count - int(shares.sum())]
    else:
        exact = available * count / available.sum()
        shares = np.floor(exact).astype(np.int64)
        spare = np.argsort(shares - exact, kind="stable")[: count - int(shares.sum())]
    shares[spare] += 1
    return np.maximum(shares, np.minimum(available, 1))


def _draw(faces: FaceDataset, count: int, *, balanced: bool, seed: int) -> FaceDataset:
    """Return about `count` of the faces, stratified by class and in their original order."""
    if count >= len(faces):
        return faces
    generator = np.random.default_rng(seed)
    shares = enumerate(faces_per_class(np.bincount(faces.labels), count, balanced=balanced))
    drawn = [generator.permutation(np.flatnonzero(faces.labels == label))[:share] for label, share in shares]
    return faces.subset(np.sort(np.concatenate(drawn)))


def _test_splits(required: bool = False) -> FaceDataset | None:
    """Return FER2013's test splits; None if FER2013 is not available and not required."""
    try:
        dataset = load_fer2013()
    except FerError:
        if required:
            raise
        return None
    tests = dataset.subset(dataset.usage != "Training")
    return tests if len(tests) else None


def _write_faces(path: Path, loaded: LoadedData) -> None:
    data = loaded.data
    values: dict[str, Any] = {"measured": data.tests is not None, "name": data.name}
    values["classes"] = np.array(data.training.classes, dtype=np.str_)
    values |= {name: np.array(getattr(loaded, name), dtype=np.str_) for name in ("warnings", "skipped")}
    for name, part in {"training": data.training, "holdout": data.holdout}.items():
        values |= {name: part.images, f"{name}_labels": part.labels}
    with whole_file(path) as partial:
        np.savez(partial, **values)


def _read_faces(path: Path) -> LoadedData:
    with np.load(path, allow_pickle=False) as arrays:
        classes = tuple(arrays["classes"].tolist()) if "classes" in arrays else EXPRESSIONS  # older runs lack it
        parts = ((arrays[part], arrays[f"{part}_labels"]) for part in ("training", "holdout"))
        training, holdout = (as_faces(images, labels, classes) for images, labels in parts)
        tests = _test_splits(required=True) if bool(arrays["measured"]) else None
        data = TrainingData(training, holdout, tests=tests, name=str(arrays["name"]))
        return LoadedData(data, tuple(arrays["warnings"].tolist()), skipped=tuple(arrays["skipped"].tolist()))
