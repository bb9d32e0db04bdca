"""The default network: size, shapes, spec."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fer_core.models import ModelSpec, build_network, model_names, model_spec
from fer_core.models.activation import with_activation_map
from fer_core.types import FerError


def test_has_fewer_than_two_million_parameters():
    assert build_network(model_spec("compact_cnn")).count_params() < 2_000_000


@pytest.mark.parametrize("size", [44, 48])
def test_gives_probabilities_at_training_and_serving_size(size, tiny_spec):
    network = build_network(tiny_spec)
    faces = np.random.default_rng(0).integers(0, 256, (3, size, size, 1)).astype("float32")
    probabilities = keras.ops.convert_to_numpy(network(faces))
    assert probabilities.shape == (3, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_mixed_precision_keeps_weights_and_answers_in_float32(tiny_spec):
    network = build_network(tiny_spec, "mixed_bfloat16")
    assert {str(v.dtype) for v in network.trainable_variables} == {"float32"}
    assert keras.ops.dtype(network(np.zeros((1, 48, 48, 1), "float32"))) == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_mean_of_activation_map_is_the_logit(tiny_spec):
    network = build_network(tiny_spec)
    for variable in network.trainable_variables:  # fresh biases are zero, which would hide a lost bias
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.05, seed=1))
    faces = np.random.default_rng(1).integers(0, 256, (4, 48, 48, 1)).astype("float32")
    outputs = with_activation_map(network)(faces)
    logits = keras.ops.convert_to_numpy(outputs["activation"]).mean(axis=(1, 2))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, keras.ops.convert_to_numpy(outputs["probabilities"]), atol=1e-5)


def test_spec_survives_json():
    spec = model_spec("compact_cnn")
    assert ModelSpec.from_dict({**spec.as_dict(), "widths": list(spec.widths)}) == spec


def test_unknown_names_are_refused(tiny_spec):
    with pytest.raises(FerError, match="Expected one of: compact_cnn"):
        model_spec("resnet9000")
    with pytest.raises(FerError, match="Unknown architecture"):
        build_network(ModelSpec("x", "X", "transformer"))
    assert "compact_cnn" in model_names()
