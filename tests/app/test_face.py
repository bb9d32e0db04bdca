"""The card of a face, opened from a page, beside stored predictions and votes."""

import numpy as np

from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model
from pages.parts.face import Tile
from pages.parts.pictures import analyze
from tests.app.conftest import charts, said


def test_a_face_of_a_cell_opens_with_its_votes_and_the_stored_answer(open_app, real):
    app = open_app("confusion", m_actual="disgust", m_predicted="angry")
    face = app.dataframe[0].value.iloc[0]
    before = charts(app)
    model = load_model()
    opened = app.button(key=f"open_cell_{model.name}_0").click().run()
    votes = real.votes.votes[np.flatnonzero(real.rows == face["row"])[0]]
    assert f"**{votes.sum()} annotators**" in said(opened)
    assert f"Label in the data: **{face['label']}**" in said(opened)
    answers, counted = (words for words in reversed(charts(opened)) if words not in before)
    assert answers.startswith(f"{model.title}, face 1: {face[model.title]}")
    assert counted.startswith(f"Votes of {votes.sum()} annotators: ")
    app.session_state["card_tab"] = "Its numbers"
    opened = app.button(key=f"open_cell_{model.name}_0").click().run()
    assert f"Pixels of Row {face['row']}" in charts(opened)


def test_a_tile_is_the_face_that_the_stored_predictions_are_of(real):
    model, split = load_model(), real.split("public_test")
    stored = model.predictions("public_test")
    for place in (0, 100, 3000):
        tile = Tile(split.images[place], "one", "one")
        (face,) = analyze(tile.source, model).faces
        np.testing.assert_array_equal(face.crop, split.images[place])
        row = stored[stored["row"] == split.rows[place]].iloc[0]
        np.testing.assert_allclose(face.probabilities, [row[f"p_{name}"] for name in EXPRESSIONS], atol=2e-3)
