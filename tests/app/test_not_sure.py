"""Where no probability reaches the model's threshold, every page that answers says "not sure"."""

from __future__ import annotations

from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, load_model
from tests.app.test_video import finished


def said(app) -> str:
    return " ".join(str(element.value) for kind in (app.subheader, app.caption, app.markdown) for element in kind)


def test_home(never_sure, opened_without_error):
    (folders.SHIPPED / DEFAULT_MODEL).unlink()  # Home asks the best model
    app = opened_without_error("home")
    assert "Second model says: **not sure**." in said(app)
    assert "no expression reaches 100 %" in said(app)
    assert "labelled not sure" in app.get("image")[0].proto.imgs[0].alt


def test_predict(never_sure, opened_without_error):
    app = opened_without_error("predict", p_models=never_sure, p_blur="3")
    assert app.subheader[0].value == "Face 1: not sure"
    assert "no expression reaches 100 %" in said(app)
    assert "1 not sure" in app.get("image")[0].proto.imgs[0].alt
    assert "Still not sure (happy" in said(app)
    assert app.dataframe[0].value["Expression"].tolist() == ["happy"]


def test_one_of_two_models_is_sure(never_sure, opened_without_error):
    app = opened_without_error("predict", p_models=[never_sure, load_model().title])
    assert app.subheader[0].value == "Face 1: 1 of 2 models say happy"
    assert said(app).count("no expression reaches") == 1


def test_live(never_sure, opened_without_error):
    app = opened_without_error("live", l_model=never_sure)
    assert app.subheader[0].value == "The built-in sample: not sure"


def test_video(never_sure, open_app):
    app = finished(open_app("video", v_model=never_sure, v_rate="2"))
    assert not app.exception
    assert "Not sure in 100 % of this time: no expression reaches 100 %" in said(app)
    assert app.subheader[0].value.startswith("Face 1: happy ")
