"""The notice on Home, and that no camera starts before everyone in view agrees."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts import live as live_camera
from tests.app.conftest import agree

SOURCES = ("https://doi.org/10.1177/1529100619832930", "https://eur-lex.europa.eu/eli/reg/2024/1689/oj")


def words(app) -> str:
    return " ".join(str(element.value) for kind in (app.markdown, app.caption) for element in kind)


def test_home_shows_the_notice_with_sources(opened_without_error):
    app = opened_without_error("home")
    said = words(app)
    for part in (*SOURCES, "Art. 5(1)(f)", "2 February 2025", "Art. 50(3)", "2 August 2026", "not legal advice"):
        assert part in said
    assert "snapshots until somebody deletes them, zips for 30 days" in said
    assert not app.button


@pytest.mark.parametrize(
    ("page", "query", "pictures"),
    [
        ("predict", {"p_source": "Camera"}, "gone soon after you close"),
        ("live", {"l_kind": "Snapshot"}, "gone soon after you close"),
        ("finetune", {"f_source": "Own snapshots"}, "until somebody deletes it"),
    ],
)
def test_no_camera_before_everyone_agrees(opened_without_error, page, query, pictures):
    app = opened_without_error(page, **query, everyone_agrees="true", n_agree="true")  # a link cannot agree
    assert not app.get("camera_input")
    assert pictures in words(app)
    assert all(source in words(app) for source in SOURCES)
    agree(app)
    assert len(app.get("camera_input")) == 1
    assert pictures in words(app)
    assert not [button for button in app.button if button.key == "n_agree"]


def test_no_camera_on_the_dataset_page_either(opened_without_error, fer2013_path, monkeypatch):
    monkeypatch.setenv("FER2013_PATH", str(fer2013_path))
    app = opened_without_error("dataset", d_section="Preparation", d_step="Face detection", d_pictures="Camera")
    assert not app.get("camera_input")
    assert len(agree(app).get("camera_input")) == 1


def test_live_video_waits_too_and_one_answer_is_enough(opened_without_error, monkeypatch):
    started = []

    def stand_in(key, **options):
        started.append(key)
        return SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))

    monkeypatch.setattr(live_camera, "webrtc_streamer", stand_in)
    app = opened_without_error("live")
    assert not started
    assert "Press START" not in words(app)
    agree(app)
    assert started
    app.query_params["p_source"] = "Camera"
    app.switch_page("pages/predict.py").run()
    assert len(app.get("camera_input")) == 1


def test_says_that_video_may_pass_through_a_named_server(open_app):
    app = open_app()
    assert "pass through a server" not in words(app.switch_page("pages/live.py").run())
    app.secrets["webrtc"] = {"ice_servers": [{"urls": "turn:turn.example.org:3478"}]}
    assert "pass through a server" in words(app.run())
