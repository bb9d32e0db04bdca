from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures import (
    class_counts,
    probability_bars,
    probability_change,
    probability_text,
    time_share_bars,
    time_share_text,
)
from fer_core.labels import COLORS, EXPRESSIONS

HAPPY = np.array([0.01, 0.0, 0.004, 0.9, 0.05, 0.016, 0.02], np.float32)
SAD = np.array([0.1, 0.0, 0.1, 0.1, 0.6, 0.05, 0.05])
SHARES = pd.DataFrame(
    {
        "face": [1] * 7,
        "expression": EXPRESSIONS,
        "seconds": [0, 0, 0.02, 6, 0, 0, 3.98],
        "share": [0, 0, 0.002, 0.6, 0, 0, 0.398],
    }
)


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


def counts(**parts: list[int]) -> pd.DataFrame:
    return pd.DataFrame(parts, index=pd.Index(EXPRESSIONS, name="expression"))


def test_every_expression_has_its_colour_and_its_number():
    drawn = class_counts(counts(training=[1, 0, 3, 4000, 5, 6, 7], holdout=[1] * 7)).to_dict()
    bars, words = drawn["layer"]
    assert bars["encoding"]["color"]["scale"]["range"] == list(COLORS.values())
    said = drawn["datasets"][words["data"]["name"]]
    assert [row["words"] for row in said] == ["1 + 1", "0 + 1", "3 + 1", "4,000 + 1", "5 + 1", "6 + 1", "7 + 1"]
    faces = drawn["datasets"][bars["data"]["name"]]
    assert len(faces) == 14
    assert sum(row["faces"] for row in faces) == 4029


def test_one_part_and_no_face_at_all():
    drawn = class_counts(counts(snapshots=[0] * 7)).to_dict()
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"][1] > 0


def test_bars_carry_all_seven_with_their_percentages():
    chart = time_share_bars(SHARES)
    assert [(row["expression"], row["percent"]) for row in rows_of(chart)] == [
        ("angry", "0 %"), ("disgust", "0 %"), ("fear", "< 1 %"), ("happy", "60 %"), ("sad", "0 %"),
        ("surprise", "0 %"), ("neutral", "40 %"),
    ]  # fmt: skip
    scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == COLORS


def test_words_name_what_was_seen_the_longest_first():
    assert time_share_text(SHARES) == "happy 60 %, neutral 40 %, fear < 1 %"
