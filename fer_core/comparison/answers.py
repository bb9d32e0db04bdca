"""The stored predictions of several models on one test split, aligned by face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS, YARDSTICKS
from fer_core.metrics.checks import as_pair
from fer_core.store.stored_model import PREDICTIONS, StoredModel
from fer_core.types import FerError, reason

ENSEMBLE: Final = "+ensemble"
"""Name of the ensemble among the models. No folder of the store can have it."""


ADD: Final = "To add them, measure a model again with FER+'s votes at hand: fer-lab evaluate NAME --save"


@dataclass(frozen=True, eq=False)
class Answers:
    """The predictions of several models on the same faces. Arrays are read-only, because sessions share them.

    Attributes:
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        by: what the predictions are judged by, one of `columns.YARDSTICKS`.
        rows: `(n,)` int64, row numbers in FER2013; -1 if unknown.
        labels: `(n,)` int64, 0..6: the right answers by this yardstick.
        given: `(n,)` int64, FER2013's labels.
        split_faces: number of faces of the split; more than n if some have no answer by this yardstick.
        probabilities: `(n, 7)` float64 by name of the model; rows sum to 1.
        titles: the name that people read, by name of the model.
    """

    split: str
    view: str
    by: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    given: NDArray[np.int64]
    split_faces: int
    probabilities: Mapping[str, NDArray[np.float64]]
    titles: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Names of the models in the order of the store, an ensemble last."""
        return list(self.probabilities)

    @property
    def where(self) -> str:
        """Split, view and yardstick as text, for captions."""
        view = "plain" if self.view == "plain" else "averaged with the mirror image"
        return f"{self.split}, {view}, judged by {YARDSTICKS[self.by]}"

    @property
    def yardstick(self) -> str:
        """What the predictions are judged by, in a sentence with the number of faces."""
        if self.by == "label":
            return f"Judged by FER2013's own label, on {len(self.labels):,} faces."
        same = (self.labels == self.given).mean()
        return (
            "Judged by the answer that FER+'s ten annotators gave most often, on the "
            f"{len(self.labels):,} of {self.split_faces:,} faces with one clear answer. FER2013's own label is the "
            f"same on {same:.1%} of them."
        )

    def only(self, names: Iterable[str]) -> Answers:
        """Return the predictions of these models only, in the same order; of all if no name is known."""
        wanted = set(names) & set(self.probabilities)
        if not wanted:
            return self
        return replace(self, probabilities={n: p for n, p in self.probabilities.items() if n in wanted})

    def of_rows(self, rows: Iterable[int]) -> Answers:
        """Return the predictions of the faces with these row numbers, in the same order; others are left out."""
        wanted = np.fromiter(set(rows), np.int64)
        kept = np.isin(self.rows, wanted)
        return replace(
            self,
            rows=_read_only(self.rows[kept]),
            labels=_read_only(self.labels[kept]),
            given=_read_only(self.given[kept]),
            split_faces=len(wanted),
            probabilities={name: _read_only(values[kept]) for name, values in self.probabilities.items()},
        )

    def plus(self, name: str, title: str, probabilities: NDArray[np.float64]) -> Answers:
        """Return the predictions with one more model."""
        return replace(
            self,
            probabilities={**self.probabilities, name: _read_only(probabilities)},
            titles={**self.titles, name: title},
        )


def load_answers(
    models: Sequence[StoredModel], split: str, view: str, by: str = "label"
) -> tuple[Answers | None, list[str]]:
    """Read the models' stored predictions.

    What most annotators say is known of the faces, so it is enough if one model's table has it. Faces without one clear
    answer are then left out.

    Args:
        models: as the store lists them; those without measured test splits are skipped.
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        by: one of `columns.YARDSTICKS`.

    Returns:
        The predictions (None if no model has any, or no table has this yardstick), and one sentence for each model that
        is left out because it has no predictions of this split, its file is damaged, or it was measured on other faces
        than most models. Faces of unknown row are the same if the data sets have the same fingerprint.
    """
    tables: dict[str, _Table] = {}
    complaints: list[str] = []
    for model in models:
        if not model.card.tested:
            continue
        try:
            tables[model.name] = _read(model, split, view)
        except FerError as error:
            complaints.append(str(error))
    if not tables:
        return None, complaints
    faces = {name: (table.rows.tobytes(), table.labels.tobytes(), table.data) for name, table in tables.items()}
    common = Counter(faces.values()).most_common(1)[0][0]
    kept = [name for name in tables if faces[name] == common]
    complaints += [
        f"The model {name} is left out of this comparison: its stored predictions of {split} are of other faces than "
        f"those of {kept[0]}."
        for name in tables
        if faces[name] != common
    ]
    first = tables[kept[0]]
    truth = first.labels
    if by == "plurality":
        known = [tables[name].plurality for name in kept if (tables[name].plurality >= 0).any()]
        if not known:
            return None, [*complaints, f"No model has the annotators' answers on {split} with its predictions. {ADD}"]
        truth = known[0]
    judged = truth >= 0
    answers = Answers(
        split=split,
        view=view,
        by=by,
        rows=_read_only(first.rows[judged]),
        labels=_read_only(truth[judged]),
        given=_read_only(first.labels[judged]),
        split_faces=len(judged),
        probabilities={name: _read_only(tables[name].probabilities[judged]) for name in kept},
        titles=_unique_titles({model.name: model.title for model in models if model.name in kept}),
    )
    return answers, complaints


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the predictions of several splits together, of the models that have predictions of all of them.

    Args:
        parts: at least one, with the same view and yardstick.
    """
    first = parts[0]
    names = [name for name in first.names if all(name in part.probabilities for part in parts)]
    return replace(
        first,
        split=" and ".join(part.split for part in parts),
        rows=_read_only(np.concatenate([part.rows for part in parts])),
        labels=_read_only(np.concatenate([part.labels for part in parts])),
        given=_read_only(np.concatenate([part.given for part in parts])),
        split_faces=sum(part.split_faces for part in parts),
        probabilities={
            name: _read_only(np.concatenate([part.probabilities[name] for part in parts])) for name in names
        },
        titles={name: first.titles[name] for name in names},
    )


class _Table(NamedTuple):
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    plurality: NDArray[np.int64]
    data: str  # empty if the rows are known; else what identifies the faces and their order


def _read(model: StoredModel, split: str, view: str) -> _Table:
    """Return a model's table, sorted by row.

    Raises:
        FerError: there are none of this split and view, or they cannot be used.
    """
    where = f"The model {model.name} is left out: its {PREDICTIONS}"
    try:
        table = model.predictions(TEST_SPLITS[split], view).sort_values("row", kind="stable")
        rows, labels, plurality = (table[column].to_numpy(np.int64) for column in ("row", "label", "plurality"))
        probabilities = table[PROBABILITIES].to_numpy(np.float64)
        data = "" if (rows >= 0).all() else model.card.data_fingerprint or model.name
        return _Table(rows, *as_pair(labels, probabilities, "the probabilities"), plurality, data)
    except FerError:
        raise
    except KeyError as error:
        raise FerError(f"{where} lacks a column ({error.args[0]}).") from error
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise FerError(f"{where} cannot be used ({reason(error)}).") from error


def _unique_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Append the name to titles that several models share."""
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


def _read_only(values: NDArray) -> NDArray:
    values.setflags(write=False)
    return values
