"""Charts of studies draw what the table says, and say what they leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures.tuning import importance_bars, setting_chart, tuning_history


@pytest.fixture
def trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": [1, 2, 3, 4, 5],
            "state": ["finished", "stopped early", "failed", "finished", "working"],
            "accuracy": [0.4, 0.6, np.nan, 0.5, 0.3],
            "learning_rate": [0.1, 1.0, 0.01, 0.05, 0.2],
            "schedule": ["cosine", "one_cycle", "cosine", "cosine", "cosine"],
            "open_layers": [2, 6, 12, 2, 6],
        }
    )


def test_only_finished_trials_make_the_best_so_far(trials):
    line, finished, stopped = tuning_history(trials).data
    assert list(zip(line.x, line.y, strict=True)) == [(1, 0.4), (2, 0.4), (4, 0.5)]
    assert (list(finished.x), list(stopped.x)) == ([1, 4], [2])
    assert finished.marker.symbol != stopped.marker.symbol


def test_a_study_without_trials_can_be_drawn(trials):
    assert all(len(trace.x) == 0 for trace in tuning_history(trials.head(0)).data)
    only_stopped = tuning_history(trials[1:2])
    assert np.isnan(only_stopped.data[0].y[0])


def test_the_most_important_setting_is_on_top():
    figure = importance_bars({"Schedule": 0.2, "Learning rate": 0.7, "Label smoothing": 0.1})
    assert figure.layout.yaxis.categoryarray == ("Learning rate", "Schedule", "Label smoothing")
    assert list(figure.data[0].text) == ["<b>70 %</b>", "<b>20 %</b>", "<b>10 %</b>"]
    with pytest.raises(ValueError, match="at least one setting"):
        importance_bars({})


def test_numbers_get_an_axis_and_choices_stand_side_by_side(trials):
    assert setting_chart(trials, "learning_rate", title="Learning rate").layout.xaxis.type == "log"
    layers = setting_chart(trials, "open_layers", title="Open layers")
    assert layers.layout.xaxis.type == "category"
    assert [list(trace.x) for trace in layers.data] == [["2", "2"], ["6"]]
    drawn = {value for trace in setting_chart(trials, "schedule", title="Schedule").data for value in trace.x}
    assert drawn == {"cosine", "one cycle"}


def test_a_missing_column_is_named(trials):
    with pytest.raises(ValueError, match="Missing: strength"):
        setting_chart(trials, "strength", title="Strength")
