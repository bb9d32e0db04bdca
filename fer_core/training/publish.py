"""From a fitted network to a stored model: convert, choose how weights are stored, measure, write the card."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from fer_core.data import FerDataset
from fer_core.evaluation import evaluate
from fer_core.inference import Classifier
from fer_core.inference.measure import no_predictions, predict_splits
from fer_core.models import ModelSpec
from fer_core.store import StoredModel, save_model
from fer_core.training.card import make_card
from fer_core.training.convert import QUANTIZATIONS, Quantization, to_litert
from fer_core.training.keras_archive import keras_archive
from fer_core.training.recipe import Recipe
from fer_core.training.training_data import TrainingData

TOLERATED_LOSS = 0.002
"""A smaller file is served if it costs at most this much accuracy on the hold-out (0.2 points)."""


def publish(
    network: keras.Model,
    spec: ModelSpec,
    recipe: Recipe,
    data: TrainingData,
    history: dict[str, list[float]],
    training: dict[str, Any],
    root: Path,
    ship: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Convert a fitted network and store it with everything measured on the converted file.

    How weights are stored (see `to_litert`) is chosen on the hold-out alone; the test splits are run once.

    Args:
        network: fitted, in float32.
        spec: what it is.
        recipe: how it was fitted.
        data: what it learnt from and is measured on.
        history: curves of the fit.
        training: facts of the fit for the card, as `training_facts` collects them.
        root: the store's folder to write into.
        ship: for this repository: leave out the large `.keras` file of a model with a backbone, and make that of
            another one small. A model on a downloaded backbone is then kept for comparison only, with its card,
            history and predictions, because its weights are not ours to ship.
        say: told each step.

    Returns:
        The stored model.
    """
    kept_only = ship and spec.weights_from == "imagenet"
    say("Converting to LiteRT and measuring each storage on the hold-out")
    weights, served = choose_storage(network, spec, data.holdout)
    served |= {"size_bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(weights)
        say("Measuring the served file on PublicTest and PrivateTest")
        classifier = Classifier(path, preprocessing=spec.preprocessing)
        predictions = predict_splits(classifier, data.tests) if data.tests is not None else no_predictions()
    card = make_card(
        spec,
        recipe.as_dict(),
        int(network.count_params()),
        training,
        served,
        data,
        predictions,
        "on the LiteRT file, which is not kept" if kept_only else "on the served LiteRT file",
    )
    if kept_only:
        card, weights = replace(card, served=None, measured_file=served), b""
    kept = keras_archive(network, small=ship) if not ship or spec.architecture != "transfer" else b""
    curves = pd.DataFrame(history).rename_axis("epoch").reset_index()
    return save_model(root, card, weights, predictions, curves, kept)


def choose_storage(network: keras.Model, spec: ModelSpec, holdout: FerDataset) -> tuple[bytes, dict[str, Any]]:
    """Return the LiteRT file that serves, and what was measured.

    The first of `QUANTIZATIONS` behind float32 serves that loses at most `TOLERATED_LOSS` against it on the
    hold-out. Those behind that one are not tried.
    """
    files, accuracies, sizes = {}, {}, {}
    chosen: Quantization = "float32"
    with tempfile.TemporaryDirectory() as folder:
        for quantization in QUANTIZATIONS:
            files[quantization] = to_litert(network, spec.input_size, quantization)
            path = Path(folder) / f"{quantization}.tflite"
            path.write_bytes(files[quantization])
            probabilities = Classifier(path, preprocessing=spec.preprocessing).predict(holdout.images).probabilities
            accuracies[quantization] = evaluate(holdout.labels, probabilities).accuracy
            sizes[quantization] = len(files[quantization])
            if quantization != "float32" and accuracies[quantization] >= accuracies["float32"] - TOLERATED_LOSS:
                chosen = quantization
                break
    return files[chosen], {"storage": chosen, "holdout_accuracy": accuracies, "sizes": sizes}


def libraries() -> dict[str, str]:
    """Return what computed a fit, for the card."""
    return {"backend": keras.backend.backend(), "keras": keras.__version__}
