"""The baselines without a network, from scikit-learn: what any model has to beat. Needs no Keras."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_core.data import FerDataset
from fer_core.inference.measure import no_predictions, tabulate_splits
from fer_core.labels import NUM_CLASSES
from fer_core.models import ModelSpec
from fer_core.store import StoredModel, save_model
from fer_core.training.card import make_card, training_facts
from fer_core.training.hog import HOG_SETTINGS, hog_features
from fer_core.training.training_data import TrainingData

PENALTIES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Values of logistic regression's C that are tried on standardised features; smaller is smoother."""

ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class Baseline:
    """A fitted baseline.

    Attributes:
        predict: from faces `(n, 48, 48)` uint8 to probabilities `(n, 7)`.
        parameters: how many numbers it holds.
        recipe: how it was fitted.
        tried: each setting that the hold-out chose from, with its accuracy there.
    """

    predict: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
    parameters: int
    recipe: dict[str, Any]
    tried: list[dict[str, float]] = field(default_factory=list)


def train_baseline(
    spec: ModelSpec, data: TrainingData, root: Path, seed: int = 0, say: Callable[[str], None] = lambda _: None
) -> StoredModel:
    """Fit, measure and store a baseline: card and predictions, nothing that serves.

    Args:
        spec: `class_prior` or `hog_linear`.
        data: what to learn from and to measure on.
        root: the store's folder to write into.
        seed: noted on the card; both fits are deterministic.
        say: told each step.
    """
    part, holdout = data.training, data.holdout
    started = time.monotonic()
    say(f"Fitting {spec.title} on {len(part):,} faces")
    baseline = class_prior(part) if spec.architecture == "class_prior" else hog_linear(part, holdout, say=say)
    library = {"backend": "scikit-learn", "scikit_learn": sklearn.__version__}
    facts = training_facts(data, None, seed, time.monotonic() - started, library)
    say("Measuring it on PublicTest and PrivateTest")
    predictions = tabulate_splits(partial(views, baseline), data.tests) if data.tests is not None else no_predictions()
    card = make_card(
        spec,
        baseline.recipe,
        baseline.parameters,
        facts | {"tried": baseline.tried},
        None,
        data,
        predictions,
        "on the fitted scikit-learn estimator, which is not kept",
    )
    return save_model(root, card, b"", predictions, pd.DataFrame(), b"")


def class_prior(part: FerDataset) -> Baseline:
    """Answer every face with the class frequencies of the training part: the floor."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(part), 1)), part.labels)
    return Baseline(
        lambda faces: _all_classes(model.predict_proba(np.zeros((len(faces), 1))), model.classes_),
        NUM_CLASSES,
        {"estimator": "sklearn.dummy.DummyClassifier", "strategy": "prior"},
    )


def hog_linear(
    part: FerDataset,
    holdout: FerDataset,
    penalties: Sequence[float] = PENALTIES,
    say: Callable[[str], None] = lambda _: None,
) -> Baseline:
    """Fit multinomial logistic regression on histograms of oriented gradients, C chosen on the hold-out."""
    say("Histograms of oriented gradients of each face")
    seen, watched = hog_features(part.images), hog_features(holdout.images)
    models, tried = [], []
    for penalty in penalties:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=ITERATIONS))
        model.fit(seen, part.labels)
        accuracy = float((model.predict(watched) == holdout.labels).mean())
        iterations = int(model[-1].n_iter_.max())
        models.append(model)
        tried.append({"C": penalty, "holdout_accuracy": accuracy, "iterations": iterations})
        say(f"C = {penalty:g}: hold-out accuracy {accuracy:.4f} after {iterations} iterations")
    best = int(np.argmax([trial["holdout_accuracy"] for trial in tried]))
    chosen = models[best]
    recipe = {
        "features": f"skimage.feature.hog, {seen.shape[1]} values a face",
        "hog": HOG_SETTINGS,
        "estimator": "sklearn: StandardScaler, then LogisticRegression (multinomial, lbfgs)",
        "C": penalties[best],
        "max_iter": ITERATIONS,
    }
    return Baseline(
        lambda faces: _all_classes(chosen.predict_proba(hog_features(faces)), chosen.classes_),
        int(chosen[-1].coef_.size + chosen[-1].intercept_.size),
        recipe,
        tried,
    )


def views(baseline: Baseline, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a baseline says of faces as they are, and averaged with their mirror images."""
    plain = baseline.predict(faces)
    return plain, (plain + baseline.predict(faces[:, :, ::-1])) / 2


def _all_classes(probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Widen to all seven columns: an estimator knows only the classes it has seen."""
    wide = np.zeros((len(probabilities), NUM_CLASSES))
    wide[:, classes] = probabilities
    return wide
