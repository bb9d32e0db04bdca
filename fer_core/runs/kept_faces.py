"""Own pictures as a run first saw them: kept in its folder, so that it can be resumed whatever became of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data import FerDataset, load_fer2013
from fer_core.files import whole_file
from fer_core.runs.choice import ChosenData, DataChoice, load_training_data
from fer_core.runs.own_pictures import as_faces
from fer_core.runs.reporter import Reporter
from fer_core.training.training_data import TrainingData

KEPT: Final = "faces.npz"


def faces_for(folder: Path, choice: DataChoice, reporter: Reporter) -> ChosenData:
    """Return the faces of a run, looked for the first time and read again after that.

    Args:
        folder: the run's.
        choice: what it learns from.
        reporter: told how far it is.

    Raises:
        FerError: the faces cannot be had, or FER2013, which was here, is gone.
    """
    kept = folder / KEPT
    if choice.source == "folder" and kept.is_file():
        return _read(kept)
    chosen = load_training_data(choice, reporter.say)
    if choice.source == "folder":
        _write(kept, chosen)
    return chosen


def _write(path: Path, chosen: ChosenData) -> None:
    data = chosen.data
    with whole_file(path) as partial:
        np.savez(
            partial,
            training=data.training.images,
            training_labels=data.training.labels,
            holdout=data.holdout.images,
            holdout_labels=data.holdout.labels,
            measured=np.array(data.tests is not None),
            name=np.array(data.name),
            warnings=np.array(chosen.warnings, dtype=np.str_),
            skipped=np.array(chosen.skipped, dtype=np.str_),
        )


def _read(path: Path) -> ChosenData:
    with np.load(path, allow_pickle=False) as arrays:
        data = TrainingData(
            as_faces(arrays["training"], arrays["training_labels"]),
            as_faces(arrays["holdout"], arrays["holdout_labels"]),
            _tests() if bool(arrays["measured"]) else None,
            str(arrays["name"]),
        )
        return ChosenData(data, tuple(arrays["warnings"].tolist()), tuple(arrays["skipped"].tolist()))


def _tests() -> FerDataset:
    dataset = load_fer2013()
    return dataset.subset(dataset.usage != "Training")
