"""From a fitted network to a stored model: convert, choose how weights are stored, measure, write the card."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras
import pandas as pd

from fer_core.data import FerDataset, cache_folder
from fer_core.evaluation import evaluate
from fer_core.inference import Classifier
from fer_core.inference.measure import predict_splits
from fer_core.models import ModelSpec
from fer_core.models.backbone import weights_digest
from fer_core.models.composed import HEAD, composed_path, head_bytes, keep
from fer_core.store import StoredModel, save_model
from fer_core.training.card import make_card
from fer_core.training.convert import QUANTIZATIONS, to_litert

TOLERATED_LOSS = 0.002
"""A smaller file is served if it costs at most this much accuracy on the hold-out (0.2 points)."""


class DescribesItself(Protocol):
    """Any recipe."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""


def publish(
    network: keras.Model,
    spec: ModelSpec,
    recipe: DescribesItself,
    dataset: FerDataset,
    history: dict[str, list[float]],
    training: dict[str, Any],
    root: Path,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Convert a fitted network and store it with everything measured on the converted file.

    How weights are stored (float32, float16, int8) is chosen on the hold-out alone; the test splits are run once.
    A network on a downloaded, unchanged backbone ships its head only; the measured file goes into the cache that
    `StoredModel.weights` reads.

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
    weights, served = choose_storage(network, spec.input_size, dataset)
    served |= {"size_bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(weights)
        say("Measuring the served file on PublicTest and PrivateTest")
        predictions = predict_splits(Classifier(path), dataset)
        archive = Path(folder) / "model.keras"
        if not spec.ships_head_only:
            network.save(archive)
        kept = archive.read_bytes() if archive.is_file() else b""
    head = head_bytes(*network.get_layer("head").get_weights()) if spec.ships_head_only else b""
    if head:
        served["composed"] = _composition(network, spec, head)
    card = make_card(
        spec,
        recipe.as_dict(),
        int(network.count_params()),
        training,
        served,
        dataset,
        predictions,
        "on the composed LiteRT file" if head else "on the served LiteRT file",
    )
    curves = pd.DataFrame(history).rename_axis("epoch").reset_index()
    model = save_model(root, card, b"" if head else weights, predictions, curves, kept, head)
    if head:
        keep(weights, composed_path(model.folder / HEAD, served["storage"], cache_folder("composed")))
    return model


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


def libraries() -> dict[str, str]:
    """Return what computed a fit, for the card."""
    return {"backend": keras.backend.backend(), "keras": keras.__version__}


def _composition(network: keras.Model, spec: ModelSpec, head: bytes) -> dict[str, Any]:
    """Say of which parts the served file is put together, and on which backbone weights it was measured."""
    backbone = keras.Model(network.input, network.get_layer("features").output)
    return {
        "how": f"The linear head in {HEAD} on the unchanged {spec.weights_from} backbone, which is not shipped: put "
        f"together and converted to LiteRT on first use",
        "architecture": spec.architecture,
        "head_parameters": int(network.get_layer("head").count_params()),
        "head_sha256": hashlib.sha256(head).hexdigest(),
        "backbone_parameters": int(backbone.count_params()),
        "backbone_digest": weights_digest(backbone),
    }
