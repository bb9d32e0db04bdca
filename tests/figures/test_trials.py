import numpy as np
import pandas as pd
import pytest

from fer_core.figures import trials as charts


@pytest.fixture
def trials() -> pd.DataFrame:
    states = ["finished", "stopped early", "failed", "finished", "working"]
    table = pd.DataFrame({"trial": [1, 2, 3, 4, 5], "state": states, "accuracy": [0.4, 0.6, np.nan, 0.5, 0.3]})
    schedules = ["cosine", "one_cycle", "cosine", "cosine", "cosine"]
    return table.assign(learning_rate=[0.1, 1.0, 0.01, 0.05, 0.2], schedule=schedules, open_layers=[2, 6, 12, 2, 6])


def test_only_finished_trials_make_the_best_so_far(trials):
    line, finished, stopped = charts.tuning_history(trials).data
    assert list(zip(line.x, line.y, strict=True)) == [(1, 0.4), (2, 0.4), (4, 0.5)]
    assert (list(finished.x), list(stopped.x)) == ([1, 4], [2])
    assert all(len(trace.x) == 0 for trace in charts.tuning_history(trials.head(0)).data)
    assert np.isnan(charts.tuning_history(trials[1:2]).data[0].y[0])


def test_the_most_important_setting_is_on_top():
    figure = charts.importance_bars({"Schedule": 0.2, "Learning rate": 0.7, "Label smoothing": 0.1})
    assert figure.layout.yaxis.categoryarray == ("Learning rate", "Schedule", "Label smoothing")
    assert list(figure.data[0].text) == ["<b>70 %</b>", "<b>20 %</b>", "<b>10 %</b>"]
    with pytest.raises(ValueError, match="at least one setting"):
        charts.importance_bars({})


def test_numbers_get_an_axis_and_choices_stand_side_by_side(trials):
    assert charts.setting_chart(trials, "learning_rate", title="Learning rate").layout.xaxis.type == "log"
    layers = charts.setting_chart(trials, "open_layers", title="Open layers")
    assert layers.layout.xaxis.type == "category"
    assert [list(trace.x) for trace in layers.data] == [["2", "2"], ["6"]]
    schedule = charts.setting_chart(trials, "schedule", title="Schedule")
    assert {value for trace in schedule.data for value in trace.x} == {"cosine", "one cycle"}
    with pytest.raises(ValueError, match="Missing: strength"):
        charts.setting_chart(trials, "strength", title="Strength")
