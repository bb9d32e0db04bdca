"""Keras files that were made elsewhere are converted in safe mode, and our own ONNX file is a stranger's like any."""

import keras
import numpy as np
import pytest

from fer_core.added import Takes
from fer_core.classifier import Classifier
from fer_core.training.export import added_to_litert, to_onnx
from fer_core.types import FerError

FACES = np.random.default_rng(3).integers(0, 256, (40, 48, 48), np.uint8)
TAKES = Takes(48, "gray", "0-255")


def test_our_own_onnx_file_answers_as_the_original(tiny_network, tiny_classifier):
    added = Classifier(to_onnx(tiny_network), takes=TAKES).predict(FACES, flip=True).probabilities
    ours = tiny_classifier.predict(FACES, flip=True).probabilities
    np.testing.assert_allclose(added, ours, atol=1e-4)
    assert (added.argmax(axis=1) == ours.argmax(axis=1)).all()


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_keras_file_answers_as_keras_does_and_code_in_it_is_refused(ending, tmp_path):
    layers = [keras.layers.Input((48, 48, 1)), keras.layers.Conv2D(3, 3), keras.layers.GlobalMaxPooling2D()]
    network = keras.Sequential([*layers, keras.layers.Rescaling(1 / 255), keras.layers.Dense(7, "softmax")])
    network.save(tmp_path / f"theirs.{ending}")
    answers = Classifier(added_to_litert(tmp_path / f"theirs.{ending}"), takes=TAKES).predict(FACES).probabilities
    expected = np.asarray(network(FACES[..., None].astype("float32")))
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    unsafe = keras.Sequential([*layers, keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(7)])
    unsafe.save(tmp_path / f"unsafe.{ending}")
    with pytest.raises(FerError, match=r"unsafe\.\w+ (cannot be loaded by Keras in safe mode|has the layer)"):
        added_to_litert(tmp_path / f"unsafe.{ending}")
    (tmp_path / f"damaged.{ending}").write_bytes((tmp_path / f"theirs.{ending}").read_bytes()[:500])
    with pytest.raises(FerError, match="cannot be loaded by Keras"):
        added_to_litert(tmp_path / f"damaged.{ending}")
