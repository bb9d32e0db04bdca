"""Augmented copies of faces, for people to look at, drawn by the layers that training uses.

The layers need Keras and TensorFlow, which take ten seconds to start and a gigabyte of memory. A child process
therefore draws: `python -m fer_core.training.augmented_copies FOLDER`. Importing this module imports neither.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fer_core.files import home
from fer_core.jobs import file_of_child
from fer_core.training.augmentation import Augmentation

FACES, SETTINGS, COPIES = "faces.npy", "settings.json", "copies.npz"
"""Names of the files in the child's folder: what it is given, and what it writes."""

_LOCK: Final = ".augmented-copies.lock"  # in the data folder: one child at a time, as each needs a gigabyte
_PATIENCE: Final = 180  # seconds; a busy computer starts TensorFlow slowly


def augmented_copies(
    faces: NDArray[np.uint8], augmentations: Sequence[Augmentation], count: int, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Draw augmented copies of faces in a child process, about ten seconds.

    Args:
        faces: `(n, 48, 48)` uint8 gray.
        augmentations: how the copies vary; one result for each.
        count: copies of each face.
        seed: of the layers.

    Returns:
        For each augmentation `(n, count, crop, crop)` uint8 gray: what the network gets in training.

    Raises:
        FerError: the child process failed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="fer-lab-") as place:
        folder = Path(place)
        np.save(folder / FACES, faces)
        settings = {"augmentations": [asdict(one) for one in augmentations], "count": count, "seed": seed}
        (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
        with FileLock(home() / _LOCK):
            words = ("-m", "fer_core.training.augmented_copies", str(folder))
            file_of_child(*words, target=folder / COPIES, failed="Keras could not draw the copies", timeout=_PATIENCE)
        with np.load(folder / COPIES, allow_pickle=False) as arrays:
            return [arrays[f"arr_{place}"] for place in range(len(augmentations))]


def draw_copies(faces: NDArray[np.uint8], augmentation: Augmentation, count: int, seed: int) -> NDArray[np.uint8]:
    """Draw augmented copies of faces in this process, which imports Keras; see `augmented_copies`."""
    from fer_core.training.augmentation_layers import augmentation_layers

    copies = np.repeat(faces, count, axis=0).astype(np.float32)[..., None]
    for layer in augmentation_layers(augmentation, seed):
        copies = layer(copies, training=True)
    levels = np.clip(np.rint(np.asarray(copies)[..., 0]), 0, 255).astype(np.uint8)
    return levels.reshape(len(faces), count, *levels.shape[1:])


def main(folder: Path) -> None:
    """Read faces and settings in the folder, and write the copies to it."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    faces = np.load(folder / FACES, allow_pickle=False)
    kinds = [Augmentation(**{**one, "scale": tuple(one["scale"])}) for one in settings["augmentations"]]
    copies = [draw_copies(faces, kind, settings["count"], settings["seed"]) for kind in kinds]
    np.savez(folder / COPIES, *copies)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
