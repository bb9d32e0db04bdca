from dataclasses import replace

import cv2
import numpy as np
import pandas as pd

from fer_core.columns import PROBABILITIES
from fer_core.faces import known_roll
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import MEASURES, face_table, filtered, shuffled_places


def test_columns_say_what_the_faces_are(fer2013):
    places = np.r_[:40, 28_709:28_749]
    part = fer2013.subset(places)
    table = face_table(part)
    assert table["row"].tolist() == places.tolist()
    assert table["label"].tolist() == [EXPRESSIONS[label] for label in part.labels]
    assert (table["said"] == "").tolist() == (part.plurality < 0).tolist()
    np.testing.assert_allclose(table["brightness"], [face.mean() for face in part.images])
    np.testing.assert_allclose(table["contrast"], [np.std(face) for face in part.images])
    np.testing.assert_allclose(table["sharpness"][5], cv2.Laplacian(part.images[5], cv2.CV_64F).var())
    np.testing.assert_array_equal(table["roll"], known_roll(places))
    votes = part.votes.votes
    np.testing.assert_allclose(table["agreement"], votes.max(axis=1) / votes.sum(axis=1))
    assert (table["predicted"] == "").all()
    assert not table["wrong"].any()


def test_predictions_belong_to_their_rows(fer2013, models):
    part = fer2013.subset(np.arange(300))  # the made-up store predicts rows 3 to 212
    table = face_table(part, models[0]).set_index("row")
    stored = models[0].predictions("public_test")
    other = stored["label"].map(dict(enumerate(EXPRESSIONS))).to_numpy() != table.loc[stored["row"], "label"]
    assert (table["predicted"][other[other].index] == "").all()  # another label, so another face
    stored = stored[~other.to_numpy()]
    assert len(stored)
    said = [EXPRESSIONS[k] for k in stored[PROBABILITIES].to_numpy().argmax(axis=1)]
    assert table.loc[stored["row"], "predicted"].tolist() == said
    wrong = table["wrong"].to_numpy()
    assert ((table["predicted"] != table["label"]) & (table["predicted"] != "")).tolist() == wrong.tolist()


def test_filters_join(fer2013):
    table = face_table(fer2013.subset(np.arange(28_500, 29_000)))
    sad = table[(table["split"] == "PublicTest") & (table["label"] == "sad")]
    expected = sad[~sad["said"].isin(["", "sad"])]
    assert len(expected)
    assert filtered(table, split="PublicTest", label="sad", differing=True).equals(expected)
    assert len(filtered(table)) == 500
    assert filtered(table, said="happy")["said"].unique().tolist() == ["happy"]
    assert filtered(table, copies=True)["copy"].all()
    assert filtered(table, wrong=True).empty


def test_a_range_is_open_at_its_limits():
    table = pd.DataFrame({"roll": [-90.0, -45.0, 0.0, 20.0, np.nan], "brightness": [1.0, 2.0, 3.0, 4.0, 5.0]})
    low, high = MEASURES["roll"].low, MEASURES["roll"].high
    assert len(filtered(table, ranges={"roll": (low, high)})) == 5
    assert filtered(table, ranges={"roll": (low, 10)}).index.tolist() == [0, 1, 2]
    assert filtered(table, ranges={"roll": (-45 + 1, high)}).index.tolist() == [2, 3]
    assert filtered(table, ranges={"roll": (0, 20), "brightness": (0, 3)}).index.tolist() == [2]


def test_own_faces_are_predicted_and_compared_with_each_other(fer2013, models, tiny_classifier):
    images = fer2013.images[[7, 8, 7, 9]]
    own = replace(fer2013.subset(np.arange(4)), images=images, rows=np.full(4, -1), votes=None)
    table = face_table(own, models[0], lambda _: tiny_classifier)
    assert table["copy"].tolist() == [True, False, True, False]
    expected = [EXPRESSIONS[k] for k in tiny_classifier.predict(images).probabilities.argmax(axis=1)]
    assert table["predicted"].tolist() == expected
    assert (table["wrong"] == (table["predicted"] != table["label"])).all()
    assert table["agreement"].isna().all()
    assert (face_table(own)["predicted"] == "").all()
    assert (face_table(own, models[0])["predicted"] == "").all(), "the made-up models cannot predict"


def test_shuffled_places_are_all_of_a_label_in_an_order_that_stays(fer2013):
    part = fer2013.subset(np.arange(200))
    sad = shuffled_places(part, "sad")
    assert sorted(sad) == np.flatnonzero(part.labels == EXPRESSIONS.index("sad")).tolist()
    assert sad == shuffled_places(part, "sad") != sorted(sad)
    assert sorted(shuffled_places(part)) == list(range(200))
