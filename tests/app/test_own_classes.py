"""A model of classes of its own on the pages: where it predicts, and where it is left out."""

import pytest

from fer_core.store.datasets import add_dataset
from fer_core.store.folders import load_model
from pages.parts.common import plain
from tests.app.conftest import captions, charts, pictures, said
from tests.own_data import own_study
from tests.waiting import until

SHOWN = [plain("Own <b>classes</b>")]


def test_predict_shows_its_classes_alone(open_app, own_model):
    app = open_app("predict", p_models=SHOWN, p_evidence="confused", p_against="calm", p_occlusion="true")
    own = set(own_model.card.classes)
    assert app.subheader[0].value.removeprefix("Face 1: ") in own
    assert all(name in charts(app)[0] for name in own)
    assert "neutral" not in " ".join(charts(app))
    table = app.dataframe[0].value
    assert list(table)[4:-1] == list(own_model.card.classes)
    assert table.loc[0, list(own_model.card.classes)].sum() == pytest.approx(100, abs=0.01)
    assert app.selectbox(key="p_evidence").options[1:] == list(own_model.card.classes)
    assert any("confused" in words and "calm" in words for words in captions(app))
    app = open_app("predict", p_models=[*SHOWN, load_model().title])
    assert "Left out: Own <b>classes</b>. Only models of the same classes are shown together" in said(app)
    assert "neutral" in charts(app)[0]


@pytest.mark.parametrize(("page", "key"), [("live", "l_model"), ("video", "v_model")])
def test_live_and_video_show_its_classes(open_app, own_model, page, key):
    app = open_app(page, **{key: own_model.title})
    assert app.selectbox(key=key).value == own_model.name
    until(lambda: charts(app) or charts(app.run()), every=0.3)  # the sample clip is analysed in the background
    words = " ".join([*charts(app), *(name for table in app.dataframe for name in table.value)])
    assert all(name in words for name in own_model.card.classes)
    assert "neutral" not in words


@pytest.mark.parametrize("page", ["home", "compare", "confusion", "tour"])
def test_pages_of_the_seven_leave_it_out(open_app, own_model, page):
    app = open_app(page)
    options = [option for box in app.selectbox for option in box.options]
    assert "Own <b>classes</b>" not in f"{said(app)} {' '.join(charts(app))} {options}"


def test_compare_and_confusion_show_it_on_a_data_set_of_its_classes(open_app, own_model, tmp_path):
    dataset = add_dataset("study", own_study(tmp_path / "study"), whole_image=True, own_classes=True)
    tests = dataset.tests()
    answers = own_model.classifier().predict(tests.images).probabilities.argmax(axis=1)
    app = open_app("compare", c_split="study")
    assert f"on {len(tests)} faces (Test of study)" in said(app)
    assert list(app.multiselect(key="c_models").options) == [own_model.title]
    assert app.dataframe[0].value["accuracy"].tolist() == [pytest.approx(100 * (answers == tests.labels).mean())]
    app = open_app("compare", c_split="study", c_section="F1 by expression")
    board = next(frame.value for frame in app.dataframe if "expression" in frame.value)
    assert board["expression"].tolist()[:3] == list(dataset.classes)
    app = open_app("compare", c_split="study", c_section="ROC and PR", c_expression="calm")
    assert list(app.selectbox(key="c_expression").options) == list(dataset.classes)
    app = open_app("confusion", m_split="study", m_actual="calm", m_predicted="happy")
    count = ((tests.labels == 0) & (answers == 2)).sum()
    assert f"predicts {count} calm faces as happy" in said(app)
    assert len(pictures(app)) >= count
    for page in ("fairness", "dataset", "quiz"):
        assert "study" not in str([option for box in open_app(page).get("button_group") for option in box.options])


def test_a_data_set_of_classes_that_no_model_has(open_app, home, tmp_path):
    add_dataset("study", own_study(tmp_path / "study"), whole_image=True, own_classes=True)
    words = "There is no model of the classes of study yet. Train one with `fer-lab train compact_cnn --pictures study`"
    assert words in said(open_app("compare", c_split="study"))
