"""What makes a run the same run: a folder belongs to one model, recipe and data, and the weights behind their names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_core.files import write_json
from fer_core.models import ModelSpec
from fer_core.models.backbones import weights_digest
from fer_core.models.networks import backbone_of
from fer_core.training.data import TrainingData
from fer_core.training.initial_weights import stored_network
from fer_core.training.recipe import Recipe
from fer_core.types import FerError


def run_identity(network: keras.Model, spec: ModelSpec, recipe: Recipe, data: TrainingData) -> dict[str, Any]:
    """Return what makes a run the same run, including hashes of the weights that it starts from and learns from."""
    identity = {"spec": spec.as_dict(), "recipe": recipe.as_dict(), "data": data.fingerprint}
    if recipe.target != "labels" and data.training.votes is not None:
        identity["votes"] = hashlib.sha256(data.training.votes.votes.tobytes()).hexdigest()[:16]
    if data.unlabelled is not None:
        identity["unlabelled"] = hashlib.sha256(np.ascontiguousarray(data.unlabelled).data).hexdigest()[:16]
    if spec.weights_from != "random":
        identity["start"] = weights_digest(backbone_of(network) if spec.backbone else network)
    return identity | {f"teacher {name}": weights_digest(stored_network(name)) for name in recipe.teachers}


def claim_folder(folder: Path, identity: dict[str, Any]) -> None:
    """Write a run's identity to its folder, or check it against the one that is there."""
    identity = json.loads(json.dumps(identity))
    path = folder / "spec.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if any(known[key] != identity[key] for key in known.keys() & identity.keys()):
        raise FerError(
            f"The folder {folder} belongs to a run with another model, recipe or dataset, or from other weights. "
            f"Delete it to start again, or choose another seed."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, identity)
