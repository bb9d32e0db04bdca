"""Turn a Keras network into the LiteRT file that serves it. The one room that needs TensorFlow."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Literal

import keras

from fer_core.models.activation import with_activation_map

Quantization = Literal["float32", "int8", "int8_weights", "float16"]
QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "int8", "int8_weights", "float16")
"""How weights may be stored: first what the others are measured against, then the best choice first."""


def to_litert(network: keras.Model, input_size: int, quantization: Quantization = "float32") -> bytes:
    """Convert a float32 network, with its activation map as second output.

    Args:
        network: from `(batch, size, size, 1)` gray levels 0 to 255 to probabilities, with layers `features` and `head`.
        input_size: side of the square input in pixels.
        quantization: how weights are stored. `int8` is dynamic-range quantisation: it computes in int8 too and is the
            fastest. `int8_weights` is as small but computes in float32, with a scale for each channel.

    Returns:
        The file's bytes: signature `serving_default`, input `face` `(batch, size, size, 1)` float32, outputs
        `probabilities` and `activation`.

    Raises:
        RuntimeError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Conversion to LiteRT needs Keras on TensorFlow: run it again with KERAS_BACKEND=tensorflow. "
            f"Received: KERAS_BACKEND={keras.backend.backend()}"
        )
    import tensorflow as tf

    options: dict[str, object] = {"experimental_enable_resource_variables": False}
    if quantization in {"int8", "float16"}:
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    supported: dict[str, object] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    if quantization == "float16":
        supported["supported_types"] = [tf.float16]
    shape = keras.InputSpec(shape=(None, input_size, input_size, 1), dtype="float32", name="face")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        with_activation_map(network).export(
            path, format="litert", input_signature=[shape], verbose=False, target_spec=supported, **options
        )
        content = path.read_bytes()
    return _with_int8_weights(content) if quantization == "int8_weights" else content


def _with_int8_weights(model: bytes) -> bytes:
    from ai_edge_quantizer import quantizer, recipe

    with contextlib.redirect_stdout(io.StringIO()):  # it prints sizes
        result = quantizer.Quantizer(bytearray(model), recipe.weight_only_wi8_afp32()).quantize()
    return bytes(result.quantized_model)
