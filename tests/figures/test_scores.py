from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures.scores import (
    AccuracyInterval,
    accuracy_intervals,
    class_scores,
    error_leaves,
    group_rates,
    paper_chart,
    ranking,
)
from fer_core.labels import EXPRESSIONS

MEASURED = [
    AccuracyInterval("Compact CNN", "PublicTest", 0.66, 0.645, 0.675),
    AccuracyInterval("Compact CNN", "PrivateTest", 0.67, 0.655, 0.685),
    AccuracyInterval("Another", "PublicTest", 0.55, 0.53, 0.57),
]
F1 = pd.DataFrame(
    [
        {"model": model, "expression": name, "f1": level, "low": level - 0.1, "high": level + 0.05}
        for model, level in (("one", 0.5), ("two", 0.7))
        for name in EXPRESSIONS
    ]
)


def ends(trace) -> list[tuple[float, float]]:
    """Return the ends of the whiskers of a trace."""
    middle, error = np.asarray(trace.x, float), trace.error_x
    return [(round(a, 6), round(b, 6)) for a, b in zip(middle - error.arrayminus, middle + error.array, strict=True)]


def test_models_and_splits_keep_their_order():
    figure = accuracy_intervals(MEASURED)
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in dots] == ["PublicTest", "PrivateTest"]
    assert figure.layout.yaxis.ticktext == ("Compact CNN", "Another")
    public, private = dots[0].y[0], dots[1].y[0]
    assert round(public) == round(private) == 0  # both in the first model's row,
    assert public < private  # the first split above: the axis runs downwards
    low, high = figure.layout.yaxis.range
    assert low > high
    assert dots[0].marker.symbol != dots[1].marker.symbol


def test_numbers_are_shown_as_given():
    dots, words, *_ = accuracy_intervals(MEASURED).data
    assert list(dots.x) == [0.66, 0.55]
    assert ends(dots) == [(0.645, 0.675), (0.53, 0.57)]
    assert [word.strip() for word in words.text] == ["<b>66.0 %</b>", "<b>55.0 %</b>"]


def test_axis_holds_everything_references_too():
    figure = accuracy_intervals(MEASURED, {"a known result": 0.4})
    low, high = figure.layout.xaxis.range
    assert low < 0.4
    assert high > 0.685
    (line,) = figure.layout.shapes
    assert (line.x0, line.line.dash) == (0.4, "dash")
    assert figure.layout.annotations[0].text == "a known result"


def test_height_grows_with_the_models_and_nothing_is_refused():
    assert accuracy_intervals(MEASURED).layout.height > accuracy_intervals(MEASURED[:2]).layout.height
    with pytest.raises(ValueError, match="at least one measured accuracy"):
        accuracy_intervals([])


@pytest.mark.parametrize(("ascending", "best"), [(False, "high"), (True, "low")])
def test_the_best_is_on_top_whether_high_or_low(ascending, best):
    table = pd.DataFrame({"model": ["low", "high"], "m": [0.1, 0.9], "m_low": [0.05, 0.8], "m_high": [0.2, 0.95]})
    figure = ranking(table, "m", title="A metric", ascending=ascending)
    assert figure.layout.yaxis.categoryarray[0] == best
    assert figure.layout.yaxis.autorange == "reversed"
    assert ends(figure.data[0])[list(figure.data[0].y).index("high")] == (0.8, 0.95)


def test_f1_has_a_dot_for_each_model_and_expression_with_its_interval():
    one, two = class_scores(F1).data
    assert (one.name, two.name) == ("one", "two")
    assert one.y == EXPRESSIONS
    assert ends(two) == [(0.6, 0.75)] * 7
    assert one.marker.symbol != two.marker.symbol  # colour is not the only difference
    assert one.marker.color != two.marker.color


def test_only_the_models_in_front_are_drawn_at_first_and_listed_first():
    one, two = class_scores(F1, front=["two"]).data
    assert (one.visible, two.visible) == ("legendonly", True)
    assert one.legendrank > two.legendrank


def test_colours_follow_the_place_in_all_models_not_in_those_shown():
    alone = class_scores(F1[F1["model"] == "two"], models=["one", "two"]).data[0]
    assert alone.marker.color == class_scores(F1).data[1].marker.color


def test_reported_values_have_no_whisker():
    marks = pd.DataFrame(
        {
            "title": ["a", "a"],
            "source": ["reported", "measured here"],
            "where": ["figure 5", "PublicTest"],
            "value": [0.5, 0.4],
            "low": [np.nan, 0.38],
            "high": [np.nan, 0.42],
        }
    )
    reported, measured = paper_chart(marks, "Accuracy").data
    assert ends(reported) == [(0.5, 0.5)]
    assert ends(measured) == [(0.38, 0.42)]
    assert reported.marker.symbol != measured.marker.symbol


RATES = pd.DataFrame(
    [
        (group, expression, 40, value, value - 0.1, value + 0.1, group != "<b>few</b>")
        for group, value in (("old", 0.4), ("young", 0.6), ("<b>few</b>", 0.5))
        for expression in ("angry", "happy")
    ],
    columns=["group", "expression", "faces", "value", "low", "high", "compared"],
)


def test_groups_differ_in_colour_and_shape_and_small_ones_are_hollow():
    figure = group_rates(RATES, "Recall")
    assert [trace.name for trace in figure.data] == ["old", "young", "&lt;b&gt;few&lt;/b&gt;"]
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert figure.data[0].marker.symbol[0] == "circle"
    assert figure.data[2].marker.symbol[0].endswith("-open")
    assert list(figure.data[0].y) == ["angry", "happy"]
    assert ends(figure.data[0]) == [(0.3, 0.5)] * 2
    assert figure.layout.showlegend


def test_one_expression_has_a_row_for_each_group():
    figure = group_rates(RATES[RATES["expression"] == "angry"], "Recall, angry")
    assert [list(trace.y) for trace in figure.data] == [["old"], ["young"], ["<b>few</b>"]]
    assert "&lt;b&gt;few" in figure.layout.yaxis.ticktext[2]
    assert not figure.layout.showlegend
    assert figure.layout.xaxis.range == (0, 0.75)
    with pytest.raises(ValueError, match="at least one rate"):
        group_rates(RATES.assign(value=float("nan")), "Recall")


def test_leaves_and_the_mean_of_all():
    numbers = {"faces": [50, 60], "wrong": [30, 6], "value": [0.6, 0.1], "low": [0.5, 0.05], "high": [0.7, 0.2]}
    figure = error_leaves(pd.DataFrame({"where": ["dark", "bright"], **numbers}), 0.33)
    assert list(figure.data[0].x) == [0.6, 0.1]
    assert figure.layout.shapes[0].x0 == 0.33
    assert "33 %" in figure.layout.annotations[0].text
