"""Train a head on a frozen backbone: features once, then the head on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from fer_core.data import FerDataset
from fer_core.models import ModelSpec, build_network
from fer_core.store import StoredModel
from fer_core.training.card import training_facts
from fer_core.training.features import pooled_features
from fer_core.training.head import HeadRecipe, fit_head
from fer_core.training.publish import libraries, publish


def train_frozen(
    spec: ModelSpec,
    recipe: HeadRecipe,
    dataset: FerDataset,
    root: Path,
    say: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Fit the head, convert, measure and store the model.

    Args:
        spec: what to build; everything below its layer `pool` is frozen.
        recipe: how to fit the head.
        dataset: FER2013, all splits.
        root: the store's folder to write into.
        say: told each step.

    Raises:
        FerError: the backbone's weights cannot be had.
    """
    part, holdout = dataset.holdout()
    keras.utils.set_random_seed(recipe.seed)
    network = build_network(spec)
    views = (False, True) if recipe.mirrored else (False,)
    say(f"Features of {len(part):,} faces in {len(views)} views, or from the cache of an earlier run")
    seen = [pooled_features(network, spec, part, mirrored) for mirrored in views]
    watched = pooled_features(network, spec, holdout, mirrored=False)
    say(f"Fitting {len(recipe.penalties)} heads, {recipe.epochs} epochs each")
    started = time.monotonic()
    fitted = fit_head(
        (np.concatenate([view.values for view in seen]), np.tile(part.labels, len(views))),
        (watched.values, holdout.labels),
        recipe,
        say,
    )
    network.get_layer("head").set_weights(fitted.weights)
    facts = training_facts(dataset, recipe.epochs, recipe.seed, time.monotonic() - started, libraries())
    facts |= {
        "features_seconds": round(sum(pooled.seconds for pooled in (*seen, watched))),  # on top of the fit's seconds
        "tried": fitted.tried,
        "penalty": fitted.penalty,
    }
    return publish(network, spec, recipe, dataset, fitted.history, facts, root, say)
