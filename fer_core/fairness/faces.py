"""Faces with a model's predictions, their properties and groups: what an audit compares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import FaceDataset, read_image
from fer_core.faces import crop_face, default_detector, whole_image_face
from fer_core.fairness.groups import MINIMUM, GroupAudit, audit_groups, error_tree
from fer_core.fairness.pictures import GroupedPictures
from fer_core.fairness.properties import PROPERTIES, known_properties, slice_groups
from fer_core.measuring.face_table import face_table
from fer_core.metrics.predictions import Predictions
from fer_core.store.stored_model import StoredModel
from fer_core.threads import in_parallel
from fer_core.types import FerError, Image
from fer_core.visitors import max_pixels

AND = " × "  # between the names of two divisions, and of their groups
_AT_ONCE = 512  # pictures between two calls of `say`


@dataclass(frozen=True, eq=False)
class AuditedFaces:
    """The predictions of a model for `n` faces, and what the faces can be divided by. What is missing is a FerError.

    Attributes:
        model, faces: title of the model, and what the faces are, for captions.
        predicted, labels: `(n,)` int64 class indices; no labels if they are unknown.
        properties: `n` rows; columns are keys of `PROPERTIES`.
        groups, orders: `n` rows with a column for each division that the user named, and its groups in an order.
        notes: sentences on what is left out.
    """

    model: str
    faces: str
    predicted: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    properties: pd.DataFrame
    groups: pd.DataFrame
    orders: dict[str, list[str]]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.predicted)

    @property
    def divisions(self) -> dict[str, str]:
        """The names of all divisions with their titles, those of the user first."""
        own = {name: name[:1].upper() + name[1:] for name in self.orders}
        known = [name for name in self.properties if self.properties[name].notna().any() and name not in own]
        return own | {name: PROPERTIES[name].title for name in map(str, known)}

    @property
    def fingerprint(self) -> str:
        """A hash of all that comparisons depend on."""
        digest = hashlib.blake2b(repr((self.model, self.orders)).encode(), digest_size=16)
        for values in (self.predicted, self.labels):
            digest.update(b"" if values is None else values.tobytes())
        for table in (self.properties, self.groups):
            digest.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
        return digest.hexdigest()

    def compare(self, by: str, and_by: str = "", minimum: int = MINIMUM) -> GroupAudit:
        """Compare the groups of one division, or of two crossed; rates of fewer faces than the minimum are left out."""
        groups, order = self._division(by)
        if and_by and and_by != by:
            others, second = self._division(and_by)
            groups = np.char.add(np.char.add(groups, AND), others)
            order = [f"{one}{AND}{two}" for one in order for two in second]
            by = f"{by}{AND}{and_by}"
        return audit_groups(by, groups, self.predicted, self.labels, order=order, minimum=minimum)

    def where_it_fails(self) -> pd.DataFrame:
        """Return the leaves of `error_tree` over properties and groups."""
        if self.labels is None:
            raise FerError("A tree of errors needs the true expressions. Add the column expression to the table.")
        numbers = {
            kind.title.lower(): self.properties[name].abs() if kind.size else self.properties[name]
            for name, kind in PROPERTIES.items()
            if name in self.properties
        }
        return error_tree(pd.concat([pd.DataFrame(numbers), self.groups], axis=1), self.predicted != self.labels)

    def _division(self, name: str) -> tuple[NDArray[np.str_], list[str]]:
        if name in self.orders:
            return self.groups[name].to_numpy().astype(str), self.orders[name]
        if name in self.divisions:
            return slice_groups(name, self.properties[name])
        raise FerError(f"Unknown division. Expected one of {', '.join(self.divisions)}. Received: {name}")


def stored_faces(answers: Predictions, name: str) -> AuditedFaces:
    """Return the faces of one test split of FER2013 with the stored predictions of a model.

    Properties are those that come with the package, so the dataset itself is not needed.
    """
    known = known_properties()
    if known.index.isin(answers.rows).sum() != len(answers.rows):
        raise FerError("These stored predictions are not of FER2013’s test faces, so their properties are unknown.")
    properties = known.loc[answers.rows].reset_index(drop=True)
    predicted = answers.probabilities[name].argmax(axis=1)
    empty = pd.DataFrame(index=properties.index)
    return AuditedFaces(answers.titles[name], answers.where, predicted, answers.labels, properties, empty, {})


def picture_faces(
    pictures: GroupedPictures,
    model: StoredModel,
    whole_image: bool = False,
    say: Callable[[int, int], None] = lambda *_: None,
) -> AuditedFaces:
    """Predict the largest face of each picture; with `whole_image`, the pictures are face crops already.

    If some expressions are known, pictures without one are left out. `say` is called with the number of pictures that
    are done, and of all.

    Raises:
        FerError: no picture can be read or shows a face, or the model cannot predict.
    """
    classifier = model.classifier()
    labelled = bool((pictures.labels >= 0).any())
    wanted = np.flatnonzero(pictures.labels >= 0) if labelled else np.arange(len(pictures))
    notes = list(pictures.skipped)
    if len(wanted) < len(pictures):
        notes.append(f"{len(pictures) - len(wanted)} pictures without a known expression are left out.")
    most = max_pixels()

    def crop(place: int) -> Image | str:
        try:
            image = read_image(pictures.sources[place], pictures.names[place], max_pixels=most)
            found = [whole_image_face(image)] if whole_image else default_detector().detect(image)
        except FerError as error:
            return str(error)
        return crop_face(image, found[0])[0] if found else f"{pictures.names[place]} shows no face that can be found."

    kept: list[int] = []
    predicted: list[NDArray[np.int64]] = []
    properties: list[pd.DataFrame] = []
    for start in range(0, len(wanted), _AT_ONCE):
        places = wanted[start : start + _AT_ONCE].tolist()
        cut = dict(zip(places, in_parallel(crop, places), strict=True))
        notes += [result for result in cut.values() if isinstance(result, str)]
        crops = {place: result for place, result in cut.items() if not isinstance(result, str)}
        if crops:
            faces = np.stack(list(crops.values()))
            kept += crops
            predicted.append(classifier.predict(faces).probabilities.argmax(axis=1))
            unknown = np.full(len(faces), -1)
            dataset = FaceDataset(faces, np.zeros_like(unknown), np.full(len(faces), "Training"), unknown)
            properties.append(face_table(dataset)[[name for name in PROPERTIES if name != "agreement"]])
        say(start + len(places), len(wanted))
    if not kept:
        raise FerError(f"None of the {len(wanted)} pictures shows a face that can be used. {' '.join(notes[-1:])}")
    return AuditedFaces(
        model.title,
        f"{len(kept):,} faces of your pictures",
        np.concatenate(predicted),
        pictures.labels[kept] if labelled else None,
        pd.concat(properties, ignore_index=True),
        pictures.groups.iloc[kept].reset_index(drop=True),
        pictures.orders,
        tuple(notes),
    )
