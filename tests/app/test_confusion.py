"""The Confusion page without a browser: layouts, cells, faces with and without FER2013."""

from functools import partial

import pytest

from fer_core.store.folders import promoted
from tests.made_up_store import add_model, write_fer2013, write_votes


@pytest.fixture
def confusion(no_models, open_app):
    return partial(open_app, "confusion")


@pytest.fixture
def dataset(own_home, monkeypatch):
    write_fer2013(own_home / "fer2013", monkeypatch)
    write_votes(own_home / "fer2013")


def lines(app):
    return " ".join(block.value for block in app.markdown)


def test_an_empty_store_says_what_to_do(confusion):
    assert "no trained model yet" in confusion().info[0].value


def test_layouts_by_url_and_nonsense_in_it(confusion, three, dataset):
    chosen = {"m_model": "The weak one", "m_actual": "fear", "m_predicted": "sad"}
    app = confusion(m_layout="Side by side", m_values="rates", **chosen)
    assert len(app.get("plotly_chart")) == 2
    assert "The weak one" in lines(app)
    app = confusion(m_layout="Difference", m_second="The weak one", m_actual="happy", m_predicted="happy")
    assert len(app.get("plotly_chart")) == 1
    assert "only one of the two models" in lines(app)
    assert any("says The able one" in caption.value for caption in app.caption)
    assert confusion(m_actual="bored", m_model="Nobody", m_number="7", m_seed="-1").get("plotly_chart")


def test_the_faces_of_a_cell_and_random_ones(confusion, three, dataset):
    chosen = {"m_model": "The weak one", "m_actual": "fear", "m_predicted": "fear", "m_values": "counts"}
    app = confusion(**chosen, m_number=6, m_which="wrong", m_seed=2)
    assert "The weak one predicts" in lines(app)
    assert len(app.get("plotly_chart")) == 1
    table, wrong = app.dataframe[0].value, app.dataframe[-1].value
    assert set(table["label"]) == {"fear"}
    assert table["The weak one"].str.startswith("fear").all()
    assert set(table["annotators"]) == {"fear 6, contempt 3, not a face 1"}
    assert len(app.get("image")) == len(table) + 14
    assert (wrong["actual"] != wrong["predicted"]).all()
    app.selectbox(key="m_predicted").set_value("happy")
    app.get_by_key("m_which").set_value("right").run()
    assert not app.exception
    assert "fear faces as happy" in lines(app)
    right = app.dataframe[-1].value
    assert (right["actual"] == right["predicted"]).all()


def test_most_annotators_can_be_the_judge(confusion, three, dataset):
    chosen = {"m_model": "The able one", "m_actual": "disgust", "m_predicted": "angry", "m_number": 48}
    app = confusion(m_by="Most annotators", **chosen)
    assert "angry" in set(app.dataframe[0].value["label"])  # every third angry face is disgust to them
    captions = " ".join(caption.value for caption in app.caption)
    assert "judged by most annotators" in captions
    assert "actual disgust" in captions
    assert "is another face" not in captions


def test_without_data_rows_stand_there_and_faces_of_other_data_are_not_shown(confusion, three, own_home, monkeypatch):
    chosen = {"m_model": "The weak one", "m_actual": "fear", "m_predicted": "fear"}
    app = confusion(**chosen)
    assert "data download" in app.info[0].value.replace("\\", "")
    table = app.dataframe[0].value
    assert table["row"].ge(3).all()
    assert "annotators" in table
    assert not app.get("image")
    path = write_fer2013(own_home / "fer2013", monkeypatch, flat=False)
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([text[0], *("0" + line[1:] for line in text[1:])]) + "\n", encoding="utf-8")
    assert any("is another face" in caption.value for caption in confusion(**chosen).caption)


def test_a_model_that_starts_from_utkface_says_so_and_broken_ones_are_named_and_skipped(confusion, three):
    add_model(promoted(), "other", weights_from="utkface")
    (three[0].folder / "predictions.parquet").write_bytes(b"no")
    app = confusion(m_model="The fair one")
    assert not any("non-commercial research" in caption.value for caption in app.caption)
    assert "able" in app.warning[0].value
    assert set(app.selectbox(key="m_model").options) == {"The fair one", "The weak one", "The other one"}
    app = confusion(m_model="The fair one", m_layout="Side by side", m_second="The other one")
    assert any("non-commercial research" in caption.value for caption in app.caption)


def test_one_model_has_nothing_beside_it(confusion, own_home):
    add_model(promoted(), "only")
    app = confusion(m_layout="Side by side")
    assert "no other one to compare it with" in app.info[0].value
    assert len(app.get("plotly_chart")) == 1
