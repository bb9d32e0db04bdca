"""Export a Keras network: as the LiteRT file that is served, as ONNX, and as a Keras archive.

`python -m fer_core.training.export FOLDER OUT.onnx` is the worker that writes a stored model as ONNX. With the
arguments `IN.keras OUT.tflite SIZE QUANTIZATION` it converts to LiteRT, with `IN OUT.tflite` a Keras file that was made
elsewhere. All conversions need TensorFlow.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, cast

import keras
import numpy as np

from fer_core.files import whole_file
from fer_core.jobs import REFUSED, file_of_child
from fer_core.labels import EXPRESSIONS
from fer_core.models.networks import with_activation_map
from fer_core.store.folders import open_model
from fer_core.store.stored_model import KERAS
from fer_core.training.initial_weights import read_keras
from fer_core.types import FerError, reason

Quantization = Literal["float32", "int8", "int8_weights", "float16"]
QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "int8", "int8_weights", "float16")
"""Ways to store weights: float32 is the reference, then in order of preference."""


def to_litert(
    network: keras.Model, input_size: int, quantization: Quantization = "float32", *, float32: bytes | None = None
) -> bytes:
    """Convert a float32 network, with its activation map as second output.

    Conversion needs Keras on TensorFlow. On another backend, a process of its own does it, in some seconds more.
    Of the ways to store the weights, `int8` also computes in int8 and is the fastest; `int8_weights` has the same size
    but computes in float32. Both keep the head in float32: it is small, and if a batch norm is folded into it, the
    range of its weights is too wide for eight bits. Both are made of the file in `float32`, which is converted first if
    it is not given.

    The file has the signature `serving_default`, input `face` `(batch, size, size, 1)` float32, outputs `probabilities`
    and `activation`.
    """
    if quantization.startswith("int8"):
        return _in_int8(float32 or to_litert(network, input_size), computing=quantization == "int8")
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "model.tflite"
        if keras.backend.backend() != "tensorflow":
            source = Path(name) / "network.keras"
            source.write_bytes(keras_archive(network))
            file_of_child(
                *("-m", "fer_core.training.export", str(source), str(target), str(input_size), quantization),
                target=target,
                failed="The network could not be converted to LiteRT, which needs TensorFlow",
            )
            return target.read_bytes()
        import tensorflow as tf

        options: dict[str, object] = {"experimental_enable_resource_variables": False}
        supported: dict[str, object] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
        if quantization == "float16":
            options["optimizations"] = [tf.lite.Optimize.DEFAULT]
            supported["supported_types"] = [tf.float16]
        shape = keras.InputSpec(shape=(None, input_size, input_size, 1), dtype="float32", name="face")
        with_activation_map(network).export(
            target, format="litert", input_signature=[shape], verbose=False, target_spec=supported, **options
        )
        return target.read_bytes()


def _in_int8(model: bytes, computing: bool) -> bytes:
    """Store the weights of a float32 file in int8 with a scale for each channel; the head stays in float32."""
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer
    from ai_edge_quantizer.recipe_manager import RecipeManager

    plan = RecipeManager()
    store = plan.add_dynamic_config if computing else plan.add_weight_only_config
    store(regex=".*", operation_name=TFLOperationName.ALL_SUPPORTED, num_bits=8)
    # the converter's name for the outputs of the file; one of them is the head as a convolution, the activation map
    outputs = ".*StatefulPartitionedCall.*"
    for regex, operation in ((".*", TFLOperationName.FULLY_CONNECTED), (outputs, TFLOperationName.CONV_2D)):
        plan.add_quantization_config(regex, operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints statistics
        return bytes(Quantizer(bytearray(model), plan.get_quantization_recipe()).quantize().quantized_model)


def to_onnx(
    network: keras.Model, side: int = 48, preprocessing: str = "none", *, classes: tuple[str, ...] = EXPRESSIONS
) -> bytes:
    """Convert a network from `(batch, side, side, 1)` gray levels to `(batch, classes)` probabilities to ONNX.

    The file has the input `face`, the output `probabilities`, and the metadata `labels` and `preprocessing`: what must
    be done to faces first, as in `fer_core.faces.preprocess_faces`, which is not part of the file.

    Raises:
        FerError: a package is missing.
    """
    if not all(map(find_spec, ("onnx", "tf2onnx"))):  # Keras' exporter calls both
        raise FerError("ONNX needs the packages onnx and tf2onnx. Install this project's requirements.txt again.")
    import onnx

    face = keras.InputSpec(dtype="float32", shape=(None, side, side, 1), name="face")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        network.export(str(path), format="onnx", input_signature=[face], verbose=False)
        model = onnx.load(path)
    before = "" if preprocessing == "none" else f", after the preprocessing `{preprocessing}` of fer_core.faces"
    model.doc_string = (
        f"Input `face`: (batch, {side}, {side}, 1) float32, levels 0 to 255, cropped like FER2013's faces{before}. "
        f"Output `probabilities`: (batch, {len(classes)}), in the order of the metadata entry `labels`."
    )
    onnx.helper.set_model_props(model, {"labels": ",".join(classes), "preprocessing": preprocessing})
    output = model.graph.output[0]  # it has the name of TensorFlow's last operation
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["probabilities" if name == output.name else name for name in names]
    output.name = "probabilities"
    for value in (model.graph.input[0], output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def keras_archive(network: keras.Model, small: bool = False) -> bytes:
    """Return a network in float32 as the bytes of a `.keras` file.

    `small` rounds the kernels to float16, also in the network itself, and compresses the archive, to about half the
    size.
    """
    if small:
        network.set_weights(
            [w.astype(np.float16).astype(np.float32) if w.ndim > 1 else w for w in network.get_weights()]
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        network.save(path)
        if not small:
            return path.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w") as target:
            for entry in source.infolist():
                target.writestr(entry, source.read(entry), zipfile.ZIP_DEFLATED, 9)
        return packed.getvalue()


def added_to_litert(path: Path) -> bytes:
    """Convert a Keras file that was made elsewhere (`.keras`, `.h5`, `.hdf5`) to LiteRT, as it is.

    It is loaded in safe mode, and layers that are not Keras' own are refused, so that no code in the file is run.
    """
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        layers = list(network._flatten_layers())
    except Exception as error:  # Keras raises many types, also for code that safe mode refuses
        raise FerError(
            f"{path.name} cannot be loaded by Keras in safe mode, which runs no code of a file ({reason(error)}). "
            "Export it as ONNX where it was made."
        ) from error
    for layer in layers:
        if isinstance(layer, keras.layers.Lambda) or not type(layer).__module__.startswith("keras."):
            raise FerError(f"{path.name} has the layer {layer.name}, which runs code. Expected layers of Keras alone.")
    if len(network.inputs) != 1:
        raise FerError(f"Expected a model with one input. Received: {len(network.inputs)} inputs")
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "model.tflite"
        signature = [keras.InputSpec(shape=(None, *network.inputs[0].shape[1:]), dtype="float32")]
        network.export(target, format="litert", input_signature=signature, verbose=False)
        return target.read_bytes()


def main(source: Path, target: Path) -> int:
    """Write a stored model as ONNX, or a Keras file as LiteRT; return the exit status, after one sentence on stdout if
    it is `REFUSED`."""
    try:
        if source.is_dir():
            card = open_model(source).card
            network = read_keras(source / KERAS)
            content = to_onnx(network, card.input_size, card.preprocessing, classes=card.classes)
        else:
            content = added_to_litert(source)
        with whole_file(target) as partial:
            partial.write_bytes(content)
    except FerError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    first, second = map(Path, sys.argv[1:3])
    if len(sys.argv) == 3:
        sys.exit(main(first, second))
    second.write_bytes(to_litert(read_keras(first), int(sys.argv[3]), cast(Quantization, sys.argv[4])))
