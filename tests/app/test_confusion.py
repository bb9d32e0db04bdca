"""The Confusion page without a browser: layouts, cells, faces with and without FER2013."""

import numpy as np
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.store.folders import promoted
from tests.app.conftest import charts, said
from tests.made_up_store import add_model, write_votes

pytestmark = pytest.mark.usefixtures("no_models")
CELL = {"m_model": "The weak one", "m_actual": "fear", "m_predicted": "fear", "m_by": "FER2013's label"}


@pytest.fixture
def dataset(made_up):
    write_votes(made_up.parent)


def test_an_empty_store_says_what_to_do(page):
    assert "no trained model yet" in page().info[0].value


def test_layouts_by_url_and_nonsense_in_it(page, three, dataset):
    app = page(**CELL | {"m_predicted": "sad"}, m_layout="Side by side", m_values="rates")
    assert len(charts(app)) == 2
    assert "The weak one" in said(app)
    app = page(m_layout="Difference", m_second="The weak one", m_actual="happy", m_predicted="happy")
    assert len(charts(app)) == 1
    assert "only one of the models predicts" in said(app)
    assert "says The able one" in said(app)
    assert charts(page(m_actual="bored", m_model="Nobody", m_number="7", m_seed="-1"))


def test_the_faces_of_a_cell_and_random_ones(page, three, dataset):
    app = page(**CELL, m_values="counts", m_number="6", m_which="wrong", m_seed="2")
    assert "The weak one predicts" in said(app)
    assert len(charts(app)) == 1
    table, wrong = app.dataframe[0].value, app.dataframe[-1].value
    assert set(table["label"]) == {"fear"}
    assert table["The weak one"].str.startswith("fear").all()
    assert set(table["annotators"]) == {"fear 6, contempt 3, not a face 1"}
    assert len(app.get("image")) == len(table) + 16
    assert (wrong["actual"] != wrong["predicted"]).all()
    app.selectbox(key="m_predicted").set_value("happy")
    app.get_by_key("m_which").set_value("right").run()
    assert "fear faces as happy" in said(app)
    right = app.dataframe[-1].value
    assert (right["actual"] == right["predicted"]).all()


def test_most_annotators_can_be_the_judge(page, three, dataset):
    app = page(m_by="Most annotators", m_model="The able one", m_actual="disgust", m_predicted="angry", m_number="48")
    assert "angry" in set(app.dataframe[0].value["label"])  # every third angry face is disgust to them
    assert "judged by most annotators" in said(app)
    assert "actual disgust" in said(app)
    assert "is another face" not in said(app)


def test_without_data_rows_stand_there_and_faces_of_other_data_are_not_shown(page, three, request):
    app = page(**CELL)
    assert "data download" in app.info[0].value
    assert app.dataframe[0].value["row"].ge(3).all()
    assert not app.get("image")
    path = request.getfixturevalue("made_up")
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *("0" + row[1:] for row in rows)]), encoding="utf-8")
    assert "is another face" in said(page(**CELL))


def test_a_model_that_starts_from_utkface_says_so_and_broken_ones_are_named_and_skipped(page, three):
    add_model(promoted(), "other", weights_from="utkface")
    (three[0].folder / "predictions.parquet").write_bytes(b"no")
    app = page(m_model="The fair one")
    assert "non-commercial research" not in said(app)
    assert "able" in app.warning[0].value
    assert set(app.selectbox(key="m_model").options) == {"The fair one", "The weak one", "The other one"}
    app = page(m_model="The fair one", m_layout="Side by side", m_second="The other one")
    assert "non-commercial research" in said(app)


def test_one_model_has_nothing_beside_it(page, own_home):
    add_model(promoted(), "only")
    app = page(m_layout="Side by side")
    assert "no other one to compare it with" in said(app)
    assert len(charts(app)) == 1


def test_the_page_begins_with_the_most_frequent_mistake_and_its_faces(page, three, dataset):
    app = page(m_by="FER2013's label", m_model="The weak one")
    predicted = three[2].predictions("public_test")[PROBABILITIES].to_numpy().argmax(axis=1)
    counts = np.zeros((7, 7))
    np.add.at(counts, (np.arange(105) % 7, predicted), 1)
    np.fill_diagonal(counts, 0)
    worst = counts.max()
    assert f"% of the {app.selectbox(key='m_actual').value} faces" in app.subheader[0].value
    assert f"({worst:.0f} of 15), its most frequent mistake" in app.subheader[0].value
    assert f"The weak one predicts {worst:.0f} " in said(app)
