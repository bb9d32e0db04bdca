"""Fit a network to faces by a recipe, kept after every epoch, so that a fit that was killed goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset
from fer_core.labels import NUM_CLASSES
from fer_core.models import ModelSpec
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.batches import Batches
from fer_core.training.features import pooled_features
from fer_core.training.fused import fused_batch_normalization
from fer_core.training.keep_best import KeepBest
from fer_core.training.optimizing import make_loss, make_metrics, make_optimizer, schedule_callbacks
from fer_core.training.recipe import Recipe, uses_features
from fer_core.training.start import teacher
from fer_core.training.targets import Shares, make_targets
from fer_core.training.teaching import Teaching

BACKUP, HISTORY = "backup", "history.csv"


def fit(
    network: keras.Model,
    spec: ModelSpec,
    recipe: Recipe,
    training: FerDataset,
    holdout: FerDataset,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    votes: tuple[Shares, Shares] | None = None,
    keep_features: bool = True,
) -> dict[str, list[float]]:
    """Fit `network` in place.

    Where the backbone is frozen and faces are at most mirrored, its features are computed once and kept; an epoch then
    takes about a second. The hold-out is watched; it picks an epoch only where the recipe stops early.

    Args:
        network: of `spec`, with a second head (`with_votes_head`) if the recipe learns from labels and votes. Build it
            under `precision(recipe)` for mixed precision.
        spec: what it is.
        recipe: how.
        training: faces to learn from.
        holdout: faces to watch.
        folder: where `backup/` (state after each epoch) and `history.csv` go. A fit that was killed goes on there.
        callbacks: more of Keras' callbacks.
        votes: shares of votes on both parts, as in `TrainingData.votes`.
        keep_features: False runs a frozen backbone in every epoch, to see what keeping its features saves.

    Returns:
        The history, one list an entry: `loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate`.
    """
    if keep_features and uses_features(spec, recipe):
        model, inputs = _on_features(network, spec, recipe, training, holdout)
    else:
        model, inputs = _on_faces(network, spec, recipe, training, holdout)
    (x, y), watched = inputs
    model.compile(
        optimizer=make_optimizer(recipe, network, len(x)),
        loss=make_loss(recipe),
        metrics=make_metrics(recipe),
        jit_compile=False,
    )
    shares, watched_shares = votes or (None, None)
    targets = make_targets(y, shares, recipe.target)
    watched_targets = make_targets(watched[1], watched_shares, recipe.target)
    with fused_batch_normalization(model):
        history = model.fit(
            Batches(x, targets, recipe.batch_size, recipe.seed, _sample_weights(y, recipe)),
            validation_data=Batches(watched[0], watched_targets, 512),
            epochs=recipe.epochs,
            shuffle=False,  # Batches does it
            callbacks=[*_records(recipe, folder, model.optimizer.use_ema), *callbacks],
            verbose=0,
        )
    return {name: [float(v) for v in values] for name, values in history.history.items()}


def precision(recipe: Recipe) -> keras.DTypePolicy:
    """Return the dtype policy to build a network under for this recipe."""
    return keras.DTypePolicy("mixed_bfloat16" if recipe.mixed_precision else "float32")


Arrays = tuple[NDArray[Any], NDArray[np.int64]]


def _on_faces(
    network: keras.Model, spec: ModelSpec, recipe: Recipe, training: FerDataset, holdout: FerDataset
) -> tuple[keras.Model, tuple[Arrays, Arrays]]:
    x = inputs = keras.Input((*training.images.shape[1:], 1), dtype="uint8")
    for layer in augmentation_layers(recipe.augmentation, recipe.seed) if recipe.augmentation else []:
        x = layer(x)
    answers = network(x)
    if recipe.teachers:
        taught = [teacher(name, spec, precision(recipe).name) for name in recipe.teachers]
        answers = Teaching(taught, recipe.temperature, recipe.teaching)(x, answers)
    return keras.Model(inputs, answers), (
        (training.images[..., None], training.labels),
        (holdout.images[..., None], holdout.labels),
    )


def _on_features(
    network: keras.Model, spec: ModelSpec, recipe: Recipe, training: FerDataset, holdout: FerDataset
) -> tuple[keras.Model, tuple[Arrays, Arrays]]:
    views = (False, True) if recipe.augmentation and recipe.augmentation.flip else (False,)
    seen = np.concatenate([pooled_features(network, spec, training, mirrored).values for mirrored in views])
    watched = pooled_features(network, spec, holdout, mirrored=False).values
    names = [layer.name for layer in network.layers]
    above = network.layers[names.index("pool") + 1 :]
    model = keras.Sequential([keras.Input(seen.shape[1:], dtype="float16"), *above])
    return model, ((seen, np.tile(training.labels, len(views))), (watched, holdout.labels))


def _sample_weights(labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.float32] | None:
    """Weigh each face by the rarity of its class: all classes that are present count the same, the mean weight is 1."""
    if recipe.class_weights == "none":
        return None
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    return (len(labels) / (np.count_nonzero(counts) * counts[labels])).astype(np.float32)


def _records(recipe: Recipe, folder: Path | None, averaged: bool) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = schedule_callbacks(recipe)
    if averaged:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if recipe.early_stopping:
        callbacks.append(KeepBest(recipe.early_stopping, folder))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _mend(folder / BACKUP)
        callbacks.append(keras.callbacks.CSVLogger(folder / HISTORY, append=True))
        callbacks.append(
            keras.callbacks.BackupAndRestore(folder / BACKUP, double_checkpoint=True, delete_checkpoint=False)
        )
    return callbacks


def _mend(backup: Path) -> None:
    """Fall back to the state before, where a kill cut off the note that says which epoch the last one is."""
    note = backup / "training_metadata.json"
    try:
        json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        for path in (note, backup / "latest.weights.h5"):
            before = path.with_name(f"{path.name}.bkp")
            if before.is_file():
                shutil.copy(before, path)
            else:
                path.unlink(missing_ok=True)
