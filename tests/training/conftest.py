"""Easy faces, networks, and stored models for the tests of training."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.data import FaceDataset
from fer_core.store.folders import promoted
from fer_core.training.recipe import Recipe
from fer_core.training.targets import VOTES_HEAD, with_votes_head
from tests.data.conftest import votes_of

PLAIN = Recipe(epochs=4, batch_size=32, mixed_precision=False, augmentation=None)


def made_faces(count, seed):
    """Two classes that any network can tell: dark faces are angry (0), bright ones happy (3)."""
    labels = np.tile([0, 3], count // 2).astype(np.int64)
    images = np.random.default_rng(seed).integers(0, 100, (count, 48, 48)) + 120 * (labels == 3)[:, None, None]
    return FaceDataset(images.astype(np.uint8), labels, np.full(count, "Training"), np.arange(count))


@pytest.fixture
def bright_and_dark():
    return made_faces(128, 0)


def with_votes(faces, voted):
    """Ten votes for one expression on each face; none where it is -1."""
    columns = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    return replace(faces, votes=votes_of(*[{columns[k]: 10} if k >= 0 else {} for k in voted]))


def small_network():
    """The layers that fitting, features and heads look for, and no more: its graph is traced in a second."""
    x = inputs = keras.Input((None, None, 1), name="face")
    for layer in (
        keras.layers.Rescaling(1 / 127.5, offset=-1),
        keras.layers.Conv2D(8, 5, strides=4, use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(name="features"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(7, activation="softmax", name="head"),
    ):
        x = layer(x)
    return keras.Model(inputs, x, name="small")


@pytest.fixture
def network():
    keras.utils.set_random_seed(3)
    return small_network()


@pytest.fixture
def two_heads(network):
    both = with_votes_head(network)
    random = np.random.default_rng(0)
    for name in ("head", VOTES_HEAD):
        layer = both.get_layer(name)
        layer.set_weights([random.normal(size=w.shape) for w in layer.get_weights()])
    return network, both


def store(name, network, spec):
    folder = promoted() / name
    folder.mkdir(parents=True)
    network.save(folder / "model.keras")
    (folder / "model.tflite").write_bytes(b"not needed here")
    card = {"name": name, "title": name, "parameters": 1, "weights_from": "random", "input_size": 48, "metrics": {}}
    (folder / "card.json").write_text(json.dumps({**card, "served": {}, "spec": spec.as_dict()}))
    return folder
