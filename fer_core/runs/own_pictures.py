"""The user's own pictures: their faces cut out as FER2013 frames faces, checked, and divided for a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import percent
from fer_core.data import FaceDataset, extract_zip, find_duplicates, read_image
from fer_core.data.dataset import FACE_SIZE
from fer_core.data.folders import MAX_BYTES
from fer_core.data.pictures import open_grouped
from fer_core.data.spellings import SPLITS
from fer_core.faces import cut_faces
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError, Image
from fer_core.visitors import TemporaryFolder, max_pixels, room

MIN_IMAGES: Final = 2
"""Pictures that every class needs: one to train on and one for the hold-out."""

_HOLDOUT_SHARE: Final = 0.15
_SEED: Final = 2013  # of the division: the same pictures are always divided in the same way
_FEW: Final = 20  # pictures of a class below which a warning is given
_MIN_FOR_LIGHT: Final = 5  # faces of a class needed to judge its light
_SAME_LIGHT: Final = 3.0  # gray levels by which the mean and spread of a class's faces vary at most in the same light
_BRIGHTNESS_RECALL: Final = 0.9  # mean recall of a classifier that sees only the brightness, from which to warn


@dataclass(frozen=True, eq=False)
class OwnFaces:
    """One face of each picture in which one was found."""

    dataset: FaceDataset  # a Training split of unknown rows
    sources: tuple[Path | bytes, ...]  # the picture of each face
    names: tuple[str, ...]  # of the pictures, with folder
    classes: tuple[int, ...]  # class indices of all pictures, also of those without a face
    skipped: tuple[str, ...]  # one sentence for each picture that was left out
    folder: TemporaryFolder | None = field(default=None, repr=False)  # of the files; None if they stay where they were

    def picture(self, index: int) -> Image:
        """Return a face's picture, `(height, width, 3)` uint8 RGB; a `FerError` says if its file has changed."""
        return read_image(self.sources[index], self.names[index], max_pixels=max_pixels())

    def close(self) -> None:
        """Delete the files, if they are in a temporary folder."""
        if self.folder is not None:
            self.folder.close()


def read_own_faces(
    source: Path, *, whole_image: bool, to_learn: bool = False, say: Callable[[str], None] = lambda _: None
) -> OwnFaces:
    """Read pictures with expressions, see `data.pictures`, and crop the largest face of each.

    With `whole_image` the pictures are face crops already. With `to_learn` the classes may be others than the seven
    expressions, and only the split Training is read, if there are splits. A `FerError` says if the pictures cannot be
    used. Those of a zip are gone afterwards.
    """

    def count(done: int, total: int) -> None:
        say(f"Looking for faces: {done} of {total} pictures")

    with open_grouped(source, labelled=True, own_classes=to_learn) as pictures:
        known = np.flatnonzero((pictures.labels >= 0) & (~to_learn | np.isin(pictures.splits, ("", SPLITS[0]))))
        names = [pictures.names[place] for place in known]
        cut = cut_faces([pictures.sources[place] for place in known], names, whole_image=whole_image, say=count)
    return OwnFaces(
        as_faces(cut.images, pictures.labels[known[cut.places]], pictures.classes),
        sources=tuple(pictures.sources[known[place]] for place in cut.places),
        names=tuple(names[place] for place in cut.places),
        classes=tuple(sorted({*pictures.labels[known].tolist()})),
        skipped=(*pictures.skipped, *cut.unread, *cut.faceless),
    )


def read_own_zip(stream: BinaryIO, name: str, *, whole_image: bool) -> OwnFaces:
    """Unpack a zip with this file name into a temporary folder, which `close` deletes; read it as `read_own_faces`."""
    folder = TemporaryFolder()
    safe_name = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in "-_. ")[:80].strip(" .")
    try:
        source = extract_zip(stream, folder.path / (safe_name or "pictures.zip"), max_bytes=min(MAX_BYTES, room()))
        return replace(read_own_faces(source, whole_image=whole_image), folder=folder)
    except BaseException:
        folder.close()
        raise


def as_faces(images: NDArray[np.uint8], labels: NDArray, classes: tuple[str, ...] = EXPRESSIONS) -> FaceDataset:
    """Return faces `(n, 48, 48)` uint8 gray with labels `(n,)` as the Training split of a dataset."""
    n, unknown = len(images), np.full(len(images), -1, np.int64)
    shaped = images.reshape(n, FACE_SIZE, FACE_SIZE)
    return FaceDataset(shaped, labels.astype(np.int64), np.full(n, "Training"), rows=unknown, classes=classes)


def divided(faces: OwnFaces, source: str) -> tuple[FaceDataset, FaceDataset, list[str]]:
    """Return training faces, hold-out, each with at least one of every class, and a sentence for each thing to know.

    Of pictures with identical pixels only one is used: otherwise copies of training faces could be in the hold-out. A
    `FerError` says if a class has fewer than two faces.
    """
    _check_counts(faces.dataset, faces.classes, source, faces.skipped)
    unique, copies = _without_copies(faces.dataset)
    _check_counts(unique, faces.classes, source, copies)
    generator = np.random.default_rng(_SEED)
    held_out = np.zeros(len(unique), dtype=bool)
    for label in np.unique(unique.labels):
        members = generator.permutation(np.flatnonzero(unique.labels == label))
        held_out[members[: max(1, round(_HOLDOUT_SHARE * len(members)))]] = True
    warnings = [*count_warnings(unique), *light_warnings(unique), *copies]
    return unique.subset(~held_out), unique.subset(held_out), warnings


def count_warnings(faces: FaceDataset) -> list[str]:
    """Return one sentence about classes without pictures, and one about classes with few."""
    counts = dict(zip(faces.classes, faces.counts().sum(), strict=True))
    warnings = []
    if missing := [name for name, count in counts.items() if count == 0]:
        warnings.append(f"There are no pictures of {listed(missing)}: the model cannot learn what it looks like.")
    if few := [f"{name} ({count})" for name, count in counts.items() if 0 < count < _FEW]:
        warnings.append(
            f"Too few pictures of {listed(few)}: take at least {_FEW} of each, better hundreds, or leave it out."
        )
    return warnings


def light_warnings(faces: FaceDataset) -> list[str]:
    """Return one sentence about classes taken in a single light, and one if brightness alone separates the classes."""
    brightness, contrast = faces.images.mean(axis=(1, 2)), faces.images.std(axis=(1, 2))
    table = pd.DataFrame({"label": faces.labels, "brightness": brightness, "contrast": contrast})
    table = table[table.groupby("label")["label"].transform("size") >= _MIN_FOR_LIGHT]
    spreads = table.groupby("label").std(ddof=0).max(axis=1)
    warnings = []
    if uniform := [faces.classes[label] for label in spreads.index[spreads < _SAME_LIGHT]]:
        warnings.append(
            f"All pictures of {listed(uniform)} were taken in nearly the same light: the model may fail in any other. "
            f"Take some elsewhere, or with the light from another side."
        )
    means = table.groupby("label")["brightness"].mean()
    if len(means) >= 2 and (recall := _recall_by_brightness(table, means)) >= _BRIGHTNESS_RECALL:
        warnings.append(
            f"Brightness alone tells the classes apart ({percent(recall)} right): the model may learn the light "
            "instead of the face. Take pictures of every expression in the same places."
        )
    return warnings


def _recall_by_brightness(table: pd.DataFrame, means: pd.Series) -> float:
    """Return the mean recall of the classifier that predicts the class whose mean brightness is nearest."""
    nearest = np.abs(np.subtract.outer(table["brightness"].to_numpy(), means.to_numpy())).argmin(axis=1)
    return float((means.index[nearest] == table["label"]).groupby(table["label"]).mean().mean())


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
        names = " and ".join(faces.classes[label] for label in np.unique(faces.labels[group]))
        text += f" Some were in the folders of different expressions ({names}); the first one counts."
    return faces.subset(kept), [text]


def _check_counts(faces: FaceDataset, classes: Iterable[int], source: str, reasons: Iterable[str]) -> None:
    hint = "".join(f" {text}" for text in list(reasons)[-1:])
    for label in classes:
        if (count := int((faces.labels == label).sum())) < MIN_IMAGES:
            raise FerError(
                f"The class {faces.classes[label]!r} in {source} has too few pictures with a face. Expected at least "
                f"{MIN_IMAGES}. Received: {count}.{hint}"
            )


def listed(names: Iterable[str]) -> str:
    """Return names in a sentence: "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
