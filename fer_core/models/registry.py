"""The named models and how each is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fer_core.models.backbones import BACKBONES
from fer_core.models.spec import ModelSpec
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

_NOISE = 0.05
"""Share of the gray range. The paper does not give the strength of its noise."""


def _frozen(backbone: str) -> ModelSpec:
    """The paper's first stage (section 3.4.1): only the new head is trained."""
    known = BACKBONES[backbone]
    return ModelSpec(
        name=f"{backbone.lower()}_frozen",
        title=f"{known.title or backbone}, frozen",
        architecture="transfer",
        weights_from="imagenet",
        backbone=backbone,
        backbone_size=known.size,
    )


def _modified(backbone: str, extra: str = "", noise: float = 0.0, preprocessing: str = "none") -> ModelSpec:
    """The paper's second stage (section 3.4.2): the last layers are trained, with batch norm and augmentation."""
    known = BACKBONES[backbone]
    return ModelSpec(
        name=f"{backbone.lower()}_modified{f'_{extra}' if extra else ''}",
        title=f"{known.title or backbone}, modified{f', {extra}' if extra else ''}",
        architecture="transfer",
        weights_from="imagenet",
        backbone=backbone,
        backbone_size=known.modified_size or known.size,
        open_layers=known.open_layers,
        batch_normalization=True,
        noise=noise,
        preprocessing=preprocessing,
    )


_COMPACT = ModelSpec(
    name="compact_cnn",
    title="Compact CNN",
    architecture="compact_cnn",
    widths=(32, 64, 128, 192),  # 1.87 M parameters
    dropout=0.3,
)
_DISTILLED = replace(_COMPACT, name="compact_cnn_distilled", title="Compact CNN, distilled")
"""The same network, distilled from the first."""

_VOTES = replace(_COMPACT, name="compact_cnn_votes", title="Compact CNN, labels and votes")
"""The same network, trained on labels and votes and on degraded faces."""

_STUDENT = replace(
    _COMPACT, name="compact_cnn_student", title="Compact CNN, student", weights_from="compact_cnn_votes_seed1"
)
"""The same network, trained further, and distilled from several."""

_FACES = ModelSpec(
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
"""A network that has seen millions of faces, fitted to labels and votes and to degraded faces."""

_SHARP = replace(_FACES, name="mobilenet_faces_sharp", title="MobileNet, pretrained on faces, sharp faces")
"""The same network, trained on sharp faces alone, to teach."""

_FACES_STUDENT = replace(
    _FACES, name="mobilenet_faces_student", title="MobileNet, student", weights_from="mobilenet_faces"
)
"""The same network, trained further, and distilled from several."""

_BASELINES = [
    ModelSpec("hog_linear", "HOG + logistic regression", "hog_linear", weights_from="none"),
    ModelSpec("class_prior", "Class prior (the floor)", "class_prior", weights_from="none"),
]
_ENSEMBLE = ModelSpec("compact_cnn_ensemble", "Compact CNN, ensemble by label", "ensemble", weights_from="none")
"""What several of these networks reach together, kept for comparison."""

_KINDS = {"frozen": _frozen, "modified": _modified}
_OTHER_WEIGHTS = {"utk": "utkface", "random": "random"}
_SPECS = {
    spec.name: spec
    for spec in [
        _COMPACT,
        _DISTILLED,
        _VOTES,
        _STUDENT,
        _FACES,
        _SHARP,
        _FACES_STUDENT,
        *(_frozen(name) for name, known in BACKBONES.items() if "frozen" in known.variants),
        _modified("MobileNetV2"),
        _modified("VGG16"),
        _modified("VGG16", "noise", noise=_NOISE),
        _modified("VGG16", "face", preprocessing="face"),
        *(_modified(name) for name, known in BACKBONES.items() if "modified" in known.variants),
        *_BASELINES,
        _ENSEMBLE,
    ]
}
_NETWORKS = ("compact_cnn", "transfer")


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
    captions = {"Compact CNN": "compact_cnn"}
    for name, known in BACKBONES.items():
        if known.captions is not None:
            captions |= known.captions
        elif known.variants:
            captions[known.title or name] = f"{name.lower()}_{known.variants[0]}"
    return captions


def model_spec(name: str) -> ModelSpec:
    """Return a named model's spec.

    Args:
        name: one of `model_names()`, or another backbone of Keras followed by `_frozen` or `_modified`, for example
            `resnet101v2_modified`. `_utk` (UTKFace) or `_random` at the end starts from these weights instead of
            ImageNet's.

    Raises:
        FerError: there is no such model.
    """
    if name in _SPECS:
        return _SPECS[name]
    stem, _, ending = name.rpartition("_")
    if stem and ending in _OTHER_WEIGHTS and (backbone := model_spec(stem).backbone):
        spec = model_spec(stem).with_weights(_OTHER_WEIGHTS[ending])
        return replace(spec, backbone_size=BACKBONES[backbone].size)  # that of the pretraining
    if stem and ending in _KINDS:
        for backbone in BACKBONES:
            if backbone.lower() == stem:
                return _KINDS[ending](backbone)
    raise FerError(
        f"There is no model of that name to build. Expected one of: {', '.join(_SPECS)}; or another backbone of "
        f"Keras, such as resnet101v2_frozen or resnet101v2_modified. Received: {name}"
    )


def build_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network, with random weights unless `weights_from` is `imagenet`.

    `fer_core.training.initial_weights` loads the other sources, `utkface` and stored models.

    Args:
        spec: what to build.
        dtype: Keras' dtype policy: `float32`, or `mixed_bfloat16` for faster training.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, 7)` probabilities.

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
        if spec.architecture == "transfer":
            return transfer_network(spec)
        return compact_cnn(spec.widths, spec.dropout)
    finally:
        keras.config.set_dtype_policy(before)
