"""Measuring on degraded faces, with a fake classifier whose answers can be counted by hand."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_core.columns import DEGRADED_COLUMNS
from fer_core.data import VOTE_COLUMNS, FaceDataset, FerPlusVotes
from fer_core.faces import DEGRADATIONS
from fer_core.measuring.robustness import (
    FACES,
    mean_corruption_accuracy,
    measure_degraded,
    robustness_curves,
    robustness_faces,
    robustness_summary,
    robustness_table,
)
from fer_core.measuring.scoreboard import scoreboard_table
from fer_core.metrics.core import measure_models
from fer_core.store.folders import promoted
from fer_core.store.stored_model import DEGRADED
from fer_core.types import FerError
from tests.made_up_store import add_model, degraded_table


class Bright:
    """Says happy (3) with 0.9 where the mean is above 100, else sad (4) with 0.5."""

    def __init__(self):
        self.calls = []

    def predict(self, faces):
        self.calls.append(len(faces))
        happy = faces.mean(axis=(1, 2)) > 100
        probabilities = np.zeros((len(faces), 7), np.float32)
        probabilities[happy, 3], probabilities[happy, 0] = 0.9, 0.1
        probabilities[~happy, 4], probabilities[~happy, 1], probabilities[~happy, 2] = 0.5, 0.25, 0.25
        return SimpleNamespace(probabilities=probabilities)


def dataset(images, labels, usage):
    return FaceDataset(
        np.asarray(images, np.uint8), np.asarray(labels, np.int64), np.asarray(usage), np.arange(len(images))
    )


@pytest.fixture
def flat():
    """Three faces of gray level 200 and one of 20; two are labelled happy, two sad."""
    images = np.stack([np.full((48, 48), gray, np.uint8) for gray in (200, 200, 200, 20)])
    return dataset(images, [3, 3, 4, 4], ["PublicTest", "PublicTest", "PrivateTest", "PrivateTest"])


@pytest.fixture
def many():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (FACES + 500, 48, 48)).astype(np.uint8)
    usage = rng.choice(["Training", "PublicTest", "PrivateTest"], len(images), p=[0.1, 0.45, 0.45])
    return dataset(images, rng.integers(0, 7, len(images)), usage)


def test_the_faces_are_those_with_the_smallest_hashes_in_any_order(many):
    chosen = robustness_faces(many)
    assert len(chosen) == FACES
    assert "Training" not in chosen.usage
    tests = many.images[many.usage != "Training"]
    digests = sorted(hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in tests)[:FACES]
    assert [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in chosen.images] == digests
    shuffled = robustness_faces(many.subset(np.random.default_rng(1).permutation(len(many))))
    np.testing.assert_array_equal(shuffled.images, chosen.images)
    np.testing.assert_array_equal(shuffled.labels, chosen.labels)
    assert not (shuffled.rows == np.arange(FACES)).all()


def test_few_test_faces_are_all_taken_and_none_is_an_error(flat):
    assert len(robustness_faces(flat)) == 4
    training = dataset(flat.images, flat.labels, ["Training"] * 4)
    with pytest.raises(FerError, match=r"Expected faces of PublicTest or PrivateTest .* Received: 4 faces"):
        robustness_faces(training)


def test_accuracy_and_confidence_by_hand(flat):
    classifier = Bright()
    table = measure_degraded(classifier, flat)
    assert list(table.columns) == DEGRADED_COLUMNS
    assert classifier.calls == [4] * 26
    assert table["faces"].eq(4).all()
    clean = table.iloc[0]
    assert clean[["kind", "strength", "level"]].tolist() == ["clean", 0, 0.0]
    assert clean["accuracy"] == 0.75  # happy, happy, happy and sad
    assert clean["confidence"] == pytest.approx((3 * 0.9 + 0.5) / 4)
    # Wilson's interval of 3 of 4 as statsmodels gives it
    assert clean[["low", "high"]].tolist() == pytest.approx([0.300642, 0.954413], abs=1e-6)
    half, dark = table[(table["kind"] == "light")].iloc[[0, 1]].to_dict("records")
    assert (half["level"], half["accuracy"]) == (30.0, 0.75)  # 140 is still above 100
    assert (dark["level"], dark["accuracy"], dark["confidence"]) == (50.0, 0.5, 0.5)  # 100 is not: all sad
    assert table[table["kind"] == "blur"]["accuracy"].eq(0.75).all()  # flat faces stay flat


def test_one_row_for_each_kind_and_strength(flat):
    table = measure_degraded(Bright(), flat).iloc[1:]
    found = [(row.kind, row.strength, row.level) for row in table.itertuples()]
    assert found == [
        (kind, strength, float(level))
        for kind, one in DEGRADATIONS.items()
        for strength, level in enumerate(one.levels, start=1)
    ]


def test_what_the_annotators_chose_counts_on_the_faces_that_have_a_plurality(flat):
    votes = np.zeros((4, len(VOTE_COLUMNS)), np.int64)
    votes[0, VOTE_COLUMNS.index("sadness")] = 10
    votes[1, VOTE_COLUMNS.index("happiness")] = 6
    votes[2, [0, 1]] = 5  # a tie
    votes[3, VOTE_COLUMNS.index("sadness")] = 7
    clean = measure_degraded(Bright(), flat.with_votes(FerPlusVotes(votes))).iloc[0]
    assert clean["accuracy"] == 0.75
    assert clean["faces_plurality"] == 3
    assert clean["accuracy_plurality"] == pytest.approx(2 / 3)
    # Wilson's interval of 2 of 3 as statsmodels gives it
    assert clean[["low_plurality", "high_plurality"]].tolist() == pytest.approx([0.207655, 0.938508], abs=1e-5)


def test_without_a_plurality_its_columns_are_missing(flat):
    table = measure_degraded(Bright(), flat)
    assert table["faces_plurality"].eq(0).all()
    assert table[["accuracy_plurality", "low_plurality", "high_plurality"]].isna().all(axis=None)


@pytest.fixture
def table(models):
    degraded_table(0.5).to_csv(models[0].folder / DEGRADED, index=False)
    return robustness_table(models)[0]


def test_every_model_has_its_26_rows(models, table):
    assert table.groupby("name").size().to_dict() == {"able": 26, "fair": 26, "weak": 26}
    retitled, without, complaints = robustness_table(models, {"fair": "Fair (fair)"})
    assert set(retitled["model"]) == {"The able one", "Fair (fair)", "The weak one"}
    assert (without, complaints) == ([], [])


def test_the_mean_is_over_the_25_degraded_rows(table):
    # strengths 1 to 5 lose one to five tenths: on average 0.5 * 0.7
    assert mean_corruption_accuracy(table)["able"] == pytest.approx(0.35)
    more = table.copy()
    more.loc[(more["name"] == "able") & (more["kind"] == "blur") & (more["strength"] == 1), "accuracy"] += 0.25
    more.loc[(more["name"] == "able") & (more["kind"] == "clean"), "accuracy"] = 0
    assert mean_corruption_accuracy(more)["able"] == pytest.approx(0.36)
    assert mean_corruption_accuracy(table.head(0)).empty


def test_the_summary_has_a_row_for_each_model_and_the_best_first(table):
    summary = robustness_summary(table)
    assert summary["name"].tolist() == ["fair", "able", "weak"]  # 0.6, 0.5 and 0.4 when clean
    able = summary[summary["name"] == "able"].iloc[0]
    assert able[["clean", "degraded", *DEGRADATIONS]].tolist() == pytest.approx([0.5] + [0.35] * 6)
    assert (able["confidence"], able["faces"]) == (pytest.approx(0.5), 1000)


def test_curves_of_one_kind_start_at_the_clean_faces(table):
    curves = robustness_curves(table, "resolution")
    able = curves[curves["name"] == "able"]
    assert able["words"].tolist() == ["clean", "32", "24", "16", "12", "8"]
    assert able["accuracy"].tolist() == pytest.approx([0.5, 0.45, 0.4, 0.35, 0.3, 0.25])
    assert set(curves["kind"]) == {"clean", "resolution"}


def test_what_the_annotators_chose_can_count_instead(models):
    table = degraded_table(0.5)
    table.assign(accuracy_plurality=float("nan"), faces_plurality=0).to_csv(models[1].folder / DEGRADED, index=False)
    found, without, _ = robustness_table(models, by="plurality")
    assert without == ["The fair one"]
    able = found[found["name"] == "able"].reset_index(drop=True)
    assert able["accuracy"].tolist() == pytest.approx(models[0].degraded()["accuracy_plurality"].tolist())
    assert able["low"].tolist() == pytest.approx(models[0].degraded()["low_plurality"].tolist())
    assert set(able["faces"]) == {900}
    with pytest.raises(FerError, match=r"Expected by to be one of label, plurality\. Received: votes"):
        robustness_table(models, by="votes")


def test_models_without_results_and_unusable_ones_are_named(models, answers):
    (models[0].folder / "degraded.csv").write_bytes(b"no")
    degraded_table(0.5).head(20).to_csv(models[1].folder / DEGRADED, index=False)
    bare = add_model(promoted(), "bare", degraded=False)
    table, without, complaints = robustness_table([*models, bare])
    assert set(table["name"]) == {"weak"}
    assert without == ["The bare one"]
    assert len(complaints) == 2
    assert "degraded.csv of able is damaged" in complaints[0]
    assert "fair on degraded faces are left out: they are of other kinds or strengths" in complaints[1]
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board["degraded_accuracy"].isna().to_dict() == {"able": True, "fair": True, "weak": False}


def test_the_scoreboard_has_the_mean(models, answers, table):
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board.loc["able", "degraded_accuracy"] == pytest.approx(0.35)


def test_no_results_at_all(home):
    table, without, _ = robustness_table([add_model(promoted(), "bare", degraded=False)])
    assert isinstance(table, pd.DataFrame)
    assert table.empty
    assert without == ["The bare one"]
