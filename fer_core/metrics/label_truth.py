"""What FER2013's labels are worth: FER+'s ten votes beside each label, and models judged without repeated pictures."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import PERCENT, Columns
from fer_core.data import SPLITS, FaceDataset, FerPlusVotes
from fer_core.data.fer2013_rows import TEST_FACES, TEST_STARTS, TRAINING_ROWS
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import wilson_interval
from fer_core.metrics.predictions import Predictions

ORDERS: Final[dict[str, str]] = {
    "divided": "the annotators are divided",
    "alone": "nobody gave the label",
    "agreed": "all agree, on another expression",
}
"""What `contested_faces` can look for, each in words."""

AGREEMENT_COLUMNS: Final[Columns] = {
    "label": "Label",
    "faces": ("Faces", "localized"),
    "clear": ("With one clear answer", PERCENT),
    "same": ("Answer is the label", PERCENT),
    "low": ("95 % from", PERCENT),
    "high": ("to", PERCENT),
    "votes_for_label": ("Votes for the label", PERCENT),
    "entropy": ("Entropy, bits", "%.2f"),
}
"""Columns of `agreement_by_label` with their titles."""


def agreement_by_label(labels: NDArray[np.int64], votes: FerPlusVotes) -> pd.DataFrame:
    """Return how far annotators agree with each label and with each other.

    Returns:
        One row for each label, then "all": `label`, `faces`, `clear` (share of faces with one clear answer among the
        seven), `same` (share of the clear ones whose answer is the label: the accuracy of a perfect reader of the
        majority), `low`, `high` (Wilson's 95 % interval of `same`), `votes_for_label` (mean share of all votes),
        `entropy` (mean over the faces, in bits, of the ten possible answers: 0 if all say the same).
    """
    plurality, counts = votes.plurality(), votes.votes.astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    faces = pd.DataFrame(
        {
            "clear": plurality >= 0,
            "same": plurality == labels,
            "votes_for_label": _votes_for(labels, votes) / np.maximum(counts.sum(axis=1), 1),
            "entropy": -(shares * np.log2(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=1),
        }
    )
    groups = [(name, faces[labels == index]) for index, name in enumerate(EXPRESSIONS)]
    rows = []
    for name, group in [*groups, ("all", faces)]:
        clear = group[group["clear"]]
        row = {"label": name, "faces": len(group), "clear": group["clear"].mean(), "same": clear["same"].mean()}
        row |= vars(wilson_interval(int(clear["same"].sum()), len(clear)))
        rows.append(row | group[["votes_for_label", "entropy"]].mean().to_dict())
    return pd.DataFrame(rows)


def contested_faces(dataset: FaceDataset, order: str) -> NDArray[np.int64]:
    """Return places of faces with votes, the most contested first.

    Args:
        dataset: with votes.
        order: "divided": least agreement among the annotators. "alone": no vote for the label, most agreement on
            something else first; only faces with one clear answer. "agreed": the same, only faces on which all agree.
    """
    if order not in ORDERS:
        raise ValueError(f"Expected one of {', '.join(ORDERS)}. Received: {order}")
    if dataset.votes is None:
        raise ValueError("Expected faces with FER+'s votes. Received: faces without")
    agreement = np.nan_to_num(dataset.votes.agreement(), nan=2.0)  # faces without votes come last
    voted = dataset.votes.votes.sum(axis=1) > 0
    if order == "divided":
        return np.flatnonzero(voted)[np.argsort(agreement[voted], kind="stable")]
    alone = voted & (_votes_for(dataset.labels, dataset.votes) == 0) & (dataset.plurality >= 0)
    if order == "agreed":
        alone &= agreement == 1
    return np.flatnonzero(alone)[np.argsort(-agreement[alone], kind="stable")]


def copies_counted() -> dict[str, int]:
    """Return the number of pairs in FER2013: `exact` (equal pixels), `near` (nearly), `across` (Training, test)."""
    known = known_same_pictures()
    exact, in_training = int(known.exact.sum()), known.pairs < TRAINING_ROWS
    across = int((in_training[:, 0] != in_training[:, 1]).sum())
    return {"exact": exact, "near": len(known.pairs) - exact, "across": across}


def copies_by_split(dataset: FaceDataset | None) -> pd.DataFrame:
    """Return the number of pairs of the same picture within and between the splits of FER2013: `splits`, `exact`,
    `near`, and `differing` (pairs with different labels; NaN without a dataset to take them from)."""
    known = known_same_pictures()
    first, second = np.searchsorted(TEST_STARTS, known.pairs, side="right").T
    labels: NDArray[Any] = np.full(known.pairs.shape, np.nan)
    if dataset is not None:
        recognized = dataset.rows >= 0
        label_of = pd.Series(dataset.labels[recognized], index=dataset.rows[recognized])
        labels = label_of.reindex(known.pairs.ravel()).to_numpy().reshape(-1, 2)
    differing = np.where(np.isnan(labels).any(axis=1), np.nan, labels[:, 0] != labels[:, 1])
    counts = pd.DataFrame({"exact": known.exact, "near": ~known.exact, "differing": differing})
    table = counts.groupby([first, second]).sum(min_count=1)
    splits = [SPLITS[a] if a == b else f"{SPLITS[a]} and {SPLITS[b]}" for a, b in table.index]
    return table.assign(splits=splits).reset_index(drop=True)


def copied_faces(split: str) -> tuple[int, int]:
    """Return how many faces of a test split have equal pixels in Training, and how many others nearly equal ones."""
    start = TEST_STARTS[SPLITS.index(split) - 1]
    known, training = known_same_pictures(), np.arange(TRAINING_ROWS)
    exact, near = (known.partners(np.arange(start, start + TEST_FACES), training, only) for only in (True, False))
    return int(exact.sum()), int((near & ~exact).sum())


def differing_copies(dataset: FaceDataset) -> tuple[NDArray[np.int64], int]:
    """Return the places of pairs of the same picture with different labels, `(k, 2)`, and the number of all pairs.

    Pictures of one gray, of which FER2013 has several, come last.
    """
    place_of = {int(row): place for place, row in enumerate(dataset.rows) if row >= 0}
    places = [(place_of[a], place_of[b]) for a, b in known_same_pictures().pairs.tolist() if {a, b} <= place_of.keys()]
    pairs = np.array(places, np.int64).reshape(-1, 2)
    differing = pairs[dataset.labels[pairs[:, 0]] != dataset.labels[pairs[:, 1]]]
    blank = np.ptp(dataset.images[differing[:, 0]], axis=(1, 2)) == 0
    return differing[np.argsort(blank, kind="stable")], len(pairs)


def without_copies(predictions: Predictions) -> pd.DataFrame:
    """Return the accuracy of models with and without test faces whose picture also stands in Training.

    One row for each model: `name`, `model`, and for each of `all`, `no_exact` (without faces with equal pixels in
    Training) and `no_near` (without nearly equal ones too) the accuracy, with `_faces`, `_low` and `_high` (95 %
    interval by Wilson).
    """
    training, known = np.arange(TRAINING_ROWS), known_same_pictures()
    exact, near = (known.partners(predictions.rows, training, only) for only in (True, False))
    rows = []
    for name, probabilities in predictions.probabilities.items():
        right = probabilities.argmax(axis=1) == predictions.labels
        row: dict[str, object] = {"name": name, "model": predictions.titles[name]}
        for kind, left_out in (("all", np.zeros_like(exact)), ("no_exact", exact), ("no_near", near)):
            kept = right[~left_out]
            row |= {kind: kept.mean(), f"{kind}_faces": len(kept)}
            row |= {f"{kind}_{end}": value for end, value in vars(wilson_interval(int(kept.sum()), len(kept))).items()}
        rows.append(row)
    return pd.DataFrame(rows)


def without_copies_columns(table: pd.DataFrame) -> Columns:
    """Return the columns of a table of `without_copies` that are shown; their titles have numbers of faces."""
    first = table.iloc[0]
    return {
        "model": "Model",
        "all": (f"All {first['all_faces']:,} faces", PERCENT),
        "no_exact": (f"Without equal pixels: {first['no_exact_faces']:,}", PERCENT),
        "no_near": (f"Without near copies too: {first['no_near_faces']:,}", PERCENT),
        "no_near_low": ("95 % from", PERCENT),
        "no_near_high": ("to", PERCENT),
    }


def _votes_for(labels: NDArray[np.int64], votes: FerPlusVotes) -> NDArray[np.int64]:
    return votes.counts()[np.arange(len(labels)), labels]
