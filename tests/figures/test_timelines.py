import numpy as np
import pandas as pd
import pytest

from fer_core.figures import timelines as charts
from fer_core.labels import COLORS, EXPRESSIONS

SECONDS = [0.0, 0.5, 1.0, 4.0, 4.5]


@pytest.fixture
def table() -> pd.DataFrame:
    """Happy at first; away for three seconds; then more and more sad."""
    frame = pd.DataFrame(np.full((5, 7), 0.02), columns=list(EXPRESSIONS))
    frame["happy"], frame["sad"] = [0.9, 0.8, 0.7, 0.3, 0.2], [0.0, 0.1, 0.2, 0.6, 0.7]
    return frame.assign(seconds=SECONDS, face=1)


def test_every_probability_at_its_moment_in_the_projects_colours_with_dashes_of_their_own(table):
    figure = charts.timeline_chart(table.sample(frac=1, random_state=1))
    assert [line.name for line in figure.data] == list(EXPRESSIONS)
    for line in figure.data:
        known = ~np.isnan(np.asarray(line.y, float))
        np.testing.assert_allclose(np.asarray(line.x)[known], SECONDS)
        np.testing.assert_allclose(np.asarray(line.y)[known], table[line.name])
        assert line.line.color == COLORS[line.name]
    assert len({line.line.dash for line in figure.data}) == 7
    (word,) = figure.layout.annotations
    assert (word.text, word.y) == ("<b>sad</b>", pytest.approx(0.7))
    assert figure.layout.xaxis.range == (0.0, 4.5)
    assert charts.timeline_chart(table, -60.0, stop=0.0).layout.xaxis.range == (-60.0, 0.0)


def test_lines_break_where_the_face_was_away_also_in_short_and_long_tables(table):
    """400 moments of ten minutes lie 1.5 seconds apart; only the minute without the face is a gap."""
    short = table.iloc[:3].assign(seconds=[0.0, 0.04, 3600.0])
    seconds = [1.5 * k + (60 if k > 200 else 0) for k in range(400)]
    long = pd.DataFrame(np.full((400, 7), 1 / 7), columns=list(EXPRESSIONS)).assign(seconds=seconds)
    for moments, gap in ((table, 4.0), (short, 3600.0), (long, seconds[201])):
        line = charts.timeline_chart(moments).data[0]
        (place,) = [x for x, y in zip(line.x, line.y, strict=True) if np.isnan(y)]
        assert place == pytest.approx(gap, abs=1e-3)


def test_an_empty_table_is_an_empty_chart_and_a_missing_column_is_named(table):
    empty = charts.timeline_chart(table.iloc[:0])
    assert all(len(line.x) == 0 for line in empty.data)
    assert len(charts.timeline_chart(table.iloc[:1]).data[0].x) == 1
    with pytest.raises(ValueError, match="Missing: disgust"):
        charts.timeline_chart(table.drop(columns="disgust"))


def test_strips_show_the_asked_faces_from_top_to_bottom():
    times = {"start": [0.0, 4.0, 1.0, 2.0], "end": [4.0, 4.5, 5.0, 3.0]}
    runs = pd.DataFrame({"face": [1, 1, 2, 3], "expression": ["happy", "sad", "happy", "fear"], **times})
    figure = charts.expression_strips(runs, [2, 1], end=5.0)
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
