"""The measurements agree with what is known without them: how long a sleep is, and how numbers belong together."""

import json
import math
import os
import statistics
import time
import tomllib
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from tests.server import ROOT, serving
from tests.speed import timing
from tests.speed.__main__ import main
from tests.speed.timing import in_child, seconds_each


def test_functions_take_turns_for_the_given_time_and_the_average_is_chosen(monkeypatch):
    calls, durations, clock = [], iter([0.0, 0.0, 0.1, 0.1, 0.4]), [0.0]  # two to warm up
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: sum(clock)))

    def first() -> None:
        calls.append("first")
        clock.append(next(durations))

    mean, _ = seconds_each(first, lambda: calls.append("second"), warm_up=2, rounds=3, average=statistics.fmean)
    assert calls == ["first"] * 2 + ["second"] * 2 + ["first", "second"] * 3
    assert mean == pytest.approx(0.2)  # of 0.1, 0.1 and 0.4; the median is 0.1
    start = sum(clock)
    both = seconds_each(lambda: clock.append(0.01), lambda: clock.append(0.05), seconds=0.5, rounds=2, warm_up=0)
    assert both == pytest.approx([0.01, 0.05])
    assert 1 <= sum(clock) - start < 1.3


def test_a_child_returns_its_result_gets_variables_and_says_how_it_failed():
    assert in_child(os.getenv, "FER_HOME", FER_HOME="here") == "here"
    assert in_child(os.getpid) != os.getpid()
    with pytest.raises(RuntimeError, match=r"(?s)chdir failed.*nowhere"):
        in_child(os.chdir, "nowhere")


@pytest.mark.slow
def test_numbers_have_their_keys_and_belong_together(yunet_file):
    app, start = typer.Typer(), time.perf_counter()
    app.command()(main)
    done = CliRunner().invoke(app, ["--json", "--seconds", "0.2", "start", "serving"])
    taken = time.perf_counter() - start
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    meanings = tomllib.loads((ROOT / "tests/speed/keys.toml").read_text("utf-8"))
    assert list(numbers) == [key for part in ("start", "serving") for key in meanings[part]]
    assert all(math.isfinite(value) and value > 0 for value in numbers.values())
    for ratio, above, below in (
        ("classify_speedup_vs_keras_predict", "keras_predict_ms", "classify_ms"),
        ("frame_speedup_vs_haar_keras", "usual_frame_ms", "frame_ms"),
    ):
        assert numbers[ratio] == pytest.approx(numbers[above] / numbers[below])
    assert numbers["frame_ms"] > numbers["classify_ms"]  # a face is classified in a frame
    assert numbers["usual_frame_ms"] > numbers["keras_predict_ms"]
    assert numbers["classify_speedup_vs_keras_predict"] > 3  # keras.predict sets up a loop over batches at each call
    assert numbers["startup_seconds"] + numbers["app_start_seconds"] < taken
    assert numbers["resident_mb"] > 50  # Python with NumPy and OpenCV


def test_a_server_that_ends_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)did not start: .*nowhere\.py"), serving(tmp_path, app="nowhere.py"):
        pass
