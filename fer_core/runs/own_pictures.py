"""The user's own pictures: their faces cut out as FER2013 frames faces, checked, and divided for a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset, extract_zip, find_duplicates, read_class_folders, read_image
from fer_core.data.dataset import FACE_SIZE
from fer_core.data.folders import MAX_BYTES, MIN_IMAGES
from fer_core.faces import crop_face, default_detector, whole_image_face
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.names import readable
from fer_core.types import FerError, Image
from fer_core.visitors import TemporaryFolder, max_pixels, room

_PROGRESS_EVERY: Final = 50  # pictures between two progress messages
_HOLDOUT_SHARE: Final = 0.15
_SEED: Final = 2013  # of the division: the same pictures are always divided in the same way
_FEW: Final = 20  # pictures of a class below which a warning is given
_SAME_LIGHT: Final = 3.0
"""Gray levels: if a class's faces vary less than this in mean and in spread, they were all taken in the same light."""

_BRIGHTNESS_RECALL: Final = 0.9
"""Mean recall of a classifier that sees only the brightness, from which a warning is given."""

_MIN_FOR_LIGHT: Final = 5  # faces of a class needed to judge its light


@dataclass(frozen=True, eq=False)
class OwnFaces:
    """One face of each picture in which one was found.

    Attributes:
        dataset: the faces as a Training split of unknown rows.
        paths: `n` files, one for each face.
        classes: class indices of all folders, also of those without a face.
        skipped: one sentence for each picture that was left out.
        folder: the temporary folder of the files; None if they stay where they were.
    """

    dataset: FaceDataset
    paths: tuple[Path, ...]
    classes: tuple[int, ...]
    skipped: tuple[str, ...]
    folder: TemporaryFolder | None = field(default=None, repr=False)

    def name(self, index: int) -> str:
        """Return folder and file name of a face's picture."""
        return _name(self.paths[index])

    def picture(self, index: int) -> Image:
        """Return a face's picture, `(height, width, 3)` uint8 RGB.

        Raises:
            FerError: the file was removed or changed since.
        """
        return read_image(self.paths[index], self.name(index), max_pixels=max_pixels())

    def close(self) -> None:
        """Delete the files, if they are in a temporary folder."""
        if self.folder is not None:
            self.folder.close()


def read_own_faces(source: Path, *, whole_image: bool, say: Callable[[str], None] = lambda _: None) -> OwnFaces:
    """Read class folders and crop the largest face of each picture.

    Args:
        source: a folder of class folders, or a zip of one.
        whole_image: the pictures are face crops already.
        say: called with progress messages.

    Raises:
        FerError: the folder or zip cannot be used.
    """
    pictures = read_class_folders(source)
    detector = None if whole_image else default_detector()
    crops: list[Image] = []
    kept: list[int] = []
    skipped = list(pictures.skipped)
    for index, (path, image) in enumerate(zip(pictures.paths, pictures.images(), strict=True)):
        if index % _PROGRESS_EVERY == 0:
            say(f"Looking for faces: {index} of {len(pictures.paths)} pictures")
        faces = [whole_image_face(image)] if detector is None else detector.detect(image)
        if not faces:
            skipped.append(f"{_name(path)} shows no face that can be found and is left out.")
            continue
        crops.append(crop_face(image, faces[0])[0])
        kept.append(index)
    return OwnFaces(
        as_faces(np.array(crops, np.uint8), pictures.labels[kept]),
        tuple(pictures.paths[index] for index in kept),
        tuple(sorted(set(pictures.labels.tolist()))),
        tuple(skipped),
    )


def read_own_zip(stream: BinaryIO, name: str, *, whole_image: bool) -> OwnFaces:
    """Unpack a zip into a temporary folder and read it as `read_own_faces` does.

    Args:
        stream: of the zip, seekable.
        name: the zip's file name, for messages.
        whole_image: the pictures are face crops already.

    Returns:
        The faces; `close` deletes the files.

    Raises:
        FerError: the zip cannot be used.
    """
    folder = TemporaryFolder()
    safe_name = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in "-_. ")[:80].strip(" .")
    try:
        source = extract_zip(stream, folder.path / (safe_name or "pictures.zip"), max_bytes=min(MAX_BYTES, room()))
        return replace(read_own_faces(source, whole_image=whole_image), folder=folder)
    except BaseException:
        folder.close()
        raise


def as_faces(images: NDArray[np.uint8], labels: NDArray) -> FaceDataset:
    """Return faces `(n, 48, 48)` uint8 gray with labels `(n,)` as the Training split of a dataset."""
    n = len(images)
    shaped = images.reshape(n, FACE_SIZE, FACE_SIZE)
    return FaceDataset(shaped, labels.astype(np.int64), np.full(n, "Training"), np.full(n, -1, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Faces from the user's own pictures.

    Attributes:
        training: training faces, at least one per class.
        holdout: hold-out, at least one per class.
        warnings: one sentence for each thing to know.
        skipped: one sentence for each picture that was left out.
    """

    training: FaceDataset
    holdout: FaceDataset
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]


def read_own_pictures(source: Path, *, whole_image: bool, say: Callable[[str], None] = lambda _: None) -> OwnPictures:
    """Read class folders, crop the largest face of each picture, and divide the faces by class.

    Of pictures with identical pixels only one is used: otherwise copies of training faces could be in the hold-out.

    Args:
        source: a folder of class folders, or a zip of one.
        whole_image: the pictures are face crops already.
        say: called with progress messages.

    Raises:
        FerError: the folder or zip cannot be used, or a class has fewer than two faces.
    """
    faces = read_own_faces(source, whole_image=whole_image, say=say)
    labels, skipped = faces.dataset.labels.tolist(), list(faces.skipped)
    _check_counts(labels, faces.classes, source.name, skipped)
    unique, copies = _without_copies(faces.dataset)
    _check_counts(unique.labels.tolist(), faces.classes, source.name, copies)
    warnings = (*count_warnings(unique), *light_warnings(unique), *copies)
    return OwnPictures(*_divided(unique), warnings, tuple(skipped))


def count_warnings(faces: FaceDataset) -> list[str]:
    """Return one sentence about classes without pictures, and one about classes with few."""
    counts = np.bincount(faces.labels, minlength=NUM_CLASSES)
    warnings = []
    missing = [name for name, count in zip(EXPRESSIONS, counts, strict=True) if count == 0]
    if missing:
        warnings.append(f"There are no pictures of {_listed(missing)}: the model cannot learn what it looks like.")
    few = [f"{name} ({count})" for name, count in zip(EXPRESSIONS, counts, strict=True) if 0 < count < _FEW]
    if few:
        warnings.append(f"Too few pictures of {_listed(few)}: expect at least {_FEW} of each, better hundreds.")
    return warnings


def light_warnings(faces: FaceDataset) -> list[str]:
    """Return one sentence about classes taken in a single light, and one if brightness alone separates the classes."""
    brightness = faces.images.mean(axis=(1, 2))
    contrast = faces.images.std(axis=(1, 2))
    members = {label: faces.labels == label for label in np.unique(faces.labels).tolist()}
    judged = {label: mask for label, mask in members.items() if mask.sum() >= _MIN_FOR_LIGHT}
    warnings = []
    uniform = [
        EXPRESSIONS[label]
        for label, mask in judged.items()
        if max(brightness[mask].std(), contrast[mask].std()) < _SAME_LIGHT
    ]
    if uniform:
        warnings.append(
            f"All pictures of {_listed(uniform)} were taken in nearly the same light: the model may fail in any other. "
            f"Take some elsewhere, or with the light from another side."
        )
    if len(judged) >= 2 and (recall := _recall_by_brightness(brightness, judged)) >= _BRIGHTNESS_RECALL:
        warnings.append(
            f"Brightness alone tells the classes apart ({recall:.0%} right): the model may learn the light instead of "
            f"the face. Take pictures of every expression in the same places."
        )
    return warnings


def _divided(faces: FaceDataset) -> tuple[FaceDataset, FaceDataset]:
    """Return (training part, hold-out): about `_HOLDOUT_SHARE` of each class, at least one, is held out."""
    generator = np.random.default_rng(_SEED)
    held_out = np.zeros(len(faces), dtype=bool)
    for label in np.unique(faces.labels):
        members = generator.permutation(np.flatnonzero(faces.labels == label))
        held_out[members[: max(1, round(_HOLDOUT_SHARE * len(members)))]] = True
    return faces.subset(~held_out), faces.subset(held_out)


def _without_copies(faces: FaceDataset) -> tuple[FaceDataset, list[str]]:
    """Return the faces with one of each group of identical ones, and a sentence if there were any."""
    copies = find_duplicates(faces)
    if not copies.groups:
        return faces, []
    kept = np.ones(len(faces), dtype=bool)
    kept[np.concatenate([group[1:] for group in copies.groups])] = False
    text = f"{copies.faces - len(copies.groups)} pictures are exact copies of others and are left out."
    if copies.differing_labels.any():
        group = copies.groups[int(np.flatnonzero(copies.differing_labels)[0])]
        names = " and ".join(EXPRESSIONS[label] for label in sorted(set(faces.labels[group].tolist())))
        text += f" Some were in the folders of different expressions ({names}); the first one counts."
    return faces.subset(kept), [text]


def _check_counts(labels: list[int], classes: Iterable[int], source: str, reasons: list[str]) -> None:
    for label in classes:
        if labels.count(label) < MIN_IMAGES:
            hint = f" {reasons[-1]}" if reasons else ""
            raise FerError(
                f"The class {EXPRESSIONS[label]!r} in {source} has too few pictures with a face. Expected at least "
                f"{MIN_IMAGES}. Received: {labels.count(label)}.{hint}"
            )


def _recall_by_brightness(brightness: NDArray[np.float64], members: dict[int, NDArray[np.bool_]]) -> float:
    """Return the mean recall of the classifier that predicts the class whose mean brightness is nearest."""
    means = np.array([brightness[mask].mean() for mask in members.values()])
    recalls = [
        (np.abs(brightness[mask][:, None] - means).argmin(axis=1) == index).mean()
        for index, mask in enumerate(members.values())
    ]
    return float(np.mean(recalls))


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _name(path: Path) -> str:
    return readable(f"{path.parent.name}/{path.name}")
