"""Data sets of one's own from `data add` to confusion matrix, comparison, report and audit, on faces of FER2013."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import fer_core
from fer_core.faces import DEGRADATIONS, degrade
from fer_core.fairness.faces import dataset_faces
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.own_data import is_measured, own_file
from fer_core.measuring.results import load_predictions
from fer_core.measuring.robustness import robustness_table
from fer_core.metrics.confusion import confusion_cells
from fer_core.store.datasets import find_dataset
from fer_core.store.folders import list_models, load_model
from tests.cli.conftest import fails
from tests.own_data import own_study, raf_db, save, some_of

MODEL = "compact_cnn_student"


def predicted(name):
    """The default model's answers to the test faces, by the classifier itself."""
    tests = find_dataset(name).tests()
    return tests.labels, load_model(MODEL).classifier().predict(tests.images).probabilities


def test_from_folders_to_a_confusion_matrix(fer, home, tmp_path, fer2013):
    place = raf_db(tmp_path / "pictures", some_of(fer2013, 10))
    added = fer("data", "add", "mine", place, "--whole-image")
    assert added.exit_code == 0, added.output
    assert json.loads(fer("data", "list", "--json").stdout)[0]["whole_image"] is True
    assert "whole pictures" in fer("data", "list").stdout
    assert json.loads(fer("data", "info", "mine", "--json").stdout)["faces"] == find_dataset("mine").record["faces"]
    result = fer("evaluate", MODEL, "--on", "mine", "--json")
    labels, probabilities = predicted("mine")
    answers = probabilities.argmax(axis=1)
    assert len(labels) == 35
    scores = json.loads(result.stdout)[MODEL]["mine"]["plain"]
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(labels, answers), abs=1e-4)
    low, high = scores["accuracy_interval"]
    assert low < scores["accuracy"] < high
    model = load_model(MODEL)
    assert is_measured(model, find_dataset("mine"), "plain")
    table, complaints = load_predictions([model], "mine", "plain")
    assert complaints == []
    cells = confusion_cells(table, MODEL)["count"].to_numpy().reshape(7, 7)
    np.testing.assert_array_equal(cells, metrics.confusion_matrix(labels, answers, labels=range(7)))
    assert scores["accuracy"] > 0.4, "these are FER2013's faces, only enlarged"


@pytest.fixture
def grouped(fer, home, tmp_path, fer2013):
    """A table of 42 faces with a division by sex, which is made up."""
    faces = some_of(fer2013, 6)
    rows = []
    for place, (face, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        save(face, tmp_path / "people" / f"{place}.jpg")
        rows.append((f"{place}.jpg", EXPRESSIONS[label], "female" if place % 3 else "male"))
    table = pd.DataFrame(rows, columns=["file", "expression", "gender"])
    table.to_csv(tmp_path / "people" / "people.csv", index=False)
    assert fer("data", "add", "people", tmp_path / "people", "--whole-image").exit_code == 0
    return table


def test_groups_of_a_table_are_audited(fer, grouped):
    faces = dataset_faces(load_model(MODEL), find_dataset("people"))
    labels, probabilities = predicted("people")
    rates = faces.compare("gender", minimum=1).rates.set_index(["group", "rate", "expression"])["value"]
    for group in ("female", "male"):
        of_it = (grouped["gender"] == group).to_numpy()
        truth, answers = labels[of_it], probabilities[of_it].argmax(axis=1)
        recall = metrics.recall_score(truth, answers, labels=range(7), average=None)
        precision = metrics.precision_score(truth, answers, labels=range(7), average=None, zero_division=np.nan)
        np.testing.assert_allclose([rates[group, "recall", name] for name in EXPRESSIONS], recall)
        np.testing.assert_allclose([rates[group, "precision", name] for name in EXPRESSIONS], precision)
        assert rates[group, "accuracy", "all"] == pytest.approx(metrics.accuracy_score(truth, answers))
    document = json.loads(fer("audit", "people", "--by", "gender", "--json").stdout)
    assert document["faces"] == 42
    assert document["divisions"][0]["groups"] == {"female": 28, "male": 14}


def test_comparison_report_and_what_cannot_be_measured(fer, grouped, tmp_path):
    result = fer("compare", MODEL, "compact_cnn", "--on", "people", "--json")
    parts = {row["part"]: row for row in json.loads(result.stdout)["parts"]}
    assert list(parts) == ["label", "recall", "label_degraded", "recall_degraded"]
    labels, probabilities = predicted("people")
    assert parts["label"]["first"] == pytest.approx(metrics.accuracy_score(labels, probabilities.argmax(axis=1)))
    page = tmp_path / "report.html"
    result = fer("report", MODEL, "compact_cnn", "hog_linear", "--split", "people", "--out", page)
    assert "Kept for comparison only, so they cannot predict new faces: " in result.stderr
    text = page.read_text(encoding="utf-8")
    assert "judged by the labels of people" in text
    assert "FER2013’s all faces" not in text
    for title in ("Robustness</h2>", "Paper</h2>"):
        assert title not in text, "no model was measured on degraded faces"
    measured = json.loads(fer("evaluate", MODEL, "--on", "people", "--degraded", "--json").stdout)[MODEL]["degraded"]
    kept = json.loads(fer("evaluate", MODEL, "--on", "people", "--json").stdout)[MODEL]["degraded"]
    assert measured == kept
    path = own_file(load_model(MODEL), find_dataset("people"), "degraded.parquet")
    pd.DataFrame(measured).head(20).to_parquet(path)  # as of a version with other kinds
    complaint = robustness_table([load_model(MODEL)], on=find_dataset("people"))[2][0]
    assert complaint.endswith(f"Measure again: fer-lab evaluate {MODEL} --degraded --on people")
    again = json.loads(fer("evaluate", MODEL, "--on", "people", "--degraded", "--json").stdout)[MODEL]["degraded"]
    assert measured == again
    tests = find_dataset("people").tests()
    dark = degrade(tests.images, "light", DEGRADATIONS["light"].levels[4])
    right = (load_model(MODEL).classifier().predict(dark).probabilities.argmax(axis=1) == labels).mean()
    (row,) = [row for row in measured if (row["kind"], row["strength"]) == ("light", 5)]
    assert (row["accuracy"], row["faces"], row["faces_plurality"]) == (pytest.approx(right), 42, 0)
    assert fer("report", MODEL, "--split", "people", "--out", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "Robustness</h2>" in text and "42 faces (all faces of people) with five kinds" in text
    fails(
        fer,
        (("evaluate", MODEL, "--on", "nobody"), "There is no data set of that name. Data sets here: people"),
        (("evaluate", MODEL, "--on", "people", "--save"), "Leave out --data, --map and --save"),
        (("evaluate", "hog_linear", "--on", "people"), "No model could be measured"),
        (("compare", MODEL, "compact_cnn", "--on", "nobody"), "There is no data set of that name"),
        (("data", "add", "people", tmp_path), "There is a data set people already"),
    )
    assert fer("data", "remove", "people").exit_code == 0
    assert not json.loads(fer("data", "list", "--json").stdout)


def test_another_file_is_measured_anew(grouped):
    model, other = load_model(MODEL), load_model("compact_cnn")
    dataset = find_dataset("people")
    load_predictions([model], "people", "plain")
    assert is_measured(model, dataset, "plain")
    assert not is_measured(model, dataset, "flip")
    assert not is_measured(other, dataset, "plain")
    (kept,) = (dataset.folder / "predictions").glob("*.npz")
    kept.write_bytes(b"damaged")
    probabilities = predicted("people")[1]
    answers = load_predictions([model], "people", "plain")[0]
    np.testing.assert_allclose(answers.probabilities[MODEL], probabilities, atol=1e-6)
    assert not any(is_measured(model, dataset, "plain") for model in list_models()[0] if not model.servable)


def test_models_of_classes_of_their_own_are_measured_on_such_data(fer, own_model, tmp_path):
    study = own_study(tmp_path / "study")
    fails(
        fer,
        (("data", "add", "study", study, "--whole-image"), "has only one class, 'happy'"),
        (("data", "add", "study", study, "--own-classes", "--numbers", "rafdb"), "has only one class, 'happy'"),
    )
    assert fer("data", "add", "study", study, "--whole-image", "--own-classes").exit_code == 0
    dataset = find_dataset("study")
    assert (dataset.classes, dataset.load().splits) == (own_model.card.classes, ("Training", "Test"))
    tests = dataset.tests()
    answers = own_model.classifier().predict(tests.images).probabilities.argmax(axis=1)
    scores = json.loads(fer("evaluate", "own", "--on", "study", "--json").stdout)["own"]["study"]["plain"]
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(tests.labels, answers))
    assert scores["macro_f1"] == pytest.approx(metrics.f1_score(tests.labels, answers, average="macro"))
    low, high = scores["accuracy_interval"]
    assert low <= scores["accuracy"] <= high
    recall = metrics.recall_score(tests.labels, answers, average=None)
    assert [scores["per_class"][name]["recall"] for name in dataset.classes] == pytest.approx(recall.tolist())
    found = fer_core.evaluate("own", "study")
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(tests.labels, answers))
    assert list(found.confusion.index) == list(found.expressions.index) == list(dataset.classes)
    parts = json.loads(fer("compare", "own", "own", "--on", "study", "--json").stdout)["parts"]
    assert {row["difference"] for row in parts} == {0}
    page, tables = tmp_path / "report.html", tmp_path / "tables"
    assert fer("report", "--split", "study", "--out", page, "--csv", tables).exit_code == 0
    cells = pd.read_csv(tables / "confusion.csv")["count"]
    np.testing.assert_array_equal(cells.to_numpy().reshape(3, 3), metrics.confusion_matrix(tests.labels, answers))
    fails(
        fer,
        (("evaluate", MODEL, "--on", "study"), f"{MODEL} has other classes. Expected a model of calm, confused, happy"),
        (("evaluate", "own"), "own has other classes"),
        (("audit", "study"), "Audits are of the seven expressions. study has calm, confused, happy"),
    )
