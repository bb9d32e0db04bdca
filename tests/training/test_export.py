"""Exported files give the same answers as the Keras network."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from fer_core.data import FaceDataset
from fer_core.inference import Classifier
from fer_core.jobs import REFUSED
from fer_core.labels import EXPRESSIONS
from fer_core.models import build_network
from fer_core.models.networks import with_activation_map
from fer_core.training import train
from fer_core.training.export import QUANTIZATIONS, keras_archive, main, to_litert, to_onnx
from tests.made_up_store import add_models


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_same_answers_as_keras(tiny_network, quantization):
    faces = np.random.default_rng(0).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    expected = with_activation_map(tiny_network).predict(faces[..., None].astype("float32"), verbose=0)
    served = Classifier(to_litert(tiny_network, 48, quantization)).predict(faces)
    tolerance = {"int8": 0.03, "int8_weights": 0.01}.get(quantization, 1e-3)
    np.testing.assert_allclose(served.probabilities, expected["probabilities"], atol=tolerance)
    if quantization == "float32":
        np.testing.assert_allclose(served.activation, expected["activation"], atol=1e-3)


def test_other_backends_convert_in_a_process_with_tensorflow(tiny_network, tiny_classifier, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    converted = Classifier(to_litert(tiny_network, 48))
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)
    expected = tiny_classifier.predict(faces).probabilities
    np.testing.assert_allclose(converted.predict(faces).probabilities, expected, atol=1e-5)


def test_smaller_storage_is_smaller(tiny_network):
    sizes = {quantization: len(to_litert(tiny_network, 48, quantization)) for quantization in QUANTIZATIONS}
    assert sizes["float32"] > sizes["float16"] > max(sizes["int8"], sizes["int8_weights"])


def test_the_first_storage_that_keeps_the_accuracy_serves(tiny_network, tiny_spec, monkeypatch):
    faces = np.random.default_rng(0).integers(0, 256, (30, 48, 48)).astype(np.uint8)
    holdout = FaceDataset(faces, np.arange(30) % 7, np.full(30, "Training"), np.arange(30))
    made = []

    def spoiled(network, size, quantization):
        made.append(quantization)
        return to_litert(other if quantization == "int8" else network, size, "float32")

    other = keras.models.clone_model(tiny_network)
    right = tiny_network.predict(faces[..., None].astype("float32"), verbose=0).argmax(axis=1)
    holdout = replace(holdout, labels=right.astype(np.int64))
    other.get_layer("head").set_weights([0 * values for values in other.get_layer("head").get_weights()])
    other.get_layer("head").bias.assign([0, 9, 0, 0, 0, 0, 0])  # always disgust
    assert not (right == 1).all()
    monkeypatch.setattr(train, "to_litert", spoiled)
    _, served = train.choose_storage(tiny_network, tiny_spec, holdout)
    assert made == ["float32", "int8", "int8_weights"]
    assert served["storage"] == "int8_weights"
    assert served["holdout_accuracy"]["float32"] == served["holdout_accuracy"]["int8_weights"] == 1.0
    assert served["holdout_accuracy"]["int8"] < 0.99


@pytest.mark.parametrize("quantization", ["int8", "int8_weights"])
def test_the_head_and_its_activation_map_stay_in_float32(tiny_network, quantization):
    content = to_litert(tiny_network, 48, quantization)
    kinds = {entry["name"]: entry["dtype"] for entry in Interpreter(model_content=content).get_tensor_details()}
    heads = [kind for name, kind in kinds.items() if name.endswith(("head_1/MatMul", "activation_1/convolution"))]
    assert heads == [np.float32, np.float32]
    assert sum(kind == np.int8 for kind in kinds.values()) >= 5


def test_small_files_hold_the_kernels_in_half_precision(tiny_spec, tmp_path):
    network = build_network(tiny_spec)
    true = network.get_weights()
    sizes = {}
    for small in (False, True):
        path = tmp_path / f"{small}.keras"
        path.write_bytes(keras_archive(network, small))
        sizes[small] = path.stat().st_size
        read = keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()
        for a, b in zip(read, true, strict=True):
            np.testing.assert_array_equal(a, np.float32(np.float16(b)) if small and b.ndim > 1 else b)
    for a, b in zip(network.get_weights(), read, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sizes[True] < 0.8 * sizes[False]


@pytest.fixture(scope="module")
def onnx_faces() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, 48, 48, 1)).astype(np.float32)


@pytest.fixture
def stored(home, tiny_network):
    """A made-up stored model with a tiny network's Keras file."""
    model = add_models(home / "models")[0]
    tiny_network.save(model.folder / "model.keras")
    return model.folder


def test_another_runtime_gives_the_same_probabilities(stored, tiny_network, onnx_faces, tmp_path):
    assert main(stored, tmp_path / "model.onnx") == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("face", ["batch", 48, 48, 1], "tensor(float)")
    assert (result.name, result.shape) == ("probabilities", ["batch", 7])
    expected = tiny_network.predict(onnx_faces, verbose=0)
    assert expected.std() > 0.01
    for count in (1, 5):
        (found,) = session.run(None, {"face": onnx_faces[:count]})
        np.testing.assert_allclose(found, expected[:count], atol=1e-3)


def test_the_onnx_file_describes_input_and_output(tiny_network):
    model = onnx.load_from_string(to_onnx(tiny_network, preprocessing="clahe"))
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties["labels"].split(",") == list(EXPRESSIONS)
    assert "`clahe`" in model.doc_string


def test_no_code_of_a_keras_file_is_run(stored, tmp_path, capsys):
    spoiled = keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Lambda(lambda x: x)])
    spoiled.save(stored / "model.keras")
    assert main(stored, tmp_path / "model.onnx") == REFUSED
    assert "cannot be read" in capsys.readouterr().out
    assert not (tmp_path / "model.onnx").exists()


def test_a_damaged_keras_file_is_refused(stored, tmp_path, capsys):
    with zipfile.ZipFile(stored / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert main(stored, tmp_path / "model.onnx") == REFUSED
    assert f"The Keras weights of {stored.name} cannot be read" in capsys.readouterr().out
