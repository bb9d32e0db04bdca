"""Backbones that learn from faces without expressions: two pretexts, and the networks that start from the results."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.data import UTKFaceDataset
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbones import VGGFACE2_FILE, build_backbone, pretrained_file
from fer_core.models.networks import backbone_of
from fer_core.training.initial_weights import initial_network, pretraining_note
from fer_core.training.pretrain import ages_and_genders, features_of_faces, pretrain, pretraining_key
from fer_core.training.recipe import pretraining_recipe
from fer_core.types import FerError

SMALL = ModelSpec("small", "Small", "transfer", backbone="MobileNet", backbone_size=32, weights_from="utkface")
FACES = replace(SMALL, weights_from="faces")


@pytest.fixture(scope="module")
def aged():
    """Bright faces are old women, dark ones young men."""
    rng = np.random.default_rng(0)
    old = np.arange(60) % 2 == 0
    images = rng.integers(0, 100, (60, 48, 48)) + 120 * old[:, None, None]
    return UTKFaceDataset(images.astype(np.uint8), np.where(old, 70, 20).astype("float32"), old.astype("float32"))


def first_weights(network):
    return backbone_of(network).get_weights()[0]


@pytest.mark.slow
def test_a_backbone_learns_ages_then_features_and_is_started_from(aged, home, monkeypatch):
    for spec, option in ((SMALL, "parquet`"), (FACES, "parquet --faces`")):
        with pytest.raises(
            FerError, match=rf"MobileNet has not been pretrained .*`fer-lab pretrain MobileNet .*{option}"
        ):
            initial_network(spec)
    pretext = ages_and_genders(aged)
    path = pretrain("MobileNet", pretext, size=32, epochs=2)
    assert path == home / "backbones" / pretrained_file("MobileNet", 32, "utkface")
    note = json.loads(path.with_name("mobilenet_32_utkface.json").read_text())
    assert note["recipe"]["epochs"] == 2 and note["start"] == "random"
    assert 0 < note["watched"]["age_mae"] < 5 and 0 <= note["watched"]["gender_accuracy"] <= 1
    assert pretraining_note(SMALL) == note
    assert pretraining_note(replace(SMALL, weights_from="imagenet")) is None
    one, other = initial_network(SMALL), initial_network(SMALL)
    for a, b in zip(backbone_of(one).get_weights(), backbone_of(other).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first_weights(one), first_weights(build_network(SMALL)))
    told = []
    assert pretrain("MobileNet", pretext, size=32, epochs=2, say=told.append) == path  # done already: no epoch again
    assert str(note["watched"]["gender_accuracy"]) in told[-1]

    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    keras.utils.set_random_seed(5)
    build_backbone("MobileNet", 160, "random").save_weights(path.with_name(VGGFACE2_FILE))
    learned = pretrain("MobileNet", features_of_faces(aged.images[:20]), size=32, epochs=1)
    told = pretraining_note(FACES)
    assert told["start"] == "utkface" and "VGGFace2" in told["data"] and told["watched"]["r2_score"] < 1
    assert (told["faces"], told["validation_faces"]) == (36, 4)  # and their mirror images
    assert learned.name == "mobilenet_32_faces.weights.h5"
    moved = np.abs(first_weights(initial_network(FACES)) - first_weights(one)).max()
    assert 0 < moved < 0.1, "it starts from the ages and genders, and learns"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FerError, match=r"cannot be read.*Delete the file"):
        initial_network(SMALL)


def test_only_the_same_pretraining_is_resumed(aged):
    pretext, recipe, body = ages_and_genders(aged), pretraining_recipe("MobileNet", epochs=2), keras.Sequential()
    keys = {pretraining_key(*given) for given in (
        (recipe, pretext, body),
        (recipe, pretext.subset(np.arange(40)), body),
        (pretraining_recipe("MobileNet", epochs=3), pretext, body),
        (recipe, pretext, keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])),
    )}  # fmt: skip
    assert len(keys) == 4
    assert pretraining_key(recipe, pretext, body) in keys


@pytest.mark.slow
def test_features_are_those_of_the_blocks_for_each_face_and_its_mirror_image(home, monkeypatch):
    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    keras.utils.set_random_seed(3)
    network = build_backbone("MobileNet", 160, "random")
    network.set_weights([5 * w if w.ndim == 4 else w for w in network.get_weights()])  # else it fades out
    (home / "backbones").mkdir(parents=True)
    network.save_weights(home / "backbones" / VGGFACE2_FILE)
    faces = np.random.default_rng(0).integers(0, 256, (6, 6, 6), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    pretext = features_of_faces(faces)
    np.testing.assert_array_equal(pretext.images[5], faces[2][:, ::-1])
    (values,) = pretext.targets.values()
    assert values.shape == (12, 512 + 512 + 1024 + 1024)
    block = keras.Model(network.input, network.get_layer("conv_pw_12_relu").output)
    enlarged = np.asarray(keras.ops.image.resize(pretext.images[..., None].astype("float32"), (160, 160)))
    means = np.asarray(block(enlarged.repeat(3, axis=3) / 127.5 - 1)).mean(axis=(1, 2))
    varying = means.std(axis=0) > 1e-2
    assert varying.sum() > 100
    expected = (means - means.mean(axis=0))[:, varying] / means.std(axis=0)[varying]
    np.testing.assert_allclose(values[:, 1024:2048][:, varying], expected, atol=0.05)
