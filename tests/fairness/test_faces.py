from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.data.pictures import open_grouped
from fer_core.fairness.faces import picture_faces, stored_faces
from fer_core.fairness.properties import known_properties
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.types import FerError
from tests.fairness.people import write_people


@pytest.fixture(scope="module")
def stored():
    answers, _ = load_predictions([load_model()], "PublicTest", "plain", "plurality")
    assert answers is not None
    return answers, stored_faces(answers, DEFAULT_MODEL)


def test_rates_of_stored_predictions_equal_counts_by_hand(stored):
    answers, faces = stored
    audit = faces.compare("agreement")
    united = (known_properties().loc[answers.rows, "agreement"] > 0.9).to_numpy()
    happy = answers.labels == EXPRESSIONS.index("happy")
    predicted = answers.probabilities[DEFAULT_MODEL].argmax(axis=1)
    rates = audit.rates.set_index(["group", "rate", "expression"])
    one = rates.loc[("united, over 90 %", "recall", "happy")]
    assert one["faces"] == (united & happy).sum()
    assert one["value"] == pytest.approx((predicted[united & happy] == EXPRESSIONS.index("happy")).mean())
    accuracy = rates.loc[("united, over 90 %", "accuracy", "all"), "value"]
    assert accuracy == pytest.approx((predicted == answers.labels)[united].mean())
    audit = faces.compare("brightness", "roll")  # crossed
    assert audit.by == "brightness × roll"
    assert sum(audit.sizes.values()) == len(faces)
    assert all(" × " in group for group in audit.sizes)


def test_the_tree_says_where_it_fails_and_faces_of_another_dataset_are_refused(stored):
    answers, faces = stored
    leaves = faces.where_it_fails()
    assert leaves["faces"].sum() == len(answers.rows) - len(answers.rows) // 2
    assert "agreement" in leaves.iloc[0]["where"]
    with pytest.raises(FerError, match="not of FER2013"):
        stored_faces(replace(answers, rows=np.arange(len(answers.rows))), DEFAULT_MODEL)


def test_own_pictures_are_predicted_as_by_the_classifier(tmp_path):
    told = []
    with open_grouped(write_people(tmp_path / "people")) as pictures:
        faces = picture_faces(pictures, load_model(), whole_image=True, say=lambda *pair: told.append(pair))
    assert len(faces) == 2, "cleo has no known expression"
    assert any("without a known expression" in note for note in faces.notes)
    assert told[-1] == (2, 2)
    assert list(faces.divisions)[:5] == ["gender", "age", "brightness", "contrast", "sharpness"]
    assert faces.properties["brightness"].round().tolist() == pytest.approx([60, 120], abs=2)
    assert [faces.pictures.name(row) for row in range(2)] == ["anna.png", "ben.png"]
    answers, name = faces.source
    wrong = answers.probabilities[name].argmax(axis=1) != faces.labels
    assert wrong.any()
    mistakes = pd.concat([faces.mistakes(group, "all", by="gender") for group in ("female", "male")])
    assert sorted(mistakes["row"]) == np.flatnonzero(wrong).tolist()
    taken = {EXPRESSIONS[place] for place in faces.predicted[wrong]}
    for rate, column, classes in (("precision", "predicted", taken), ("recall", "actual", set(mistakes["actual"]))):
        for name in classes:
            some = [faces.mistakes(group, name, by="gender", rate=rate) for group in ("female", "male")]
            assert set(pd.concat(some)[column]) == {name}, "what lowers the precision is predicted as the expression"
    for row, label in zip(mistakes["row"], mistakes["label"], strict=True):
        assert faces.pictures.face(row, label).shape == (48, 48)
    audit = faces.compare("gender", minimum=1)
    assert audit.sizes == {"female": 1, "male": 1}
    with open_grouped(tmp_path / "people") as pictures, pytest.raises(FerError, match="None of the 2"):
        picture_faces(pictures, load_model())  # no face is found


def test_a_tree_needs_expressions(tmp_path):
    table = "file,gender\nanna.png,female\nben.png,male\n"
    with open_grouped(write_people(tmp_path / "people", table)) as pictures:
        faces = picture_faces(pictures, load_model(), whole_image=True)
    assert faces.labels is None
    with pytest.raises(FerError, match="true expressions"):
        faces.where_it_fails()
    with pytest.raises(FerError, match="Unknown division"):
        faces.compare("shoe size")
