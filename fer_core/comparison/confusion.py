"""Confusion matrices of stored models, and the faces behind their cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import percent
from fer_core.comparison.answers import Answers
from fer_core.data import FerDataset, FerPlusVotes, load_fer2013, load_ferplus
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.metrics import confusion_matrix, normalized_by_row
from fer_core.types import FerError, Image

SHOWN: Final[tuple[str, ...]] = ("all", "right", "wrong")
"""Predictions that `sample_faces` can draw from."""

HARDEST: Final[dict[str, str]] = {
    "all wrong": "All models are wrong",
    "confident": "Confident and wrong",
    "divided": "Models are divided",
}
"""What `hardest_faces` can look for, each with its title."""

NO_ROWS: Final = "These faces are not those of FER2013, so stored predictions cannot be matched with them."


def confusion_cells(answers: Answers, name: str) -> pd.DataFrame:
    """Return one row for each cell: `actual`, `predicted`, `count`, `rate` (share of the faces of `actual`)."""
    return _cells(*_counts_and_rates(answers, name))


def difference_cells(answers: Answers, first: str, second: str) -> pd.DataFrame:
    """Return the cells of the first model minus those of the second, columns as in `confusion_cells`."""
    one, two = _counts_and_rates(answers, first), _counts_and_rates(answers, second)
    return _cells(one[0] - two[0], one[1] - two[1])


def cell_faces(answers: Answers, name: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces of one cell, the most confident predictions first.

    Returns:
        Columns `row`, `label` (FER2013's), `actual` (by the yardstick of the answers), `predicted`, `confidence`,
        `source` (title of the model), then one column for each model, named by its title, with its prediction as text
        ("neutral 91 %").
    """
    chosen = answers.probabilities[name].argmax(axis=1)
    inside = (answers.labels == EXPRESSIONS.index(actual)) & (chosen == EXPRESSIONS.index(predicted))
    return _faces(answers, name, np.flatnonzero(inside))


def differing_faces(answers: Answers, first: str, second: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces that only one of two models puts into a cell, alternating between the models.

    Columns as in `cell_faces`; `source` is the model that does.
    """
    truth, column = answers.labels == EXPRESSIONS.index(actual), EXPRESSIONS.index(predicted)
    by_first = answers.probabilities[first].argmax(axis=1) == column
    by_second = answers.probabilities[second].argmax(axis=1) == column
    only_first = _faces(answers, first, np.flatnonzero(truth & by_first & ~by_second))
    only_second = _faces(answers, second, np.flatnonzero(truth & by_second & ~by_first))
    both = pd.concat([part for part in (only_first, only_second) if len(part)] or [only_first])
    return both.sort_index(kind="stable").reset_index(drop=True)


def sample_faces(answers: Answers, name: str, which: str, number: int, seed: int) -> pd.DataFrame:
    """Return a random sample of the predictions of a model, columns as in `cell_faces`.

    Args:
        answers: predictions of several models.
        name: of the model.
        which: one of `SHOWN`.
        number: size of the sample at most.
        seed: of the sample.
    """
    right = answers.probabilities[name].argmax(axis=1) == answers.labels
    pool = np.flatnonzero({"all": np.ones_like(right), "right": right, "wrong": ~right}[which])
    drawn = np.random.default_rng(seed).permutation(pool)[:number]
    return _faces(answers, name, drawn, by_confidence=False)


def hardest_faces(answers: Answers, order: str, name: str) -> pd.DataFrame:
    """Return faces on which models fail, the hardest first, columns as in `cell_faces`.

    Args:
        answers: predictions of several models.
        order: "all wrong": every model is wrong; lowest mean probability of the right expression first. "confident":
            wrong predictions of one model, most confident first. "divided": most different answers first, by the
            entropy of the models' predicted expressions.
        name: of the model whose prediction the table shows, and that "confident" is about.

    Raises:
        ValueError: unknown order.
    """
    every = np.stack(list(answers.probabilities.values()))  # (models, n, 7)
    chosen = every.argmax(axis=2)
    if order == "all wrong":
        places = np.flatnonzero((chosen != answers.labels).all(axis=0))
        right = every[:, np.arange(len(answers.labels)), answers.labels].mean(axis=0)
        places = places[np.argsort(right[places], kind="stable")]
    elif order == "confident":
        own = answers.probabilities[name]
        places = np.flatnonzero(own.argmax(axis=1) != answers.labels)
        places = places[np.argsort(-own[places].max(axis=1), kind="stable")]
    elif order == "divided":
        shares = (chosen[:, :, None] == np.arange(NUM_CLASSES)).mean(axis=0)
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        places = np.argsort((shares * logs).sum(axis=1), kind="stable")
    else:
        raise ValueError(f"Expected one of {', '.join(HARDEST)}. Received: {order}")
    return _faces(answers, name, places, by_confidence=False)


@dataclass(frozen=True, eq=False)
class Fer2013Faces:
    """The faces of FER2013 and the FER+ votes by row number, as far as they are available.

    Attributes:
        missing: why there are no faces, and how to get them; empty if there are.
        votes_missing: the same for the votes.
        dataset: all faces; None if they are missing.
    """

    missing: str = ""
    votes_missing: str = ""
    dataset: FerDataset | None = field(default=None, repr=False)
    _places: dict[int, int] = field(default_factory=dict, repr=False)
    _votes: FerPlusVotes | None = field(default=None, repr=False)

    def face(self, row: int, label: str) -> Image | None:
        """Return a face, `(48, 48)` uint8 gray; None if there is no such row or FER2013's label of it is another."""
        place = self._places.get(row)
        if self.dataset is None or place is None or EXPRESSIONS[self.dataset.labels[place]] != label:
            return None
        return self.dataset.images[place]

    def agreement(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of votes for the annotators' most frequent answer, `(n,)`; NaN where there are no votes."""
        shares = np.full(len(rows), np.nan)
        if self._votes is not None:
            known = (rows >= 0) & (rows < len(self._votes))
            shares[known] = self._votes[rows[known]].agreement()
        return shares

    def votes(self, row: int) -> str:
        """Return the votes of the ten annotators, most votes first ("disgust 6, neutral 3"); empty if unknown."""
        if self._votes is None or not 0 <= row < len(self._votes):
            return ""
        counts = self._votes.votes[row]
        order = np.argsort(-counts, kind="stable")
        names = {"happiness": "happy", "sadness": "sad", "anger": "angry", "NF": "not a face"}
        columns = [names.get(column, column) for column in self._votes.columns]
        return ", ".join(f"{columns[k]} {counts[k]}" for k in order if counts[k])


def load_fer2013_faces() -> Fer2013Faces:
    """Load FER2013 and FER+ from their usual places; what is missing is explained, not raised."""
    dataset, votes, missing, votes_missing = None, None, "", ""
    try:
        dataset = load_fer2013()
    except FerError as error:
        missing = str(error)
    try:
        votes = load_ferplus()
    except FerError as error:
        votes_missing = str(error)
    places = {int(row): place for place, row in enumerate(dataset.rows) if row >= 0} if dataset is not None else {}
    if dataset is not None and not places:
        missing = NO_ROWS
    return Fer2013Faces(missing, votes_missing, dataset, places, votes)


def _counts_and_rates(answers: Answers, name: str) -> tuple[np.ndarray, np.ndarray]:
    counts = confusion_matrix(answers.labels, answers.probabilities[name])
    return counts, normalized_by_row(counts)


def _cells(counts: np.ndarray, rates: np.ndarray) -> pd.DataFrame:
    grid = pd.MultiIndex.from_product([EXPRESSIONS, EXPRESSIONS], names=["actual", "predicted"])
    return pd.DataFrame({"count": counts.ravel(), "rate": rates.ravel()}, index=grid).reset_index()


def _faces(answers: Answers, name: str, places: np.ndarray, by_confidence: bool = True) -> pd.DataFrame:
    confidence = answers.probabilities[name][places].max(axis=1) if len(places) else np.empty(0)
    if by_confidence:
        order = np.argsort(-confidence, kind="stable")
        places, confidence = places[order], confidence[order]
    names = np.array(EXPRESSIONS)
    table = pd.DataFrame(
        {
            "row": answers.rows[places],
            "label": names[answers.given[places]],
            "actual": names[answers.labels[places]],
            "predicted": names[answers.probabilities[name][places].argmax(axis=1)],
            "confidence": confidence,
            "source": answers.titles[name],
        }
    )
    predictions = {answers.titles[other]: _as_text(values[places]) for other, values in answers.probabilities.items()}
    return pd.concat([table, pd.DataFrame(predictions, index=table.index)], axis=1)


def _as_text(probabilities: np.ndarray) -> list[str]:
    best = probabilities.argmax(axis=1)
    return [f"{EXPRESSIONS[k]} {percent(row[k])}" for k, row in zip(best, probabilities, strict=True)]
