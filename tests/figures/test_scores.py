import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core import figures
from fer_core.columns import percent_text
from fer_core.figures.bars import softmax_table
from fer_core.figures.scores import (
    accuracy_intervals,
    class_scores,
    error_leaves,
    gains,
    group_rates,
    paper_chart,
    ranking,
)
from fer_core.figures.theme import MODEL_COLORS, fitted, in_lines, model_styles, percents, safe
from fer_core.labels import COLORS, EXPRESSIONS
from fer_core.metrics.paper import OTHER_WEIGHTS

MEASURED = pd.DataFrame(
    [
        ("Small CNN", "PublicTest", 0.66, 0.645, 0.675),
        ("Small CNN", "PrivateTest", 0.67, 0.655, 0.685),
        ("Another", "PublicTest", 0.55, 0.53, 0.57),
    ],
    columns=["model", "split", "accuracy", "low", "high"],
)
F1 = pd.DataFrame(
    [(model, name, f1, f1 - 0.1, f1 + 0.05) for model, f1 in (("one", 0.5), ("two", 0.7)) for name in EXPRESSIONS],
    columns=["model", "expression", "f1", "low", "high"],
)
RATES = pd.DataFrame(
    [
        (group, expression, 40, value, value - 0.1, value + 0.1, group != "<b>few</b>")
        for group, value in (("old", 0.4), ("young", 0.6), ("<b>few</b>", 0.5))
        for expression in ("angry", "happy")
    ],
    columns=["group", "expression", "faces", "value", "low", "high", "compared"],
)


def ends(trace) -> list[tuple[float, float]]:
    """Return the ends of the whiskers of a trace."""
    middle, error = np.asarray(trace.x, float), trace.error_x
    return [(round(a, 6), round(b, 6)) for a, b in zip(middle - error.arrayminus, middle + error.array, strict=True)]


def test_models_and_splits_keep_their_order_and_numbers_are_shown_as_given():
    figure = accuracy_intervals(MEASURED)
    public, private = [trace for trace in figure.data if trace.mode == "markers"]
    assert (public.name, private.name) == ("PublicTest", "PrivateTest")
    assert figure.layout.yaxis.ticktext == ("Small CNN", "Another")
    assert round(public.y[0]) == round(private.y[0]) == 0  # both in the first model's row,
    assert public.y[0] < private.y[0]  # the first split above: the axis runs downwards
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert list(public.x) == [0.66, 0.55]
    assert tuple(public.customdata[0]) == ("Small CNN", "66.0 %", "64.5 %", "67.5 %")
    assert ends(public) == [(0.645, 0.675), (0.53, 0.57)]
    assert [word.strip() for word in figure.data[1].text] == ["<b>66.0 %</b>", "<b>55.0 %</b>"]
    with pytest.raises(ValueError, match="at least one measured accuracy"):
        accuracy_intervals(MEASURED[:0])


def test_axis_holds_everything_references_too():
    figure = accuracy_intervals(MEASURED, {"a known result": 0.4})
    low, high = figure.layout.xaxis.range
    assert low < 0.4 and high > 0.685
    assert figure.layout.shapes[0].x0 == 0.4
    assert figure.layout.annotations[0].text == "a known result"


@pytest.mark.parametrize(("ascending", "best"), [(False, "high"), (True, "low")])
def test_the_best_is_on_top_whether_high_or_low(ascending, best):
    table = pd.DataFrame({"model": ["low", "high"], "m": [0.1, 0.9], "m_low": [0.05, 0.8], "m_high": [0.2, 0.95]})
    figure = ranking(table, "m", title="A metric", ascending=ascending)
    assert figure.layout.yaxis.categoryarray[0] == best
    assert ends(figure.data[0])[list(figure.data[0].y).index("high")] == (0.8, 0.95)


def test_f1_has_a_dot_for_each_model_and_expression_with_its_interval():
    """Colours follow the place in all models, not in those shown; those in front are drawn and listed first."""
    one, two = class_scores(F1).data
    assert (one.name, two.name) == ("one", "two")
    assert one.y == EXPRESSIONS
    assert ends(two) == [(0.6, 0.75)] * 7
    assert one.marker.symbol != two.marker.symbol  # colour is not the only difference
    assert one.visible is two.visible is True
    alone = class_scores(F1[F1["model"] == "two"], models=["one", "two"]).data[0]
    assert alone.marker.color == two.marker.color
    one, two = class_scores(F1, front=["two"]).data
    assert (one.visible, two.visible) == ("legendonly", True)
    assert one.legendrank > two.legendrank


def test_reported_values_have_no_whisker():
    sources = {"source": ["reported", "measured here"], "where": ["figure 5", "PublicTest"]}
    numbers = {"value": [0.5, 0.4], "low": [np.nan, 0.38], "high": [np.nan, 0.42]}
    marks = pd.DataFrame({"title": ["a", "a"], **sources, **numbers})
    assert paper_chart(marks, "Accuracy", narrow=True).layout.xaxis.nticks == 4
    reported, measured = paper_chart(marks, "Accuracy").data
    assert ends(reported) == [(0.5, 0.5)]
    assert ends(measured) == [(0.38, 0.42)]
    looks = {(measured.marker.color, measured.marker.symbol)}
    for weights in OTHER_WEIGHTS.values():
        sources["source"][1] = f"measured here, {weights}"
        _, other = paper_chart(pd.DataFrame({"title": ["a", "a"], **sources, **numbers}), "Accuracy").data
        looks.add((other.marker.color, other.marker.symbol))
    assert len(looks) == len({color for color, _ in looks}) == len({symbol for _, symbol in looks}) == 3


def test_gains_are_in_points_around_a_line_at_zero():
    table = pd.DataFrame(
        {
            "model": ["noise", "crop"],
            "difference": [0.02, -0.035],
            "difference_low": [0.01, -0.05],
            "difference_high": [0.03, -0.02],
            "verdict": ["helps", "hurts"],
        }
    )
    figure = gains(table)
    marks, texts = figure.data
    np.testing.assert_allclose(ends(marks), [(1, 3), (-5, -2)])
    assert list(texts.text) == ["  <b>+2.0</b> helps", "  <b>−3.5</b> hurts"]
    low, high = figure.layout.xaxis.range
    assert "%" not in figure.layout.xaxis.tickformat
    assert low < -5 and high > 3 and figure.layout.shapes[0].x0 == 0
    assert table["difference"][0] == 0.02, "the table stays as it is"


def test_groups_differ_in_colour_and_shape_and_small_ones_are_hollow():
    figure = group_rates(RATES, "Recall")
    assert [trace.name for trace in figure.data] == ["old", "young", "&lt;b&gt;few&lt;/b&gt;"]
    assert len({trace.marker.color for trace in figure.data}) == 3
    assert figure.data[0].marker.symbol[0] == "circle"
    assert figure.data[2].marker.symbol[0].endswith("-open")
    assert ends(figure.data[0]) == [(0.3, 0.5)] * 2
    figure = group_rates(RATES[RATES["expression"] == "angry"], "Recall, angry")
    assert [list(trace.y) for trace in figure.data] == [["old"], ["young"], ["<b>few</b>"]]
    assert "&lt;b&gt;few" in figure.layout.yaxis.ticktext[2]
    with pytest.raises(ValueError, match="at least one rate"):
        group_rates(RATES.assign(value=float("nan")), "Recall")


def test_leaves_and_the_mean_of_all():
    numbers = {"faces": [50, 60], "wrong": [30, 6], "value": [0.6, 0.1], "low": [0.5, 0.05], "high": [0.7, 0.2]}
    figure = error_leaves(pd.DataFrame({"where": ["dark", "bright"], **numbers}), 0.33)
    assert list(figure.data[0].x) == [0.6, 0.1]
    assert figure.layout.shapes[0].x0 == 0.33
    assert "33 %" in figure.layout.annotations[0].text


def test_models_have_colours_of_their_own_and_titles_are_safe_and_in_short_lines():
    assert not set(MODEL_COLORS) & set(COLORS.values())
    many = model_styles([f"model {number}" for number in range(20)])
    assert len(set(many.values())) == len(many) == 20  # colour, dash and symbol together
    assert in_lines("VGG16, modified, noise (UTKFace)") == "VGG16, modified, noise<br>(UTKFace)"
    assert max(len(line) for line in in_lines("a b " * 30).split("<br>")) <= 22
    assert safe("<a href='x'>&") == "&lt;a href='x'&gt;&amp;"
    assert "<a" not in in_lines("<a href='x'> name")


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.004, "< 1 %"), (0.005, "0 %"), (0.5, "50 %"), (1, "100 %")]
)
def test_percentages(share, words):
    assert percent_text(share) == words


def test_hover_boxes_have_percentages_as_text_because_plotly_writes_no_space():
    assert percents([0.6667, float("nan"), None], "+.1%") == ["+66.7 %", "–", "–"]
    sources = {path.name: path.read_text() for path in Path(figures.__file__).parent.glob("*.py")}
    assert {name: found for name, text in sources.items() if (found := re.findall(r"\]?:[^:{}]*%\}", text))} == {}


def test_a_fitted_chart_has_another_height_larger_type_and_the_same_data():
    chart = softmax_table(range(7), [1] * 7, probabilities=[0.1] * 7)
    larger = fitted(chart, height=777, times=2)
    assert larger.layout.height == 777
    for size in (
        lambda figure: figure.layout.font.size,
        lambda figure: figure.layout.yaxis.tickfont.size,
        lambda figure: figure.layout.annotations[0].font.size,
        lambda figure: figure.data[0].textfont.size,
    ):
        assert size(larger) == 2 * size(chart)
    assert json.loads(larger.to_json())["data"][0]["x"] == json.loads(chart.to_json())["data"][0]["x"]
