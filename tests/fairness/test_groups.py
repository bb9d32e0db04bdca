from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test
from sklearn.metrics import precision_score, recall_score

from fer_core.fairness.groups import audit_groups, consistency, error_tree, permutation_p
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import wilson_interval
from fer_core.types import FerError

ANGRY, HAPPY, SAD = (EXPRESSIONS.index(name) for name in ("angry", "happy", "sad"))


def rate_of(audit, group, rate, expression):
    return audit.rates.set_index(["group", "rate", "expression"]).sort_index().loc[(group, rate, expression)]


def gap_of(audit, rate, expression):
    return audit.gaps.set_index(["rate", "expression"]).sort_index().loc[(rate, expression)]


def test_a_case_by_hand():
    """Four men: three angry, of whom two are found; four women: one angry, found, and two called angry wrongly."""
    groups = ["man"] * 4 + ["woman"] * 4
    labels = [ANGRY, ANGRY, ANGRY, HAPPY, ANGRY, SAD, SAD, HAPPY]
    predicted = [ANGRY, ANGRY, SAD, HAPPY, ANGRY, ANGRY, ANGRY, HAPPY]
    audit = audit_groups("gender", groups, predicted, labels, minimum=1)
    assert audit.sizes == {"man": 4, "woman": 4}
    for group, rate, value in (
        *(("man", "recall", 2 / 3), ("man", "precision", 1), ("woman", "recall", 1), ("woman", "precision", 1 / 3)),
        ("woman", "selection_rate", 0.75),
    ):
        assert rate_of(audit, group, rate, "angry")["value"] == pytest.approx(value)
    assert rate_of(audit, "woman", "accuracy", "all")["value"] == 0.5
    assert rate_of(audit, "woman", "precision", "angry")["faces"] == 3
    gap = gap_of(audit, "selection_rate", "angry")
    assert (gap["highest"], gap["lowest"], gap["gap"]) == ("woman", "man", 0.25)
    assert gap["ratio"] == pytest.approx(2 / 3)


def test_a_prediction_that_stays_the_same_or_does_not_is_counted_by_group():
    """A made-up model says angry where the left half is the brighter one, which a mirror image turns around."""
    faces = np.full((4, 48, 48), 100, np.uint8)
    faces[:3, :, :24] = 140

    class Sides:
        def predict(self, faces):
            left = faces[:, :, :24].mean(axis=(1, 2)) > faces[:, :, 24:].mean(axis=(1, 2))
            return SimpleNamespace(probabilities=np.eye(7)[np.where(left, ANGRY, HAPPY)])

    table = consistency(Sides(), faces, {"age": ["old", "young", "young", "young"]})
    shares = table.set_index(["change", "group"])["value"]
    assert shares["mirror image"].to_dict() == {"": 0.25, "old": 0, "young": pytest.approx(1 / 3)}
    assert shares["half the light"].to_dict() == {"": 1, "old": 1, "young": 1}
    assert table.set_index(["change", "group"])["faces"]["blurred"].to_dict() == {"": 4, "old": 1, "young": 3}
    ends = wilson_interval(1, 4)
    assert table.loc[0, ["low", "high"]].tolist() == [ends.low, ends.high]


def test_every_expression_is_audited_not_only_class_1():
    """A rate of labels 0 to 6 that is taken as one of two classes would be that of class 1, disgust."""
    rng = np.random.default_rng(3)
    labels, predicted = rng.integers(0, 7, (2, 600))
    groups = rng.choice(["a", "b", "c"], 600)
    audit = audit_groups("g", groups, predicted, labels)
    for group in ("a", "b", "c"):
        inside = groups == group
        for index, name in enumerate(EXPRESSIONS):
            truth, chosen = labels[inside] == index, predicted[inside] == index
            assert rate_of(audit, group, "selection_rate", name)["value"] == pytest.approx(chosen.mean())
            recall = rate_of(audit, group, "recall", name)
            assert recall["value"] == pytest.approx(recall_score(truth, chosen))
            interval = wilson_interval(int((truth & chosen).sum()), int(truth.sum()))
            assert (recall["low"], recall["high"]) == pytest.approx((interval.low, interval.high))
            precision = rate_of(audit, group, "precision", name)["value"]
            assert precision == pytest.approx(precision_score(truth, chosen))


def test_without_labels_there_are_only_predictions_and_few_faces_are_not_compared():
    audit = audit_groups("g", ["a", "b"] * 40, [HAPPY, SAD] * 40, order=["b", "none", "a"])
    assert set(audit.rates["rate"]) == {"selection_rate"}
    assert list(audit.sizes) == list(dict.fromkeys(audit.rates["group"])) == ["b", "a"]
    assert gap_of(audit, "selection_rate", "happy")["gap"] == 1
    groups = ["a"] * 50 + ["b"] * 50 + ["c"] * 3
    audit = audit_groups("g", groups, [HAPPY] * 25 + [SAD] * 75 + [HAPPY] * 3, minimum=30)
    assert not rate_of(audit, "c", "selection_rate", "happy")["compared"]
    gap = gap_of(audit, "selection_rate", "happy")
    assert (gap["highest"], gap["groups"]) == ("a", 2)
    assert audit_groups("g", ["a"] * 40 + ["b"] * 2, [HAPPY] * 42).gaps.empty


def test_p_equals_a_permutation_test():
    rng = np.random.default_rng(5)
    groups = np.repeat([0, 1, 2], [40, 60, 50])
    success = rng.random(150) < np.array([0.3, 0.5, 0.45])[groups]

    def largest_gap(values):
        shares = [values[groups == group].mean() for group in range(3)]
        return max(shares) - min(shares)

    other = permutation_test(
        (success.astype(float),), largest_gap, permutation_type="pairings", n_resamples=5000, rng=rng,
        alternative="greater", vectorized=False,
    )  # fmt: skip
    hits, faces = np.bincount(groups, success).astype(int), np.bincount(groups)
    assert permutation_p(hits, faces) == pytest.approx(other.pvalue, abs=0.03)
    assert permutation_p(np.zeros_like(faces), faces) == permutation_p(faces, faces) == 1


def test_holm_covers_all_gaps_of_the_division():
    rng = np.random.default_rng(9)
    audit = audit_groups("g", rng.choice(["a", "b"], 900), rng.integers(0, 7, 900))
    p = np.sort(audit.gaps["p"].to_numpy())
    by_hand = np.minimum(1, np.maximum.accumulate(p * np.arange(len(p), 0, -1)))
    assert np.sort(audit.gaps["p_holm"].to_numpy()) == pytest.approx(by_hand)


def test_gap_and_ratio_have_the_intervals_of_drawing_faces_again():
    rng = np.random.default_rng(12)
    first, second = np.array([HAPPY] * 300 + [SAD] * 500), np.array([HAPPY] * 60 + [SAD] * 340)
    audit = audit_groups("g", ["a"] * 800 + ["b"] * 400, np.r_[first, second])
    gap = gap_of(audit, "selection_rate", "happy")
    drawn = np.array([[(rng.choice(part, len(part)) == HAPPY).mean() for part in (first, second)] for _ in range(3000)])
    for name, value, draws in (("", 0.225, drawn[:, 0] - drawn[:, 1]), ("ratio_", 0.4, drawn[:, 1] / drawn[:, 0])):
        assert gap[name.strip("_") or "gap"] == pytest.approx(value)
        ends = (gap[f"{name}low"], gap[f"{name}high"])
        assert ends == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.02)


def test_equal_rates_are_no_certainty():
    audit = audit_groups("g", ["a", "b"] * 20, [HAPPY] * 20 + [SAD] * 20, minimum=20)
    gap = gap_of(audit, "selection_rate", "happy")
    assert (gap["gap"], gap["ratio"]) == (0, 1)
    assert gap["low"] < -0.1 and gap["high"] > 0.1
    assert gap["ratio_low"] < 0.8 and gap["ratio_high"] > 1.2
    none = gap_of(audit, "selection_rate", "fear")
    assert none["low"] < 0 < none["high"]
    assert none[["ratio", "ratio_low", "ratio_high"]].isna().all()


def test_one_face_is_a_group_and_what_does_not_fit_is_refused():
    audit = audit_groups("gender", ["female"], [3], [3], minimum=1)
    assert audit.sizes == {"female": 1}
    assert rate_of(audit, "female", "recall", "happy")["value"] == 1.0
    with pytest.raises(FerError, match="at least one face"):
        audit_groups("g", [], [])
    with pytest.raises(FerError, match="minimum of at least one"):
        audit_groups("g", ["a"], [1], minimum=0)
    for groups, predicted, labels in ((["a", "b"], [1], None), (["a"], [7], None), (["a", "b"], [1, 2], [1])):
        with pytest.raises(ValueError, match="Expected"):
            audit_groups("g", groups, predicted, labels)


def planted(n=3000):
    rng = np.random.default_rng(1)
    roll = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 40, n))
    table = pd.DataFrame({"brightness": rng.uniform(0, 255, n), "head roll": roll})
    table["glasses"] = rng.choice(["yes", "no"], n)
    weak = (table["brightness"] < 60) & (table["glasses"] == "yes")
    return table, rng.random(n) < np.where(weak, 0.8, 0.1)


def test_a_planted_weakness_is_found_and_none_in_errors_at_random():
    table, wrong = planted()
    leaves = error_tree(table, wrong)
    worst = leaves.iloc[0]
    assert "brightness up to" in worst["where"]
    assert "glasses is yes" in worst["where"] or "glasses is not no" in worst["where"]
    assert worst["low"] < 0.8 < worst["high"]
    assert leaves["value"].is_monotonic_decreasing
    assert leaves["faces"].sum() == 1500, "counted on the other half"
    assert np.allclose(leaves["value"], leaves["wrong"] / leaves["faces"])
    leaves = error_tree(table, np.random.default_rng(2).random(len(table)) < 0.3)
    assert ((leaves["low"] <= 0.3) & (leaves["high"] >= 0.3)).mean() > 0.7


def test_no_error_at_all_is_one_leaf_and_few_faces_are_refused():
    table, wrong = planted(400)
    leaves = error_tree(table, np.zeros(400, dtype=bool))
    assert list(leaves["where"]) == ["all faces"]
    assert leaves.loc[0, "value"] == 0
    with pytest.raises(FerError, match="at least 200 faces"):
        error_tree(table[:199], wrong[:199])
