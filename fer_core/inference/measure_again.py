"""Measure a stored model again, and keep what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from fer_core.card import ModelCard
from fer_core.data import FerDataset, training_and_holdout
from fer_core.data.holdout import LISTED
from fer_core.inference.classifier import Classifier
from fer_core.inference.holdout_score import holdout_facts
from fer_core.inference.measure import predict_splits, summarize
from fer_core.inference.robustness import measure_degraded, robustness_faces
from fer_core.store import update_model
from fer_core.stored_model import StoredModel
from fer_core.types import FerError


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
        dataset: FER2013.
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
    classifier, notes = Classifier.of(model), []
    predictions = predict_splits(classifier, dataset)
    table = measure_degraded(classifier, robustness_faces(dataset)) if degraded else None
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


def _with_plurality(predictions: pd.DataFrame, dataset: FerDataset) -> pd.DataFrame:
    """Return predictions with what most annotators say of the same faces, in the order of the dataset."""
    tables = []
    for (split, _), table in predictions.groupby(["split", "view"], sort=False):
        part = dataset.split(str(split))
        tables.append(table.assign(plurality=part.plurality))
    return pd.concat(tables, ignore_index=True)[list(predictions.columns)]
