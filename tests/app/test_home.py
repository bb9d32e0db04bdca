"""Home, and the notice: no camera starts before everyone in view agrees."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, load_model, promoted
from fer_core.store.stored_model import WEIGHTS
from fer_core.types import FerError
from pages.parts import live as live_camera
from tests.app.conftest import agree, change_card, charts, pictures, said
from tests.app.made_up_runs import write_faces
from tests.made_up_store import add_model

SOURCES = ("https://doi.org/10.1177/1529100619832930", "https://eur-lex.europa.eu/eli/reg/2024/1689/oj")


def test_the_dataset_can_be_downloaded_where_it_is_missing(page, own_home, monkeypatch):
    def download():
        if failing:
            raise FerError(failing.pop())
        write_faces(own_home / "fer2013")

    failing = ["There is no network."]
    monkeypatch.setattr("pages.parts.common.download_fer2013", download)
    app = page()
    assert "need FER2013. FER2013 is not here yet" in said(app)
    app.button(key="fer2013_get").click().run()
    assert app.warning[0].value == "There is no network."
    app.button(key="fer2013_get").click().run()
    assert "not here yet" not in said(app)
    assert not app.warning


def test_prediction_scoreboard_and_links_before_any_click(open_app):
    app = open_app()
    assert app.title[0].value == "FER Lab"
    assert "is right on" in app.subheader[0].value
    assert "says: **happy** (" in said(app)
    for words, alt in zip(("happy", "happy", "48 × 48", "PublicTest"), pictures(app) + charts(app), strict=True):
        assert words in alt
    model = load_model(DEFAULT_MODEL)
    score = model.card.score("public_test", by="plurality").accuracy
    assert f"{model.title} {score * 100:.1f} % on PublicTest" in charts(app)[0]
    assert f"is right on {score * 100:.1f}" in app.subheader[0].value
    assert f"The pages start with {model.title}" in said(app)
    assert f"it has the best, {model.card.holdout_score * 100:.1f} %" in said(app)
    assert "non-commercial research" not in said(app)
    for part in (*SOURCES, "Art. 5(1)(f)", "Art. 50(3)", "not legal advice"):
        assert part in said(app)
    assert "snapshots until somebody deletes them, zips for 30 days" in said(app)
    assert [button.key for button in app.button] == ["fer2013_get"]
    link = next(link.proto for link in app.get("page_link") if link.proto.label == "Take a photo")
    assert link.page == "predict"
    assert "p_source=Camera" in link.query_string


def test_the_next_model_steps_in_for_a_damaged_default_and_broken_folders_are_named(page, second_model):
    shutil.copytree(promoted() / second_model, promoted() / DEFAULT_MODEL)
    (promoted() / DEFAULT_MODEL / WEIGHTS).write_bytes(b"not a model")
    (promoted() / "half_written").mkdir()
    (promoted() / "half_written" / folders.CARD).write_text('{"name": "half', encoding="utf-8")
    app = page()
    assert "damaged or was changed" in app.warning[0].value
    assert "half\\_written" in app.warning[0].value
    assert "Second model says: **happy**" in said(app)


def test_cards_without_numbers_cost_only_their_own_rows(page, second_model):
    odd = {"odd_0": [], "odd_1": None, "odd_2": {"public_test": {"plain": {}}}, "odd_3": {"public_test": 3}}
    for name, metrics in odd.items():
        shutil.copytree(promoted() / second_model, promoted() / name)
        change_card(promoted() / name, name=name, metrics=metrics)
    shutil.rmtree(promoted() / second_model)
    app = page()
    assert load_model(DEFAULT_MODEL).title in charts(app)[0]
    assert "Second model" not in charts(app)[0]
    for name in odd:
        assert f"The model {name} has no score" in said(app)


def test_most_annotators_can_be_the_judge(page):
    app = page(h_by="FER2013's label")
    by_label = charts(app)
    assert "judged by FER2013's label" in app.subheader[0].value
    app.get_by_key("h_by").set_value("plurality").run()
    assert "judged by most annotators" in app.subheader[0].value
    assert charts(app) != by_label
    score = load_model(DEFAULT_MODEL).card.score("private_test", by="plurality").accuracy
    assert f"{score * 100:.1f} % on PrivateTest" in charts(app)[0]


def test_the_default_is_not_called_the_best_beside_a_better_one_and_utkface_is_named(page, second_model):
    served = load_model(second_model).card.as_dict()["served"]
    change_card(promoted() / second_model, served={**served, "holdout_score": {"score": 0.99}})
    add_model(promoted(), "other", weights_from="utkface")
    app = page()
    assert "The pages start with" not in said(app)
    assert "non-commercial research" in said(app)


@pytest.mark.parametrize(
    ("where", "query"),
    [
        ("predict", {"p_source": "Camera"}),
        ("finetune", {"f_source": "Own snapshots"}),
    ],
)
def test_no_camera_before_everyone_agrees(open_app, where, query, made_up):
    words = "until somebody deletes it" if where == "finetune" else "gone soon after you close"
    app = open_app(where, **query, everyone_agrees="true", n_agree="true")  # a link cannot agree
    assert not app.get("camera_input")
    assert all(part in said(app) for part in (*SOURCES, words))
    agree(app)
    assert len(app.get("camera_input")) == 1
    assert words in said(app)
    assert "n_agree" not in [button.key for button in app.button]


def test_live_video_waits_too_names_its_way_and_one_answer_is_enough(open_app, monkeypatch):
    started = Mock(return_value=SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False)))
    monkeypatch.setattr(live_camera, "webrtc_streamer", started)
    app = open_app("live")
    assert not started.called
    assert "pass through a server" not in said(app)
    app.secrets["webrtc"] = {"ice_servers": [{"urls": "turn:turn.example.org:3478"}]}
    assert "pass through a server" in said(app.run())
    agree(app)
    assert started.called
    app.query_params["p_source"] = "Camera"
    app.switch_page("pages/predict.py").run()
    assert len(app.get("camera_input")) == 1
