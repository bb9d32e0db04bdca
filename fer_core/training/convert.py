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
        quantization: how weights are stored. `int8` computes in int8 too and is the fastest; `int8_weights` is as small
            but computes in float32. Both keep the head in float32: it is tiny, and where a normalisation is folded
            into it, its weights differ too much in size for eight bits.

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
    supported: dict[str, object] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    if quantization == "float16":
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
        supported["supported_types"] = [tf.float16]
    shape = keras.InputSpec(shape=(None, input_size, input_size, 1), dtype="float32", name="face")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        with_activation_map(network).export(
            path, format="litert", input_signature=[shape], verbose=False, target_spec=supported, **options
        )
        content = path.read_bytes()
    return _in_int8(content, computing=quantization == "int8") if quantization.startswith("int8") else content


def _in_int8(model: bytes, computing: bool) -> bytes:
    """Store a float32 file's weights in int8, with a scale for each channel, except the head's."""
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer
    from ai_edge_quantizer.recipe_manager import RecipeManager

    plan = RecipeManager()
    store = plan.add_dynamic_config if computing else plan.add_weight_only_config
    store(regex=".*", operation_name=TFLOperationName.ALL_SUPPORTED, num_bits=8)
    for regex, operation in ((".*", TFLOperationName.FULLY_CONNECTED), (_OUTPUT, TFLOperationName.CONV_2D)):
        plan.add_quantization_config(regex, operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints sizes
        return bytes(Quantizer(bytearray(model), plan.get_quantization_recipe()).quantize().quantized_model)


_OUTPUT = ".*StatefulPartitionedCall.*"
"""What the converter calls the file's outputs; one of them is the head once more, as the activation map."""
