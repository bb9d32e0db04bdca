"""Train a network from its faces to the store, cut off and resumed as often as need be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_core.data import FerDataset, home
from fer_core.models import ModelSpec, build_network
from fer_core.store import StoredModel
from fer_core.training.card import training_facts
from fer_core.training.fit import fit, precision
from fer_core.training.publish import libraries, publish
from fer_core.training.recipe import Recipe
from fer_core.types import FerError

SPEC, CLOCK = "spec.json", "seconds.json"


def train(
    spec: ModelSpec,
    recipe: Recipe,
    dataset: FerDataset,
    root: Path,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Fit, convert, measure and store one model.

    Args:
        spec: what to build.
        recipe: how to fit it.
        dataset: FER2013, all splits.
        root: the store's folder to write into.
        folder: the run's folder; a run that was cut off there goes on at its last epoch. Default: one in the user's
            data folder for each name and seed.
        callbacks: more of Keras' callbacks.
        say: told each step.

    Raises:
        FerError: the run's folder holds another run's state.
    """
    folder = folder or home() / "runs" / f"{spec.name}-seed{recipe.seed}"
    _claim(folder, {"spec": spec.as_dict(), "recipe": recipe.as_dict(), "data": dataset.fingerprint})
    part, holdout = dataset.holdout()
    keras.utils.set_random_seed(recipe.seed)
    network = build_network(spec, precision(recipe).name)
    say(f"Fitting {spec.title} on {len(part):,} faces, {recipe.epochs} epochs; state in {folder}")
    clock = _Clock(folder / CLOCK)
    fit(
        network,
        recipe,
        (part.images, part.labels),
        (holdout.images, holdout.labels),
        folder,
        callbacks=[clock, *callbacks],
    )
    final = build_network(spec)
    final.set_weights(network.get_weights())
    facts = training_facts(dataset, recipe.epochs, recipe.seed, clock.seconds, libraries())
    return publish(final, spec, recipe, dataset, read_history(folder), facts, root, say)


def read_history(folder: Path) -> dict[str, list[float]]:
    """Return a run's curves; an epoch that was begun twice counts with its last try."""
    rows = np.genfromtxt(folder / "history.csv", delimiter=",", names=True, ndmin=1)
    last = {int(row["epoch"]): row for row in rows}
    names = [name for name in rows.dtype.names or () if name != "epoch"]
    return {name: [float(last[epoch][name]) for epoch in sorted(last)] for name in names}


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Mark a run's folder as this run's, or make sure that it is."""
    wanted = json.dumps(identity, sort_keys=True)
    path = folder / SPEC
    if path.is_file() and path.read_text(encoding="utf-8") != wanted:
        raise FerError(
            f"The folder {folder} holds a run with another model, recipe or dataset. "
            f"Delete it to start anew, or choose another seed."
        )
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(wanted, encoding="utf-8")
    temporary.replace(path)


class _Clock(keras.callbacks.Callback):
    """Adds up the seconds of all finished epochs, over resumes too."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.seconds = float(json.loads(path.read_text())) if path.is_file() else 0.0
        self._started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self.seconds += time.monotonic() - self._started
        self.path.write_text(json.dumps(self.seconds))
