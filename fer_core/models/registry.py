"""The named models and how each is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_core.models.spec import ModelSpec
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

_SPECS = {
    spec.name: spec
    for spec in [
        ModelSpec(
            name="compact_cnn",
            title="Compact CNN",
            architecture="compact_cnn",
            widths=(32, 64, 128, 192),  # 1.87 M parameters
            dropout=0.3,
        ),
        ModelSpec(
            name="mobilenetv2_frozen",
            title="MobileNetV2, frozen",
            architecture="mobilenetv2_frozen",
            weights_from="imagenet",
        ),
        ModelSpec(
            name="hog_linear",
            title="HOG + logistic regression",
            architecture="hog_linear",
            weights_from="none",
        ),
        ModelSpec(
            name="class_prior",
            title="Class prior (the floor)",
            architecture="class_prior",
            weights_from="none",
        ),
    ]
}
_NETWORKS = ("compact_cnn", "mobilenetv2_frozen")


def model_names() -> list[str]:
    """Return the names of all models that can be trained, the default first."""
    return list(_SPECS)


def model_spec(name: str) -> ModelSpec:
    """Return a named model's spec.

    Raises:
        FerError: there is none of that name.
    """
    if name not in _SPECS:
        raise FerError(
            f"There is no model of that name to build. Expected one of: {', '.join(_SPECS)}. Received: {name}"
        )
    return _SPECS[name]


def build_network(spec: ModelSpec, dtype: str = "float32") -> keras.Model:
    """Build a spec's network, with fresh random weights except where `weights_from` says otherwise.

    Args:
        spec: what to build.
        dtype: Keras' dtype policy: `float32`, or `mixed_bfloat16` to compute faster in training.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, 7)` probabilities.

    Raises:
        FerError: the spec's architecture is no network, or downloaded weights cannot be had.
    """
    if spec.architecture not in _NETWORKS:
        raise FerError(f"Unknown architecture. Expected: {', '.join(_NETWORKS)}. Received: {spec.architecture}")
    import keras

    from fer_core.models.compact_cnn import compact_cnn
    from fer_core.models.mobilenetv2 import mobilenetv2_frozen

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        if spec.architecture == "mobilenetv2_frozen":
            return mobilenetv2_frozen(spec.weights_from)
        return compact_cnn(spec.widths, spec.dropout)
    finally:
        keras.config.set_dtype_policy(before)
