import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, f1_score

from fer_core.data.fer2013 import Fer2013Faces, load_fer2013_faces
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.mapped_faces import SHEET_COLUMNS, expression_scores, face_sheet, judged, map_table
from fer_core.metrics.predictions import joined
from fer_core.types import FerError
from tests.made_up_store import FACES, START, labels, plurality, write_fer2013, write_votes

SPLITS = ("PublicTest", "PrivateTest")


@pytest.fixture
def parts(models):
    return {by: [load_predictions(models, split, "plain", by)[0] for split in SPLITS] for by in ("label", "plurality")}


@pytest.fixture
def places():
    """A map of all test faces but the first, in the order of their rows, and a face without a prediction."""
    rows = np.arange(START["public_test"] + 1, START["public_test"] + 2 * FACES + 1)
    return pd.DataFrame({"row": rows, "x": rows / 2, "y": -rows / 3, "kept": rows % 11})


def table_of(places, parts, faces=None):
    return map_table(places, parts["label"], parts["plurality"], "fair", faces or Fer2013Faces())


def test_each_face_with_what_is_known_of_it(places, parts):
    table = table_of(places, parts)
    assert len(table) == 2 * FACES - 1
    assert table["place"].tolist() == list(range(len(table)))
    assert table["row"].tolist() == places["row"].tolist()[:-1]
    assert table["split"].tolist() == ["PublicTest"] * (FACES - 1) + ["PrivateTest"] * FACES
    said = [EXPRESSIONS[k] if k >= 0 else "" for k in plurality()]
    assert table["label"].tolist() == [EXPRESSIONS[k] for k in (labels().tolist() * 2)[1:]]
    assert table["plurality"].tolist() == (said * 2)[1:]
    for face in table.iloc[[0, 150]].itertuples():
        part = parts["label"][face.split == "PrivateTest"]
        own = part.probabilities["fair"][part.rows == face.row][0]
        assert face.prediction == EXPRESSIONS[own.argmax()]
        assert face.confidence == own.max()
        assert (face.x, face.y) == (face.row / 2, -face.row / 3)
    assert table["agreement"].isna().all(), "there are no votes"
    by_label = judged(table, "label")
    assert ((by_label == "right") == (table["label"] == table["prediction"])).all()
    by_votes = judged(table, "plurality")
    assert ((by_votes == "") == (table["plurality"] == "")).all()
    assert set(by_votes) == {"right", "wrong", ""}


@pytest.mark.parametrize("by", ["label", "plurality"])
def test_results_of_a_selection_equal_scikit_learns(parts, by):
    rows = START["public_test"] + np.arange(60, 150)  # of both splits
    chosen = joined(parts[by]).of_rows(rows)
    truth = np.tile(labels() if by == "label" else plurality(), 2)[60:150]
    predicted = np.concatenate([part.probabilities["weak"] for part in parts["label"]])[60:150].argmax(axis=1)
    clear = truth >= 0
    assert chosen.labels.tolist() == truth[clear].tolist()
    assert chosen.split_faces == 90
    assert set(chosen.rows) == set(rows[clear])
    cells = confusion_cells(chosen, "weak")["count"].to_numpy().reshape(7, 7)
    np.testing.assert_array_equal(cells, confusion_matrix(truth[clear], predicted[clear], labels=range(7)))
    scores, few = expression_scores(chosen, "weak")
    expected = f1_score(truth[clear], predicted[clear], average=None, labels=range(7))
    np.testing.assert_allclose(scores["f1"], expected)
    assert scores["faces"].tolist() == np.bincount(truth[clear], minlength=7).tolist()
    assert few == [name for name, faces in zip(EXPRESSIONS, scores["faces"], strict=True) if faces < 20]


def test_the_sheet_has_each_face_at_its_place(places, parts, home, monkeypatch):
    monkeypatch.setenv("FER2013_PATH", str(write_fer2013(home, monkeypatch)))
    monkeypatch.setenv("FERPLUS_PATH", str(write_votes(home)))
    faces = load_fer2013_faces()
    table = table_of(places, parts, faces)
    assert table["agreement"].tolist() == [0.6] * len(table), "the share of the most frequent vote"
    table.loc[5, "label"] = "another"
    with Image.open(io.BytesIO(face_sheet(faces, table))) as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (48 * 4, 48 * SHEET_COLUMNS)
    for place, row in zip(table["place"], table["row"], strict=True):
        top, left = 48 * (place // SHEET_COLUMNS), 48 * (place % SHEET_COLUMNS)
        gray = 128 if place == 5 else row % 256
        assert np.abs(sheet[top : top + 48, left : left + 48].astype(int) - gray).max() <= 3
    assert face_sheet(faces, table.assign(label="another")) is None


def test_a_map_without_predictions_is_one_sentence(places):
    with pytest.raises(FerError, match="The model mine has no stored predictions"):
        map_table(places, [], [], "mine", Fer2013Faces())
