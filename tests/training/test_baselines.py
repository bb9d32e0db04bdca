"""The baselines against scikit-image, scikit-learn and NumPy used by themselves, and what they leave in the store."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression

from fer_core.columns import PROBABILITIES, TEST_SPLITS, VIEWS
from fer_core.data import FaceDataset, training_and_holdout
from fer_core.models import build_network, model_spec
from fer_core.store.folders import load_model, promoted
from fer_core.training.baselines import class_prior, hog_features, hog_linear, store_ensemble, train_baseline
from fer_core.training.data import TrainingData
from fer_core.training.targets import heads_of, with_votes_head
from fer_core.types import FerError
from tests.training.conftest import store


@pytest.fixture(scope="module")
def dataset():
    """Faces with a bar whose direction tells the class, noisy; uneven classes."""
    rng = np.random.default_rng(0)
    n = 360
    labels = rng.choice(7, n, p=[0.1, 0.06, 0.12, 0.3, 0.16, 0.12, 0.14])
    rows, columns = np.mgrid[:48, :48] - 23.5
    angles = np.pi * labels / 7 + rng.normal(0, 0.12, n)
    distance = np.abs(np.cos(angles)[:, None, None] * rows + np.sin(angles)[:, None, None] * columns)
    images = np.clip(255 * (distance < 5) * 0.7 + rng.normal(40, 25, (n, 48, 48)), 0, 255).astype(np.uint8)
    usage = np.repeat(["Training", "PublicTest", "PrivateTest"], [240, 60, 60])
    return FaceDataset(images, labels.astype(np.int64), usage, np.arange(n) + 40_000)


def test_a_class_never_seen_has_probability_zero(dataset):
    part, holdout = training_and_holdout(dataset.subset(dataset.labels != 1))
    expected = np.bincount(part.labels, minlength=7) / len(part)
    np.testing.assert_allclose(class_prior(part).predict(dataset.images[:5]), np.tile(expected, (5, 1)))
    for baseline in (class_prior(part), hog_linear(part, holdout, penalties=(1.0,))):
        probabilities = baseline.predict(dataset.images[:9])
        assert probabilities.shape == (9, 7)
        assert (probabilities[:, 1] == 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_hog_linear_is_logistic_regression_with_the_best_penalty(dataset):
    part, holdout = training_and_holdout(dataset)
    baseline = hog_linear(part, holdout, penalties=(1e-8, 0.05))
    describe = lambda images: np.array([hog(image, 9, (6, 6), (2, 2), "L2-Hys") for image in images])  # noqa: E731
    seen, watched = describe(part.images), describe(holdout.images)
    np.testing.assert_allclose(hog_features(holdout.images), watched, atol=1e-6)
    mean, spread = seen.mean(axis=0), seen.std(axis=0)
    same = LogisticRegression(C=0.05, max_iter=3000, tol=1e-6).fit((seen - mean) / spread, part.labels)
    probabilities = baseline.predict(holdout.images)
    np.testing.assert_allclose(probabilities, same.predict_proba((watched - mean) / spread), atol=0.01)
    assert baseline.recipe["C"] == 0.05
    assert [trial["C"] for trial in baseline.tried] == [1e-8, 0.05]
    assert baseline.tried[1]["holdout_accuracy"] == (probabilities.argmax(axis=1) == holdout.labels).mean()
    assert baseline.parameters == 1764 * 7 + 7
    assert hog_features(dataset.images[:0]).shape == (0, 1764)


@pytest.mark.parametrize("name", ["class_prior", "hog_linear"])
def test_stored_for_comparison_only(dataset, home, tmp_path, name):
    model = train_baseline(model_spec(name), TrainingData.of(dataset), root=tmp_path / "store")
    assert not model.servable
    assert model.card.served is None
    assert {path.name for path in model.folder.iterdir()} == {"card.json", "predictions.parquet"}
    assert model.history().empty
    with pytest.raises(FerError, match="kept for comparison only"):
        _ = model.weights
    for split in TEST_SPLITS.values():
        part = dataset.split(split)
        for view in VIEWS:
            table = model.predictions(split, view)
            assert (table["row"] == part.rows).all()
            predicted = table[PROBABILITIES].to_numpy().argmax(axis=1)
            assert model.card.metrics[split][view]["accuracy"] == pytest.approx((predicted == part.labels).mean())
    plain, flip = (model.predictions("public_test", view)[PROBABILITIES].to_numpy() for view in VIEWS)
    assert np.allclose(plain, flip) == (name == "class_prior")


def test_the_ensemble_is_the_mean_by_label(tiny_spec, home):
    """Of a network that learned labels and one of two heads, which are kept beside it."""
    random = np.random.default_rng(0)
    splits = np.repeat(["Training", "PublicTest", "PrivateTest"], 8)
    images = random.integers(0, 256, (24, 48, 48)).astype(np.uint8)
    faces = FaceDataset(images, np.arange(24) % 7, splits, np.arange(24))
    training, tests = faces.split("training"), faces.subset(faces.usage != "Training")
    keras.utils.set_random_seed(0)
    one, other = build_network(tiny_spec), build_network(tiny_spec)
    both = with_votes_head(other)
    store("one", one, tiny_spec)
    folder = store("other", other, tiny_spec)
    np.save(folder / "heads.npy", heads_of(both))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "recipe": {"target": "both"}}))

    spec, data = replace(model_spec("compact_cnn_ensemble"), name="together"), TrainingData(training, training, tests)
    model = store_ensemble(spec, data, root=promoted(), members=["one", "other"])
    part = tests.split("private_test").images[..., None].astype("float32")

    def mean(images):
        return np.mean([np.asarray(network(images))[:, :7] for network in (one, both)], axis=0)

    plain, mirrored = mean(part), mean(part[:, :, ::-1])
    for view, expected in (("plain", plain), ("flip", (plain + mirrored) / 2)):
        stored = load_model("together").predictions("private_test", view)
        np.testing.assert_allclose(stored[PROBABILITIES], expected, atol=1e-4)
    assert not model.servable
    assert model.card.parameters == 2
    assert model.card.recipe["members"] == ["one", "other"]
    correct = mean(training.images[..., None].astype("float32")).argmax(axis=1) == training.labels
    assert model.card.training["ensemble_holdout_accuracy"]["plain"] == pytest.approx(correct.mean())
    (promoted() / "one" / "model.keras").unlink()
    with pytest.raises(FerError, match="one has no Keras weights"):
        store_ensemble(spec, data, root=promoted(), members=["one", "other"])
