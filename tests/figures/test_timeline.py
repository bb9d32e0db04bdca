from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures import expression_strips, timeline_chart
from fer_core.labels import COLORS, EXPRESSIONS

RUNS = pd.DataFrame(
    {
        "face": [1, 1, 2, 3],
        "expression": ["happy", "sad", "happy", "fear"],
        "start": [0.0, 4.0, 1.0, 2.0],
        "end": [4.0, 4.5, 5.0, 3.0],
    }
)
SECONDS = [0.0, 0.5, 1.0, 4.0, 4.5]


def table() -> pd.DataFrame:
    """Happy at first; away for three seconds; then more and more sad."""
    frame = pd.DataFrame(np.full((5, 7), 0.02), columns=list(EXPRESSIONS))
    frame["happy"], frame["sad"] = [0.9, 0.8, 0.7, 0.3, 0.2], [0.0, 0.1, 0.2, 0.6, 0.7]
    return frame.assign(seconds=SECONDS, face=1)


def rows(chart) -> pd.DataFrame:
    (data,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(data)


def test_every_probability_at_its_moment_in_the_projects_colours():
    chart = timeline_chart(table().sample(frac=1, random_state=1))
    drawn = rows(chart).pivot_table(index="seconds", columns="expression", values="probability")
    np.testing.assert_allclose(drawn[list(EXPRESSIONS)], table()[list(EXPRESSIONS)])
    assert drawn.index.tolist() == SECONDS
    color = chart.to_dict()["layer"][0]["encoding"]["color"]
    assert color["scale"] == {"domain": list(EXPRESSIONS), "range": [COLORS[name] for name in EXPRESSIONS]}
    assert color["legend"]["labelFontSize"] >= 15


def test_lines_break_where_the_face_was_away():
    parts = rows(timeline_chart(table())).groupby("seconds")["part"].first()
    assert parts.tolist() == [0, 0, 0, 1, 1]


def test_lines_of_a_long_video_hold_together():
    """400 moments of ten minutes lie 1.5 seconds apart; only the minute without the face is a gap."""
    seconds = [1.5 * k + (60 if k > 200 else 0) for k in range(400)]
    long = pd.DataFrame(np.full((400, 7), 1 / 7), columns=list(EXPRESSIONS)).assign(seconds=seconds)
    parts = rows(timeline_chart(long)).groupby("seconds")["part"].first()
    assert parts.tolist() == [0] * 201 + [1] * 199


def test_the_leading_expression_is_named_at_the_end():
    named = rows(timeline_chart(table())).dropna(subset="word")
    assert named[["seconds", "expression", "word"]].to_numpy().tolist() == [[4.5, "sad", "sad"]]


@pytest.mark.parametrize(("span", "domain"), [({}, (0.0, 4.5)), ({"start": -60.0, "stop": 0.0}, (-60.0, 0.0))])
def test_the_axis_spans_what_it_is_told_and_leaves_room_for_the_word(span, domain):
    low, high = timeline_chart(table(), **span).to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low == domain[0]
    assert 0.05 * (domain[1] - domain[0]) < high - domain[1] < 0.25 * (domain[1] - domain[0])


def test_an_empty_table_is_an_empty_chart_and_a_missing_column_is_named():
    assert len(timeline_chart(table().iloc[:0]).to_dict()["layer"]) == 1
    assert len(timeline_chart(table().iloc[:1]).to_dict()["layer"]) == 2
    with pytest.raises(ValueError, match="Missing: disgust"):
        timeline_chart(table().drop(columns="disgust"))


def test_strips_show_the_asked_faces_from_top_to_bottom():
    chart = expression_strips(RUNS, [2, 1], 5.0)
    assert set(rows(chart)["name"]) == {"Face 1", "Face 2"}
    document = chart.to_dict()
    assert document["layer"][0]["encoding"]["y"]["sort"] == ["Face 2", "Face 1"]
    assert document["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 5.0]
    wide = {(row["name"], row["expression"]): row["wide"] for _, row in rows(chart).iterrows()}
    assert wide == {("Face 1", "happy"): True, ("Face 1", "sad"): False, ("Face 2", "happy"): True}


def test_vega_can_draw_strips():
    import vl_convert

    assert "<svg" in vl_convert.vegalite_to_svg(expression_strips(RUNS, [1, 2, 3], 5.0).to_dict())
