"""The named models and how each is built."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fer_core.models.backbones import BACKBONES
from fer_core.models.spec import WEIGHTS, ModelSpec
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras


def _transfer(backbone: str, stage: str) -> ModelSpec:
    """A backbone with a new head, in one of the paper's two stages.

    `frozen` trains only the head (section 3.4.1), `modified` also the last layers, with batch norm and augmentation
    (3.4.2).
    """
    known = BACKBONES[backbone]
    settings: dict[str, Any] = {}
    if stage == "modified":
        settings = {"open_layers": known.open_layers, "batch_normalization": "after pooling"}
    return ModelSpec(
        name=f"{backbone.lower()}_{stage}",
        title=f"{known.title or backbone}, {stage}",
        architecture="transfer",
        weights_from="imagenet",
        backbone=backbone,
        backbone_size=known.imagenet_size or known.size,
        **settings,
    )


_COMPACT = ModelSpec(
    name="compact_cnn",
    title="Small CNN",
    architecture="compact_cnn",
    widths=(32, 64, 128, 192),  # 1.87 M parameters
    dropout=0.3,
)
_FACES = ModelSpec(  # a network that has seen millions of faces, fitted to labels and votes and to degraded faces
    name="mobilenet_faces",
    title="MobileNet, pretrained on faces",
    architecture="transfer",
    weights_from="vggface2",
    backbone="MobileNet",
    backbone_size=BACKBONES["MobileNet"].size,
    cut_after="conv_pw_12_relu",  # the last block is about who somebody is
    open_layers=14,  # from block 6 on
    open_normalization=True,
    dropout=0.2,
)
EXTRAS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "noise": ("noise", {"noise": 0.05}),  # the paper does not give the strength of its noise
    "face": ("face", {"preprocessing": "face"}),
    "aligned": ("aligned", {"preprocessing": "aligned"}),
    "equalize": ("histogram equalized", {"preprocessing": "equalize"}),
    "clahe": ("CLAHE", {"preprocessing": "clahe"}),
    "nonorm": ("no batch norm", {"batch_normalization": "none"}),
    "poolnorm": ("batch norm after pooling", {"batch_normalization": "after pooling"}),
    "normfirst": ("batch norm before noise", {"batch_normalization": "before noise"}),
    "noisefirst": ("batch norm after noise", {"batch_normalization": "after noise"}),
}
"""Endings of a network's name that change one thing: words for its title, and settings of its spec."""


def _with_extra(spec: ModelSpec, ending: str) -> ModelSpec:
    words, settings = EXTRAS[ending]
    return replace(spec, name=f"{spec.name}_{ending}", title=f"{spec.title}, {words}", **settings)


_NETWORKS = ("compact_cnn", "transfer")
_STAGES = ("frozen", "modified")
_OTHER_WEIGHTS = {"utk": "utkface", "faces": "faces", "random": "random"}

_SPECS = {
    spec.name: spec
    for spec in [
        _COMPACT,
        replace(_COMPACT, name="compact_cnn_distilled", title="Small CNN, taught by an earlier one"),  # from the first
        # on labels and votes, and on degraded faces
        replace(_COMPACT, name="compact_cnn_votes", title="Small CNN, labels and votes"),
        replace(  # trained further, and distilled from several
            _COMPACT,
            name="compact_cnn_student",
            title="Small CNN, taught by three others",
            weights_from="compact_cnn_votes_seed1",
        ),
        _FACES,
        # on sharp faces alone, to teach
        replace(_FACES, name="mobilenet_faces_sharp", title="MobileNet, pretrained on faces, sharp faces"),
        replace(  # trained further, and distilled from several
            _FACES,
            name="mobilenet_faces_student",
            title="MobileNet, taught by three others",
            weights_from="mobilenet_faces",
        ),
        *(_transfer(name, "frozen") for name, known in BACKBONES.items() if "frozen" in known.variants),
        _transfer("MobileNetV2", "modified"),
        _transfer("VGG16", "modified"),
        *(_with_extra(_transfer("VGG16", "modified"), extra) for extra in ("noise", "face")),
        *(_transfer(name, "modified") for name, known in BACKBONES.items() if "modified" in known.variants),
        ModelSpec("hog_linear", "Edges (HOG) and a linear model", "hog_linear", weights_from="none"),
        ModelSpec("class_prior", "Always the most frequent answer", "class_prior", weights_from="none"),
        # what several of these networks reach together, kept for comparison
        ModelSpec("compact_cnn_ensemble", "Three small CNNs, averaged", "ensemble", weights_from="none"),
    ]
}


def model_names() -> list[str]:
    """Return the names of all models that can be trained, the compact ones first."""
    return list(_SPECS)


def network_names() -> list[str]:
    """Return the names of all networks, without baselines; of networks that only differ in training, the first."""
    first: dict[ModelSpec, str] = {}
    for spec in _SPECS.values():
        if spec.architecture in _NETWORKS:
            first.setdefault(replace(spec, name="", title="", weights_from=""), spec.name)
    return list(first.values())


def networks_by_input() -> dict[str, str]:
    """Return one named network for each kind of input, by its caption."""
    named = {known.title or name: (name, known.variants) for name, known in BACKBONES.items() if known.variants}
    return {"Small CNN": "compact_cnn"} | {
        title: f"{name.lower()}_{variants[0]}" for title, (name, variants) in named.items()
    }


def model_spec(name: str) -> ModelSpec:
    """Return a named model's spec.

    Args:
        name: one of `model_names()`, or another backbone of Keras followed by `_frozen` or `_modified`, for example
            `resnet101v2_modified`. One of `EXTRAS` after the name of a network changes it: `densenet121_frozen_clahe`.
            `_utk` (UTKFace), `_faces` or `_random` at the end starts from these weights instead of ImageNet's.

    Raises:
        FerError: there is no such model.
    """
    if name in _SPECS:
        return _SPECS[name]
    stem, _, ending = name.rpartition("_")
    if stem and ending in _OTHER_WEIGHTS and (backbone := model_spec(stem).backbone):
        spec = model_spec(stem).with_weights(_OTHER_WEIGHTS[ending])
        return replace(spec, backbone_size=BACKBONES[backbone].size)  # that of the pretraining
    if stem and ending in EXTRAS and (spec := model_spec(stem)).architecture in _NETWORKS:
        if not spec.backbone and "preprocessing" not in EXTRAS[ending][1]:
            raise FerError(f"Only models with a backbone can have {EXTRAS[ending][0]}. Received: {name}")
        return _with_extra(spec, ending)
    for backbone in BACKBONES:
        if backbone.lower() == stem and ending in _STAGES:
            return _transfer(backbone, ending)
    raise FerError(
        f"There is no model of that name to build. Expected one of: {', '.join(_SPECS)}; or another backbone of "
        f"Keras, such as resnet101v2_frozen or resnet101v2_modified. Received: {name}"
    )


def origin(weights_from: str) -> str:
    """Return which of `WEIGHTS` a model starts from in the end, through other named models; "" where nobody knows."""
    while weights_from not in WEIGHTS:
        try:
            weights_from = model_spec(re.sub(r"_seed\d+$", "", weights_from)).weights_from
        except FerError:
            return ""
    return weights_from


def build_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network, with random weights unless `weights_from` is `imagenet` or `vggface2`.

    `fer_core.training.initial_weights` loads the other sources, `utkface` and stored models. `dtype` is Keras' policy:
    `float32`, or `mixed_bfloat16` for faster training.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, classes)` probabilities.

    Raises:
        FerError: the spec is not a network, or downloaded weights are not available.
    """
    if spec.architecture not in _NETWORKS:
        raise FerError(f"Unknown architecture. Expected: {', '.join(_NETWORKS)}. Received: {spec.architecture}")
    import keras

    from fer_core.models.networks import compact_cnn, transfer_network

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return transfer_network(spec) if spec.architecture == "transfer" else compact_cnn(spec)
    finally:
        keras.config.set_dtype_policy(before)
