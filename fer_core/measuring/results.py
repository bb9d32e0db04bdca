"""Results of stored models: predictions, training curves, and the score on the hold-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS, percent
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.own_data import own_predictions
from fer_core.metrics.core import Measured, measure_models
from fer_core.metrics.predictions import Predictions, as_pair, check_yardstick
from fer_core.metrics.significance import SCORE_IN_WORDS
from fer_core.store.datasets import OwnDataset, find_dataset
from fer_core.store.stored_model import HISTORY, PREDICTIONS, StoredModel
from fer_core.types import FerError, reason

_CURVES: Final = {
    "loss": ("loss", "training"),
    "val_loss": ("loss", "hold-out"),
    "accuracy": ("accuracy", "training"),
    "val_accuracy": ("accuracy", "hold-out"),
}
"""Columns of a training history, with what they are and of which faces."""

_COLUMNS: Final = ["epoch", "value", "what", "faces", "name", "model"]


def measured_by_most(models: Sequence[StoredModel]) -> tuple[Predictions | None, Measured, list[str]]:
    """Return predictions of PublicTest judged by most annotators, without votes by the label; metrics; complaints."""
    answers, complaints = load_predictions(models, "PublicTest", "plain", "plurality")
    if answers is None:
        answers, complaints = load_predictions(models, "PublicTest", "plain", "label")
    return answers, {} if answers is None else measure_models(answers), complaints


def load_predictions(
    models: Sequence[StoredModel], split: str, view: str, by: str = "label"
) -> tuple[Predictions | None, list[str]]:
    """Read the models' stored predictions of a test split, or measure the models on a data set of one's own.

    What most annotators say is known of the faces, so it is enough if one model's table has it. Faces without one clear
    answer are then left out. Models of other classes than the faces, or without measured test splits, are skipped.
    Faces of unknown row are the same if the data sets have the same fingerprint.

    Returns:
        The predictions of "PublicTest", "PrivateTest" or a data set, by its name (None if no model has any, or no
        table has this yardstick), and one sentence for each model that is left out because it has no predictions of
        this split, its file is damaged, or it was measured on other faces than most models.

    Raises:
        FerError: `by` is no yardstick, or there is no such data set.
    """
    check_yardstick(by)
    dataset = None if split in TEST_SPLITS else find_dataset(split)
    classes = dataset.classes if dataset else EXPRESSIONS
    models = [model for model in models if model.card.classes == classes]
    tables: dict[str, _Table] = {}
    complaints: list[str] = []
    if dataset is not None and (left_out := [model.title for model in models if not model.servable]):
        complaints.append(f"Kept for comparison only, so they cannot predict new faces: {', '.join(left_out)}.")
    for model in models:
        if not (model.card.tested if dataset is None else model.servable):
            continue
        try:
            tables[model.name] = _read(model, split, view) if dataset is None else _measured(model, dataset, view)
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
            return None, [
                *complaints,
                f"No model has the annotators' answers on {split} with its predictions. "
                + (
                    "Only its own labels can judge."
                    if dataset
                    else "To add them, measure a model again with FER+'s votes at hand: fer-lab evaluate NAME --save"
                ),
            ]
        truth = known[0]
    predictions = Predictions(
        split=split,
        view=view,
        by=by,
        rows=first.rows,
        labels=truth,
        given=first.labels,
        split_faces=len(truth),
        probabilities={name: tables[name].probabilities for name in kept},
        titles=_unique_titles({model.name: model.title for model in models if model.name in kept}),
        own="" if dataset is None else dataset.tests_in_words,
        classes=classes,
    )
    return predictions.of_faces(truth >= 0), complaints


class _Table(NamedTuple):
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    plurality: NDArray[np.int64]
    data: str  # empty if the rows are known; else what identifies the faces and their order


def _read(model: StoredModel, split: str, view: str) -> _Table:
    """Return a model's predictions, sorted by row; raise a FerError if there are none or they cannot be used."""
    where = f"The model {model.name} is left out: its {PREDICTIONS}"
    try:
        table = model.predictions(TEST_SPLITS[split], view).sort_values("row", kind="stable")
        rows, labels, plurality = (table[column].to_numpy(np.int64) for column in ("row", "label", "plurality"))
        probabilities = table[PROBABILITIES].to_numpy(np.float64)
        data = "" if (rows >= 0).all() else model.card.data_fingerprint or model.name
        return _Table(rows, *as_pair(labels, probabilities, "the probabilities"), plurality, data)
    except FerError:
        raise
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise FerError(f"{where} cannot be used ({reason(error)}).") from error


def _measured(model: StoredModel, dataset: OwnDataset, view: str) -> _Table:
    """Return a model's predictions for a data set of one's own; the rows are the places of the faces."""
    labels = dataset.tests().labels
    labels, probabilities = as_pair(labels, own_predictions(model, dataset, view), "the probabilities")
    return _Table(np.arange(len(labels)), labels, probabilities, np.full(len(labels), -1), "")


def _unique_titles(titles: Mapping[str, str]) -> dict[str, str]:
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


Gathered = tuple[pd.DataFrame, list[str], list[str]]
"""A table about several models, the titles of those with nothing in it, and a sentence for each unusable file."""


def gathered(
    models: Sequence[StoredModel],
    titles: Mapping[str, str] | None,
    read: Callable[[StoredModel], pd.DataFrame],
    *,
    columns: list[str],
) -> Gathered:
    """Return what `read` returns of each model, with `name` and `model` (title); its FerErrors leave models out."""
    tables, without, complaints = [pd.DataFrame(columns=columns)], [], []
    for model in models:
        title = (titles or {}).get(model.name, model.title)
        try:
            table = read(model)
        except FerError as error:
            complaints.append(str(error))
            continue
        if table.empty:
            without.append(title)
        else:
            tables.append(table.assign(name=model.name, model=title)[columns])
    return pd.concat(tables[1:] or tables, ignore_index=True), without, complaints


def history_table(models: Sequence[StoredModel], titles: Mapping[str, str] | None = None) -> Gathered:
    """Read the training curves of models: columns `name`, `model` (title), `epoch` (from 1), `what` ("loss" or
    "accuracy"), `faces` ("training" or "hold-out") and `value`."""

    def read(model: StoredModel) -> pd.DataFrame:
        try:
            return training_curves(model.history(), model.title, model.name)
        except (OSError, ValueError, TypeError) as error:
            words = f"The training curves of {model.name} are left out: its {HISTORY} is damaged"
            raise FerError(f"{words} ({reason(error)}).") from error

    table, without, complaints = gathered(models, titles, read, columns=_COLUMNS)
    return table.dropna(), without, complaints


def training_curves(history: pd.DataFrame, title: str, name: str) -> pd.DataFrame:
    """Return the training curves of one run with the columns of `history_table`; empty if there are none yet.

    The history has one row for each epoch, some of the columns in `_CURVES`, and `epoch` from 0.
    """
    epochs = history["epoch"] + 1 if "epoch" in history else history.index + 1
    tables = []
    for column, (what, faces) in _CURVES.items():
        if column in history:
            table = pd.DataFrame({"epoch": epochs.astype(int), "value": history[column].astype(float)})
            tables.append(table.assign(what=what, faces=faces, name=name, model=title))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def recommendation(model: StoredModel, other: StoredModel) -> str:
    """Return in words which of two models the score on the hold-out recommends, or why none."""
    cards = (model.card, other.card)
    known = sorted([(card.holdout_score, card.title) for card in cards if card.holdout_score is not None], reverse=True)
    faces = {card.scored_faces for card in cards}
    if len(known) < 2 or len(faces) > 1 or None in faces:
        return (
            "No recommendation: this needs scores of both models on FER2013's whole fixed hold-out, with FER+'s votes. "
            "A run on FER2013 gets one, if the votes are at hand."
        )
    (high, first), (low, second) = known
    verdict = f"{first} is recommended" if high > low else "neither is recommended"
    return (
        f"{first} scores {percent(high, '.1%')} on the hold-out, {second} {percent(low, '.1%')}: {verdict}. The score "
        f"is {SCORE_IN_WORDS}."
    )
