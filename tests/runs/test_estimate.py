"""Estimated durations of runs."""

from __future__ import annotations

import pytest

from fer_core.models import model_spec
from fer_core.runs.estimate import GUESS, TIMINGS, Timing, duration_text, estimate, note_timing
from fer_core.training.recipe import Recipe


def test_estimates_come_from_this_computer_or_say_that_they_guess(home):
    spec, recipe = model_spec("compact_cnn"), Recipe(epochs=10)
    guess = estimate(spec, recipe, faces=25_838)
    assert guess.basis == GUESS
    assert 400 < guess.seconds < 600  # 64 epochs take 45 to 60 minutes on two cores
    note_timing(spec, recipe, timing=Timing(0.001, 12.0, 8.0, 1000, 0.0))
    note_timing(spec, recipe, timing=Timing(0.003, 10.0, 8.0, 1000, 0.0))
    measured = estimate(spec, recipe, faces=2000)
    assert measured.seconds == pytest.approx(0.002 * 2000 * 10 + 12 + 8)
    assert "2 earlier runs" in measured.basis
    frozen = Recipe(epochs=10, augmentation=None)
    other = model_spec("mobilenetv2_frozen")
    assert estimate(other, frozen, faces=2000).basis == GUESS
    note_timing(other, frozen, timing=Timing(1e-5, 50.0, 8.0, 1000, 0.0))
    assert estimate(other, frozen, faces=4000).seconds == pytest.approx(1e-5 * 4000 * 10 + 4 * 50 + 8)
    for damage in ("", "[]", '{"compact_cnn 32 64 128 192": [3, {"x": 1}]}'):
        (home / TIMINGS).write_text(damage)
        assert estimate(spec, recipe, faces=100).basis == GUESS


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "about 10 seconds"), (44, "about 40 seconds"), (60, "about a minute"), (600, "about 10 minutes"),
     (7200, "about 2.0 hours")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert duration_text(seconds) == words
