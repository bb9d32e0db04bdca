"""Measure a stored model again, and keep what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import PREDICTION_COLUMNS
from fer_core.data import FerDataset, training_and_holdout
from fer_core.data.holdout import LISTED
from fer_core.measuring.holdout_score import holdout_facts
from fer_core.measuring.measure import predict_splits, summarize
from fer_core.measuring.robustness import measure_degraded, robustness_faces
from fer_core.store.card import ModelCard
from fer_core.store.folders import update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

_SAME: Final = 0.95
"""Share of test faces whose stored label must be that of the dataset for both to be the same faces."""


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
    model: StoredModel, dataset: FerDataset, degraded: bool = False, holdout: bool = False
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
    update_model(model, card, measured.predictions, measured.degraded)


def _holdout_is_new(card: ModelCard, dataset: FerDataset) -> bool:
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
    found = stored.reindex(np.asarray(rows))
    return np.where(found["label"] == np.asarray(labels), found["plurality"].fillna(-1), -1).astype(np.int64)


def _with_plurality(predictions: pd.DataFrame, dataset: FerDataset) -> pd.DataFrame:
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
