import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.columns import DEGRADED_COLUMNS
from fer_core.data import VOTE_COLUMNS, FaceDataset, FerPlusVotes
from fer_core.faces import DEGRADATIONS
from fer_core.measuring import robustness
from fer_core.measuring.robustness import FACES, mean_corruption_accuracy, measure_degraded, robustness_table
from fer_core.measuring.scoreboard import scoreboard_table
from fer_core.metrics.core import measure_models
from fer_core.store.folders import promoted
from fer_core.store.stored_model import DEGRADED
from fer_core.types import FerError
from tests.made_up_store import add_model, degraded_table

PLURALITY = ["accuracy_plurality", "low_plurality", "high_plurality"]


class Bright:
    """Says happy (3) with 0.9 where the mean is above 100, else sad (4) with 0.5."""

    def predict(self, faces):
        happy = faces.mean(axis=(1, 2)) > 100
        answers = np.where(happy[:, None], [0.1, 0, 0, 0.9, 0, 0, 0], [0, 0.25, 0.25, 0, 0.5, 0, 0])
        return SimpleNamespace(probabilities=answers)


def dataset(images, labels, usage):
    return FaceDataset(images.astype(np.uint8), np.asarray(labels), np.asarray(usage), np.arange(len(images)))


@pytest.fixture
def flat():
    """Three faces of gray level 200 and one of 20; two are labelled happy, two sad."""
    images = np.array([200, 200, 200, 20])[:, None, None] * np.ones((1, 48, 48))
    return dataset(images, [3, 3, 4, 4], ["PublicTest", "PublicTest", "PrivateTest", "PrivateTest"])


def test_the_faces_are_those_with_the_smallest_hashes_in_any_order(flat):
    rng = np.random.default_rng(0)
    usage = rng.choice(["Training", "PublicTest", "PrivateTest"], FACES + 500, p=[0.1, 0.45, 0.45])
    many = dataset(rng.integers(0, 256, (FACES + 500, 48, 48)), rng.integers(0, 7, FACES + 500), usage)
    chosen = robustness.robustness_faces(many)
    tests = many.images[many.usage != "Training"]
    digests = sorted(hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in tests)[:FACES]
    assert [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in chosen.images] == digests
    shuffled = robustness.robustness_faces(many.subset(rng.permutation(len(many))))
    np.testing.assert_array_equal(shuffled.images, chosen.images)
    np.testing.assert_array_equal(shuffled.labels, chosen.labels)
    assert len(robustness.robustness_faces(flat)) == 4, "few are all taken"
    with pytest.raises(FerError, match=r"Expected faces of PublicTest or PrivateTest .* Received: 4 faces"):
        robustness.robustness_faces(dataset(flat.images, flat.labels, ["Training"] * 4))


def test_accuracy_and_confidence_by_hand(flat):
    table = measure_degraded(Bright(), flat)
    assert list(table.columns) == DEGRADED_COLUMNS
    assert table["faces"].eq(4).all()
    assert table["faces_plurality"].eq(0).all()
    assert table[PLURALITY].isna().all(axis=None), "there are no votes"
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
    levels = [(kind, float(level)) for kind, degradation in DEGRADATIONS.items() for level in degradation.levels]
    assert list(zip(table["kind"][1:], table["level"][1:], strict=True)) == levels


def test_what_the_annotators_chose_counts_on_the_faces_that_have_a_plurality(flat):
    votes = np.zeros((4, len(VOTE_COLUMNS)), np.int64)
    votes[0, VOTE_COLUMNS.index("sadness")] = 10
    votes[1, VOTE_COLUMNS.index("happiness")] = 6
    votes[2, [0, 1]] = 5  # a tie
    votes[3, VOTE_COLUMNS.index("sadness")] = 7
    clean = measure_degraded(Bright(), flat.with_votes(FerPlusVotes(votes))).iloc[0]
    assert (clean["accuracy"], clean["faces_plurality"]) == (0.75, 3)
    # with Wilson's interval of 2 of 3 as statsmodels gives it
    assert clean[PLURALITY].tolist() == pytest.approx([2 / 3, 0.207655, 0.938508], abs=1e-5)


@pytest.fixture
def table(models):
    degraded_table(0.5).to_csv(models[0].folder / DEGRADED, index=False)
    return robustness_table(models)[0]


def test_the_mean_is_over_the_25_degraded_rows(models, answers, table):
    assert table.groupby("name").size().to_dict() == {"able": 26, "fair": 26, "weak": 26}
    # strengths 1 to 5 lose one to five tenths: on average 0.5 * 0.7
    assert mean_corruption_accuracy(table)["able"] == pytest.approx(0.35)
    assert mean_corruption_accuracy(table.head(0)).empty
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board.loc["able", "degraded_accuracy"] == pytest.approx(0.35)


def test_the_summary_has_the_best_first_and_curves_start_at_the_clean_faces(table):
    summary = robustness.robustness_summary(table)
    assert summary["name"].tolist() == ["fair", "able", "weak"]  # 0.6, 0.5 and 0.4 when clean
    able = summary[summary["name"] == "able"].iloc[0]
    assert able[["clean", "degraded", *DEGRADATIONS]].tolist() == pytest.approx([0.5] + [0.35] * 6)
    assert (able["confidence"], able["faces"]) == (pytest.approx(0.5), 1000)
    curves = robustness.robustness_curves(table, "resolution")
    able = curves[curves["name"] == "able"]
    assert able["words"].tolist() == ["clean", "32", "24", "16", "12", "8"]
    assert able["accuracy"].tolist() == pytest.approx([0.5, 0.45, 0.4, 0.35, 0.3, 0.25])
    assert set(curves["kind"]) == {"clean", "resolution"}


def test_what_the_annotators_chose_can_count_instead(models):
    unvoted = degraded_table(0.5).assign(accuracy_plurality=float("nan"), faces_plurality=0)
    unvoted.to_csv(models[1].folder / DEGRADED, index=False)
    voted, without, _ = robustness_table(models, by="plurality")
    assert without == ["The fair one"]
    able, stored = voted[voted["name"] == "able"].reset_index(drop=True), models[0].degraded()
    for column in ("accuracy", "low"):
        assert able[column].tolist() == pytest.approx(stored[f"{column}_plurality"].tolist())
    assert set(able["faces"]) == {900}
    with pytest.raises(FerError, match=r"Expected by to be one of label, plurality\. Received: votes"):
        robustness_table(models, by="votes")


def test_models_without_results_and_unusable_ones_are_named(models, answers):
    (models[0].folder / DEGRADED).write_bytes(b"no")
    degraded_table(0.5).head(20).to_csv(models[1].folder / DEGRADED, index=False)
    bare = add_model(promoted(), "bare", degraded=False)
    table, without, (damaged, others) = robustness_table([*models, bare], {"weak": "Weak (weak)"})
    assert set(table["model"]) == {"Weak (weak)"}
    assert without == ["The bare one"]
    assert "degraded.csv of able is damaged" in damaged
    assert "fair on degraded faces are left out: they are of other kinds or strengths" in others
    assert others.endswith("fer-lab evaluate fair --degraded --save")
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board["degraded_accuracy"].isna().to_dict() == {"able": True, "fair": True, "weak": False}
