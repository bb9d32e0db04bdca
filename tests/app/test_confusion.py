"""The Confusion page without a browser: layouts, cells, faces with and without FER2013."""

from functools import partial

import pytest

from fer_core.store.folders import promoted
from tests.made_up_store import add_model, write_fer2013, write_votes


@pytest.fixture
def confusion(no_models, opened_without_error):
    return partial(opened_without_error, "confusion")


@pytest.fixture
def dataset(own_home, monkeypatch):
    write_fer2013(own_home / "fer2013", monkeypatch)
    write_votes(own_home / "fer2013")


def lines(app):
    return " ".join(block.value for block in app.markdown)


def test_an_empty_store_says_what_to_do(confusion):
    assert "no trained model yet" in confusion().info[0].value


def test_layouts_by_url(confusion, three, dataset):
    for layout, charts, values in (
        ("One model", 1, "counts"),
        ("Side by side", 2, "rates"),
        ("Difference", 1, "counts"),
    ):
        app = confusion(m_layout=layout, m_values=values, m_model="The weak one", m_actual="fear", m_predicted="sad")
        assert len(app.get("plotly_chart")) == charts
        assert "The weak one" in lines(app) or layout == "Difference"
    app = confusion(m_layout="Difference", m_second="The weak one", m_actual="happy", m_predicted="happy")
    assert "only one of the two models" in lines(app)
    assert any("says The able one" in caption.value for caption in app.caption)


def test_the_faces_of_a_cell(confusion, three, dataset):
    app = confusion(m_model="The weak one", m_actual="fear", m_predicted="fear", m_number=6)
    assert "The weak one predicts" in lines(app)
    table = app.dataframe[0].value
    assert set(table["label"]) == {"fear"}
    assert table["The weak one"].str.startswith("fear").all()
    assert set(table["annotators"]) == {"fear 6, contempt 3, not a face 1"}
    assert len(app.get("image")) == len(table) + 14
    app.selectbox(key="m_predicted").set_value("happy").run()
    assert not app.exception
    assert "fear faces as happy" in lines(app)


def test_most_annotators_can_be_the_judge(confusion, three, dataset):
    chosen = {"m_model": "The able one", "m_actual": "disgust", "m_predicted": "angry", "m_number": 48}
    app = confusion(m_by="Most annotators", **chosen)
    assert "angry" in set(app.dataframe[0].value["label"])  # every third angry face is disgust to them
    assert any("judged by most annotators" in caption.value for caption in app.caption)
    assert any("actual disgust" in caption.value for caption in app.caption)
    assert not any("is another face" in caption.value for caption in app.caption)


def test_without_data_rows_and_probabilities_stand_there(confusion, three):
    app = confusion(m_model="The weak one", m_actual="fear", m_predicted="fear")
    assert "data download" in app.info[0].value.replace("\\", "")
    table = app.dataframe[0].value
    assert table["row"].ge(3).all()
    assert "annotators" in table
    assert not app.get("image")


def test_faces_of_other_data_are_not_shown(confusion, three, own_home, monkeypatch):
    path = write_fer2013(own_home / "fer2013", monkeypatch, flat=False)
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([text[0], *("0" + line[1:] for line in text[1:])]) + "\n", encoding="utf-8")
    app = confusion(m_model="The weak one", m_actual="fear", m_predicted="fear")
    assert any("is another face" in caption.value for caption in app.caption)


def test_the_grid_draws_right_and_wrong(confusion, three, dataset):
    app = confusion(m_model="The weak one", m_which="wrong", m_seed=2)
    wrong = app.dataframe[-1].value
    assert (wrong["actual"] != wrong["predicted"]).all()
    app.get_by_key("m_which").set_value("right").run()
    right = app.dataframe[-1].value
    assert (right["actual"] == right["predicted"]).all()


def test_a_model_that_starts_from_utkface_says_so(confusion, three):
    add_model(promoted(), "other", weights_from="utkface")
    app = confusion(m_model="The able one")
    assert not any("non-commercial research" in caption.value for caption in app.caption)
    app = confusion(m_model="The able one", m_layout="Side by side", m_second="The other one")
    assert any("non-commercial research" in caption.value for caption in app.caption)


def test_one_model_has_nothing_beside_it(confusion, own_home):
    add_model(promoted(), "only")
    app = confusion(m_layout="Side by side")
    assert "no other one to compare it with" in app.info[0].value
    assert len(app.get("plotly_chart")) == 1


def test_broken_models_are_named_and_skipped(confusion, three):
    (three[0].folder / "predictions.parquet").write_bytes(b"no")
    app = confusion()
    assert "able" in app.warning[0].value
    assert app.selectbox(key="m_model").options == ["The fair one", "The weak one"]


def test_nonsense_in_the_url_falls_back(confusion, three):
    assert confusion(m_actual="bored", m_model="Nobody", m_number="7", m_seed="-1").get("plotly_chart")
