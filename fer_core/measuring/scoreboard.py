"""The scoreboard: one row for each model, from its card and from the metrics of its predictions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from math import isnan
from typing import Any, Final

import pandas as pd

from fer_core.columns import TEST_SPLITS, YARDSTICKS, percent
from fer_core.data import sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.measuring.robustness import mean_corruption_accuracy, robustness_table
from fer_core.metrics.core import METRICS, Measured
from fer_core.metrics.predictions import Predictions
from fer_core.metrics.significance import SCORE_IN_WORDS
from fer_core.store import folders
from fer_core.store.card import Score
from fer_core.store.datasets import find_dataset
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.store.stored_model import StoredModel

_ABOUT: Final = ("size_bytes", "parameters", "trained", "weights_from")

FRONT: Final = (
    (DEFAULT_MODEL,),
    ("compact_cnn_ensemble",),  # the best by FER2013's label on the hold-out
    ("vgg16_modified", "vgg16_modified_faces", "vgg16_modified_utk"),  # the paper's final model
    ("mobilenetv2_frozen",),  # a frozen backbone
    ("hog_linear",),  # a simple baseline
)
"""The kinds of models that pages show at first; of each the first name that is stored."""

_ENDS: Final = ("", "_low", "_high", "_interval")


def card_scoreboard(models: Sequence[StoredModel], by: str = "label") -> list[dict[str, Any]]:
    """Return one row for each model from its card, with the scores of the plain view of both test splits.

    The keys are those of `_row`, and `degraded_accuracy` as in `scoreboard_table`, by `by`. Scores have a prefix, as in
    `public_test_accuracy` and `public_test_plurality_accuracy`, and are missing where the card has none.
    """
    degraded = mean_corruption_accuracy(robustness_table(models, by=by)[0])
    rows = []
    for model in models:
        scores = {
            f"{split}_{prefix}": model.card.score(split, by=by)
            for split in TEST_SPLITS.values()
            for by, prefix in (("label", ""), ("plurality", "plurality_"))
        }
        rows.append(_row(model.name, model.title, model, scores) | {"degraded_accuracy": degraded.get(model.name)})
    return rows


def card_intervals(models: Sequence[StoredModel], by: str = "label") -> pd.DataFrame:
    """Return accuracies with 95 % intervals, by one of `columns.YARDSTICKS`, of the models whose cards have them.

    Columns `model` (title), `split`, `accuracy`, `low`, `high`; the model that is most accurate on PublicTest is first.
    """
    rows = [
        (model.title, split, score.accuracy, *astuple(score.interval("accuracy")))
        for model, scores in _scored(models, by)
        for split, score in scores.items()
    ]
    return pd.DataFrame(rows, columns=["model", "split", "accuracy", "low", "high"])


def unscored(models: Sequence[StoredModel], by: str = "label") -> list[str]:
    """Return a sentence for each model that `card_intervals` leaves out."""
    known = [model for model, _ in _scored(models, by)]
    words = f"has no score: its card.json lacks numbers judged by {YARDSTICKS[by]}."
    return [f"The model {model.name} {words}" for model in models if model not in known]


def scoreboard_table(predictions: Predictions, measured: Measured, models: Sequence[StoredModel]) -> pd.DataFrame:
    """Return one row for each model from its predictions, the most accurate first.

    Columns `name`, `model`; each of `METRICS` with `…_low`, `…_high` (95 % interval) and `…_interval` (as text); `ece`,
    `log_loss`, `size_bytes`, `parameters`, `trained`, `weights_from`, `degraded_accuracy` (NaN where it was not
    measured), `faces`, `split`, `view`.
    """
    known = {model.name: model for model in models}
    rows = [
        _row(name, predictions.titles[name], known.get(name), {"": Score.of(*measured[name])})
        for name in predictions.names
    ]
    scores = [f"{name}{end}" for name in METRICS for end in _ENDS]
    table = pd.DataFrame(rows)[["name", "model", *scores, "ece", "log_loss", *_ABOUT]]
    table = table.sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)
    on = find_dataset(predictions.split) if predictions.own else None
    degraded = mean_corruption_accuracy(robustness_table(models, by=predictions.by, on=on)[0])
    table["degraded_accuracy"] = table["name"].map(degraded).astype(float)
    return table.assign(faces=len(predictions.labels), split=predictions.split, view=predictions.view)


def front_models(models: Sequence[StoredModel]) -> list[str]:
    """Return the names of the models that pages show at first: one of each of `FRONT`, and up to three of one's own.

    If they are fewer than five, others follow in the order of the store.
    """
    names = [model.name for model in models]
    chosen = [next((name for name in kind if name in names), "") for kind in FRONT]
    own = [model.name for model in models if model.folder.parent != folders.SHIPPED][:3]
    front = dict.fromkeys(name for name in [*chosen, *own] if name)
    return list(front | dict.fromkeys(names))[: max(len(front), len(FRONT))]


def why_default(shown: StoredModel, models: Sequence[StoredModel]) -> str:
    """Return why the pages start with a model; empty if no score says so, or another model has a better one."""
    scores = {model.title: model.card.holdout_score or 0.0 for model in models if model.servable}
    best = max(scores.values(), default=0.0)
    if best == 0 or scores.get(shown.title) != best:
        return ""
    return (
        f"The pages start with {shown.title}. Of the models that can predict and have a score on faces held out "
        f"of training, it has the best, {percent(best, '.1%')}: {SCORE_IN_WORDS}."
    )


def face_milliseconds(model: StoredModel, seconds: float = 0.5) -> float:
    """Measure the median time of five calls or more to classify a 48×48 face on this machine, after a warm-up."""
    classifier = model.classifier()
    (portrait,) = FaceAnalyzer(classifier).analyze(sample_portrait())[:1]
    face = portrait.crop[None]  # a real face, because the time of the preprocessing depends on the pixels
    for _ in range(3):
        classifier.predict(face)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        classifier.predict(face)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def _row(name: str, title: str, model: StoredModel | None, scores: Mapping[str, Score | None]) -> dict[str, Any]:
    """Return one row of any scoreboard; the model is None for an ensemble, scores go by the prefix of their keys."""
    row: dict[str, Any] = {"name": name, "model": title, "default": name == DEFAULT_MODEL}
    for prefix, score in scores.items():
        if score is not None:
            for metric in METRICS:
                interval = score.interval(metric)
                text = "–" if isnan(interval.low) else f"{100 * interval.low:.1f} – {percent(interval.high, '.1%')}"
                cells = (score[metric], interval.low, interval.high, text)
                row |= {f"{prefix}{metric}{end}": cell for end, cell in zip(_ENDS, cells, strict=True)}
            row |= {f"{prefix}ece": score["ece"], f"{prefix}log_loss": score["log_loss"]}
    about: tuple[int | str | None, ...] = (None, None, "fusion of models", "–")
    if model is not None:
        about = (model.size_bytes or None, model.card.parameters, model.card.trained_part, model.card.weights_from)
        card = model.card
        row |= {"input_size": card.input_size, "holdout_score": card.holdout_score, "classes": card.classes}
    return row | dict(zip(_ABOUT, about, strict=True))


def _scored(models: Sequence[StoredModel], by: str) -> list[tuple[StoredModel, dict[str, Score]]]:
    """Return the models whose cards have scores of both test splits, the most accurate on PublicTest first."""
    scored = []
    for model in models:
        scores = {split: model.card.score(key, by=by) for split, key in TEST_SPLITS.items()}
        known = {split: score for split, score in scores.items() if score is not None}
        if len(known) == len(scores):
            scored.append((model, known))
    return sorted(scored, key=lambda pair: -pair[1]["PublicTest"].accuracy)
