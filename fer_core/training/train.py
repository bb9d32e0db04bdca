"""Train a network from its faces to the store, cut off and resumed as often as need be."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_core.files import home, write_json
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbone import weights_digest
from fer_core.models.transfer import backbone_of
from fer_core.store import StoredModel
from fer_core.training.card import training_facts
from fer_core.training.fit import HISTORY, fit, precision
from fer_core.training.publish import libraries, publish
from fer_core.training.recipe import Recipe, uses_features
from fer_core.training.start import pretraining, starting_network, stored_network
from fer_core.training.targets import VOTES_HEAD, blend_heads, choose_blend, with_votes_head
from fer_core.training.training_data import TrainingData
from fer_core.types import FerError

SPEC, CLOCK = "spec.json", "seconds.json"


def train(
    spec: ModelSpec,
    recipe: Recipe,
    data: TrainingData,
    root: Path,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Callable[[str], None] = lambda _: None,
    ship: bool = False,
) -> StoredModel:
    """Fit, convert, measure and store one model.

    Args:
        spec: what to build.
        recipe: how to fit it.
        data: what to learn from and to measure on.
        root: the store's folder to write into.
        folder: the run's folder; a run that was cut off there goes on at its last epoch. Default: one in the user's
            data folder for each name and seed.
        callbacks: more of Keras' callbacks.
        say: told each step.
        ship: as `publish` takes it.

    Raises:
        FerError: the run's folder holds another run's state, or the weights to start from cannot be had.
    """
    folder = folder or home() / "runs" / f"{spec.name}-seed{recipe.seed}"
    keras.utils.set_random_seed(recipe.seed)
    network = starting_network(spec, "float32" if uses_features(spec, recipe) else precision(recipe).name)
    identity = {"spec": spec.as_dict(), "recipe": recipe.as_dict(), "data": data.fingerprint}
    if data.votes is not None:
        identity["votes"] = hashlib.sha256(b"".join(part.tobytes() for part in data.votes)).hexdigest()[:16]
    _claim(folder, {**identity, **_origins(network, spec, recipe)})
    note = pretraining(spec)
    prepared = data.prepared(spec.preprocessing)
    if uses_features(spec, recipe):
        say(
            f"Looking at {len(data.training) + len(data.holdout):,} faces with the frozen backbone, once for all epochs"
        )
    else:
        say(f"Fitting {spec.title} on {len(data.training):,} faces, {recipe.epochs} epochs")
    clock = _Clock(folder / CLOCK)
    learner = with_votes_head(network) if recipe.target == "both" else network
    fit(learner, spec, recipe, prepared.training, prepared.holdout, folder, [clock, *callbacks], data.votes)
    final = build_network(spec)
    final.set_weights(network.get_weights())
    history = read_history(folder)
    epochs = max(map(len, history.values()))
    facts = training_facts(data, epochs, recipe.seed, clock.seconds, libraries())
    if note is not None:
        facts["pretraining"] = note
    facts["target"] = recipe.target
    if recipe.target == "both" and data.votes is not None:
        both = with_votes_head(final)
        both.get_layer(VOTES_HEAD).set_weights(learner.get_layer(VOTES_HEAD).get_weights())
        share, facts["holdout_by_votes_share"] = choose_blend(both, prepared.holdout, data.votes[1])
        blend_heads(final, both, share)
        facts["votes_share"] = share
    return publish(final, spec, recipe, data, history, facts, root, ship, say)


def read_history(folder: Path) -> dict[str, list[float]]:
    """Return a run's curves; an epoch that was begun twice counts with its last try."""
    rows = np.genfromtxt(folder / HISTORY, delimiter=",", names=True, ndmin=1)
    last = {int(row["epoch"]): row for row in rows}
    names = [name for name in rows.dtype.names or () if name != "epoch"]
    return {name: [float(last[epoch][name]) for epoch in sorted(last)] for name in names}


def _origins(network: keras.Model, spec: ModelSpec, recipe: Recipe) -> dict[str, str]:
    """Hashes of the weights that a fit starts from and learns from, which their names do not tell."""
    found = {}
    if spec.weights_from != "random":
        found["start"] = weights_digest(backbone_of(network) if spec.backbone else network)
    return found | {f"teacher {name}": weights_digest(stored_network(name)) for name in recipe.teachers}


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Mark a run's folder as this run's, or make sure that it is, as far as an older version noted it."""
    identity = json.loads(json.dumps(identity))
    path = folder / SPEC
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if any(known[key] != identity[key] for key in known.keys() & identity.keys()):
        raise FerError(
            f"The folder {folder} holds a run with another model, recipe or dataset, or from other weights. "
            f"Delete it to start anew, or choose another seed."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, identity)


class _Clock(keras.callbacks.Callback):
    """Adds up the seconds of all finished epochs, and of computing features, over resumes too."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.seconds = float(json.loads(path.read_text())) if path.is_file() else 0.0
        self._started = time.monotonic()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._add()  # what came before the first epoch: features, if any

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._add()

    def _add(self) -> None:
        self.seconds += time.monotonic() - self._started
        self._started = time.monotonic()
        write_json(self.path, self.seconds)
