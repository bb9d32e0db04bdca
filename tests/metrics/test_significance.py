from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binomtest, chi2
from sklearn.metrics import accuracy_score, recall_score

from fer_core.measuring.results import load_predictions
from fer_core.metrics.core import evaluate
from fer_core.metrics.intervals import resample_weights
from fer_core.metrics.significance import both_ways, compare_all, gains, pair_table
from fer_core.types import FerError
from tests.made_up_store import noisy


def _compare(labels, first, second, **settings):
    return compare_all(labels, {"first": first, "second": second}, **settings).iloc[0]


def _models(both: int, only_a: int, only_b: int, neither: int):
    labels = np.zeros(both + only_a + only_b + neither, dtype=int)
    right_a = np.repeat([1, 1, 0, 0], [both, only_a, only_b, neither])
    right_b = np.repeat([1, 0, 1, 0], [both, only_a, only_b, neither])
    return labels, np.eye(7)[1 - right_a], np.eye(7)[1 - right_b]


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(3, 9), (0, 5), (12, 12), (24, 0), (1, 0), (25, 0), (40, 20), (200, 260), (13, 12)]
)
def test_few_discordant_pairs_are_tested_exactly_and_many_by_chi_square(only_a, only_b):
    test = _compare(*_models(50, only_a, only_b, 20), n_resamples=5)
    assert (test["only_first"], test["only_second"]) == (only_a, only_b)
    many = only_a + only_b >= 25
    assert test["test"] == ("chi-square" if many else "exact")
    statistic = (abs(only_a - only_b) - 1) ** 2 / (only_a + only_b)  # with continuity correction
    expected = chi2.sf(statistic, 1) if many else binomtest(only_a, only_a + only_b).pvalue
    assert test["p"] == pytest.approx(expected)


def test_equal_models_do_not_differ(sample):
    labels, proba = sample(50)
    same = _compare(labels, proba, proba, n_resamples=50)
    assert same["p"] == 1
    assert same[["difference", "low", "macro_f1_high"]].tolist() == [0, 0, 0]


def test_paired_bootstrap_equals_a_naive_loop(sample):
    labels, first = sample(90, seed=1)
    second = sample(90, seed=2, skill=1)[1]
    result = _compare(labels, first, second, n_resamples=40, seed=7)
    whole = evaluate(labels, first), evaluate(labels, second)
    assert result["difference"] == pytest.approx(whole[0].accuracy - whole[1].accuracy)
    assert result["macro_f1_difference"] == pytest.approx(whole[0]["macro_f1"] - whole[1]["macro_f1"])
    accuracy, macro_f1 = [], []
    for weights in np.concatenate(list(resample_weights(90, 40, 7))).astype(int):
        rows = np.repeat(np.arange(90), weights)
        one, two = evaluate(labels[rows], first[rows]), evaluate(labels[rows], second[rows])
        accuracy.append(one.accuracy - two.accuracy)
        macro_f1.append(one["macro_f1"] - two["macro_f1"])
    for ends, values in ((["low", "high"], accuracy), (["macro_f1_low", "macro_f1_high"], macro_f1)):
        assert result[ends].tolist() == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=1e-12)


def test_compare_all_adjusts_by_holm_and_keeps_the_order(sample):
    labels = sample(400)[0]
    skills = {"weak": 0.5, "fair": 1.0, "good": 1.3, "best": 2.5}
    probas = {name: noisy(labels, seed, skill) for seed, (name, skill) in enumerate(skills.items())}
    table = compare_all(labels, probas, n_resamples=100, seed=3)
    assert list(zip(table["first"], table["second"], strict=True)) == list(combinations(probas, 2))
    running = 0.0
    for rank, (place, p) in enumerate(table["p"].sort_values().items()):
        running = max(running, min(1.0, (len(table) - rank) * p))
        assert table.loc[place, "p_holm"] == pytest.approx(running)
    alone = _compare(labels, probas["fair"], probas["best"], n_resamples=100, seed=3)
    columns = table.columns.difference(["first", "second", "p_holm"])
    assert table.loc[4, columns].equals(alone[columns])
    assert table.loc[2, "p_holm"] < 0.001


def test_bad_settings(sample):
    labels, proba = sample(20)
    pair = {"a": proba, "second": proba}
    for probas, settings, message in (
        ({"a": proba}, {}, r"at least two models\. Received: 1"),
        (pair, {"confidence": 2}, "confidence"),
        (pair, {"n_resamples": 0}, "n_resamples"),
        (pair | {"second": proba[:3]}, {}, "second"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_all(labels, probas, **settings)


def test_pairs_name_the_better_one_first(answers):
    table = pair_table(answers)
    assert len(table) == 3
    assert (table["difference"] >= 0).all()
    row = table[(table["first"] == "The able one") & (table["second"] == "The weak one")].iloc[0]
    right = {name: p.argmax(axis=1) == answers.labels for name, p in answers.probabilities.items()}
    assert row["only_first"] == (right["able"] & ~right["weak"]).sum()
    assert row["verdict"] == "The able one is better by FER2013's label"
    assert row["p_holm"] >= row["p"]
    both = both_ways(table)
    assert len(both) == 6
    for name in ("difference", "macro_f1_difference"):
        assert both[name].sum() == pytest.approx(0)
    low, high = (both.groupby(["first", "second"])[f"macro_f1_{end}"].first() for end in ("low", "high"))
    assert low["The weak one", "The able one"] == -high["The able one", "The weak one"]
    equal = both_ways(table.assign(difference=0.0, p_holm=1.0))
    assert set(equal["words"]) == {"(+0.0)"}


def test_a_verdict_names_what_it_is_by_and_one_model_makes_no_pair(models):
    voted, _ = load_predictions(models, "PublicTest", "plain", "plurality")
    assert pair_table(voted)["verdict"].str.endswith(" by most annotators").all()
    assert pair_table(voted.only(["fair"])).empty


@pytest.fixture
def faces():
    random = np.random.default_rng(5)
    return {"labels": random.integers(0, 7, 400), "plurality": random.integers(-1, 7, 400)}


def model(faces, right, seed):
    """Return copies whose answers are the label for a share `right` of the faces, by copy."""
    random, labels, answers = np.random.default_rng(seed), faces["labels"], {}
    for name, share in zip(("clean", "noise", "blur"), right, strict=True):
        said = np.where(random.random(len(labels)) < share, labels, random.integers(0, 7, len(labels)))
        answers[name] = np.eye(7)[said]
    return answers


def test_the_parts_are_those_of_scikit_learn(faces):
    labels, plurality = faces.values()
    one, other = model(faces, (0.8, 0.6, 0.5), 1), model(faces, (0.5, 0.4, 0.4), 2)
    table = gains([one], [other], **faces, n_resamples=200).set_index("part")
    clear = plurality >= 0

    def scores(copies, name):
        said = copies[name].argmax(axis=1)
        recall = recall_score(plurality[clear], said[clear], average="macro")
        return accuracy_score(labels, said), accuracy_score(plurality[clear], said[clear]), recall

    for copies, side in ((one, "first"), (other, "second")):
        clean = scores(copies, "clean")
        degraded = np.mean([scores(copies, name) for name in ("noise", "blur")], axis=0)
        assert table[side].to_numpy() == pytest.approx([*clean, *degraded, np.mean([*clean, *degraded])])
    parts = ["label", "plurality", "recall"]
    assert table.index.tolist() == [*parts, *(f"{part}_degraded" for part in parts), "score"]
    assert (table["difference"] == table["first"] - table["second"]).all()
    assert table.loc["label", "low"] > 0.15  # a difference of 0.3 on 400 faces
    assert ((table["low"] <= table["difference"]) & (table["difference"] <= table["high"])).all()


def test_seeds_are_averaged_and_the_same_model_gains_nothing(faces):
    seeds = [model(faces, (share, share, share), number) for number, share in enumerate((0.9, 0.5))]
    table = gains(seeds, seeds[1:], **faces, n_resamples=50).set_index("part")
    right = [np.mean(copies["clean"].argmax(axis=1) == faces["labels"]) for copies in seeds]
    assert table.loc["label", "first"] == pytest.approx(np.mean(right))
    assert table.loc["label", "difference"] == pytest.approx((right[0] - right[1]) / 2)
    same = gains(seeds, seeds, **faces, n_resamples=50)
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    clean = [{"clean": copies["clean"]} for copies in seeds]
    table = gains(clean, clean, **faces, n_resamples=20)
    assert table["part"].tolist() == ["label", "plurality", "recall", "score"]
    assert table["first"].iloc[-1] == pytest.approx(table["first"].iloc[:-1].mean())


def test_without_votes_or_models_there_is_a_sentence(faces):
    one = [model(faces, (0.7, 0.7, 0.7), 4)]
    with pytest.raises(FerError, match="votes"):
        gains(one, one, labels=faces["labels"], plurality=np.full(400, -1))
    with pytest.raises(FerError, match="both sides"):
        gains(one, [], **faces)
