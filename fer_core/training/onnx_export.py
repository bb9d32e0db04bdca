"""The worker that writes a model as ONNX: `python -m fer_core.training.onnx_export MODEL OUT.onnx`."""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import keras

from fer_core.files import whole_file
from fer_core.labels import EXPRESSIONS
from fer_core.processes import REFUSED
from fer_core.store import KERAS, open_model
from fer_core.types import FerError

INPUT, OUTPUT, SIDE = "face", "probabilities", 48

ABOUT: Final = (
    "Input `face`: (batch, {side}, {side}, 1) float32, gray levels 0 to 255, framed as FER2013 frames faces{before}. "
    "Output `probabilities`: (batch, 7), in the order of the metadata entry `labels`."
)
MISSING: Final = "ONNX needs the packages onnx and tf2onnx: install this project's requirements.txt again."


def to_onnx(network: keras.Model, side: int = SIDE, preprocessing: str = "none") -> bytes:
    """Return a network as an ONNX file that says what goes in and in which order the expressions come out.

    Args:
        network: from `(batch, height, width, 1)` gray levels to `(batch, 7)` probabilities.
        side: of the faces that it will be given.
        preprocessing: what has to be done to faces before, as in `fer_core.faces.preprocess_faces`; noted only.

    Raises:
        FerError: a package is missing.
    """
    if not all(map(find_spec, ("onnx", "tf2onnx"))):  # Keras' exporter calls both
        raise FerError(MISSING)
    import onnx

    given = [keras.InputSpec(dtype="float32", shape=(None, side, side, 1), name=INPUT)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        network.export(str(path), format="onnx", input_signature=given, verbose=False)
        model = onnx.load(path)
    before = "" if preprocessing == "none" else f", after the preprocessing `{preprocessing}` of fer_core.faces"
    model.doc_string = ABOUT.format(side=side, before=before)
    onnx.helper.set_model_props(model, {"labels": ",".join(EXPRESSIONS), "preprocessing": preprocessing})
    _rename_output(model.graph)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def read_keras(path: Path) -> keras.Model:
    """Read a `.keras` file in safe mode: no code in it is run.

    Raises:
        FerError: it is missing or damaged, or would run code.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive's damage provokes
        raise FerError(f"The Keras file {path.name} cannot be read ({type(error).__name__}).") from error


def main(source: Path, target: Path) -> int:
    """Write a model as ONNX; the exit status, with one sentence on stdout where it is not 0.

    Args:
        source: a model's folder, or a `.keras` file.
        target: the ONNX file.
    """
    try:
        if source.is_dir():
            model = open_model(source)
            network = read_keras(source / KERAS)
            content = to_onnx(network, model.card.input_size, model.card.preprocessing)
        else:
            content = to_onnx(read_keras(source))
        with whole_file(target) as partial:
            partial.write_bytes(content)
    except FerError as error:
        print(error)
        return REFUSED
    return 0


def _rename_output(graph: object) -> None:
    """Call the only output by its own name: tf2onnx takes that of TensorFlow's last step."""
    output = graph.output[0]  # type: ignore[attr-defined]
    for node in graph.node:  # type: ignore[attr-defined]
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name == output.name:
                    names[position] = OUTPUT
    output.name = OUTPUT


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
