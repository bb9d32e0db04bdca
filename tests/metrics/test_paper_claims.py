"""The paper's conclusions: differences with intervals, and what may be said of them."""

import numpy as np
import pytest

from fer_core.metrics.intervals import Interval
from fer_core.metrics.paper import CLAIMS, PAPER_VARIANTS
from fer_core.metrics.paper_claims import in_prose, mean_difference, paper_claims, verdict
from fer_core.metrics.predictions import Predictions
from tests.metrics.test_paper import text  # noqa: F401

N = 2000


def right(share: float, seeds: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((seeds, N)) < share


def test_a_difference_of_independent_models_has_the_interval_of_the_textbook():
    first, second = right(0.7), right(0.5, seed=1)
    difference, interval = mean_difference(first, second, n_resamples=4000)
    half = 1.96 * np.sqrt((0.7 * 0.3 + 0.5 * 0.5) / N)
    assert difference == pytest.approx(first.mean() - second.mean())
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.06)
    assert mean_difference(first, first)[1] == Interval(0.0, 0.0), "paired by face"


def test_seeds_that_differ_widen_the_interval():
    same, spread = np.repeat(right(0.6), 3, axis=0), np.concatenate([right(share) for share in (0.5, 0.6, 0.7)])
    base = np.repeat(right(0.4, seed=2), 3, axis=0)
    widths = [ends.high - ends.low for ends in (mean_difference(side, base)[1] for side in (same, spread))]
    assert widths[1] > 2 * widths[0]


@pytest.mark.parametrize(
    ("ends", "higher", "expected"),
    [
        ([(1, 2), (3, 4)], True, "agrees"),
        ([(1, 2), (-1, 4)], True, "cannot be told"),
        ([(1, 2), (-4, -1)], True, "differs"),
        ([(-2, -1)], False, "agrees"),
        ([(-2, 1)], False, "cannot be told"),
        ([(1, 2)], False, "differs"),
        ([], True, "cannot be told"),
    ],
)
def test_a_verdict_needs_intervals_on_one_side_of_zero(ends, higher, expected):
    assert verdict([Interval(*pair) for pair in ends], higher=higher) == expected


def predicted(**shares: float) -> Predictions:
    """Models that are right on these shares of the faces, the same ones first."""
    labels = np.random.default_rng(0).integers(0, 7, N)
    answers = {}
    for name, share in shares.items():
        answers[name] = np.eye(7)[np.where(np.arange(N) < share * N, labels, (labels + 1) % 7)]
    none = np.full(N, -1)
    return Predictions("PublicTest", "plain", "label", none, labels, labels, N, answers, dict.fromkeys(answers, ""))


def test_models_are_compared_with_those_of_the_same_start():
    answers = predicted(
        vgg16_modified=0.6, mobilenetv2_modified_utk=0.2, vgg16_modified_utk=0.5, mobilenetv2_frozen=0.4,
        mobilenetv2_modified=0.7, vgg16_frozen_utk=0.3,
    )  # fmt: skip
    table = paper_claims(answers).set_index("question")
    better = table.loc["Which backbone is better after fine-tuning?"]
    assert better["verdict"] == "differs" and better["ours"].startswith("−10.0 (") and "UTKFace" not in better["why"]
    tuned = table.loc["Does fine-tuning help?"]
    assert tuned["verdict"] == "agrees" and tuned["ours"].startswith("+20.0 (") and "UTKFace" in tuned["why"]
    assert table.loc["Which frozen backbone is best?", "verdict"] == "cannot be told"
    assert "not trained" in table.loc["Does Gaussian noise help?", "ours"]
    assert len(in_prose(paper_claims(None))) == len(CLAIMS)


def test_noise_is_judged_with_three_seeds_only():
    models = {"vgg16_modified_utk": 0.6, "vgg16_modified_noise_utk": 0.5}
    seeds = {f"{name}_seed{seed}": share for name, share in models.items() for seed in (1, 2)}
    question = "Does Gaussian noise help?"
    for stored, expected in ((models, "cannot be told"), (models | seeds, "agrees")):
        assert paper_claims(predicted(**stored)).set_index("question").loc[question, "verdict"] == expected


def test_claims_are_verbatim_and_about_the_papers_models(text):  # noqa: F811
    plain = " ".join(text.replace("\\", "").split())
    for claim in CLAIMS:
        assert claim["claim"] in plain
        for name in (claim["first"], *claim["others"]):
            assert name in PAPER_VARIANTS
