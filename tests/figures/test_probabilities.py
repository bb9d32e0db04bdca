from __future__ import annotations

import numpy as np
import pytest

from fer_core.figures import probability_bars, probability_change, probability_text
from fer_core.labels import COLORS, EXPRESSIONS

HAPPY = np.array([0.01, 0.0, 0.004, 0.9, 0.05, 0.016, 0.02], np.float32)
SAD = np.array([0.1, 0.0, 0.1, 0.1, 0.6, 0.05, 0.05])


def spec_of(chart) -> dict:
    return chart.to_dict()


def rows_of(chart) -> list[dict]:
    (rows,) = spec_of(chart)["datasets"].values()
    return rows


def test_seven_bars_in_the_projects_order_and_colours():
    chart = probability_bars(HAPPY)
    assert [row["expression"] for row in rows_of(chart)] == list(EXPRESSIONS)
    bars = spec_of(chart)["layer"][0]["encoding"]
    assert bars["y"]["sort"] == list(EXPRESSIONS)
    assert bars["color"]["scale"] == {"domain": list(EXPRESSIONS), "range": [COLORS[name] for name in EXPRESSIONS]}


def test_percentages_and_the_best_are_in_the_data():
    rows = {row["expression"]: row for row in rows_of(probability_bars(HAPPY))}
    assert rows["happy"]["percent"] == "90 %"
    assert rows["fear"]["percent"] == "< 1 %"
    assert rows["disgust"]["percent"] == "0 %"
    assert [name for name, row in rows.items() if row["best"]] == ["happy"]


def test_axis_ends_at_the_same_place_in_every_small_multiple():
    domains = [spec_of(probability_bars(p))["layer"][0]["encoding"]["x"]["scale"]["domain"] for p in (HAPPY, SAD)]
    assert domains[0] == domains[1]
    assert domains[0][0] == 0
    assert domains[0][1] > 1


def test_text_follows_the_pages_colour():
    layers = spec_of(probability_bars(HAPPY))["layer"]
    assert {layer["mark"]["color"] for layer in layers if layer["mark"]["type"] == "text"} == {"currentColor"}


def test_change_holds_both_and_writes_beyond_the_longer_bar():
    rows = {row["expression"]: row for row in rows_of(probability_change(HAPPY, SAD))}
    assert rows["happy"]["before"] == pytest.approx(0.9)
    assert rows["happy"]["probability"] == pytest.approx(0.1)
    assert rows["happy"]["furthest"] == pytest.approx(0.9)
    assert rows["sad"]["furthest"] == pytest.approx(0.6)


def test_words():
    assert probability_text(HAPPY) == "happy 90 %, sad 5 %, neutral 2 %"
    assert probability_text(SAD, top=1) == "sad 60 %"
    assert len(probability_text(SAD, top=7).split(", ")) == 7


@pytest.mark.parametrize("wrong", [[0.5, 0.5], np.zeros((1, 7)), np.zeros(8)])
def test_other_shapes(wrong):
    with pytest.raises(ValueError, match=r"Expected probabilities of shape \(7,\)\. Received"):
        probability_bars(wrong)
    with pytest.raises(ValueError, match="shape"):
        probability_change(HAPPY, wrong)
