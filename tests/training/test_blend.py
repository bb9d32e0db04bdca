"""One head from two: it answers as the blend says, and the hold-out chooses it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.training.blend import CORRECTIONS, SHARES, Blend, choose_blend, class_frequencies
from fer_core.types import FerError
from tests.training.test_fit import bright_and_dark  # noqa: F401
from tests.training.test_targets import network, two_heads, with_votes  # noqa: F401

FREQUENCIES = np.array([[0.1, 0.02, 0.18, 0.3, 0.1, 0.2, 0.1], [0.1, 0.01, 0.04, 0.3, 0.15, 0.1, 0.3]])


@pytest.mark.parametrize(
    "blend", [Blend(0.0), Blend(0.25), Blend(1.0), Blend(0.6, 0.3), Blend(0.0, 1.0), Blend(0.5, 0.2, 0.7)]
)
def test_the_head_answers_as_the_blend_says(two_heads, blend):  # noqa: F811
    one, both = two_heads
    faces = np.random.default_rng(1).uniform(0, 255, (5, 48, 48, 1)).astype(np.float32)
    expected = blend.answers(both.predict(faces, verbose=0), FREQUENCIES)
    blend.set_head(one, both, FREQUENCIES)
    np.testing.assert_allclose(one.predict(faces, verbose=0), expected, atol=1e-4)


def test_a_full_correction_divides_by_the_frequencies():
    said, voted = np.array([[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]]), np.full((1, 7), 1 / 7)
    both = np.concatenate([said, voted], axis=1)
    by_labels = (said / FREQUENCIES[0]) / (said / FREQUENCIES[0]).sum()
    np.testing.assert_allclose(Blend(0.0, 1.0).answers(both, FREQUENCIES), by_labels)
    by_votes = (1 / FREQUENCIES[1]) / (1 / FREQUENCIES[1]).sum()
    np.testing.assert_allclose(Blend(1.0, 1.0).answers(both, FREQUENCIES)[0], by_votes)
    half = np.sqrt(said * voted)
    np.testing.assert_allclose(Blend(0.5).answers(both, FREQUENCIES), half / half.sum())


def test_frequencies_count_labels_and_votes_and_are_never_zero(bright_and_dark):  # noqa: F811
    few = bright_and_dark.subset(np.arange(len(bright_and_dark)) < 4)
    few = with_votes(replace(few, labels=np.array([3, 3, 3, 4])), [3, 5, 5, -1])
    found = class_frequencies(few)
    np.testing.assert_allclose(found[0] * 11, [1, 1, 1, 4, 2, 1, 1])
    np.testing.assert_allclose(found[1] * 10, [1, 1, 1, 2, 1, 3, 1])
    with pytest.raises(FerError, match="FER\\+'s votes"):
        class_frequencies(replace(few, votes=None))


def test_the_blend_has_the_best_score(two_heads, bright_and_dark):  # noqa: F811
    _, both = two_heads
    blend, tried = choose_blend(both, with_votes(bright_and_dark, bright_and_dark.labels), FREQUENCIES)
    shares, corrections = tried["holdout_by_votes_share"], tried["holdout_by_correction"]
    assert [float(name) for name in shares] == list(SHARES)
    assert [float(name) for name in corrections] == list(CORRECTIONS)
    assert 0.25 <= blend.temperature <= 4
    assert shares[f"{blend.share:.2f}"] == corrections[f"{blend.correction:.1f}"]
    every = [*shares.values(), *corrections.values()]
    assert shares[f"{blend.share:.2f}"]["score"] == max(one["score"] for one in every)
    for one in every:
        assert one["label"] == one["plurality"]  # votes and labels agree here


def test_the_temperature_makes_the_mean_confidence_the_score(two_heads, bright_and_dark, monkeypatch):  # noqa: F811
    """Of four copies, the clean one counts as much as the others together."""
    random = np.random.default_rng(4)
    faces = with_votes(
        replace(bright_and_dark, labels=random.integers(0, 7, len(bright_and_dark))), bright_and_dark.labels
    )
    answers = {
        name: np.concatenate([random.dirichlet(np.full(7, sharp), len(faces)) for _ in range(2)], axis=1)
        for name, sharp in (("clean", 0.2), ("noise_13", 0.4), ("noise_26", 1.0), ("blur_1", 0.5), ("blur_2", 2.0))
    }
    faces = with_votes(
        replace(bright_and_dark, labels=answers["clean"][:, :7].argmax(axis=1)), answers["clean"][:, 7:].argmax(axis=1)
    )
    given = iter(answers.values())
    monkeypatch.setattr("fer_core.training.blend.degraded_copies", lambda images: dict.fromkeys(answers, images))
    monkeypatch.setattr(type(two_heads[1]), "predict", lambda *_, **__: next(given))
    blend, tried = choose_blend(two_heads[1], faces, FREQUENCIES)
    confidence = {name: blend.answers(both, FREQUENCIES).max(axis=1).mean() for name, both in answers.items()}
    clean = confidence.pop("clean")
    chosen = tried["holdout_by_votes_share"][f"{blend.share:.2f}"]
    accuracy = np.mean([chosen[part] for part in ("label", "plurality", "label_degraded", "plurality_degraded")])
    assert (clean + np.mean(list(confidence.values()))) / 2 == pytest.approx(accuracy, abs=2e-3)
