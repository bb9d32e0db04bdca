"""From a fitted network to a stored model: convert, choose how weights are stored, measure, write the card."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from fer_core.data import FerDataset
from fer_core.evaluation import evaluate
from fer_core.inference import Classifier
from fer_core.inference.measure import predict_splits, summarize
from fer_core.models import ModelSpec
from fer_core.store import StoredModel, save_model
from fer_core.training.convert import QUANTIZATIONS, to_litert
from fer_core.training.recipe import Recipe

TOLERATED_LOSS = 0.002
"""A smaller file is served if it costs at most this much accuracy on the hold-out (0.2 points)."""


def publish(
    network: keras.Model,
    spec: ModelSpec,
    recipe: Recipe,
    dataset: FerDataset,
    history: dict[str, list[float]],
    training: dict[str, Any],
    root: Path,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Convert a fitted network and store it with everything measured on the converted file.

    How weights are stored (float32, float16, int8) is chosen on the hold-out alone; the test splits are run once.

    Args:
        network: fitted, in float32.
        spec: what it is.
        recipe: how it was fitted.
        dataset: FER2013, all splits.
        history: curves of the fit.
        training: facts of the fit for the card, as `training_facts` collects them.
        root: the store's folder to write into.
        say: told each step.

    Returns:
        The stored model.
    """
    say("Converting to LiteRT and measuring each storage on the hold-out")
    weights, choice = choose_storage(network, spec.input_size, dataset)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(weights)
        say("Measuring the served file on PublicTest and PrivateTest")
        predictions = predict_splits(Classifier(path), dataset)
        archive = Path(folder) / "model.keras"
        network.save(archive)
        kept = archive.read_bytes()
    card = {
        "name": spec.name,
        "title": spec.title,
        "spec": spec.as_dict(),
        "recipe": recipe.as_dict(),
        "parameters": int(network.count_params()),
        "weights_from": spec.weights_from,
        "input_size": spec.input_size,
        "training": training,
        "served": {**choice, "size_bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()},
        "data_fingerprint": dataset.fingerprint,
        "metrics": summarize(predictions, dataset),
        "measured": "on the served LiteRT file, by `python -m fer_core train` when it stored the model",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return save_model(root, card, weights, predictions, pd.DataFrame(history).rename_axis("epoch").reset_index(), kept)


def choose_storage(network: keras.Model, input_size: int, dataset: FerDataset) -> tuple[bytes, dict[str, Any]]:
    """Return the smallest LiteRT file that loses at most `TOLERATED_LOSS` on the hold-out, and what was measured."""
    _, holdout = dataset.holdout()
    files, accuracies, sizes = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for quantization in QUANTIZATIONS:
            files[quantization] = to_litert(network, input_size, quantization)
            path = Path(folder) / f"{quantization}.tflite"
            path.write_bytes(files[quantization])
            probabilities = Classifier(path).predict(holdout.images).probabilities
            accuracies[quantization] = evaluate(holdout.labels, probabilities).accuracy
            sizes[quantization] = len(files[quantization])
    good = [q for q in QUANTIZATIONS if accuracies[q] >= accuracies["float32"] - TOLERATED_LOSS]
    chosen = min(good, key=lambda q: sizes[q])
    return files[chosen], {"storage": chosen, "holdout_accuracy": accuracies, "sizes": sizes}


def training_facts(dataset: FerDataset, recipe: Recipe, seconds: float) -> dict[str, Any]:
    """Collect where and on what a model was fitted, for its card."""
    part, holdout = dataset.holdout()
    return {
        "data": "FER2013 Training without the fixed hold-out",
        "faces": len(part),
        "holdout_faces": len(holdout),
        "epochs": recipe.epochs,
        "seed": recipe.seed,
        "seconds": round(seconds),
        "device": f"{_processor()}, {os.cpu_count()} cores",
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "commit": _commit(),
    }


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str | None:
    """The commit of this code, where it is a git checkout."""
    folder = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
