"""What a worker tells about itself, against a clock that the test sets; and estimates from it."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from fer_core.files import read_json
from fer_core.models import model_spec
from fer_core.runs import reporter as module
from fer_core.runs.estimate import GUESS, TIMINGS, Timing, estimate, note_timing, words_for
from fer_core.runs.failure import DISK_FULL, NO_MEMORY, sentence_for
from fer_core.runs.reporter import Reporter, Stopped
from fer_core.training.recipe import Recipe
from fer_core.types import FerError


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now.seconds, time=lambda: now.seconds))
    return now


def test_time_left_comes_from_measured_epochs(tmp_path, clock):
    reporter = Reporter(tmp_path)
    reporter.begin()
    reporter.expect(500.0, 30.0)
    reporter.say("Starting Keras")
    assert written(tmp_path)["seconds_left"] == 500.0
    clock.seconds += 10
    reporter.fit_begins()
    for epoch in range(2):
        reporter.epoch_begins(epoch, 5, 11)
        for step in range(11):
            clock.seconds += 21 if (epoch, step) == (0, 0) else 1  # the first step compiles
            reporter.step_ends(step)
        if epoch == 0:
            assert written(tmp_path)["seconds_left"] == pytest.approx(4 * 11 + 30, abs=4)
        reporter.epoch_ends(epoch)
    assert reporter.usual_epoch() == 11.0
    values = written(tmp_path)
    assert values["seconds_left"] == pytest.approx(3 * 11 + 30)
    assert values["seconds"] == pytest.approx(10 + 31 + 11)
    assert (values["state"], values["epoch"], values["epochs"], values["steps"]) == ("fitting", 2, 5, 11)
    reporter.fit_ends()
    clock.seconds += 12
    reporter.say("Measuring")
    assert written(tmp_path)["seconds_left"] == pytest.approx(18)
    assert reporter.seconds_since_fit() == 12
    reporter.end("finished", "Done.")
    assert written(tmp_path)["seconds_left"] is None
    assert written(tmp_path)["peak_memory"] > 10e6


def test_a_stop_waits_for_the_step_while_fitting_and_for_nothing_otherwise(tmp_path):
    reporter = Reporter(tmp_path)
    reporter.begin()
    with pytest.raises(Stopped):
        reporter._on_signal(15, None)
    reporter = Reporter(tmp_path)
    reporter.begin()
    reporter.fit_begins()
    reporter.epoch_begins(0, 2, 2)
    reporter._on_signal(15, None)
    reporter.epoch_ends(0)
    with pytest.raises(Stopped):
        reporter.step_ends(0)
    reporter.end("stopped", "Stopped.")
    reporter._on_signal(15, None)
    assert written(tmp_path)["state"] == "stopped"


def written(folder):
    return read_json(folder / "status.json")


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


def test_every_error_is_one_sentence():
    assert sentence_for(FerError("As it is.")) == "As it is."
    assert sentence_for(OSError(errno.ENOSPC, "x")) == DISK_FULL
    assert sentence_for(OSError("Unable to write (errno = 28, error message = 'No space left on device')")) == DISK_FULL
    assert sentence_for(MemoryError()) == NO_MEMORY
    assert sentence_for(ResourceExhaustedError("OOM when allocating tensor")) == NO_MEMORY
    told = sentence_for(KeyError("secret\npath"))
    assert "KeyError" in told
    assert "secret" not in told


def test_estimates_come_from_this_computer_or_say_that_they_guess(home):
    spec, recipe = model_spec("compact_cnn"), Recipe(epochs=10)
    guess = estimate(spec, recipe, 25_838)
    assert (guess.measured, guess.basis) == (False, GUESS)
    assert 400 < guess.seconds < 600  # 64 epochs take 45 to 60 minutes on two cores
    note_timing(spec, recipe, Timing(0.001, 12.0, 8.0, 1000, 0.0))
    note_timing(spec, recipe, Timing(0.003, 10.0, 8.0, 1000, 0.0))
    measured = estimate(spec, recipe, 2000)
    assert measured.measured
    assert measured.seconds == pytest.approx(0.002 * 2000 * 10 + 12 + 8)
    assert "2 earlier runs" in measured.basis
    frozen = Recipe(epochs=10, augmentation=None)
    other = model_spec("mobilenetv2_frozen")
    assert not estimate(other, frozen, 2000).measured
    note_timing(other, frozen, Timing(1e-5, 50.0, 8.0, 1000, 0.0))
    assert estimate(other, frozen, 4000).seconds == pytest.approx(1e-5 * 4000 * 10 + 4 * 50 + 8)
    for damage in ("", "[]", '{"compact_cnn 32 64 128 192": [3, {"x": 1}]}'):
        (home / TIMINGS).write_text(damage)
        assert not estimate(spec, recipe, 100).measured


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "about 10 seconds"), (44, "about 40 seconds"), (60, "about a minute"), (600, "about 10 minutes"),
     (7200, "about 2.0 hours")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert words_for(seconds) == words
