import pandas as pd
import pytest

from fer_core.figures.scores import error_leaves, group_rates

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
    assert list(figure.data[0].error_x.array) == pytest.approx([0.1, 0.1])
    assert figure.layout.showlegend


def test_one_expression_has_a_row_for_each_group():
    figure = group_rates(RATES[RATES["expression"] == "angry"], "Recall, angry")
    assert [list(trace.y) for trace in figure.data] == [["old"], ["young"], ["<b>few</b>"]]
    assert "&lt;b&gt;few" in figure.layout.yaxis.ticktext[2]
    assert not figure.layout.showlegend
    assert figure.layout.xaxis.range == (0, 0.75)


def test_leaves_and_the_mean_of_all():
    leaves = pd.DataFrame(
        {"where": ["dark", "bright"], "faces": [50, 60], "wrong": [30, 6], "value": [0.6, 0.1], "low": [0.5, 0.05],
         "high": [0.7, 0.2]}
    )  # fmt: skip
    figure = error_leaves(leaves, 0.33)
    assert list(figure.data[0].x) == [0.6, 0.1]
    assert figure.layout.shapes[0].x0 == 0.33
    assert "33 %" in figure.layout.annotations[0].text


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one rate"):
        group_rates(RATES.assign(value=float("nan")), "Recall")
