"""The LiteRT file says what the Keras network says."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.inference import Classifier
from fer_core.models.activation import with_activation_map
from fer_core.training.convert import QUANTIZATIONS, to_litert


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_same_answers_as_keras(tiny_network, quantization, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(to_litert(tiny_network, 48, quantization))
    faces = np.random.default_rng(0).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    expected = with_activation_map(tiny_network).predict(faces[..., None].astype("float32"), verbose=0)
    served = Classifier(path).predict(faces)
    tolerance = 0.03 if quantization == "int8" else 1e-3
    np.testing.assert_allclose(served.probabilities, expected["probabilities"], atol=tolerance)
    if quantization == "float32":
        np.testing.assert_allclose(served.activation, expected["activation"], atol=1e-3)


def test_smaller_storage_is_smaller(tiny_network):
    sizes = [len(to_litert(tiny_network, 48, quantization)) for quantization in QUANTIZATIONS]
    assert sizes[0] > sizes[1] > sizes[2]
