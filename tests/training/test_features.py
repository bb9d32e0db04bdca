"""The feature cache: same numbers as the network, computed once, rebuilt when damaged."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fer_core.data import FerDataset
from fer_core.files import cache_folder
from fer_core.models import build_network
from fer_core.training.fit import pooled_features


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 48, 48)).astype(np.uint8)
    return FerDataset(images, np.arange(20) % 7, np.full(20, "Training"), np.arange(20))


@pytest.fixture
def frozen(tiny_spec):
    keras.utils.set_random_seed(1)
    network = build_network(tiny_spec)
    network.trainable = False
    return network


@pytest.fixture
def count(monkeypatch):
    """One entry for each time that a backbone is computed."""
    computed = []
    predict = keras.Model.predict

    def counted(*arguments, **settings):
        computed.append(1)
        return predict(*arguments, **settings)

    monkeypatch.setattr(keras.Model, "predict", counted)
    return computed


@pytest.mark.parametrize("mirrored", [False, True])
def test_equal_the_networks(home, frozen, tiny_spec, faces, mirrored):
    images = faces.images[:, :, ::-1] if mirrored else faces.images
    extractor = keras.Model(frozen.input, frozen.get_layer("pool").output)
    expected = extractor.predict(images[..., None].astype("float32"), verbose=0)
    got = pooled_features(frozen, tiny_spec, faces, mirrored).values
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-4)


def test_computed_once(home, frozen, tiny_spec, faces, count):
    first = pooled_features(frozen, tiny_spec, faces, False)
    again = pooled_features(frozen, tiny_spec, faces, False)
    np.testing.assert_array_equal(again.values, first.values)
    assert again.seconds == first.seconds > 0
    assert len(count) == 1


def test_other_faces_view_or_weights_are_computed_anew(home, frozen, tiny_spec, faces, count):
    pooled_features(frozen, tiny_spec, faces, False)
    pooled_features(frozen, tiny_spec, faces, True)
    pooled_features(frozen, tiny_spec, faces.subset(np.arange(10)), False)
    frozen.set_weights([array * 1.01 for array in frozen.get_weights()])
    pooled_features(frozen, tiny_spec, faces, False)
    assert len(count) == 4


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other shape"])
def test_damage_is_rebuilt(home, frozen, tiny_spec, faces, count, damage):
    first = pooled_features(frozen, tiny_spec, faces, False)
    (path,) = cache_folder("features").glob("*.npz")
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"truncated": content[:-200], "flipped": content}.get(damage, b""))
    if damage == "other shape":
        np.savez(path, values=first.values[:5], seconds=np.array(1.0))
    np.testing.assert_array_equal(pooled_features(frozen, tiny_spec, faces, False).values, first.values)
    assert len(count) == 2
    pooled_features(frozen, tiny_spec, faces, False)
    assert len(count) == 2
    assert [p.name for p in cache_folder("features").iterdir()] == [path.name]


def test_a_backbone_that_trains_is_refused(home, tiny_spec, faces):
    with pytest.raises(ValueError, match="Expected a frozen backbone"):
        pooled_features(build_network(tiny_spec), tiny_spec, faces, False)
