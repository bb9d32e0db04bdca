from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.figures.timeline import expression_strips, timeline_chart
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


def gaps(figure) -> list[float]:
    """Return where the lines break."""
    line = figure.data[0]
    return [round(x, 3) for x, y in zip(line.x, line.y, strict=True) if np.isnan(y)]


def test_every_probability_at_its_moment_in_the_projects_colours_with_dashes_of_their_own():
    figure = timeline_chart(table().sample(frac=1, random_state=1))
    assert [line.name for line in figure.data] == list(EXPRESSIONS)
    for line in figure.data:
        known = ~np.isnan(np.asarray(line.y, float))
        np.testing.assert_allclose(np.asarray(line.x)[known], SECONDS)
        np.testing.assert_allclose(np.asarray(line.y)[known], table()[line.name])
        assert line.line.color == COLORS[line.name]
    assert len({line.line.dash for line in figure.data}) == 7
    assert figure.layout.legend.font.size >= 15
    assert figure.layout.hovermode == "x unified"


def test_lines_break_where_the_face_was_away():
    assert gaps(timeline_chart(table())) == [4.0]


def test_lines_break_at_a_pause_also_in_a_short_table():
    few = table().iloc[:3].assign(seconds=[0.0, 0.04, 3600.0])
    assert gaps(timeline_chart(few)) == [3600.0]


def test_lines_of_a_long_video_hold_together():
    """400 moments of ten minutes lie 1.5 seconds apart; only the minute without the face is a gap."""
    seconds = [1.5 * k + (60 if k > 200 else 0) for k in range(400)]
    long = pd.DataFrame(np.full((400, 7), 1 / 7), columns=list(EXPRESSIONS)).assign(seconds=seconds)
    assert gaps(timeline_chart(long)) == [pytest.approx(seconds[201], abs=0.01)]


def test_the_leading_expression_is_named_at_the_end():
    (word,) = timeline_chart(table()).layout.annotations
    assert word.text == "<b>sad</b>"
    assert word.y == pytest.approx(0.7)


@pytest.mark.parametrize(("span", "ends"), [({}, (0.0, 4.5)), ({"start": -60.0, "stop": 0.0}, (-60.0, 0.0))])
def test_the_axis_spans_what_it_is_told(span, ends):
    assert timeline_chart(table(), **span).layout.xaxis.range == ends


def test_an_empty_table_is_an_empty_chart_and_a_missing_column_is_named():
    empty = timeline_chart(table().iloc[:0])
    assert all(len(line.x) == 0 for line in empty.data)
    assert not empty.layout.annotations
    assert len(timeline_chart(table().iloc[:1]).data[0].x) == 1
    with pytest.raises(ValueError, match="Missing: disgust"):
        timeline_chart(table().drop(columns="disgust"))


def test_strips_show_the_asked_faces_from_top_to_bottom():
    figure = expression_strips(RUNS, [2, 1], end=5.0)
    assert figure.layout.yaxis.categoryarray == ("Face 2", "Face 1")
    assert figure.layout.xaxis.range == (0, 5.0)
    drawn = {
        (face, trace.name): (base, base + length, word)
        for trace in figure.data
        for face, base, length, word in zip(trace.y, trace.base, trace.x, trace.text, strict=True)
    }
    assert drawn == {
        ("Face 1", "happy"): (0.0, 4.0, "<b>happy</b>"),
        ("Face 1", "sad"): (4.0, 4.5, ""),  # too short for its name
        ("Face 2", "happy"): (1.0, 5.0, "<b>happy</b>"),
    }
