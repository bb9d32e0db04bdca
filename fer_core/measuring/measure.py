"""Measure a model on the test splits, a stored model again, and keep what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.classifier import Classifier
from fer_core.columns import PREDICTION_COLUMNS, PROBABILITIES, TEST_SPLITS, VIEWS, YARDSTICKS
from fer_core.data import FaceDataset, leaked_mask, training_and_holdout
from fer_core.data.holdout import LISTED
from fer_core.measuring.holdout import holdout_facts
from fer_core.measuring.robustness import measure_degraded, robustness_faces
from fer_core.metrics.core import bootstrap_intervals, evaluate
from fer_core.store.card import ModelCard, Score
from fer_core.store.folders import update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

_SAME: Final = 0.95
"""Share of test faces whose stored label must be that of the dataset for both to be the same faces."""


def predict_splits(classifier: Classifier, dataset: FaceDataset) -> pd.DataFrame:
    """Classify both test splits in both views; the table is that of `tabulate_splits`."""

    def views(faces: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
        plain, flipped = classifier.views(faces)
        return plain.probabilities, flipped.probabilities

    return tabulate_splits(views, dataset)


def tabulate_splits(
    views: Callable[[NDArray[np.uint8]], tuple[NDArray, NDArray]], dataset: FaceDataset
) -> pd.DataFrame:
    """Return the predictions of any classifier on both test splits in both views.

    Args:
        views: takes faces `(n, 48, 48)` uint8 and returns probabilities `(n, 7)` of the faces, and the averages with
            those of their mirror images.
        dataset: with both test splits.

    Returns:
        Columns `columns.PREDICTION_COLUMNS`, probabilities as float32.
    """
    tables = []
    for split in TEST_SPLITS.values():
        part = dataset.split(split)
        for view, probabilities in zip(VIEWS, views(part.images), strict=True):
            table = pd.DataFrame(probabilities.astype(np.float32), columns=PROBABILITIES)
            table.insert(0, "row", part.rows)
            table.insert(1, "split", split)
            table.insert(2, "view", view)
            table.insert(3, "label", part.labels)
            table.insert(4, "plurality", part.plurality)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def no_predictions() -> pd.DataFrame:
    """Return an empty table of predictions, for a model stored without test splits."""
    return pd.DataFrame(columns=PREDICTION_COLUMNS)


def summarize(
    predictions: pd.DataFrame, tests: FaceDataset, training: FaceDataset
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the metrics of predictions by split and view, as a model card has them.

    Args:
        predictions: table of `tabulate_splits`.
        tests: the same test splits.
        training: the faces that the model may have been trained on.

    Returns:
        `{split: {view: {"accuracy": …, "accuracy_interval": [low, high], "macro_f1": …, …}}}` by FER2013's label, with
        95 % intervals, and `accuracy_without_leaked` over the `n_without_leaked` faces whose pixels do not occur in
        `training`. `by` has the same metrics for each of `columns.YARDSTICKS`; that of the annotators is missing if no
        face has votes.
    """
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for split in TEST_SPLITS.values():
        clean = ~leaked_mask(tests.split(split), training)
        result[split] = {}
        for view in VIEWS:
            table = predictions[(predictions["split"] == split) & (predictions["view"] == view)]
            probabilities = table[PROBABILITIES].to_numpy(np.float64)
            truth = {name: table[name].to_numpy() for name in YARDSTICKS}
            by = {name: _scores(labels, probabilities) for name, labels in truth.items() if (labels >= 0).any()}
            leakless = evaluate(truth["label"][clean], probabilities[clean])
            result[split][view] = {
                **by["label"],
                "accuracy_without_leaked": leakless.accuracy,
                "n_without_leaked": leakless.n,
                "by": by,
            }
    return result


def _scores(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Return metrics, intervals and per-class rates over the faces with an answer, where `labels` is not -1."""
    judged = labels >= 0
    metrics = evaluate(labels[judged], probabilities[judged])
    score = Score.of(metrics, bootstrap_intervals(labels[judged], probabilities[judged]))
    return dict(score.values, per_class=metrics.per_class.as_dict())


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured of a stored model.

    Attributes:
        metrics: as `measure.summarize` returns them.
        predictions: with the columns `columns.PREDICTION_COLUMNS`.
        degraded: with the columns `columns.DEGRADED_COLUMNS`; None if not measured.
        holdout: the result of `holdout_facts`; empty if it cannot be measured.
        notes: one sentence for each thing that was not measured.
    """

    metrics: dict[str, dict[str, dict[str, Any]]]
    predictions: pd.DataFrame
    degraded: pd.DataFrame | None = None
    holdout: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def measure_again(
    model: StoredModel, dataset: FaceDataset, degraded: bool = False, holdout: bool = False
) -> Measurements:
    """Measure the served file; for a model without one, compute the metrics from its stored predictions.

    Args:
        model: in the store.
        dataset: FER2013. If it has no votes, what most annotators say of a test face is taken from the stored
            predictions of the same faces.
        degraded: also measure on degraded faces.
        holdout: also compute `holdout_facts`, if the model has not seen the hold-out.

    Raises:
        FerError: the model's file cannot be used, a split is missing, or the stored predictions are of other data.
    """
    training = dataset.split("training")
    if not model.servable:
        if model.card.data_fingerprint != dataset.fingerprint:
            raise FerError("it is not served, and its stored predictions are of other data.")
        notes = [f"{model.name} is not served: the metrics are computed from its stored predictions."]
        if degraded:
            notes.append(f"{model.name} is not served, so it cannot be measured on degraded faces.")
        predictions = _with_plurality(model.all_predictions(), dataset)
        return Measurements(summarize(predictions, dataset, training), predictions, notes=tuple(notes))
    classifier, notes = model.classifier(), []
    predictions = predict_splits(classifier, dataset)
    stored = _stored_plurality(model, predictions) if dataset.votes is None else None
    if stored is not None:
        notes.append(f"FER+'s votes are not here: what most annotators say is read from {model.name}'s predictions.")
        predictions["plurality"] = _plurality_of(predictions["row"], predictions["label"], stored)
    table = None
    if degraded:
        faces = robustness_faces(dataset)
        plurality = None if stored is None else _plurality_of(faces.rows, faces.labels, stored)
        table = measure_degraded(classifier, faces, plurality)
    facts: dict[str, dict[str, Any]] = {}
    held_out = training_and_holdout(dataset)[1]
    if holdout and (held_out.plurality < 0).all():
        notes.append(f"{model.name} is not scored on the hold-out: this needs FER+'s votes.")
    elif holdout and not _holdout_is_new(model.card, dataset):
        notes.append(f"{model.name} is not scored on the hold-out: it may have been trained on a part of it.")
    elif holdout:
        facts = holdout_facts(lambda faces: classifier.predict(faces).probabilities, held_out)
    return Measurements(summarize(predictions, dataset, training), predictions, table, facts, tuple(notes))


def save_measurements(model: StoredModel, measured: Measurements) -> None:
    """Write measurements to the model's folder.

    Raises:
        FerError: the folder cannot be written.
    """
    card = replace(model.card, metrics=measured.metrics)
    if measured.holdout:
        card = replace(card, served={**(card.served or {}), **measured.holdout})
    update_model(model, card, predictions=measured.predictions, degraded=measured.degraded)


def _holdout_is_new(card: ModelCard, dataset: FaceDataset) -> bool:
    """Whether a model has not seen the hold-out.

    That is so if it was trained without the listed faces. Models from before the list were trained without a larger
    part of `fer2013.csv` that contains them.
    """
    if "holdout" in card.training:
        return card.training["holdout"] == LISTED
    in_order = np.array_equal(dataset.rows, np.arange(len(dataset)))
    return in_order and card.data_fingerprint == dataset.fingerprint


def _stored_plurality(model: StoredModel, predictions: pd.DataFrame) -> pd.DataFrame | None:
    """Return `label` and `plurality` of the stored predictions, by row.

    Returns:
        None if there are no stored predictions, none has a plurality, or they are of other faces than `predictions`.
    """
    try:
        stored = model.all_predictions()
    except FerError:
        return None
    stored = stored[stored["row"] >= 0].drop_duplicates("row").set_index("row")[["label", "plurality"]]
    same = stored["label"].reindex(predictions["row"]).to_numpy() == predictions["label"].to_numpy()
    return stored if (stored["plurality"] >= 0).any() and same.mean() >= _SAME else None


def _plurality_of(rows: ArrayLike, labels: ArrayLike, stored: pd.DataFrame) -> NDArray[np.int64]:
    """Return the stored plurality of faces, `(n,)`; -1 for a face that is not there or has another label there."""
    known = stored.reindex(np.asarray(rows))
    return np.where(known["label"] == np.asarray(labels), known["plurality"].fillna(-1), -1).astype(np.int64)


def _with_plurality(predictions: pd.DataFrame, dataset: FaceDataset) -> pd.DataFrame:
    """Return predictions with what most annotators say of the same faces; without votes, as they are.

    Args:
        predictions: in the order of the dataset.
        dataset: with both test splits.
    """
    if dataset.votes is None:
        return predictions[PREDICTION_COLUMNS]
    tables = []
    for (split, _), table in predictions.groupby(["split", "view"], sort=False):
        part = dataset.split(str(split))
        tables.append(table.assign(plurality=part.plurality))
    return pd.concat(tables, ignore_index=True)[PREDICTION_COLUMNS]
