"""Train any named model: what `python -m fer_core train` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_core.models import ModelSpec
from fer_core.store import StoredModel
from fer_core.training.recipes import BY_NAME, recipe_for
from fer_core.training.training_data import TrainingData
from fer_core.types import FerError

BASELINES = ("class_prior", "hog_linear")
"""Architectures of scikit-learn; training them imports no Keras."""


def needs_votes(spec: ModelSpec) -> bool:
    """Whether a named model's recipe learns from FER+'s votes."""
    recipe = BY_NAME.get(spec.name)
    return recipe is not None and recipe.target != "labels"


def train_named(
    spec: ModelSpec,
    data: TrainingData,
    root: Path,
    epochs: int | None = None,
    seed: int | None = None,
    weights: str | None = None,
    trial: bool = False,
    run: Path | None = None,
    callbacks: Callable[[], list[Any]] = list,
    say: Callable[[str], None] = lambda _: None,
    ship: bool = False,
) -> StoredModel:
    """Fit, measure and store a named model by its recipe.

    Args:
        spec: which.
        data: what to learn from and to measure on.
        root: the store's folder to write into.
        epochs: passes over the data; default: the recipe's.
        seed: another than the recipe's; the model is then stored beside the first, as `<name>_seed<seed>`.
        weights: to start from instead of the model's own: `random`, `imagenet`, `utkface` or a stored model's name; the
            name then says so.
        trial: store it as `<name>_trial`, so that it stands in no good model's place.
        run: the run's folder.
        callbacks: makes Keras' callbacks, once Keras is imported.
        say: told each step.
        ship: store it as this repository ships it.

    Raises:
        FerError: epochs or a run's folder given for a baseline, which has none.
    """
    if weights is not None:
        spec = spec.with_weights(weights)
    recipe = BY_NAME.get(spec.name) or recipe_for(spec)
    if seed:
        spec = replace(spec, name=f"{spec.name}_seed{seed}", title=f"{spec.title}, seed {seed}")
    if trial:
        spec = replace(spec, name=f"{spec.name}_trial", title=f"{spec.title}, trial")
    if spec.architecture in BASELINES:
        from fer_core.training.baselines import train_baseline

        if epochs is not None or run is not None:
            raise FerError(f"{spec.name} is trained in one go, not in epochs: leave out --epochs and --run.")
        return train_baseline(spec, data, root, seed or 0, say)
    say("Starting Keras …")
    from fer_core.training.train import train

    recipe = replace(recipe, epochs=epochs or recipe.epochs, seed=recipe.seed if seed is None else seed)
    return train(spec, recipe, data, root, run, callbacks(), say, ship)
