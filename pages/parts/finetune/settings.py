"""Which network, from which weights, and how it is fitted: the Fine-tune page's second step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from fer_core.models import ModelSpec, model_spec, network_names
from fer_core.models.spec import ALL_LAYERS, PREPROCESSINGS
from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, Augmentation
from fer_core.training.recipe import CLASS_WEIGHTS, LOSSES, OPTIMIZERS, SCHEDULES, Recipe
from fer_core.training.recipes import recipe_for
from fer_core.training.weight_sources import starts
from pages.parts.analysis import plain

AUTO: Final = "auto"
"""The value that leaves a setting as the network's recipe has it."""

DEFAULT_VARIANT: Final = "mobilenetv2_frozen"
RATES: Final = (0.00003, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.01, 0.03, 0.1, 0.3)
AUGMENTATIONS: Final = {"off": None, "mirror": 0.0, "weak": 0.5, "medium": 1.0, "strong": 1.5, "as the paper": -1.0}
"""Words to strengths; the paper's has its own kinds."""

LAYERS: Final = {"none": 0, "2": 2, "6": 6, "12": 12, "24": 24, "all": ALL_LAYERS}
ENOUGH_STEPS: Final = 4
"""Steps of an epoch below which batches are made smaller: too few of them teach nothing."""

GENTLER: Final = 0.1
"""Factor on the learning rate of a network that was trained on faces before: more would undo that."""


def model_choice() -> ModelSpec:
    """Ask for the network and the weights that it starts from."""
    names = network_names()
    with st.grid(2, min_column_width=200):
        name = st.selectbox("Network", names, index=names.index(DEFAULT_VARIANT), key="f_variant", bind="query-params")
        spec = model_spec(str(name))
        found = starts(spec)
        source = st.selectbox(
            "Start from", found.sources, key="f_start", bind="query-params",
            help="random: learn from nothing. imagenet: a backbone that knows photographs. utkface: one that knows "
            "faces. A model's name: go on where that one ended.",
        )  # fmt: skip
    if found.notes:
        with st.expander("Other weights to start from", icon=":material/info:"):
            st.markdown("\n".join(f"- {plain(note)}" for note in found.notes))
    if source == "utkface":
        return spec.with_weights("utkface")  # with the head that such features need
    return replace(spec, weights_from=str(source))


def settings(spec: ModelSpec, faces: int) -> tuple[ModelSpec, Recipe]:
    """Ask how the network is changed and fitted; what is left on `auto` follows its recipe.

    Raises:
        FerError: the settings contradict each other.
    """
    with st.grid(3, min_column_width=140):
        epochs = st.slider("Epochs", 1, 100, 15, key="f_epochs", bind="query-params")
        asked = {"peak_learning_rate": _auto("Learning rate", RATES, "f_rate")}
        strength = _auto("Augmentation", tuple(AUGMENTATIONS), "f_augment", "How strongly each face varies.")
    with st.expander("More settings", icon=":material/tune:"), st.grid(3, min_column_width=140):
        spec = _changed(spec)
        asked |= {
            "schedule": _auto("Schedule", SCHEDULES, "f_schedule"),
            "optimizer": _auto("Optimizer", OPTIMIZERS, "f_optimizer"),
            "batch_size": _auto("Batch size", (8, 16, 32, 64, 128, 256), "f_batch"),
            "label_smoothing": _auto("Label smoothing", (0.0, 0.05, 0.1, 0.2), "f_smoothing"),
            "early_stopping": _auto(
                "Early stopping", (0, 3, 5, 8), "f_patience",
                "Stop when the hold-out loss has not fallen for so many epochs, and keep the best one. 0: never.",
            ),
            "class_weights": _auto(
                "Class weights", CLASS_WEIGHTS, "f_weights", "balanced: each expression counts as much, however rare."
            ),
            "loss": _auto("Loss", LOSSES, "f_loss", "focal: faces that are right already count less."),
            "seed": int(st.number_input("Seed", 0, 9999, 0, key="f_seed", bind="query-params")),
        }  # fmt: skip
    recipe = suited(spec, faces, epochs)
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if strength is not None:
        given["augmentation"] = augmentation(spec, str(strength))
    if given.get("early_stopping"):
        given["ema"] = 0.0
    return spec, replace(recipe, **given)


def suited(spec: ModelSpec, faces: int, epochs: int) -> Recipe:
    """Return a network's recipe, made for all of FER2013, suited to fewer faces and epochs.

    Batches get smaller where an epoch would have too few steps, and a stored model is trained on gently.
    """
    recipe = recipe_for(spec)
    batch = recipe.batch_size
    while batch > 8 and faces < ENOUGH_STEPS * batch:
        batch //= 2
    rate = recipe.peak_learning_rate * (1 if spec.weights_from in {"random", "imagenet", "utkface"} else GENTLER)
    return replace(recipe, epochs=epochs, batch_size=batch, peak_learning_rate=rate)


def augmentation(spec: ModelSpec, word: str) -> Augmentation | None:
    """Return what one of the words of `AUGMENTATIONS` stands for."""
    strength = AUGMENTATIONS[word]
    if strength is None:
        return None
    if strength <= 0:
        return MIRROR_ONLY if strength == 0 else AS_THE_PAPER
    return Augmentation.of_strength(strength, crop=48 if spec.architecture == "transfer" else 44)


def words_for_recipe(spec: ModelSpec, recipe: Recipe) -> str:
    """Say in one line how a network will be fitted."""
    smoothing = f", label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    kinds = recipe.augmentation
    varied = "faces as they are"
    if kinds is not None:
        varied = "faces mirrored" if kinds.only_mirrors else f"faces varied (±{kinds.rotation:.0f}°, mirrored …)"
    return (
        f"{spec.title}: trains {spec.trained}; {recipe.optimizer}, learning rate {recipe.peak_learning_rate:g} "
        f"({recipe.schedule.replace('_', ' ')}), batches of {recipe.batch_size}{smoothing}; {varied}."
    )


def _changed(spec: ModelSpec) -> ModelSpec:
    """Ask what is changed about a named network; one that is changed no longer has its name."""
    asked: dict[str, Any] = {}
    if spec.architecture == "transfer":
        layers = _auto(
            "Open layers", tuple(LAYERS), "f_open", "How many of the backbone's last layers train, besides the head."
        )
        asked = {
            "open_layers": None if layers is None else LAYERS[str(layers)],
            "noise": _auto("Noise", (0.0, 0.02, 0.05, 0.1), "f_noise", "On the input, as a share of the gray range."),
        }
    asked |= {
        "preprocessing": _auto("Preprocessing", PREPROCESSINGS, "f_prepare"),
        "dropout": _auto("Dropout", (0.0, 0.2, 0.3, 0.5), "f_dropout"),
    }
    changed = replace(spec, **{name: value for name, value in asked.items() if value is not None})
    if changed == spec:
        return spec
    stem = spec.backbone.lower() or spec.architecture
    return replace(changed, name=f"{stem}_own", title=f"{spec.backbone or spec.title}, own settings")


def _auto(label: str, options: Sequence[Any], key: str, help: str | None = None) -> Any:
    """Ask for a setting; None if it is left to the recipe."""
    value = st.selectbox(label, [AUTO, *options], key=key, bind="query-params", help=help)
    return None if value == AUTO else value
