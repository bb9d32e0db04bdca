import numpy as np
import pytest
from sklearn import metrics as reference

from fer_core.data.fer2013 import load_fer2013_faces
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import confusion
from fer_core.metrics.confusion import cell_faces, confusion_cells, confusion_matrix, differing_faces, sample_faces
from tests.made_up_store import START, write_fer2013, write_votes


def test_counts_agree_with_scikit_learn(sample):
    labels, proba = sample(300)
    counts = confusion_matrix(labels, proba)
    np.testing.assert_array_equal(counts, reference.confusion_matrix(labels, proba.argmax(axis=1), labels=range(7)))
    assert counts.dtype == np.int64
    ties = confusion_matrix([0, 1, 6], np.full((3, 7), 1 / 7))
    assert ties[:, 0].tolist() == [1, 1, 0, 0, 0, 0, 1], "ties go to the first expression"


def test_cells_count_as_scikit_learn_does(answers):
    cells = confusion_cells(answers, "weak")
    expected = reference.confusion_matrix(answers.labels, answers.probabilities["weak"].argmax(axis=1))
    assert cells["count"].to_numpy().reshape(7, 7).tolist() == expected.tolist()
    rates = cells["rate"].to_numpy().reshape(7, 7)
    np.testing.assert_allclose(rates, expected / expected.sum(axis=1, keepdims=True))
    difference = confusion.difference_cells(answers, "able", "weak")
    other = confusion_cells(answers, "able")
    np.testing.assert_array_equal(difference["count"], other["count"] - cells["count"])
    some = confusion_cells(answers.of_faces(answers.labels < 6), "weak")
    assert some["rate"].isna().tolist() == (some["actual"] == "neutral").tolist(), "a missing class has no rates"


@pytest.mark.parametrize("cell", [("fear", "sad"), ("happy", "happy"), ("disgust", "angry")])
def test_faces_of_a_cell(answers, cell):
    actual, predicted = cell
    faces = cell_faces(answers, "weak", actual, predicted)
    cells = confusion_cells(answers, "weak").set_index(["actual", "predicted"])
    assert len(faces) == cells.loc[cell, "count"]
    assert faces["confidence"].is_monotonic_decreasing
    for face in faces.itertuples():
        place = face.row - START["public_test"]
        assert EXPRESSIONS[answers.labels[place]] == actual
        assert EXPRESSIONS[answers.probabilities["weak"][place].argmax()] == predicted
        assert face.confidence == pytest.approx(answers.probabilities["weak"][place].max())
    assert {"The able one", "The fair one", "The weak one"} <= set(faces)


def test_faces_of_a_difference(answers):
    faces = differing_faces(answers, "able", "weak", "happy", "happy")
    told = {name: p.argmax(axis=1) == 3 for name, p in answers.probabilities.items()}
    differ = (answers.labels == 3) & (told["able"] ^ told["weak"])
    assert sorted(faces["row"]) == sorted(answers.rows[differ])
    assert set(faces[faces["source"] == "The able one"]["row"]) == set(answers.rows[differ & told["able"]])
    fewer = min((differ & told[name]).sum() for name in ("able", "weak"))
    assert fewer >= 1
    assert (faces.head(2 * fewer)["source"].value_counts() == fewer).all(), "both have their turn among the first"
    same = differing_faces(answers, "able", "able", "happy", "sad")
    assert same.empty
    assert "row" in same


def test_a_handful_depends_on_its_seed(answers):
    first = sample_faces(answers, "weak", "wrong", 8, 1)
    assert len(first) == 8
    assert (first["actual"] != first["predicted"]).all()
    assert first.equals(sample_faces(answers, "weak", "wrong", 8, 1))
    assert not first["row"].equals(sample_faces(answers, "weak", "wrong", 8, 2)["row"])
    right = sample_faces(answers, "weak", "right", 1000, 1)
    assert (right["actual"] == right["predicted"]).all()


def test_the_album_finds_faces_and_votes_or_says_how_to_get_them(home, monkeypatch):
    known = load_fer2013_faces()
    assert "data download" in known.missing
    assert "FERPlus" in known.votes_missing
    assert (known.face(10, "happy"), known.votes(10)) == (None, "")
    folder = home / "fer2013"
    write_fer2013(folder, monkeypatch)
    write_votes(folder)
    known = load_fer2013_faces()
    assert not known.missing
    assert known.face(10, EXPRESSIONS[(10 - START["public_test"]) % 7]).tolist() == np.full((48, 48), 10).tolist()
    assert known.face(10, "neutral") is known.face(10**6, "happy") is None
    assert known.votes(10) == "fear 6, contempt 3, not a face 1"
    assert known.votes(-1) == ""


def test_hardest_faces_by_counting(answers):
    chosen = {name: proba.argmax(axis=1) for name, proba in answers.probabilities.items()}
    all_wrong = confusion.hardest_faces(answers, "all wrong", "fair")
    expected = [k for k in range(len(answers.labels)) if all(said[k] != answers.labels[k] for said in chosen.values())]
    assert sorted(all_wrong["row"] - START["public_test"]) == expected
    confident = confusion.hardest_faces(answers, "confident", "fair")
    assert len(confident) == (chosen["fair"] != answers.labels).sum()
    assert confident["confidence"].is_monotonic_decreasing
    assert (confident["predicted"] != confident["actual"]).all()
    divided = confusion.hardest_faces(answers, "divided", "fair")
    answered = [len({said[row - START["public_test"]] for said in chosen.values()}) for row in divided["row"]]
    assert answered == sorted(answered, reverse=True)
    with pytest.raises(ValueError, match="Received: easiest"):
        confusion.hardest_faces(answers, "easiest", "fair")
