"""The second step of a new run: the network, its initial weights, and how it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from fer_core.models import ModelSpec, model_spec, network_names
from fer_core.models.spec import ALL_LAYERS, PREPROCESSINGS, WEIGHTS
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.training.augmentation import AUGMENTATIONS, augmentation_named
from fer_core.training.initial_weights import weight_sources
from fer_core.training.recipe import CLASS_WEIGHTS, LOSSES, OPTIMIZERS, SCHEDULES, Recipe, fine_tuning_recipe
from pages.parts.common import model_titles, plain, whole_number

AUTO: Final = "auto"
"""The value that leaves a setting to the network's recipe."""

DEFAULT_NETWORK: Final = "compact_cnn"
"""It can continue the default model's training, which needs no download and starts from a good model."""

RATES: Final = (0.00003, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.01, 0.03, 0.1, 0.3)
OPEN_LAYERS: Final = {"none": 0, "2": 2, "6": 6, "12": 12, "24": 24, "all": ALL_LAYERS}


def select_network() -> ModelSpec:
    """Ask for the network and its initial weights."""
    names = network_names()
    titles = model_titles(list_models()[0]) | WEIGHTS
    with st.grid(2, min_column_width=200):
        first = names.index(DEFAULT_NETWORK)
        name = st.selectbox("Network", names, first, format_func=_title, key="f_variant", bind="query-params")
        spec = model_spec(str(name))
        sources, notes = weight_sources(spec)
        source = st.selectbox(
            "Start from",
            sources,
            sources.index(DEFAULT_MODEL) if DEFAULT_MODEL in sources else 0,
            format_func=lambda source: titles.get(source, source),
            key="f_start",
            bind="query-params",
            help="ImageNet: a backbone trained on photographs. UTKFace: one trained on ages and genders of faces. "
            "VGGFace2: one trained to tell faces apart. A model: continue its training.",
        )
    if notes:
        with st.expander("Other weights to start from", icon=":material/info:"):
            st.markdown("\n".join(f"- {plain(note)}" for note in notes))
    if source == "utkface":
        return spec.with_weights("utkface")  # with the head that fits such features
    return replace(spec, weights_from=str(source))


def _title(network: str) -> str:
    return model_spec(network).title


def select_recipe(spec: ModelSpec, faces: int) -> tuple[ModelSpec, Recipe]:
    """Ask how the network is changed and fitted. Settings left on `auto` follow its recipe.

    Raises:
        FerError: the settings contradict each other.
    """
    with st.grid(3, min_column_width=140):
        epochs = st.slider("Epochs", 1, 100, 15, key="f_epochs", bind="query-params")
        settings = {"peak_learning_rate": _setting("Learning rate", RATES, "f_rate")}
        augmentation = _setting("Augmentation", AUGMENTATIONS, "f_augment", "How much each face is varied.")
    with st.expander("More settings", icon=":material/tune:"), st.grid(3, min_column_width=140):
        spec = _changed_network(spec)
        settings |= {
            "schedule": _setting("Schedule", SCHEDULES, "f_schedule"),
            "optimizer": _setting("Optimizer", OPTIMIZERS, "f_optimizer"),
            "batch_size": _setting("Batch size", (8, 16, 32, 64, 128, 256), "f_batch"),
            "label_smoothing": _setting("Label smoothing", (0.0, 0.05, 0.1, 0.2), "f_smoothing"),
            "early_stopping": _setting(
                "Early stopping",
                (0, 3, 5, 8),
                "f_patience",
                "Stop when the hold-out loss has not fallen for this many epochs, and keep the best epoch. 0: never.",
            ),
            "class_weights": _setting(
                "Class weights",
                CLASS_WEIGHTS,
                "f_weights",
                "balanced: each expression has the same weight in the loss, however rare it is.",
            ),
            "loss": _setting("Loss", LOSSES, "f_loss", "focal: faces that are already correct count less."),
            "seed": whole_number("Seed", 0, 9999, 0, "f_seed"),
        }
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if augmentation is not None:
        given["augmentation"] = augmentation_named(str(augmentation), spec)
    if given.get("early_stopping"):
        given["ema"] = 0.0
    return spec, replace(fine_tuning_recipe(spec, faces, epochs), **given)


def _changed_network(spec: ModelSpec) -> ModelSpec:
    """Ask how a named network is changed; a changed one gets a name of its own."""
    settings: dict[str, Any] = {}
    if spec.architecture == "transfer":
        layers = _setting(
            "Open layers",
            tuple(OPEN_LAYERS),
            "f_open",
            "How many of the backbone's last layers with weights are trained, besides the head and without batch norm.",
        )
        settings = {
            "open_layers": None if layers is None else OPEN_LAYERS[str(layers)],
            "noise": _setting(
                "Noise", (0.0, 0.02, 0.05, 0.1), "f_noise", "On the input, as a share of the gray range."
            ),
        }
    settings |= {
        "preprocessing": _setting("Preprocessing", PREPROCESSINGS, "f_prepare"),
        "dropout": _setting("Dropout", (0.0, 0.2, 0.3, 0.5), "f_dropout"),
    }
    changed = replace(spec, **{name: value for name, value in settings.items() if value is not None})
    if changed == spec:
        return spec
    stem = spec.backbone.lower() or spec.architecture
    return replace(changed, name=f"{stem}_own", title=f"{spec.backbone or spec.title}, own settings")


def _setting(label: str, options: Sequence[Any], key: str, help: str | None = None) -> Any:
    """Ask for one setting; return None if it is left to the recipe."""
    value = st.selectbox(label, [AUTO, *options], key=key, bind="query-params", help=help)
    return None if value == AUTO else value
