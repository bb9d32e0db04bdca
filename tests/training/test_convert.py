"""The LiteRT file says what the Keras network says."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from fer_core.data import FerDataset
from fer_core.inference import Classifier
from fer_core.models.activation import with_activation_map
from fer_core.training import publish
from fer_core.training.convert import QUANTIZATIONS, to_litert


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_same_answers_as_keras(tiny_network, quantization, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(to_litert(tiny_network, 48, quantization))
    faces = np.random.default_rng(0).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    expected = with_activation_map(tiny_network).predict(faces[..., None].astype("float32"), verbose=0)
    served = Classifier(path).predict(faces)
    tolerance = {"int8": 0.03, "int8_weights": 0.01}.get(quantization, 1e-3)
    np.testing.assert_allclose(served.probabilities, expected["probabilities"], atol=tolerance)
    if quantization == "float32":
        np.testing.assert_allclose(served.activation, expected["activation"], atol=1e-3)


def test_smaller_storage_is_smaller(tiny_network):
    sizes = {quantization: len(to_litert(tiny_network, 48, quantization)) for quantization in QUANTIZATIONS}
    assert sizes["float32"] > sizes["float16"] > max(sizes["int8"], sizes["int8_weights"])


def test_the_first_storage_that_keeps_the_accuracy_serves(tiny_network, tiny_spec, monkeypatch):
    faces = np.random.default_rng(0).integers(0, 256, (30, 48, 48)).astype(np.uint8)
    holdout = FerDataset(faces, np.arange(30) % 7, np.full(30, "Training"), np.arange(30))
    made = []

    def spoilt(network, size, quantization):
        made.append(quantization)
        return to_litert(other if quantization == "int8" else network, size, "float32")

    other = keras.models.clone_model(tiny_network)
    right = tiny_network.predict(faces[..., None].astype("float32"), verbose=0).argmax(axis=1)
    holdout = replace(holdout, labels=right.astype(np.int64))
    other.get_layer("head").set_weights([0 * values for values in other.get_layer("head").get_weights()])
    other.get_layer("head").bias.assign([0, 9, 0, 0, 0, 0, 0])  # always disgust
    assert not (right == 1).all()
    monkeypatch.setattr(publish, "to_litert", spoilt)
    _, served = publish.choose_storage(tiny_network, tiny_spec, holdout)
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
