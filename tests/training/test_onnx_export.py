"""ONNX: the same probabilities in another runtime, and a sentence where it cannot be."""

from __future__ import annotations

import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

from fer_core.labels import EXPRESSIONS
from fer_core.training import onnx_export
from fer_core.training.onnx_export import main, to_onnx


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, 48, 48, 1)).astype(np.float32)


def test_another_runtime_gives_the_same_probabilities(tiny_network, faces, tmp_path):
    tiny_network.save(tmp_path / "model.keras")
    assert main(tmp_path / "model.keras", tmp_path / "model.onnx") == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("face", ["batch", 48, 48, 1], "tensor(float)")
    assert (result.name, result.shape) == ("probabilities", ["batch", 7])
    expected = tiny_network.predict(faces, verbose=0)
    assert expected.std() > 0.01
    for count in (1, 5):
        (found,) = session.run(None, {"face": faces[:count]})
        np.testing.assert_allclose(found, expected[:count], atol=1e-3)


def test_the_file_says_what_goes_in_and_what_comes_out(tiny_network):
    model = onnx.load_from_string(to_onnx(tiny_network, preprocessing="clahe"))
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties["labels"].split(",") == list(EXPRESSIONS)
    assert "`clahe`" in model.doc_string


def test_no_code_of_a_keras_file_is_run(tmp_path, capsys):
    import keras

    spoiled = keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Lambda(lambda x: x)])
    spoiled.save(tmp_path / "model.keras")
    assert main(tmp_path / "model.keras", tmp_path / "model.onnx") == onnx_export.REFUSED
    assert "cannot be read" in capsys.readouterr().out
    assert not (tmp_path / "model.onnx").exists()


def test_a_damaged_file_is_refused(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert main(tmp_path / "model.keras", tmp_path / "model.onnx") == onnx_export.REFUSED
    assert "The Keras file model.keras cannot be read" in capsys.readouterr().out
