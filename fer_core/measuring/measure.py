"""Measure a model on the test splits: its predictions, and the metrics for its card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.classifier import Classifier
from fer_core.columns import PREDICTION_COLUMNS, PROBABILITIES, TEST_SPLITS, VIEWS, YARDSTICKS
from fer_core.data import FerDataset, leaked_mask
from fer_core.metrics import bootstrap_intervals, evaluate
from fer_core.store.card import Score


def predict_splits(classifier: Classifier, dataset: FerDataset) -> pd.DataFrame:
    """Classify both test splits in both views; the table is that of `tabulate_splits`."""

    def views(faces: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
        plain, flipped = classifier.views(faces)
        return plain.probabilities, flipped.probabilities

    return tabulate_splits(views, dataset)


def tabulate_splits(views: Callable[[NDArray[np.uint8]], tuple[NDArray, NDArray]], dataset: FerDataset) -> pd.DataFrame:
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
    predictions: pd.DataFrame, tests: FerDataset, training: FerDataset
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
            by = {name: _scores(wanted, probabilities) for name, wanted in truth.items() if (wanted >= 0).any()}
            leakless = evaluate(truth["label"][clean], probabilities[clean])
            result[split][view] = {
                **by["label"],
                "accuracy_without_leaked": leakless.accuracy,
                "n_without_leaked": leakless.n,
                "by": by,
            }
    return result


def _scores(wanted: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Return metrics, intervals and per-class rates over the faces with an answer, where `wanted` is not -1."""
    judged = wanted >= 0
    metrics = evaluate(wanted[judged], probabilities[judged])
    score = Score.of(metrics, bootstrap_intervals(wanted[judged], probabilities[judged]))
    return dict(score.values, per_class=metrics.per_class.as_dict())
