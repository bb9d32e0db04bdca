"""Where a training starts from: pretrained backbones, stored models, and the sentence where these lack."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.data import UTKFaceDataset
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbone import pretrained_file
from fer_core.models.transfer import backbone_of
from fer_core.store import promoted
from fer_core.training.pretrain import _identity, _recipe, pretrain
from fer_core.training.start import pretraining, starting_network, teacher
from fer_core.types import FerError

SMALL = ModelSpec("small", "Small", "transfer", backbone="MobileNetV2", backbone_size=32, weights_from="utkface")


@pytest.fixture(scope="module")
def aged():
    """Bright faces are old women, dark ones young men."""
    rng = np.random.default_rng(0)
    old = np.arange(60) % 2 == 0
    images = rng.integers(0, 100, (60, 48, 48)) + 120 * old[:, None, None]
    return UTKFaceDataset(images.astype(np.uint8), np.where(old, 70, 20).astype("float32"), old.astype("float32"))


@pytest.mark.slow
def test_a_pretrained_backbone_is_started_from(aged, home):
    with pytest.raises(FerError, match=r"MobileNetV2 is not pretrained .*`python -m fer_core pretrain MobileNetV2"):
        starting_network(SMALL)
    path = pretrain("MobileNetV2", aged, size=32, epochs=2)
    assert path == home / "backbones" / pretrained_file("MobileNetV2", 32)
    card = json.loads(path.with_name("mobilenetv2_32_utkface.json").read_text())
    assert card["recipe"]["epochs"] == 2
    assert 0 < card["watched"]["age_mean_absolute_error"] < 200
    assert 0 <= card["watched"]["gender_accuracy"] <= 1
    assert pretraining(SMALL) == card
    assert pretraining(replace(SMALL, weights_from="imagenet")) is None
    one, other = starting_network(SMALL), starting_network(SMALL)
    for a, b in zip(backbone_of(one).get_weights(), backbone_of(other).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    fresh = build_network(SMALL)
    assert not np.array_equal(backbone_of(one).get_weights()[0], backbone_of(fresh).get_weights()[0])
    told = []
    assert pretrain("MobileNetV2", aged, size=32, epochs=2, say=told.append) == path  # done already: no epoch again
    assert str(card["watched"]["gender_accuracy"]) in told[-1]
    fewer = aged.subset(np.arange(40))
    recipe = _recipe("MobileNetV2", 2)
    assert _identity(recipe, fewer) != _identity(recipe, aged), "other faces do not go on where these ended"
    assert _identity(recipe, aged) != _identity(_recipe("MobileNetV2", 3), aged)
    assert (home / "backbones" / f".mobilenetv2_32_utkface.weights.h5-{_identity(recipe, aged)}").is_dir()
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FerError, match="Pretrain anew"):
        starting_network(SMALL)


def store(name, network, spec):
    folder = promoted() / name
    folder.mkdir(parents=True)
    network.save(folder / "model.keras")
    (folder / "model.tflite").write_bytes(b"not needed here")
    card = {"name": name, "title": name, "parameters": 1, "weights_from": "random", "input_size": 48, "metrics": {}}
    (folder / "card.json").write_text(json.dumps({**card, "served": {}, "spec": spec.as_dict()}))
    return folder


def test_a_stored_model_is_started_from(tiny_spec, tiny_network, home):
    store("mine", tiny_network, tiny_spec)
    started = starting_network(replace(tiny_spec, weights_from="mine"), "mixed_bfloat16")
    for a, b in zip(started.get_weights(), tiny_network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FerError, match="another than tiny's"):
        starting_network(replace(tiny_spec, weights_from="mine", widths=(8, 8, 12, 20)))
    with pytest.raises(FerError, match="no trained model of that name"):
        starting_network(replace(tiny_spec, weights_from="gone"))
    with pytest.raises(FerError, match="Only models with a backbone"):
        starting_network(replace(tiny_spec, weights_from="utkface"))


def test_a_stored_model_teaches(tiny_spec, tiny_network, home):
    store("master", tiny_network, tiny_spec)
    faces = np.random.default_rng(0).integers(0, 256, (4, 44, 44, 1)).astype("float32")
    loaded = teacher("master", tiny_spec)
    assert loaded.trainable_variables == []
    np.testing.assert_allclose(loaded(faces), tiny_network(faces, training=False), atol=1e-6)
    with pytest.raises(FerError, match="master sees faces prepared by 'none', small by 'clahe'"):
        teacher("master", replace(SMALL, preprocessing="clahe"))


def test_keras_files_are_read_in_safe_mode_only(tiny_spec, tiny_network, home, tmp_path):
    """A Lambda layer carries code; a damaged file carries nothing."""
    inputs = keras.Input((48, 48, 1))
    evil = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    folder = store("evil", evil, tiny_spec)
    with pytest.raises(FerError, match="cannot be read"):
        starting_network(replace(tiny_spec, weights_from="evil"))
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(FerError, match="cannot be read"):
        starting_network(replace(tiny_spec, weights_from="evil"))
    (folder / "model.keras").unlink()
    with pytest.raises(FerError, match="keeps no Keras weights"):
        starting_network(replace(tiny_spec, weights_from="evil"))
