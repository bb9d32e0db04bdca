"""Models kept for comparison: baselines from scikit-learn, which every network should beat, and an ensemble.

Importing this does not import Keras; measuring the ensemble does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
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
from fer_core.store.folders import load_model, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.training.data import TrainingData
from fer_core.training.model_card import make_card, training_facts
from fer_core.training.teachers import teacher

if TYPE_CHECKING:
    import keras

HOG_SETTINGS: Final[dict[str, Any]] = {
    "orientations": 9,
    "pixels_per_cell": (6, 6),  # eight cells across a face, two across an eye
    "cells_per_block": (2, 2),
    "block_norm": "L2-Hys",
}
"""Arguments of `skimage.feature.hog`."""

PENALTIES: Final = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Values of C that are tried for logistic regression on standardized features; a smaller one regularizes more."""

ITERATIONS: Final = 1000


MEMBERS: Final = ("compact_cnn_votes_seed2", "compact_cnn_distilled", "compact_cnn_student")
"""All count the same. On the hold-out, these reach 71.1 % (with the mirror image, 70.9 %). No other choice of the five
compact networks that learned labels is better by more than 0.1 points; the best single one reaches 69.5 %."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """A fitted baseline.

    Attributes:
        predict: from faces `(n, 48, 48)` uint8 to probabilities `(n, 7)`.
        parameters: number of parameters.
        recipe: how it was fitted, for the card.
        tried: each setting that was tried, with its accuracy on the hold-out.
    """

    predict: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
    parameters: int
    recipe: dict[str, Any]
    tried: list[dict[str, float]] = field(default_factory=list)


def train_baseline(
    spec: ModelSpec, data: TrainingData, *, root: Path, seed: int = 0, say: Callable[[str], None] = lambda _: None
) -> StoredModel:
    """Fit, measure and store a baseline. It is kept for comparison: card and predictions, no file to serve.

    Args:
        spec: `class_prior` or `hog_linear`.
        data: what to fit and to measure on.
        root: the folder of the store to write to.
        seed: for the card; both fits are deterministic.
        say: called with a sentence for each step.
    """
    part, holdout = data.training, data.holdout
    started = time.monotonic()
    say(f"Fitting {spec.title} on {len(part):,} faces")
    baseline = class_prior(part) if spec.architecture == "class_prior" else hog_linear(part, holdout, say=say)
    library = {"backend": "scikit-learn", "scikit_learn": sklearn.__version__}
    facts = training_facts(data, epochs=None, seed=seed, seconds=time.monotonic() - started, libraries=library)
    say("Measuring it on PublicTest and PrivateTest")
    predictions = tabulate_splits(partial(views, baseline), data.tests) if data.tests is not None else no_predictions()
    card = make_card(
        spec,
        data,
        recipe=baseline.recipe,
        parameters=baseline.parameters,
        training=facts | {"tried": baseline.tried},
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
    part: FaceDataset,
    holdout: FaceDataset,
    *,
    penalties: Sequence[float] = PENALTIES,
    say: Callable[[str], None] = lambda _: None,
) -> Baseline:
    """Fit multinomial logistic regression on histograms of oriented gradients; C is chosen on the hold-out."""
    say("Computing histograms of oriented gradients")
    features, holdout_features = hog_features(part.images), hog_features(holdout.images)
    models, tried = [], []
    for penalty in penalties:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=ITERATIONS))
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
        "max_iter": ITERATIONS,
    }
    return Baseline(
        lambda faces: _all_classes(chosen.predict_proba(hog_features(faces)), chosen.classes_),
        int(chosen[-1].coef_.size + chosen[-1].intercept_.size),
        recipe,
        tried,
    )


def hog_features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute histograms of oriented gradients (Dalal and Triggs 2005).

    Args:
        images: `(n, 48, 48)` uint8 gray.

    Returns:
        `(n, 1764)` float32: 7×7 blocks of 2×2 cells with nine orientations.
    """
    from skimage.feature import hog

    if len(images) == 0:
        return np.zeros((0, 1764), np.float32)
    return np.stack([hog(image, **HOG_SETTINGS).astype(np.float32) for image in images])


def views(baseline: Baseline, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities for the faces, and their average with those for the mirror images."""
    plain = baseline.predict(faces)
    return plain, (plain + baseline.predict(faces[:, :, ::-1])) / 2


def _all_classes(probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return all seven columns; an estimator has a column only for each class in its training part."""
    wide = np.zeros((len(probabilities), NUM_CLASSES))
    wide[:, classes] = probabilities
    return wide


def store_ensemble(
    spec: ModelSpec,
    data: TrainingData,
    *,
    root: Path,
    members: Sequence[str] = MEMBERS,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Measure and store an ensemble: card and predictions, no file to serve.

    Its probabilities are the means of the members' labels heads. Nothing is fitted.

    Args:
        spec: of the ensemble.
        data: what to measure on.
        root: the folder of the store to write to.
        members: names of stored models with Keras weights.
        say: called with a sentence for each step.

    Raises:
        FerError: a member lacks its Keras weights, or its heads if it learned labels and votes.
    """
    import keras

    started = time.monotonic()
    networks = [teacher(name, spec, heads=2) for name in members]
    say(f"Measuring {len(networks)} networks together on the hold-out")
    plain, flipped = ensemble_views(networks, data.holdout.images)
    accuracies = {
        view: evaluate(data.holdout.labels, probabilities).accuracy
        for view, probabilities in (("plain", plain), ("flip", flipped))
    }
    predictions = no_predictions()
    if data.tests is not None:
        say("Measuring them on PublicTest and PrivateTest")
        predictions = tabulate_splits(lambda faces: ensemble_views(networks, faces), data.tests)
    libraries = {"backend": keras.backend.backend(), "keras": keras.__version__}
    facts = training_facts(data, epochs=None, seed=0, seconds=time.monotonic() - started, libraries=libraries)
    card = make_card(
        spec,
        data,
        recipe={"members": list(members), "fusion": "mean of the probabilities by FER2013's label"},
        parameters=sum(load_model(name).card.parameters or 0 for name in members),
        training=facts | {"ensemble_holdout_accuracy": accuracies},
        served=None,
        predictions=predictions,
        measured="on the Keras networks of its members",
    )
    return save_model(root, card, predictions=predictions)


def ensemble_views(networks: Sequence[keras.Model], faces: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
    """Return the mean probabilities by label for the faces, and their average with those for the mirror images."""
    plain, mirrored = (
        weighted_fusion([_by_label(network, view) for network in networks], np.ones(len(networks)))
        for view in (faces, faces[:, :, ::-1])
    )
    return plain, (plain + mirrored) / 2


def _by_label(network: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    answers = network.predict(faces[..., None].astype(np.float32), batch_size=512, verbose=0)
    return answers[:, :NUM_CLASSES].astype(np.float64)
