"""Models and predictions of others measured in one call: the numbers are scikit-learn's, and those of the cards."""

import doctest

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

import fer_core
import fer_core.api.models
from fer_core.data import FaceDataset
from fer_core.labels import EXPRESSIONS
from fer_core.store.datasets import add_dataset, load_dataset
from fer_core.store.folders import load_model
from fer_core.types import FerError
from tests.fairness.people import write_people
from tests.own_data import noise, raf_db


@pytest.fixture(scope="module")
def faces() -> FaceDataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (300, 48, 48), dtype=np.uint8)
    labels = generator.integers(0, 7, 300)
    return FaceDataset(images, labels, np.repeat(["Training", "PrivateTest"], 150), np.full(300, -1))


def test_predictions_of_others_have_the_numbers_of_scikit_learn(faces):
    given = np.random.default_rng(1).dirichlet(np.ones(7), 150)
    result = fer_core.evaluate(given, faces)
    labels, predicted = faces.labels[150:], given.argmax(axis=1)
    accuracy = result.metrics.loc["accuracy"]
    assert accuracy["value"] == pytest.approx(accuracy_score(labels, predicted))
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert result.metrics.loc["macro_f1", "value"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    recall = recall_score(labels, predicted, average=None)
    assert result.expressions["recall"].to_numpy() == pytest.approx(recall)
    assert result.confusion.to_numpy().tolist() == confusion_matrix(labels, predicted).tolist()
    assert (result.faces, result.about.split(",")[0]) == (150, "PrivateTest")
    assert list(result.confusion.columns) == list(EXPRESSIONS)


def test_functions_and_trained_models_are_measured_on_any_faces(faces):
    classifier = load_model("compact_cnn").classifier()
    own = fer_core.evaluate("compact_cnn", faces, split="Training", flip=True)
    same = fer_core.evaluate(lambda x: classifier.predict(x).probabilities, faces, split="train", flip=True)
    assert same.metrics.to_numpy() == pytest.approx(own.metrics.to_numpy(), abs=1e-6, nan_ok=True)
    for name in ("compact_cnn", "hog_linear"):  # the latter has stored predictions only
        stored = fer_core.evaluate(name, split="PublicTest")
        assert stored.metrics.loc["accuracy", "value"] == pytest.approx(
            load_model(name).card.score("public_test", "plain").accuracy, abs=1e-4
        )
    assert fer_core.evaluate("compact_cnn", by="plurality").faces < fer_core.evaluate("compact_cnn").faces


def test_an_audit_of_pictures_and_of_stored_predictions(tmp_path):
    result = fer_core.audit(write_people(tmp_path), "compact_cnn", by=["gender"], whole_image=True, minimum=1)
    assert set(result.rates["by"]) == {"gender"} == set(result.gaps["by"])
    sizes = result.rates.query("rate == 'selection_rate' and expression == 'happy'")["faces"]
    assert sizes.sum() == result.faces
    stored = fer_core.audit("PublicTest", "hog_linear", by="brightness")
    shares = stored.rates.query("rate == 'accuracy'")
    accuracy = fer_core.evaluate("hog_linear", split="PublicTest").metrics.loc["accuracy", "value"]
    assert np.average(shares["value"], weights=shares["faces"]) == pytest.approx(accuracy)
    assert stored.error_tree["faces"].sum() == pytest.approx(stored.faces / 2, abs=1)


def test_a_test_split_in_any_spelling_needs_no_faces(home, monkeypatch):
    monkeypatch.delenv("FER2013_PATH", raising=False)
    for name in ("private_test", "Private Test", "privatetest"):
        result = fer_core.evaluate("hog_linear", split=name)
        assert result.metrics.equals(fer_core.evaluate("hog_linear", split="PrivateTest").metrics)
    with pytest.raises(FerError, match="Unknown split"):
        fer_core.evaluate("hog_linear", split="elsewhere")


def test_data_sets_of_ones_own_by_name(home, tmp_path):
    add_dataset("mine", raf_db(tmp_path / "raf", noise(30)), whole_image=True)
    result = fer_core.evaluate("compact_cnn", "mine")
    for same in (load_dataset("mine"), "mine"):
        split = fer_core.evaluate("compact_cnn", same, split="Test")
        assert split.confusion.equals(result.confusion) and split.about == result.about
    assert fer_core.audit("mine", "compact_cnn", by="brightness").faces == result.faces


def test_wrong_calls_are_explained(faces, tmp_path):
    for call, says in (
        (lambda: fer_core.evaluate("nothing"), "Trained models here"),
        (lambda: fer_core.evaluate("compact_cnn", faces, split="Elsewhere"), "Unknown split"),
        (lambda: fer_core.evaluate("compact_cnn", "nowhere"), "no data set of that name"),
        (lambda: fer_core.evaluate(np.eye(7)[faces.labels[150:]], faces, by="plurality"), "no votes"),
        (lambda: fer_core.evaluate("compact_cnn", by="votes"), "one of label, plurality. Received: votes"),
        (lambda: fer_core.evaluate("compact_cnn", faces, by="votes"), "one of label, plurality. Received: votes"),
        (lambda: fer_core.audit(tmp_path), "has no pictures"),
        (lambda: fer_core.audit("PublicTest", "hog_linear", by="shoes"), "Unknown division"),
    ):
        with pytest.raises(FerError, match=says):
            call()
    for wrong in (np.eye(7)[:5], np.zeros((150, 7)), np.ones((150, 6)) / 6):
        with pytest.raises(ValueError, match="Expected"):
            fer_core.evaluate(wrong, faces)


def test_examples_are_true():
    results = doctest.testmod(fer_core.api.models)
    assert results.attempted > 5 and not results.failed
