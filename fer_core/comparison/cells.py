"""Confusion tables of stored models, and the faces behind a cell."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from fer_core.comparison.answers import Answers
from fer_core.evaluation import confusion_matrix, normalized_by_row
from fer_core.labels import EXPRESSIONS

SHOWN: Final[tuple[str, ...]] = ("all", "right", "wrong")
"""Which predictions the grid draws from."""


def confusion_cells(answers: Answers, name: str) -> pd.DataFrame:
    """Return one row a cell: `actual`, `predicted`, `count`, `rate` (share of the actual expression's faces)."""
    return _cells(*_confusion(answers, name))


def difference_cells(answers: Answers, first: str, second: str) -> pd.DataFrame:
    """Return the first model's cells minus the second's, columns as in `confusion_cells`."""
    one, two = _confusion(answers, first), _confusion(answers, second)
    return _cells(one[0] - two[0], one[1] - two[1])


def cell_faces(answers: Answers, name: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces of one cell, the model's most confident answers first.

    Returns:
        Columns `row`, `actual`, `predicted`, `confidence`, `said_by` (the model's title), then one column a model, its
        title, with its answer in words ("neutral 91 %").
    """
    chosen = answers.probabilities[name].argmax(axis=1)
    inside = (answers.labels == EXPRESSIONS.index(actual)) & (chosen == EXPRESSIONS.index(predicted))
    return _faces(answers, name, np.flatnonzero(inside))


def differing_faces(answers: Answers, first: str, second: str, actual: str, predicted: str) -> pd.DataFrame:
    """Return the faces that only one of two models puts into a cell, the first model's and the second's by turns.

    Columns as in `cell_faces`; `said_by` tells whose answer it is.
    """
    truth, said = answers.labels == EXPRESSIONS.index(actual), EXPRESSIONS.index(predicted)
    by_first = answers.probabilities[first].argmax(axis=1) == said
    by_second = answers.probabilities[second].argmax(axis=1) == said
    mine = _faces(answers, first, np.flatnonzero(truth & by_first & ~by_second))
    theirs = _faces(answers, second, np.flatnonzero(truth & by_second & ~by_first))
    both = pd.concat([part for part in (mine, theirs) if len(part)] or [mine])
    return both.sort_index(kind="stable").reset_index(drop=True)


def sample_faces(answers: Answers, name: str, which: str, number: int, seed: int) -> pd.DataFrame:
    """Return a random handful of a model's predictions, columns as in `cell_faces`.

    Args:
        answers: the models' answers.
        name: whose predictions.
        which: one of `SHOWN`.
        number: how many at most.
        seed: another seed, other faces.
    """
    right = answers.probabilities[name].argmax(axis=1) == answers.labels
    pool = np.flatnonzero({"all": np.ones_like(right), "right": right, "wrong": ~right}[which])
    drawn = np.random.default_rng(seed).permutation(pool)[:number]
    return _faces(answers, name, drawn, by_confidence=False)


def _confusion(answers: Answers, name: str) -> tuple[np.ndarray, np.ndarray]:
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
            "actual": names[answers.labels[places]],
            "predicted": names[answers.probabilities[name][places].argmax(axis=1)],
            "confidence": confidence,
            "said_by": answers.titles[name],
        }
    )
    said = {answers.titles[other]: _words(values[places]) for other, values in answers.probabilities.items()}
    return pd.concat([table, pd.DataFrame(said, index=table.index)], axis=1)


def _words(probabilities: np.ndarray) -> list[str]:
    best = probabilities.argmax(axis=1)
    return [f"{EXPRESSIONS[k]} {row[k]:.0%}".replace("%", " %") for k, row in zip(best, probabilities, strict=True)]
