"""The frozen variant: what goes into its backbone, what trains, and its activation map."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest

from fer_core.models import ModelSpec, build_network
from fer_core.models.activation import with_activation_map


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    network = build_network(ModelSpec("frozen", "Frozen", "mobilenetv2_frozen", weights_from="random"))
    network.get_layer("head").set_weights([np.random.default_rng(0).normal(0, 0.5, (1280, 7)), np.linspace(-1, 1, 7)])
    return network


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48)).astype(np.uint8)


def as_input(faces):
    return faces[..., None].astype("float32")


def test_shapes_and_sizes(network, faces):
    assert network.get_layer("features").output.shape == (None, 3, 3, 1280)
    assert network.count_params() == 2_257_984 + 1280 * 7 + 7
    probabilities = network.predict(as_input(faces), verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_backbone_sees_its_own_preprocessing_of_the_enlarged_gray_face(network, faces):
    seen = keras.Model(network.input, network.get_layer("three_channels").output).predict(as_input(faces), verbose=0)
    for face, got in zip(faces, seen, strict=True):
        large = cv2.resize(face.astype(np.float32), (96, 96), interpolation=cv2.INTER_LINEAR)
        expected = keras.applications.mobilenet_v2.preprocess_input(np.stack([large] * 3, axis=-1))
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_training_moves_the_head_alone(faces):
    network = build_network(ModelSpec("frozen", "Frozen", "mobilenetv2_frozen", weights_from="random"))
    # random weights let next to nothing through, so the head's gradient would vanish: make every feature about 1
    last = network.get_layer("mobilenetv2_1.00_96").get_layer("Conv_1_bn")
    last.beta.assign(np.ones(1280))
    assert {v.path for v in network.trainable_variables} == {"head/kernel", "head/bias"}
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in network.variables}
    network.compile("sgd", "sparse_categorical_crossentropy")
    network.fit(as_input(faces), np.arange(8) % 7, epochs=2, verbose=0)
    assert len(before) == len(network.variables) > 200
    moved = {v.path for v in network.variables if not np.array_equal(before[v.path], keras.ops.convert_to_numpy(v))}
    assert moved == {"head/kernel", "head/bias"}


def test_mean_of_activation_map_is_the_logit(network, faces):
    outputs = with_activation_map(network).predict(as_input(faces), verbose=0)
    assert outputs["activation"].shape == (8, 3, 3, 7)
    logits = outputs["activation"].mean(axis=(1, 2))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, outputs["probabilities"], atol=1e-5)
