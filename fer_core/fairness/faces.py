"""Faces with a model's predictions, their properties and groups: what an audit compares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.data.pictures import GroupedPictures
from fer_core.faces import cut_faces
from fer_core.fairness.groups import MINIMUM, GroupAudit, audit_groups, consistency, error_tree
from fer_core.fairness.properties import PROPERTIES, known_properties, slice_groups
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import face_table
from fer_core.measuring.own_data import own_predictions
from fer_core.metrics.confusion import sample_faces
from fer_core.metrics.predictions import Predictions
from fer_core.store.datasets import OwnDataset
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

AND = " × "  # between the names of two divisions, and of their groups


@dataclass(frozen=True, eq=False)
class AuditedFaces:
    """The predictions of a model for `n` faces, and what the faces can be divided by. What is missing is a FerError.

    Attributes:
        model, faces: title of the model, and what the faces are, for captions.
        predicted, labels: `(n,)` int64 class indices; no labels if they are unknown.
        properties: `n` rows; columns are keys of `PROPERTIES`.
        groups, orders: `n` rows with a column for each division that the user named, and its groups in an order.
        notes: sentences on what is left out.
        source: the predictions of the faces and the name of the model; None without labels.
        pictures: faces of one's own by the rows of `source`; None for FER2013's.
        consistency: how often the prediction stays the same on changed copies, of `groups.consistency`; empty if that
            was not measured.
    """

    model: str
    faces: str
    predicted: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    properties: pd.DataFrame
    groups: pd.DataFrame
    orders: dict[str, list[str]]
    notes: tuple[str, ...] = ()
    source: tuple[Predictions, str] | None = None
    pictures: Fer2013Faces | None = None
    consistency: pd.DataFrame = field(default_factory=pd.DataFrame)

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
        groups, order = self._crossed(by, and_by)
        by = f"{by}{AND}{and_by}" if and_by and and_by != by else by
        return audit_groups(by, groups, self.predicted, self.labels, order=order, minimum=minimum)

    def mistakes(
        self, group: str, expression: str, *, by: str, and_by: str = "", rate: str = "recall", number: int = 12
    ) -> pd.DataFrame:
        """Return wrong predictions in a group, drawn at random, for an expression of `EXPRESSIONS` or for all.

        Those of an expression lower the `rate`, one of `groups.RATES`: faces of it that are predicted as another for
        the recall, others that are predicted as it for the precision and how often it is predicted. The columns are
        those of `metrics.confusion.cell_faces`. Only faces with labels have them.
        """
        assert self.source is not None and self.labels is not None
        answers, name = self.source
        inside = self._crossed(by, and_by)[0] == group
        if expression in EXPRESSIONS:
            judged = self.predicted if rate in ("precision", "selection_rate") else self.labels
            inside &= judged == EXPRESSIONS.index(expression)
        return sample_faces(answers.of_faces(inside), name, "wrong", number, seed=0)

    def _crossed(self, by: str, and_by: str) -> tuple[NDArray[np.str_], list[str]]:
        groups, order = self._division(by)
        if not and_by or and_by == by:
            return groups, order
        others, second = self._division(and_by)
        names = [f"{name}{AND}{other}" for name in order for other in second]
        return np.char.add(np.char.add(groups, AND), others), names

    def compare_all(self, by: Sequence[str] | None = None, minimum: int = MINIMUM) -> list[GroupAudit]:
        """Compare the groups of several divisions, by default of all; "gender,age" crosses two."""
        names = (name.partition(",") for name in by or self.divisions)
        return [self.compare(first, second, minimum) for first, _, second in names]

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
    return AuditedFaces(
        answers.titles[name], answers.where, predicted, answers.labels, properties, empty, {}, source=(answers, name)
    )


def dataset_faces(model: StoredModel, dataset: OwnDataset, view: str = "plain") -> AuditedFaces:
    """Return the test faces of a data set of one's own with the predictions of a model, and the groups of its table.

    A FerError says that the data set has classes of its own.
    """
    if dataset.classes != EXPRESSIONS:
        raise FerError(f"Audits are of the seven expressions. {dataset.name} has {', '.join(dataset.classes)}.")
    tests, groups = dataset.tests(), dataset.test_pictures().drop(columns="file")
    probabilities = own_predictions(model, dataset, view)
    words = f"{len(tests):,} faces, {dataset.tests_in_words}"
    properties, orders = _properties(tests), dataset.record["orders"]
    return AuditedFaces(
        model.title,
        words,
        probabilities.argmax(axis=1),
        tests.labels,
        properties,
        groups,
        orders,
        source=_source(model, probabilities, tests.labels, words),
        pictures=dataset.tests_by_row(),
    )


def _source(
    model: StoredModel, probabilities: NDArray[np.floating], labels: NDArray[np.int64], own: str
) -> tuple[Predictions, str]:
    """Return predictions of own faces, which have their places as rows."""
    titles, values = {model.name: model.title}, {model.name: probabilities.astype(np.float64)}
    rows, given = np.arange(len(labels)), labels.copy()
    return Predictions(own, "plain", "label", rows, given, given, len(labels), values, titles, own), model.name


def _properties(faces: FaceDataset) -> pd.DataFrame:
    return face_table(faces)[[name for name in PROPERTIES if name != "agreement"]]


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
    cut = cut_faces(
        [pictures.sources[place] for place in wanted],
        [pictures.names[place] for place in wanted],
        whole_image=whole_image,
        say=say,
    )
    notes += [*cut.unread, *cut.faceless]
    if not len(cut.places):
        raise FerError(f"None of the {len(wanted)} pictures shows a face that can be used. {' '.join(notes[-1:])}")
    kept = wanted[cut.places]
    unknown = np.full(len(kept), -1)
    dataset = FaceDataset(cut.images, np.zeros_like(unknown), np.full(len(kept), "Training"), unknown)
    words, probabilities = f"{len(kept):,} faces of your pictures", classifier.predict(cut.images).probabilities
    labels = pictures.labels[kept] if labelled else None
    source = shown = None
    if labels is not None:
        source = _source(model, probabilities, labels, words)
        files = [pictures.names[place] for place in kept]
        missing = "Your pictures have no votes of annotators."
        shown = Fer2013Faces.of_files(replace(dataset, labels=labels), files, missing)
    groups = pictures.groups.iloc[kept].reset_index(drop=True)
    return AuditedFaces(
        model.title,
        words,
        probabilities.argmax(axis=1),
        labels,
        _properties(dataset),
        groups,
        pictures.orders,
        tuple(notes),
        source,
        shown,
        consistency(classifier, cut.images, {str(name): list(names) for name, names in groups.items()}),
    )
