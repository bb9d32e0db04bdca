"""An ensemble of stored networks: the mean of what their labels heads say, and what its card says of it."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.data import FerDataset
from fer_core.models import build_network, model_spec
from fer_core.store.folders import load_model, promoted
from fer_core.training.data import TrainingData
from fer_core.training.ensemble import store_ensemble
from fer_core.training.targets import heads_of, with_votes_head
from fer_core.types import FerError
from tests.training.test_initial_weights import store

SPEC = replace(model_spec("compact_cnn_ensemble"), name="together")


@pytest.fixture
def faces():
    random = np.random.default_rng(0)
    splits = np.array(["Training"] * 8 + ["PublicTest"] * 8 + ["PrivateTest"] * 8)
    return FerDataset(random.integers(0, 256, (24, 48, 48)).astype(np.uint8), np.arange(24) % 7, splits, np.arange(24))


@pytest.fixture
def members(tiny_spec, home):
    """One network that learned labels, and one of two heads."""
    keras.utils.set_random_seed(0)
    one, other = build_network(tiny_spec), build_network(tiny_spec)
    store("one", one, tiny_spec)
    both = with_votes_head(other)
    folder = store("other", other, tiny_spec)
    np.save(folder / "heads.npy", heads_of(both))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "recipe": {"target": "both"}}))
    return one, both


def test_the_ensemble_is_the_mean_by_label(faces, members):
    training, tests = faces.split("training"), faces.subset(faces.usage != "Training")
    model = store_ensemble(SPEC, TrainingData(training, training, tests), promoted(), ["one", "other"])
    part = tests.split("private_test").images[..., None].astype("float32")

    def expected(images):
        return np.mean([one.predict(images, verbose=0)[:, :7] for one in members], axis=0)

    plain, mirrored = expected(part), expected(part[:, :, ::-1])
    for view, wanted in (("plain", plain), ("flip", (plain + mirrored) / 2)):
        found = load_model("together").predictions("private_test", view)
        np.testing.assert_allclose(found[PROBABILITIES], wanted, atol=1e-4)
    assert not model.servable
    assert model.card.parameters == 2
    assert model.card.recipe["members"] == ["one", "other"]
    right = (expected(training.images[..., None].astype("float32")).argmax(axis=1) == training.labels).mean()
    assert model.card.training["ensemble_holdout_accuracy"]["plain"] == pytest.approx(right)


def test_a_member_without_weights_is_named(faces, members):
    (promoted() / "one" / "model.keras").unlink()
    training = faces.split("training")
    with pytest.raises(FerError, match="one has no Keras weights"):
        store_ensemble(SPEC, TrainingData(training, training), promoted(), ["one", "other"])
