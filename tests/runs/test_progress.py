"""What a run reports about its progress, by a clock that the test sets."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from fer_core.files import read_json
from fer_core.runs import progress as module
from fer_core.runs.progress import Reporter, Stopped


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


@pytest.fixture
def sigterm_restored():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm_restored")
def test_a_stop_waits_for_the_step_while_fitting_and_for_nothing_otherwise(tmp_path):
    reporter = Reporter(tmp_path)
    reporter.listen()
    reporter.begin()
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)
    reporter = Reporter(tmp_path)
    reporter.listen()
    reporter.begin()
    reporter.fit_begins()
    reporter.epoch_begins(0, 2, 2)
    signal.raise_signal(signal.SIGTERM)
    reporter.epoch_ends(0)
    with pytest.raises(Stopped):
        reporter.step_ends(0)
    reporter.end("stopped", "Stopped.")
    signal.raise_signal(signal.SIGTERM)
    assert written(tmp_path)["state"] == "stopped"


def written(folder):
    return read_json(folder / "status.json")
