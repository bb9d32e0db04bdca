"""Fused batch normalisation against Keras' own layer: answers, gradients, running statistics and files alike."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from fer_core.training.fit import fused_batch_norm


def network(**options):
    """A convolution, a nested normalisation with what training would have left in it, and a head with its own."""
    keras.utils.set_random_seed(3)
    inner = keras.Sequential([keras.Input((6, 6, 4)), layers.BatchNormalization(name="inner", **options)], name="body")
    x = inputs = keras.Input((6, 6, 1))
    x = inner(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.BatchNormalization(name="head_bn")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(3)(x))
    for variable in inner.get_layer("inner").weights:
        variable.assign(np.random.default_rng(1).uniform(0.5, 2, variable.shape))
    return model


def step(model, faces):
    """Return the answers in training, every gradient, and what the weights are afterwards."""
    with tf.GradientTape() as tape:
        answers = model(faces, training=True)
        loss = tf.reduce_sum(answers**2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return [answers, *gradients, *(v.value for v in model.weights), model(faces, training=False)]


@pytest.mark.parametrize("options", [{}, {"momentum": 0.7, "epsilon": 0.1}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize("learns", [True, False])
def test_a_step_is_keras_own_up_to_rounding(options, learns, tmp_path):
    faces = np.random.default_rng(0).uniform(0, 5, (9, 6, 6, 1)).astype("float32")
    plain, fused = network(**options), network(**options)
    for model in (plain, fused):
        model.get_layer("body").get_layer("inner").trainable = learns
    expected = step(plain, faces)
    with fused_batch_norm(fused):
        given = step(fused, faces)
        fused.save_weights(tmp_path / "fused.weights.h5")
    for ours, keras_own in zip(given, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-3)  # some gradients are 0
    plain.load_weights(tmp_path / "fused.weights.h5")  # files of weights are the same
    for ours, keras_own in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, keras_own)


def test_it_is_the_fused_kernel_meanwhile_and_keras_layer_afterwards():
    model = network()
    inner = model.get_layer("body").get_layer("inner")

    def kernels():
        graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(tf.zeros((2, 6, 6, 1))).graph
        return [o.type for o in graph.get_operations()]

    assert "FusedBatchNormV3" not in kernels()
    with pytest.raises(KeyboardInterrupt), fused_batch_norm(model):
        assert kernels().count("FusedBatchNormV3") == 1  # the head's has no image to normalise
        raise KeyboardInterrupt
    assert type(inner) is layers.BatchNormalization
    assert "FusedBatchNormV3" not in kernels()


def test_bfloat16_stays_bfloat16():
    layer = layers.BatchNormalization(dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((6, 6, 2), dtype="bfloat16"), layer])
    faces = tf.cast(np.random.default_rng(0).uniform(0, 5, (9, 6, 6, 2)), "bfloat16")
    plain = model(faces, training=True)
    with fused_batch_norm(model):
        fused = model(faces, training=True)
    assert plain.dtype == fused.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(fused, "float32"), tf.cast(plain, "float32"), atol=0.02)
