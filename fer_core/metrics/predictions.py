"""The predictions of several models on the same faces, aligned by face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.columns import YARDSTICKS

ENSEMBLE: Final = "+ensemble"
"""Name of the ensemble among the models. No folder of the store can have it."""


@dataclass(frozen=True, eq=False)
class Predictions:
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

    def only(self, names: Iterable[str]) -> Predictions:
        """Return the predictions of these models only, in the same order; of all if no name is known."""
        chosen = set(names) & set(self.probabilities)
        if not chosen:
            return self
        return replace(self, probabilities={n: p for n, p in self.probabilities.items() if n in chosen})

    def of_rows(self, rows: Iterable[int]) -> Predictions:
        """Return the predictions of the faces with these row numbers, in the same order; others are left out."""
        chosen = np.fromiter(set(rows), np.int64)
        kept = np.isin(self.rows, chosen)
        return replace(
            self,
            rows=read_only(self.rows[kept]),
            labels=read_only(self.labels[kept]),
            given=read_only(self.given[kept]),
            split_faces=len(chosen),
            probabilities={name: read_only(values[kept]) for name, values in self.probabilities.items()},
        )

    def plus(self, name: str, title: str, probabilities: NDArray[np.float64]) -> Predictions:
        """Return the predictions with one more model."""
        return replace(
            self,
            probabilities={**self.probabilities, name: read_only(probabilities)},
            titles={**self.titles, name: title},
        )


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several splits together, of the models that have predictions of all of them.

    Args:
        parts: at least one, with the same view and yardstick.
    """
    first = parts[0]
    names = [name for name in first.names if all(name in part.probabilities for part in parts)]
    return replace(
        first,
        split=" and ".join(part.split for part in parts),
        rows=read_only(np.concatenate([part.rows for part in parts])),
        labels=read_only(np.concatenate([part.labels for part in parts])),
        given=read_only(np.concatenate([part.given for part in parts])),
        split_faces=sum(part.split_faces for part in parts),
        probabilities={name: read_only(np.concatenate([part.probabilities[name] for part in parts])) for name in names},
        titles={name: first.titles[name] for name in names},
    )


def read_only(values: NDArray) -> NDArray:
    values.setflags(write=False)
    return values
