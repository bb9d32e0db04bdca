"""The weights that a training starts from: which are available, and how a network gets them.

Importing this does not import Keras.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.files import home
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbones import (
    FOLDER_VARIABLE,
    VGGFACE2_BACKBONE,
    VGGFACE2_FILE,
    local_file,
    pretrained_file,
    weights_file,
)
from fer_core.models.spec import WEIGHTS
from fer_core.store.folders import list_models, load_model
from fer_core.store.stored_model import KERAS, StoredModel
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

READABLE: Final = ("VGG16", "VGG19")
"""Backbones that can be read from a LiteRT file. In others the converter folds batch norm into the kernels."""

MAX_JSON: Final = 10_000_000
"""Bytes of a network's configuration at most. A longer one is no network of ours and would fill memory."""

_SAME_NETWORK: Final = ("architecture", "widths", "backbone", "backbone_size", "cut_after", "batch_normalization")
"""Fields that two specs must share for the weights of one to fit the other."""


@dataclass(frozen=True)
class WeightSources:
    """The weights that a network can start from on this computer.

    Attributes:
        names: values for `ModelSpec.weights_from`, the spec's own first.
        notes: a sentence for each source that is not offered or that has to be downloaded first.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]


def weight_sources(spec: ModelSpec) -> WeightSources:
    """Return what a network can start from."""
    names, notes = ["random"], []
    if spec.backbone == VGGFACE2_BACKBONE:
        names.append("vggface2")
        if local_file(VGGFACE2_FILE) is None:
            notes.append(
                f"The VGGFace2 weights of {spec.backbone} are not on this computer yet. A run that starts from them "
                f"downloads them once (7 MB), and fails without internet; set {FOLDER_VARIABLE} to a folder that holds "
                f"{VGGFACE2_FILE} instead."
            )
    if spec.architecture == "transfer":
        names.append("imagenet")
        if not _imagenet_available(spec.backbone):
            notes.append(
                f"The ImageNet weights of {spec.backbone} are not on this computer yet. A run that starts from them "
                f"downloads them once (9 to 95 MB), and fails without internet; set FER_BACKBONE_DIR to a folder that "
                f"holds {weights_file(spec.backbone)} instead."
            )
        if _pretrained_path(spec).is_file() or stored_backbone(spec) is not None:
            names.append("utkface")
        else:
            notes.append(
                f"utkface is not available: {spec.backbone} has not been pretrained on UTKFace on this computer. Do it "
                f"once: fer-lab pretrain {spec.backbone} --data utkface.parquet"
            )
    for model in list_models()[0]:
        other = model.card.spec
        if other is not None and all(getattr(spec, name) == getattr(other, name) for name in _SAME_NETWORK):
            if model.servable and (model.folder / KERAS).is_file():
                names.append(model.name)
            else:
                notes.append(
                    f"{model.name} is not available: its Keras weights are not stored. Train it again to get them."
                )
    names.sort(key=lambda name: name != spec.weights_from)
    return WeightSources(tuple(names), tuple(notes))


def initial_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network with the weights that it starts from.

    Args:
        spec: its `weights_from` is `random`, `imagenet`, `vggface2`, `utkface` (the result of
            `fer-lab pretrain`, or a backbone read from a stored model) or the name of a stored model of the
            same network.
        dtype: Keras' dtype policy, as in `build_network`.

    Raises:
        FerError: the weights are not available or do not fit.
    """
    network = build_network(spec, dtype)
    if spec.weights_from == "utkface":
        _load_pretrained(network, spec)
    elif spec.weights_from not in WEIGHTS:
        source = stored_network(spec.weights_from)
        wanted, given = ([tuple(v.shape) for v in one.weights] for one in (network, source))
        if wanted != given:
            raise FerError(
                f"The weights of {spec.weights_from} do not fit {spec.name}: it is another network. Start from a model "
                f"with the same backbone and head, or from other weights."
            )
        network.set_weights(source.get_weights())
    return network


def initial_two_heads(network: keras.Model, spec: ModelSpec) -> keras.Model:
    """Return the result of `initial_network` with a head for the votes as well.

    Both heads start from those of the stored model that the network starts from. If it has only one head, or there is
    no such model, the votes head starts from random weights.
    """
    from fer_core.training.targets import with_heads, with_votes_head

    if spec.weights_from in WEIGHTS or not (model := load_model(spec.weights_from)).has_heads:
        return with_votes_head(network)
    return with_heads(network, model.heads())


def stored_network(name: str) -> keras.Model:
    """Return a stored model as a Keras network in float32, loaded in safe mode.

    Raises:
        FerError: there is no such model, or its Keras weights are missing or damaged.
    """
    path = load_model(name).folder / KERAS
    if not path.is_file():
        raise FerError(
            f"The model {name} has no Keras weights ({KERAS}), which are needed to start from it or to distill it. "
            f"`fer-lab train {name}` makes them, if it is one of the named models."
        )
    return read_keras(path)


def read_keras(path: Path) -> keras.Model:
    """Load a `.keras` file in safe mode, which runs no code from it.

    Raises:
        FerError: the file is missing or damaged, or contains code.
    """
    import keras

    try:
        with zipfile.ZipFile(path) as archive:
            if any(one.file_size > MAX_JSON for one in archive.infolist() if one.filename.endswith(".json")):
                raise ValueError("its configuration is too long")
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types for a damaged archive
        raise FerError(
            f"The Keras weights of {path.parent.name} cannot be read ({type(error).__name__}). Train it again."
        ) from error


def pretraining_note(spec: ModelSpec) -> dict[str, Any] | None:
    """Return how the backbone of a spec was pretrained, as noted by `pretrain`; None if there is no such note."""
    if spec.weights_from == "vggface2":
        from fer_core.training.vggface2 import SOURCE

        return {"backbone": spec.backbone, "source": SOURCE}
    if spec.weights_from != "utkface":
        return None
    path = _pretrained_path(spec)
    note = path.with_suffix("").with_suffix(".json")
    if path.is_file():
        return dict(json.loads(note.read_text(encoding="utf-8"))) if note.is_file() else None
    model = stored_backbone(spec)
    if model is None or not (told := model.card.training.get("pretraining")):
        return None
    return {**told, "read_from": f"{model.name}, weights in {(model.card.served or {})['storage']}"}


def _pretrained_path(spec: ModelSpec) -> Path:
    return home() / "backbones" / pretrained_file(spec.backbone, spec.backbone_size)


def _imagenet_available(backbone: str) -> bool:
    """Whether a file with this backbone's name is in `FER_BACKBONE_DIR` or in Keras' cache."""
    folders = [Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"]
    given = os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep)
    folders += [Path(folder).expanduser() for folder in given if folder]
    files = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in files]
    own = re.compile(rf"{backbone.lower()}(?!v\d).*notop")  # resnet50v2… is another backbone than ResNet50
    return any(own.match(name) and "vggface2" not in name for name in plain)


def _load_pretrained(network: keras.Model, spec: ModelSpec) -> None:
    from fer_core.models.networks import backbone_of

    if spec.architecture != "transfer":
        raise FerError(f"Only models with a backbone can start from utkface. Received: {spec.name}")
    path = _pretrained_path(spec)
    command = f"fer-lab pretrain {spec.backbone} --data utkface.parquet"
    if not path.is_file():
        if (model := stored_backbone(spec)) is not None:
            return read_backbone(backbone_of(network), model.content())
        raise FerError(
            f"{spec.backbone} has not been pretrained on UTKFace on this computer. Do it once: `{command}`. "
            f"Missing: {path}"
        )
    try:
        backbone_of(network).load_weights(path)
    except Exception as error:  # as above
        raise FerError(f"The weights {path} cannot be read. Pretrain again: `{command}`.") from error


def stored_backbone(spec: ModelSpec) -> StoredModel | None:
    """Return a stored model whose file contains the pretrained backbone that `spec` starts from; None without one."""
    wanted = ("utkface", spec.backbone, spec.backbone_size)
    if spec.backbone in READABLE:
        for model in list_models(servable=True)[0]:
            other = model.card.spec
            if other and other.frozen and (other.weights_from, other.backbone, other.backbone_size) == wanted:
                return model
    return None


def read_backbone(backbone: keras.Model, content: bytes) -> None:
    """Set a backbone's weights to those in a LiteRT file; weights in eight bits are rounded to 255 levels.

    The converter names the constants of a layer `…/<layer>_1/convolution`.

    Args:
        backbone: one of `READABLE`, from `build_backbone`.
        content: the LiteRT file of a model with this backbone.

    Raises:
        FerError: a layer is missing in the file.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    file = Interpreter(model_content=content, experimental_op_resolver_type=plain)

    def read(layer: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        named = re.compile(rf"^[^;]*/{re.escape(layer)}(_\d+)?/")
        found = [t for t in file.get_tensor_details() if tuple(t["shape"]) == shape and named.match(t["name"])]
        if not found:
            raise FerError(f"The stored model has no weights for the layer {layer}. Expected the shape {shape}.")
        stored = min(found, key=lambda tensor: np.dtype(tensor["dtype"]).itemsize)  # not a copy in float32
        values = file.get_tensor(stored["index"]).astype(np.float32)
        scales = stored["quantization_parameters"]["scales"]
        return values * scales.reshape(-1, *[1] * (len(shape) - 1)) if len(scales) else values

    for layer in backbone.layers:
        if layer.weights:
            kernel, bias = layer.weights
            rows, columns, channels, filters = kernel.shape
            kernel.assign(read(layer.name, (filters, rows, columns, channels)).transpose(1, 2, 3, 0))
            bias.assign(read(layer.name, tuple(bias.shape)))
