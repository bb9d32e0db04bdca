"""A pretrained backbone read back out of what serves: eight bits of it, layer by layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fer_core.models import model_spec
from fer_core.models.transfer import backbone_of
from fer_core.store import load_model
from fer_core.training.convert import to_litert
from fer_core.training.kept_backbone import kept_backbone, read_backbone
from fer_core.training.start import pretraining, starting_network
from fer_core.types import FerError


def body():
    layers, bias = keras.layers, {"bias_initializer": "random_normal"}
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1", **bias),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv2", **bias),
            layers.MaxPooling2D(name="block1_pool"),
            layers.Conv2D(12, 3, padding="same", activation="relu", name="block2_conv1", **bias),
        ],
        name="vgg",
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """A small VGG and a network on it, as `transfer_network` builds them."""
    keras.utils.set_random_seed(0)
    backbone, inputs = body(), keras.Input((None, None, 1))
    x = keras.layers.Resizing(32, 32)(inputs)
    x = keras.layers.Identity(name="features")(backbone(keras.layers.Concatenate()([x, x, x])))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return backbone, keras.Model(inputs, keras.layers.Dense(7, activation="softmax", name="head")(x))


@pytest.mark.parametrize("storage", ["float32", "int8", "int8_weights", "float16"])
def test_weights_come_back_to_the_last_bit_that_is_stored(trained, storage, tmp_path):
    backbone, network = trained
    path = tmp_path / "model.tflite"
    path.write_bytes(to_litert(network, 48, storage))
    found = body()
    read_backbone(found, path)
    for read, true in zip(found.get_weights(), backbone.get_weights(), strict=True):
        largest = np.abs(true).max(axis=tuple(range(true.ndim - 1))) if true.ndim > 1 else np.abs(true).max()
        step = {"float32": 0.0, "float16": 2.0**-10}.get(storage, 1 / 127 if true.ndim > 1 else 0.0) * largest
        assert (np.abs(read - true) <= step / 2 + 1e-7).all()


def test_another_network_is_refused(trained, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(to_litert(trained[1], 48))
    other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(9, 3, name="block1_conv1")])
    with pytest.raises(FerError, match=r"no weights of the layer block1_conv1\. Expected the shape \(9, 3, 3, 3\)"):
        read_backbone(other, path)


def test_the_shipped_model_keeps_it(home):
    kept = kept_backbone(model_spec("vgg16_modified_face_utk"))
    assert kept is not None
    assert kept.name == "vgg16_frozen_utk"
    assert kept_backbone(model_spec("resnet50_frozen_utk")) is None, "its normalisations are folded into its weights"


@pytest.mark.slow
def test_training_starts_from_it_where_nothing_is_pretrained(home):
    spec = model_spec("vgg16_modified_utk")
    told = pretraining(spec)
    assert told["read_from"] == "vgg16_frozen_utk, weights in int8"
    assert told["recipe"]["epochs"] == load_model("vgg16_frozen_utk").card.training["pretraining"]["recipe"]["epochs"]
    one, other = (backbone_of(starting_network(spec)).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
