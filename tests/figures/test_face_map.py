import numpy as np
import pandas as pd
import pytest

from fer_core.figures.face_map import COLORINGS, face_map_chart
from fer_core.labels import COLORS

POINTS = {"place": [0, 1, 2, 3], "row": [11, 12, 13, 14], "x": [0.5, 1.5, 2.5, 3.5], "y": [3.0, 2.0, 1.0, 0.0]}
SAID = {"plurality": ["happy", "", "sad", "fear"], "prediction": ["happy", "sad", "sad", "angry"]}
SAID |= {"agreement": [1.0, 0.4, np.nan, 0.6], "confidence": [0.9, 0.5, 0.4, 0.6]}
JUDGED = {"label": ["happy", "sad", "happy", "fear"], "judged": ["right", "", "right", "wrong"]}
TABLE = pd.DataFrame({**POINTS, **SAID, **JUDGED, "split": "PublicTest"})


@pytest.mark.parametrize(
    ("coloring", "names"),
    [
        ("label", ["fear (1)", "happy (2)", "sad (1)"]),
        ("plurality", ["fear (1)", "happy (1)", "sad (1)", "no clear answer (1)"]),
        ("prediction", ["angry (1)", "happy (1)", "sad (2)"]),
        ("judged", ["right (2)", "wrong (1)", "no clear answer (1)"]),
    ],
)
def test_every_face_is_a_point_of_its_group(coloring, names):
    figure = face_map_chart(TABLE, coloring)
    assert [trace.name for trace in figure.data] == names
    assert {trace.type for trace in figure.data} == {"scattergl"}
    points = [point for t in figure.data for point in zip(t.customdata, t.x, t.y, strict=True)]
    assert sorted(points) == list(zip(range(4), TABLE["x"], TABLE["y"], strict=True))
    assert len({(trace.marker.color, trace.marker.symbol) for trace in figure.data}) == len(names)
    for trace in figure.data:
        if (expression := trace.name.split(" ")[0]) in COLORS:
            assert trace.marker.color == COLORS[expression]


def test_agreement_is_a_scale_of_the_faces_with_votes():
    (trace,) = face_map_chart(TABLE, "agreement").data
    assert list(trace.customdata) == [0, 1, 3]
    np.testing.assert_allclose(trace.marker.color, [1.0, 0.4, 0.6], rtol=1e-6)
    assert trace.marker.showscale


def test_selected_faces_a_narrow_screen_and_unknown_colours():
    whole, selected = face_map_chart(TABLE, "label"), face_map_chart(TABLE, "label", selected=[13, 14], narrow=True)
    assert [tuple(trace.selectedpoints) for trace in selected.data] == [(0,), (1,), ()]
    assert all(trace.selectedpoints is None for trace in whole.data)
    assert selected.layout.height < whole.layout.height
    assert set(COLORINGS) < set(TABLE)
    with pytest.raises(ValueError, match="Received: mood"):
        face_map_chart(TABLE, "mood")
