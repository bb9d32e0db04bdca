"""Charts of studies draw what the table says, and say what they leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures import importance_bars, setting_chart, tuning_history


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


def rows(chart) -> list[dict]:
    return next(iter(chart.to_dict()["datasets"].values()))


def test_only_finished_trials_make_the_best_so_far(trials):
    drawn = rows(tuning_history(trials))
    assert [(row["trial"], row["best"]) for row in drawn] == [(1, 0.4), (2, 0.4), (4, 0.5)]


def test_a_study_without_trials_can_be_drawn(trials):
    assert rows(tuning_history(trials.head(0))) == []
    only_stopped = tuning_history(trials[1:2])
    assert rows(only_stopped)[0]["best"] is None


def test_the_most_important_setting_is_on_top():
    chart = importance_bars({"Schedule": 0.2, "Learning rate": 0.7, "Label smoothing": 0.1}).to_dict()
    bars = chart["layer"][0]["encoding"]
    assert bars["y"]["sort"] == ["Learning rate", "Schedule", "Label smoothing"]
    assert {row["words"] for row in next(iter(chart["datasets"].values()))} == {"20 %", "70 %", "10 %"}
    with pytest.raises(ValueError, match="at least one setting"):
        importance_bars({})


def test_numbers_get_an_axis_and_choices_stand_side_by_side(trials):
    rate = setting_chart(trials, "learning_rate", "Learning rate").to_dict()["encoding"]["x"]
    assert (rate["type"], rate["scale"]["type"]) == ("quantitative", "log")
    layers = setting_chart(trials, "open_layers", "Open layers")
    assert layers.to_dict()["encoding"]["x"]["type"] == "nominal"
    assert [row["open_layers"] for row in rows(layers)] == ["2", "6", "2"]
    assert {row["schedule"] for row in rows(setting_chart(trials, "schedule", "Schedule"))} == {"cosine", "one cycle"}


def test_a_missing_column_is_named(trials):
    with pytest.raises(ValueError, match="Missing: strength"):
        setting_chart(trials, "strength", "Strength")
