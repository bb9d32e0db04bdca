"""Charts of a video's expressions: what they draw, and in words."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.figures import expression_strips, time_share_bars, time_share_text
from fer_core.labels import COLORS, EXPRESSIONS

SHARES = pd.DataFrame(
    {
        "face": [1] * 7,
        "expression": EXPRESSIONS,
        "seconds": [0, 0, 0.02, 6, 0, 0, 3.98],
        "share": [0, 0, 0.002, 0.6, 0, 0, 0.398],
    }
)
RUNS = pd.DataFrame(
    {
        "face": [1, 1, 2, 3],
        "expression": ["happy", "sad", "happy", "fear"],
        "start": [0.0, 4.0, 1.0, 2.0],
        "end": [4.0, 4.5, 5.0, 3.0],
    }
)


def rows(chart) -> list[dict]:
    document = chart.to_dict()
    return document["datasets"][document["data"]["name"]]


def test_bars_carry_all_seven_with_their_percentages():
    chart = time_share_bars(SHARES)
    assert [(row["expression"], row["percent"]) for row in rows(chart)] == [
        ("angry", "0 %"), ("disgust", "0 %"), ("fear", "< 1 %"), ("happy", "60 %"), ("sad", "0 %"),
        ("surprise", "0 %"), ("neutral", "40 %"),
    ]  # fmt: skip
    scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == COLORS


def test_words_name_what_was_seen_the_longest_first():
    assert time_share_text(SHARES) == "happy 60 %, neutral 40 %, fear < 1 %"


def test_strips_show_the_asked_faces_from_top_to_bottom():
    chart = expression_strips(RUNS, [2, 1], 5.0)
    assert {row["name"] for row in rows(chart)} == {"Face 1", "Face 2"}
    document = chart.to_dict()
    assert document["layer"][0]["encoding"]["y"]["sort"] == ["Face 2", "Face 1"]
    assert document["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 5.0]
    wide = {(row["name"], row["expression"]): row["wide"] for row in rows(chart)}
    assert wide == {("Face 1", "happy"): True, ("Face 1", "sad"): False, ("Face 2", "happy"): True}


@pytest.mark.parametrize("chart", [time_share_bars(SHARES), expression_strips(RUNS, [1, 2, 3], 5.0)])
def test_vega_can_draw_them(chart):
    import vl_convert

    assert "<svg" in vl_convert.vegalite_to_svg(chart.to_dict())
