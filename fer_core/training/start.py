"""The network that a training starts from, whichever weights its spec names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from fer_core.files import home
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbone import pretrained_file
from fer_core.models.transfer import backbone_of
from fer_core.store import KERAS, load_model
from fer_core.training.kept_backbone import kept_backbone, read_backbone
from fer_core.types import FerError


def starting_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network with the weights that it starts from.

    Args:
        spec: `weights_from` is `random`, `imagenet`, `utkface` (what `python -m fer_core pretrain` made here, else
            what a stored model kept of it) or the name of a stored model of the same network.
        dtype: as `build_network` takes it.

    Raises:
        FerError: the weights cannot be had or do not fit.
    """
    network = build_network(spec, dtype)
    if spec.weights_from == "utkface":
        _load_pretrained(network, spec)
    elif spec.weights_from not in {"random", "imagenet"}:
        _take_over(network, stored_network(spec.weights_from), spec)
    return network


def stored_network(name: str) -> keras.Model:
    """Return a stored model as a Keras network in float32, read in safe mode.

    Raises:
        FerError: there is none of that name, or it keeps no Keras weights.
    """
    model = load_model(name)
    path = model.folder / KERAS
    if not path.is_file():
        raise FerError(
            f"The model {name} keeps no Keras weights ({KERAS}), so that no training can start from it or be taught "
            f"by it. `python -m fer_core train {name}` makes them, if it is one of the named models."
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive's damage provokes
        raise FerError(
            f"The Keras weights of {name} cannot be read ({type(error).__name__}). Train it again."
        ) from error


def teacher(name: str, student: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Return a stored model to learn from.

    Args:
        name: of the stored model.
        student: what learns from it.
        dtype: Keras' dtype policy that it computes in.

    Raises:
        FerError: there is none of that name with Keras weights, or it sees its faces otherwise prepared.
    """
    spec = load_model(name).card.spec
    if spec is None:
        raise FerError(f"The card of {name} does not describe a network that this version can build.")
    if spec.preprocessing != student.preprocessing:
        raise FerError(
            f"{name} sees faces prepared by '{spec.preprocessing}', {student.name} by '{student.preprocessing}': "
            f"choose a teacher with the same preprocessing."
        )
    network = build_network(replace(spec, weights_from="random"), dtype)
    network.set_weights(stored_network(name).get_weights())
    network.trainable = False
    return network


def pretraining(spec: ModelSpec) -> dict[str, Any] | None:
    """Return how the backbone of a spec was pretrained, as `pretrain` noted it; None without such a note."""
    if spec.weights_from != "utkface":
        return None
    path = _pretrained_path(spec)
    note = path.with_suffix("").with_suffix(".json")
    if path.is_file():
        return dict(json.loads(note.read_text(encoding="utf-8"))) if note.is_file() else None
    if (kept := kept_backbone(spec)) is not None and (told := kept.card.training.get("pretraining")):
        return {**told, "read_from": f"{kept.name}, weights in {(kept.card.served or {})['storage']}"}
    return None


def _pretrained_path(spec: ModelSpec) -> Path:
    return home() / "backbones" / pretrained_file(spec.backbone, spec.backbone_size)


def _load_pretrained(network: keras.Model, spec: ModelSpec) -> None:
    if spec.architecture != "transfer":
        raise FerError(f"Only models with a backbone can start from utkface. Received: {spec.name}")
    path = _pretrained_path(spec)
    command = f"python -m fer_core pretrain {spec.backbone} --data utkface.parquet"
    if not path.is_file():
        if (kept := kept_backbone(spec)) is not None:
            return read_backbone(backbone_of(network), kept.weights)
        raise FerError(f"{spec.backbone} is not pretrained on UTKFace here. Do it once: `{command}`. Missing: {path}")
    try:
        backbone_of(network).load_weights(path)
    except Exception as error:  # as above
        raise FerError(f"The weights {path} cannot be read. Pretrain anew: `{command}`.") from error


def _take_over(network: keras.Model, source: keras.Model, spec: ModelSpec) -> None:
    wanted, given = ([tuple(v.shape) for v in one.weights] for one in (network, source))
    if wanted != given:
        raise FerError(
            f"The network of {spec.weights_from} is another than {spec.name}'s, so that its weights do not fit. Start "
            f"from a model of the same backbone and head, or from other weights."
        )
    network.set_weights(source.get_weights())
