"""Models and predictions that were made elsewhere: guessed, measured as scikit-learn does, stored, and checked."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from fer_core.added import Takes
from fer_core.data import load_fer2013
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.added import add_file, add_predictions, guess
from fer_core.measuring.measure import measure_again
from fer_core.measuring.results import load_predictions
from fer_core.store.folders import load_model, promoted
from fer_core.types import FerError
from tests.data.conftest import make_dataset
from tests.made_up_store import START, know_rows, probabilities, write_fer2013
from tests.test_added import ORDER, by_level, shown_by_level


@pytest.fixture
def levels():
    return shown_by_level()


@pytest.mark.parametrize("scale", ["-1-1", "0-1", "caffe"])
@pytest.mark.parametrize("order", [ORDER, EXPRESSIONS[::-1]])
def test_scale_and_order_of_a_file_are_guessed(levels, scale, order):
    best, *others = guess(by_level(scale, order=order), levels)
    assert best.takes == Takes(48, "gray", scale, order, logits=True)
    assert best.accuracy > 0.8 > others[-1].accuracy


def test_what_is_given_is_not_guessed_and_must_fit(levels):
    content = by_level("0-1")
    (only,) = guess(content, levels, scale="0-1", classes=ORDER, size=48, colour="gray")
    assert only.takes == Takes(48, "gray", "0-1", ORDER, logits=True)
    assert len(guess(by_level(shape=("n", 3, 48, 48)), levels)) == 8  # imagenet and caffe in both orders of colours
    for given, words in (
        ({"size": 64}, "takes pictures of 48 pixels"),
        ({"colour": "rgb"}, "takes gray pictures"),
        ({"classes": ("happy",)}, "Missing: angry"),
        ({"scale": "0-2"}, "Expected a scale of"),
    ):
        with pytest.raises(FerError, match=words):
            guess(content, levels, **given)
    with pytest.raises(FerError, match="with --size"):
        guess(by_level(shape=("n", 1, "rows", "columns")), levels)


def test_a_file_is_measured_and_stored_like_every_model(levels, home):
    content, takes = by_level(), Takes(48, "gray", "-1-1", ORDER, logits=True)
    model = add_file("theirs", content, takes, levels, root=promoted(), source="model.onnx")
    faces = levels.split("public_test")
    assert model.card.score("public_test").accuracy == pytest.approx(8 / 9)
    assert load_model("theirs").classifier().predict(faces.images).probabilities.argmax(axis=1)[1] == faces.labels[1]
    assert model.card.added
    assert model.card.not_sure is None
    again = measure_again(model, levels, holdout=True)
    assert again.metrics["private_test"]["flip"]["accuracy"] == model.card.score("private_test", "flip").accuracy
    assert not again.holdout, "its makers may have trained on the hold-out"
    with pytest.raises(FerError, match="There is a model named theirs already"):
        add_file("theirs", content, takes, levels, root=promoted())
    (model.folder / "model.onnx").write_bytes(content + b"\0")
    with pytest.raises(FerError, match=r"model\.onnx of theirs is damaged or was changed"):
        model.classifier()


@pytest.fixture
def fer2013_small(tmp_path, home, monkeypatch):
    return load_fer2013(write_fer2013(tmp_path, monkeypatch, flat=False))


@pytest.fixture
def table(fer2013_small):
    """Predictions of PrivateTest, in another order."""
    rows = START["private_test"] + np.arange(105)
    return pd.DataFrame(probabilities(2.0, 1), columns=EXPRESSIONS).assign(row=rows).sample(frac=1, random_state=0)


def test_predictions_from_a_table_are_measured(fer2013_small, table, tmp_path):
    named = table.rename(columns={"angry": "p_Anger", "sad": " sadness"})
    named.to_csv(tmp_path / "p.csv", index=False)
    table.to_parquet(tmp_path / "p.parquet")
    csv = add_predictions("csv", tmp_path / "p.csv", fer2013_small, root=promoted(), title="A paper")
    parquet = add_predictions("parquet", tmp_path / "p.parquet", fer2013_small, root=promoted())
    labels = fer2013_small.labels[table["row"]]
    expected = accuracy_score(labels, table[list(EXPRESSIONS)].to_numpy().argmax(axis=1))
    assert csv.card.score("private_test").accuracy == parquet.card.score("private_test").accuracy == expected
    assert list(csv.card.metrics) == ["private_test"]
    assert (csv.title, csv.servable) == ("A paper", False)
    answers, complaints = load_predictions([csv, parquet], "PrivateTest", "plain")
    assert (answers.names, complaints) == (["csv", "parquet"], [])


def test_one_expression_for_each_face_is_enough_and_faces_are_found_by_pixels(home, tmp_path, monkeypatch):
    faces = make_dataset(210)
    know_rows(tmp_path, faces, monkeypatch)
    tests = faces.split("private_test")
    chosen = tests.images.sum(axis=(1, 2)) % 7
    pixels = [" ".join(map(str, face.reshape(-1))) for face in tests.images]
    table = pd.DataFrame({"pixels": pixels, "prediction": chosen})
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "p.csv", index=False)
    model = add_predictions("hard", tmp_path / "p.csv", faces, root=promoted())
    score = model.card.score("private_test")
    assert list(model.card.metrics) == ["private_test"]
    assert score.accuracy == accuracy_score(tests.labels, chosen)
    assert np.isnan([score["roc_auc"], score["ece"], score["log_loss"]]).all(), "they need probabilities"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.iloc[1:], r"every face of PrivateTest once\. Received: row \d+ 0 times, and 0 more"),
        (lambda table: pd.concat([table, table.head(2)]), r"row \d+ 2 times, and 1 more"),
        (lambda table: table.assign(row=-5), r"Row 1 of p\.csv .* is no row of FER2013.* Received: '-5'"),
        (lambda table: table.assign(row=0), "no face of PublicTest or PrivateTest"),
        (lambda table: table.assign(fear=table["fear"] + 0.5), "sum to 1"),
        (lambda table: table.assign(fear="much"), "finite"),
        (lambda table: table.assign(Row=1), r"of p\.csv mean the same\. Expected one named row\. Received: row, Row"),
        (lambda table: table.assign(p_angry=1), "Expected one named angry. Received: angry, p_angry"),
        (lambda table: table.drop(columns="row"), "Expected a column row, pixels or file"),
        (lambda table: table.drop(columns="fear"), "no predictions. Expected a column for each"),
        (lambda table: table[["row"]].assign(expression="confused"), "Unknown expression"),
        (lambda table: table.drop(columns="row").assign(file="../p.csv"), r"in the folder of p\.csv"),
        (lambda table: table.drop(columns="row").assign(pixels="1 2"), "Row 1 .* wrong number of pixels"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_a_sentence(change, words, fer2013_small, table, tmp_path):
    change(table).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(FerError, match=words):
        add_predictions("wrong", tmp_path / "p.csv", fer2013_small, root=promoted())
