"""Somebody's own pictures, cut out as FER2013 frames faces and divided into what is learnt and what is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FACE_SIZE, FerDataset, find_duplicates, read_class_folders
from fer_core.data.class_folders import MIN_IMAGES
from fer_core.faces import crop_face, default_detector, whole_image_face
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError, Image

HOLDOUT_SHARE: Final = 0.15
_SEED: Final = 2013  # of the division: the same pictures are always divided alike
_EVERY: Final = 50  # pictures between two words on how far it is


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Own pictures as faces.

    Attributes:
        training: to learn from, at least one face a class.
        holdout: to watch, at least one face a class.
        warnings: a sentence for each thing to know.
        skipped: a sentence for each picture that was left out.
    """

    training: FerDataset
    holdout: FerDataset
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def faces(self) -> FerDataset:
        """Both parts together."""
        parts = (self.training, self.holdout)
        return as_faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))


def own_pictures(place: Path, whole_image: bool, say: Callable[[str], None] = lambda _: None) -> OwnPictures:
    """Read class folders, find the largest face of each picture, and divide the faces by class.

    Of pictures that are the same to the last pixel only one is used: a copy on both sides would make the hold-out lie.

    Args:
        place: a folder of class folders, or a zip of it.
        whole_image: the pictures are face crops already.
        say: told how far it is.

    Raises:
        FerError: the folder or zip cannot be used, or a class is left with fewer than two faces.
    """
    found = read_class_folders(place)
    detector = None if whole_image else default_detector()
    crops: list[Image] = []
    labels: list[int] = []
    skipped = list(found.skipped)
    for index, (path, label, image) in enumerate(zip(found.paths, found.labels, found.images(), strict=True)):
        if index % _EVERY == 0:
            say(f"Looking for faces: {index} of {len(found)} pictures")
        found_faces = [whole_image_face(image)] if detector is None else detector.detect(image)
        if not found_faces:
            skipped.append(f"{path.parent.name}/{path.name} shows no face that can be found and is left out.")
            continue
        crops.append(crop_face(image, found_faces[0])[0])
        labels.append(int(label))
    _check_counts(labels, sorted(set(found.labels.tolist())), place.name, skipped)
    faces, warnings = _without_copies(as_faces(np.stack(crops), np.array(labels)))
    _check_counts(faces.labels.tolist(), sorted(set(found.labels.tolist())), place.name, warnings)
    training, holdout = divided(faces)
    return OwnPictures(training, holdout, tuple(warnings), tuple(skipped))


def as_faces(images: NDArray[np.uint8], labels: NDArray) -> FerDataset:
    """Return faces `(n, 48, 48)` uint8 gray with labels `(n,)` as the Training split of a dataset."""
    n = len(images)
    shaped = images.reshape(n, FACE_SIZE, FACE_SIZE)
    return FerDataset(shaped, labels.astype(np.int64), np.full(n, "Training"), np.full(n, -1, dtype=np.int64))


def divided(faces: FerDataset) -> tuple[FerDataset, FerDataset]:
    """Return (to learn from, to watch): about `HOLDOUT_SHARE` of each class, at least one, is watched."""
    generator = np.random.default_rng(_SEED)
    watched = np.zeros(len(faces), dtype=bool)
    for label in np.unique(faces.labels):
        members = generator.permutation(np.flatnonzero(faces.labels == label))
        watched[members[: max(1, round(HOLDOUT_SHARE * len(members)))]] = True
    return faces.subset(~watched), faces.subset(watched)


def _without_copies(faces: FerDataset) -> tuple[FerDataset, list[str]]:
    """Return the faces with one of each group of identical ones, and a sentence if there were any."""
    copies = find_duplicates(faces)
    if not copies.groups:
        return faces, []
    kept = np.ones(len(faces), dtype=bool)
    kept[np.concatenate([group[1:] for group in copies.groups])] = False
    text = f"{copies.redundant} pictures are exact copies of others and are left out."
    if copies.differing_labels.any():
        group = copies.groups[int(np.flatnonzero(copies.differing_labels)[0])]
        names = " and ".join(EXPRESSIONS[label] for label in sorted(set(faces.labels[group].tolist())))
        text += f" Some stood under different expressions ({names}); the first one counts."
    return faces.subset(kept), [text]


def _check_counts(labels: list[int], classes: list[int], shown: str, reasons: list[str]) -> None:
    for label in classes:
        if labels.count(label) < MIN_IMAGES:
            hint = f" {reasons[-1]}" if reasons else ""
            raise FerError(
                f"The class {EXPRESSIONS[label]!r} in {shown} has too few pictures with a face. Expected at least "
                f"{MIN_IMAGES}. Received: {labels.count(label)}.{hint}"
            )
