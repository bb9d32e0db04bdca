"""Turn a Keras network into the LiteRT file that serves it. The one room that needs TensorFlow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import keras

from fer_core.models.activation import with_activation_map

Quantization = Literal["float32", "float16", "int8"]
QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "float16", "int8")


def to_litert(network: keras.Model, input_size: int, quantization: Quantization = "float32") -> bytes:
    """Convert a float32 network, with its activation map as second output.

    Args:
        network: from `(batch, size, size, 1)` gray levels 0 to 255 to probabilities, with layers `features` and `head`.
        input_size: side of the square input in pixels.
        quantization: how weights are stored; `int8` is dynamic-range quantisation.

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
    if quantization != "float32":
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
        return path.read_bytes()
