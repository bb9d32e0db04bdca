"""An ensemble of stored networks, kept for comparison: what several networks reach together by FER2013's label."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.measuring.measure import no_predictions, tabulate_splits
from fer_core.metrics.core import evaluate
from fer_core.metrics.ensembles import weighted_fusion
from fer_core.models import ModelSpec
from fer_core.store.folders import load_model, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.training.data import TrainingData
from fer_core.training.initial_weights import teacher
from fer_core.training.model_card import make_card, training_facts

MEMBERS: Final = ("compact_cnn_votes_seed2", "compact_cnn_distilled", "compact_cnn_student")
"""All count the same. On the hold-out, these reach 71.1 % (with the mirror image, 70.9 %). No other choice of the five
compact networks that learned labels is better by more than 0.1 points; the best single one reaches 69.5 %."""


def store_ensemble(
    spec: ModelSpec,
    data: TrainingData,
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
    started = time.monotonic()
    networks = [teacher(name, spec, heads=2) for name in members]
    say(f"Measuring {len(networks)} networks together on the hold-out")
    plain, flipped = views(networks, data.holdout.images)
    accuracies = {
        view: evaluate(data.holdout.labels, probabilities).accuracy
        for view, probabilities in (("plain", plain), ("flip", flipped))
    }
    predictions = no_predictions()
    if data.tests is not None:
        say("Measuring them on PublicTest and PrivateTest")
        predictions = tabulate_splits(lambda faces: views(networks, faces), data.tests)
    libraries = {"backend": keras.backend.backend(), "keras": keras.__version__}
    facts = training_facts(data, None, 0, time.monotonic() - started, libraries)
    card = make_card(
        spec,
        {"members": list(members), "fusion": "mean of the probabilities by FER2013's label"},
        sum(load_model(name).card.parameters or 0 for name in members),
        facts | {"ensemble_holdout_accuracy": accuracies},
        None,
        data,
        predictions,
        "on the Keras networks of its members",
    )
    return save_model(root, card, predictions=predictions)


def views(networks: Sequence[keras.Model], faces: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
    """Return the mean probabilities by label for the faces, and their average with those for the mirror images."""
    plain, mirrored = (
        weighted_fusion([_by_label(network, one) for network in networks], np.ones(len(networks)))
        for one in (faces, faces[:, :, ::-1])
    )
    return plain, (plain + mirrored) / 2


def _by_label(network: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
    answers = network.predict(faces[..., None].astype(np.float32), batch_size=512, verbose=0)
    return answers[:, :NUM_CLASSES].astype(np.float64)
