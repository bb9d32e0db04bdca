"""Models kept for comparison: baselines from scikit-learn, which every network should beat, and an ensemble."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_core.data import FaceDataset
from fer_core.labels import NUM_CLASSES
from fer_core.measuring.measure import no_predictions, tabulate_splits
from fer_core.metrics.core import evaluate
from fer_core.metrics.ensembles import weighted_fusion
from fer_core.models import ModelSpec
from fer_core.models.networks import outputs_of
from fer_core.store.folders import load_model, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.training.data import TrainingData, make_card
from fer_core.training.frozen import teacher
from fer_core.types import FerError

HOG_SETTINGS: Final[dict[str, Any]] = {  # of `skimage.feature.hog`
    "orientations": 9,
    "pixels_per_cell": (6, 6),  # eight cells across a face, two across an eye
    "cells_per_block": (2, 2),
    "block_norm": "L2-Hys",
}
PENALTIES: Final = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Values of C that are tried for logistic regression on standardized features; a smaller one regularizes more."""

MEMBERS: Final = ("compact_cnn_votes_seed2", "compact_cnn_distilled", "compact_cnn_student")
"""All count the same. On the hold-out, these reach 71.1 % (with the mirror image, 70.9 %). No other choice of the five
compact networks that learned labels is better by more than 0.1 points; the best single one reaches 69.5 %."""

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]  # from faces `(n, 48, 48)` to probabilities `(n, 7)`
Say = Callable[[str], None]


class Baseline(NamedTuple):
    """A fitted baseline.

    Attributes:
        predict: the fitted estimator.
        parameters: number of parameters.
        recipe: how it was fitted, for the card.
        tried: each setting that was tried, with its accuracy on the hold-out.
    """

    predict: Predict
    parameters: int
    recipe: dict[str, Any]
    tried: Sequence[dict[str, float]] = ()


def train_baseline(
    spec: ModelSpec, data: TrainingData, *, root: Path, seed: int = 0, say: Say = lambda _: None
) -> StoredModel:
    """Fit, measure and store a baseline, `class_prior` or `hog_linear`.

    It is kept for comparison: card and predictions, no file to serve. The seed is for the card; both fits are
    deterministic.
    """
    started = time.monotonic()
    say(f"Fitting {spec.title} on {len(data.training):,} faces")
    if spec.architecture == "class_prior":
        baseline = class_prior(data.training)
    else:
        baseline = hog_linear(data.training, data.holdout, say=say)
    fitted = {"epochs": None, "seed": seed, "seconds": time.monotonic() - started}
    say("Measuring it on PublicTest and PrivateTest")
    predictions = _predictions(baseline.predict, data.tests)
    card = make_card(
        spec,
        data,
        recipe=baseline.recipe,
        parameters=baseline.parameters,
        fitted=fitted | {"backend": "scikit-learn", "scikit_learn": sklearn.__version__},
        facts={"tried": list(baseline.tried)},
        served=None,
        predictions=predictions,
        measured="on the fitted scikit-learn estimator, which is not kept",
    )
    return save_model(root, card, predictions=predictions)


def class_prior(part: FaceDataset) -> Baseline:
    """Predict the class frequencies of the training part for every face."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(part), 1)), part.labels)
    return Baseline(
        lambda faces: _all_classes(model.predict_proba(np.zeros((len(faces), 1))), model.classes_),
        NUM_CLASSES,
        {"estimator": "sklearn.dummy.DummyClassifier", "strategy": "prior"},
    )


def hog_linear(
    part: FaceDataset, holdout: FaceDataset, *, penalties: Sequence[float] = PENALTIES, say: Say = lambda _: None
) -> Baseline:
    """Fit multinomial logistic regression on histograms of oriented gradients; C is chosen on the hold-out."""
    say("Computing histograms of oriented gradients")
    features, holdout_features = hog_features(part.images), hog_features(holdout.images)
    models, tried = [], []
    for penalty in penalties:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1000))
        model.fit(features, part.labels)
        accuracy = float((model.predict(holdout_features) == holdout.labels).mean())
        iterations = int(model[-1].n_iter_.max())
        models.append(model)
        tried.append({"C": penalty, "holdout_accuracy": accuracy, "iterations": iterations})
        say(f"C = {penalty:g}: hold-out accuracy {accuracy:.4f} after {iterations} iterations")
    best = int(np.argmax([trial["holdout_accuracy"] for trial in tried]))
    chosen = models[best]
    recipe = {
        "features": f"skimage.feature.hog, {features.shape[1]} values a face",
        "hog": HOG_SETTINGS,
        "estimator": "sklearn: StandardScaler, then LogisticRegression (multinomial, lbfgs)",
        "C": penalties[best],
        "max_iter": 1000,
    }
    return Baseline(
        lambda faces: _all_classes(chosen.predict_proba(hog_features(faces)), chosen.classes_),
        int(chosen[-1].coef_.size + chosen[-1].intercept_.size),
        recipe,
        tried,
    )


def hog_features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute histograms of oriented gradients (Dalal and Triggs 2005): 7×7 blocks of 2×2 cells, nine orientations."""
    from skimage.feature import hog

    if len(images) == 0:
        return np.zeros((0, 1764), np.float32)
    return np.stack([hog(image, **HOG_SETTINGS).astype(np.float32) for image in images])


def views(predict: Predict, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities for the faces, and their average with those for the mirror images."""
    plain = predict(faces)
    return plain, (plain + predict(faces[:, :, ::-1])) / 2


def _predictions(predict: Predict, tests: FaceDataset | None) -> pd.DataFrame:
    return no_predictions() if tests is None else tabulate_splits(lambda faces: views(predict, faces), tests)


def _all_classes(probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return all seven columns; an estimator has a column only for each class in its training part."""
    wide = np.zeros((len(probabilities), NUM_CLASSES))
    wide[:, classes] = probabilities
    return wide


def store_ensemble(
    spec: ModelSpec, data: TrainingData, *, root: Path, members: Sequence[str] = MEMBERS, say: Say = lambda _: None
) -> StoredModel:
    """Measure and store an ensemble: card and predictions, no file to serve.

    Its probabilities are the means of the members' labels heads. Nothing is fitted. A `FerError` is raised if a member
    lacks its Keras weights, or its heads although it learned labels and votes, or if the data are divided as in the
    paper: the members did not learn them so.
    """
    if data.papers_split:
        raise FerError(f"The members of {spec.name} learned another split: leave out --papers-split.")
    started = time.monotonic()
    networks = [teacher(name, spec, heads=2) for name in members]

    def predict(faces: NDArray[np.uint8]) -> NDArray[np.float64]:
        answers = [outputs_of(network, faces, 512)[:, :NUM_CLASSES].astype(np.float64) for network in networks]
        return weighted_fusion(answers, np.ones(len(networks)))

    say(f"Measuring {len(networks)} networks together on the hold-out")
    plain, flipped = views(predict, data.holdout.images)
    accuracies = {
        view: evaluate(data.holdout.labels, probabilities).accuracy
        for view, probabilities in (("plain", plain), ("flip", flipped))
    }
    if data.tests is not None:
        say("Measuring them on PublicTest and PrivateTest")
    predictions = _predictions(predict, data.tests)
    fitted = {"epochs": None, "seed": 0, "seconds": time.monotonic() - started}
    card = make_card(
        spec,
        data,
        recipe={"members": list(members), "fusion": "mean of the probabilities by FER2013's label"},
        parameters=sum(load_model(name).card.parameters or 0 for name in members),
        fitted=fitted | {"backend": keras.backend.backend(), "keras": keras.__version__},
        facts={"ensemble_holdout_accuracy": accuracies},
        served=None,
        predictions=predictions,
        measured="on the Keras networks of its members",
    )
    return save_model(root, card, predictions=predictions)
