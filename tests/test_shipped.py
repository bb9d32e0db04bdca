"""The shipped models: cards say what the stored predictions say, and the house rules of size hold."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from fer_core.columns import PROBABILITIES
from fer_core.data import FaceDataset, load_ferplus
from fer_core.store.folders import DEFAULT_MODEL, SHIPPED, open_model
from fer_core.store.stored_model import FACE_MAP, KERAS, WEIGHTS, StoredModel

FOLDERS = sorted(path for path in SHIPPED.iterdir() if path.is_dir() and not path.name.startswith("."))
WHOLE = [path for path in FOLDERS if (path / WEIGHTS).is_file()]
"""Those that ship the served file itself; the others are put together on a downloaded backbone."""

FEW = 30
"""Test faces that every served file classifies again."""

VIEWS = [(split, view) for split in ("public_test", "private_test") for view in ("plain", "flip")]


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def model(request: pytest.FixtureRequest) -> StoredModel:
    return open_model(request.param)


def test_card_equals_the_stored_predictions(model):
    for split, view in VIEWS:
        if view not in model.card.metrics[split]:
            continue
        table, stored = model.predictions(split, view), model.card.metrics[split][view]
        labels, probabilities = table["label"], table[PROBABILITIES].to_numpy()
        probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
        predicted = probabilities.argmax(axis=1)
        assert len(table) == stored["n"] == 3589
        assert stored["accuracy"] == pytest.approx(accuracy_score(labels, predicted), abs=1e-9)
        assert stored["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-6)
        recall = recall_score(labels, predicted, average="macro", zero_division=0)
        assert stored["avg_tpr"] == pytest.approx(recall, abs=1e-6)
        assert stored["roc_auc"] == pytest.approx(roc_auc_score(labels, probabilities, multi_class="ovr"), abs=1e-4)
        low, high = stored["accuracy_interval"]
        assert low < stored["accuracy"] < high
        assert 0.01 < high - low < 0.05


def test_the_default_is_small_and_follows_from_the_rule_of_the_readme():
    scores = {path.name: open_model(path).card.holdout_score or 0 for path in FOLDERS}
    assert max(scores, key=scores.__getitem__) == DEFAULT_MODEL
    assert open_model(SHIPPED / DEFAULT_MODEL).size_bytes <= 8_000_000


def test_answers_above_the_defaults_threshold_are_mostly_right_on_test_faces_too():
    model = open_model(SHIPPED / DEFAULT_MODEL)
    threshold = model.card.not_sure
    for split in ("public_test", "private_test"):
        table = model.predictions(split)
        probabilities, voted = table[PROBABILITIES].to_numpy(), table["plurality"].to_numpy()
        clear = voted >= 0
        answered = clear & (probabilities.max(axis=1) >= threshold.below)
        right = probabilities.argmax(axis=1) == voted
        assert right[answered].mean() == pytest.approx(threshold.accuracy, abs=0.03)
        assert answered.sum() / clear.sum() == pytest.approx(threshold.answered, abs=0.05)
        assert right[clear & ~answered].mean() < 0.6


@pytest.mark.parametrize(("split", "best"), [("public_test", 0.69), ("private_test", 0.70)])
def test_the_default_sees_what_most_people_say_and_another_knows_the_labels(split, best):
    assert open_model(SHIPPED / DEFAULT_MODEL).card.score(split, by="plurality").accuracy > 0.80
    assert max(open_model(path).card.score(split).accuracy for path in WHOLE) > best


@pytest.mark.parametrize(
    ("kind", "level", "lost"), [("noise", 13, 0.04), ("noise", 26, 0.15), ("blur", 1, 0.04), ("blur", 2, 0.15)]
)
def test_degraded_faces_cost_the_default_little(kind, level, lost):
    table = open_model(SHIPPED / DEFAULT_MODEL).degraded().set_index(["kind", "level"])
    for yardstick in ("accuracy", "accuracy_plurality"):
        assert table.loc[kind, level][yardstick] >= table.loc["clean", 0][yardstick] - lost


@pytest.fixture(scope="module")
def voted(fer2013: FaceDataset, ferplus_path: Path) -> dict[str, NDArray]:
    """What most annotators say of the faces of each test split."""
    faces = fer2013.with_votes(load_ferplus(ferplus_path))
    return {split: faces.split(split).plurality for split in ("public_test", "private_test")}


def test_stored_annotators_are_those_of_ferplus(model, voted):
    for split, view in VIEWS:
        table = model.predictions(split, view)
        np.testing.assert_array_equal(table["plurality"], voted[split])
        judged = table["plurality"] >= 0
        predicted = table.loc[judged, PROBABILITIES].to_numpy().argmax(axis=1)
        stored = model.card.score(split, view, by="plurality")
        assert stored.accuracy == pytest.approx(accuracy_score(table.loc[judged, "plurality"], predicted), abs=1e-9)


@pytest.mark.parametrize("folder", WHOLE, ids=lambda path: path.name)
def test_served_file_repeats_the_stored_predictions(folder, fer2013):
    model = open_model(folder)
    assert len(model.content()) == model.card.served["size_bytes"], "its SHA-256 is that of the card"
    stored, part = model.predictions("public_test").head(FEW), fer2013.split("public_test").subset(np.arange(FEW))
    again = model.classifier().predict(part.images).probabilities
    assert (stored["label"].to_numpy() == part.labels).all()
    assert (again.argmax(axis=1) == stored[PROBABILITIES].to_numpy().argmax(axis=1)).mean() >= 1 - 1 / FEW
    alone = [model.classifier(threads=1).predict(face[None]).probabilities[0] for face in part.images[:3]]
    np.testing.assert_array_equal(again[:3], alone, "a face has one answer, in a batch or alone")


@pytest.mark.slow
def test_small_storage_answers_as_the_trained_network(fer2013):
    """What serves is int8; what was trained is float32."""
    from fer_core.training.initial_weights import stored_network

    faces = fer2013.split("public_test").images[:400]
    expected = stored_network(DEFAULT_MODEL).predict(faces[..., None].astype("float32"), verbose=0)
    served = open_model(SHIPPED / DEFAULT_MODEL).classifier().predict(faces).probabilities
    assert (served.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99


@pytest.mark.parametrize("folder", [path for path in FOLDERS if (path / KERAS).is_file()], ids=lambda path: path.name)
def test_a_model_with_keras_weights_has_a_small_map_of_all_test_faces(folder):
    places = open_model(folder).face_map()
    assert set(places["row"]) == set(open_model(folder).all_predictions()["row"])
    assert 3 < places["kept"].mean() < 10
    assert (folder / FACE_MAP).stat().st_size < 80_000


def test_sizes_stay_within_the_house_rules():
    files = [path for path in Path(SHIPPED).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 130e6
    assert max(path.stat().st_size for path in files) < 50e6
