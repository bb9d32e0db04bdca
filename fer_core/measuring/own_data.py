"""Models measured on data sets of one's own: each face is predicted once, and the predictions are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_core.files import whole_file
from fer_core.store.datasets import OwnDataset
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError


def own_predictions(model: StoredModel, dataset: OwnDataset, view: str = "plain") -> NDArray[np.float32]:
    """Return the probabilities `(n, classes)` of a model for `dataset.tests()`, measured now if they are not kept yet.

    They are kept by the content of the model's file, so a model that is trained again is measured again, and checked
    against the pixels. A FerError says that the model cannot predict, or that the disk cannot be written.
    """
    faces, path = dataset.tests(), own_file(model, dataset, f"{view}.npz")
    ids = np.frombuffer(b"".join(faces.ids), np.uint8)
    try:
        with np.load(path, allow_pickle=False) as kept:
            if np.array_equal(kept["ids"], ids):
                return np.asarray(kept["probabilities"])
    except Exception:
        pass
    probabilities = model.classifier().predict(faces.images, flip=view == "flip").probabilities
    with keeping(path) as stream:
        np.savez(stream, ids=ids, probabilities=probabilities)
    return probabilities


@contextmanager
def keeping(path: Path) -> Iterator[BinaryIO]:
    """Open the file of `own_file` to write it completely or not at all; a FerError says that it cannot be written."""
    try:
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as stream:
            yield stream
    except OSError as error:
        raise FerError(f"The results on {path.parents[1].name} cannot be kept ({error.strerror}).") from error


def is_measured(model: StoredModel, dataset: OwnDataset, view: str) -> bool:
    """Tell whether the predictions of a model for a data set are kept."""
    return model.servable and own_file(model, dataset, f"{view}.npz").is_file()


def own_file(model: StoredModel, dataset: OwnDataset, ending: str) -> Path:
    """Return the file of what was measured of a model on a data set; a FerError says that the model cannot predict."""
    return dataset.folder / "predictions" / f"{_digest(model, model.version)}-{ending}"


@lru_cache(100)
def _digest(model: StoredModel, version: tuple[int, ...]) -> str:  # noqa: ARG001 (cache key)
    """Return what tells files apart that may answer differently."""
    digest = hashlib.blake2b(model.content(), digest_size=12)
    digest.update(repr((model.card.preprocessing, model.card.as_dict().get("takes"))).encode())
    return digest.hexdigest()
