"""Train any named model, each in its own way: what `python -m fer_core train` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_core.data import FerDataset
from fer_core.models import ModelSpec
from fer_core.store import StoredModel
from fer_core.types import FerError

BASELINES = ("class_prior", "hog_linear")
"""Architectures of scikit-learn; training them imports no Keras."""


def train_named(
    spec: ModelSpec,
    dataset: FerDataset,
    root: Path,
    epochs: int | None = None,
    seed: int | None = None,
    run: Path | None = None,
    callbacks: Callable[[], list[Any]] = list,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Fit, measure and store a named model by its recipe.

    Args:
        spec: which.
        dataset: FER2013, all splits.
        root: the store's folder to write into.
        epochs: passes over the data; default: the recipe's.
        seed: another than the recipe's.
        run: the run's folder, for a model whose training can be cut off and resumed.
        callbacks: makes Keras' callbacks for such a model, once Keras is imported.
        say: told each step.

    Raises:
        FerError: epochs or a run's folder given for a model that has none.
    """
    if run is not None and spec.architecture != "compact_cnn":
        raise FerError(f"{spec.name} is trained in one go and keeps no run folder: leave out --run.")
    if spec.architecture in BASELINES:
        from fer_core.training.baselines import train_baseline

        if epochs is not None:
            raise FerError(f"{spec.name} is not trained in epochs: leave out --epochs.")
        return train_baseline(spec, dataset, root, seed or 0, say)
    say("Starting Keras …")
    from fer_core.training.recipes import HEAD_RECIPES, RECIPES

    if spec.name in HEAD_RECIPES:
        from fer_core.training.frozen import train_frozen

        head = HEAD_RECIPES[spec.name]
        head = replace(head, epochs=epochs or head.epochs, seed=head.seed if seed is None else seed)
        return train_frozen(spec, head, dataset, root, say)
    from fer_core.training.train import train

    recipe = RECIPES[spec.name]
    recipe = replace(recipe, epochs=epochs or recipe.epochs, seed=recipe.seed if seed is None else seed)
    return train(spec, recipe, dataset, root, run, callbacks(), say)
