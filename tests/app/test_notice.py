"""The notice on Home, and that no camera starts before everyone in view agrees."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts import live as live_camera
from tests.app.conftest import agree, said

SOURCES = ("https://doi.org/10.1177/1529100619832930", "https://eur-lex.europa.eu/eli/reg/2024/1689/oj")


def test_home_shows_the_notice_with_sources(opened_without_error):
    app = opened_without_error("home")
    words = said(app)
    for part in (*SOURCES, "Art. 5(1)(f)", "2 February 2025", "Art. 50(3)", "2 August 2026", "not legal advice"):
        assert part in words
    assert "snapshots until somebody deletes them, zips for 30 days" in words
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
    assert pictures in said(app)
    assert all(source in said(app) for source in SOURCES)
    agree(app)
    assert len(app.get("camera_input")) == 1
    assert pictures in said(app)
    assert not [button for button in app.button if button.key == "n_agree"]


def test_no_camera_on_the_dataset_page_either(opened_without_error, fer2013_path, monkeypatch):
    monkeypatch.setenv("FER2013_PATH", str(fer2013_path))
    app = opened_without_error("dataset", d_section="Preparation", d_step="Face detection", d_pictures="Camera")
    assert not app.get("camera_input")
    assert len(agree(app).get("camera_input")) == 1


def test_live_video_waits_too_names_its_way_and_one_answer_is_enough(opened_without_error, monkeypatch):
    started = []

    def stand_in(key, **options):
        started.append(key)
        return SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))

    monkeypatch.setattr(live_camera, "webrtc_streamer", stand_in)
    app = opened_without_error("live")
    assert not started
    assert "Press START" not in said(app)
    assert "pass through a server" not in said(app)
    app.secrets["webrtc"] = {"ice_servers": [{"urls": "turn:turn.example.org:3478"}]}
    assert "pass through a server" in said(app.run())
    agree(app)
    assert started
    app.query_params["p_source"] = "Camera"
    app.switch_page("pages/predict.py").run()
    assert len(app.get("camera_input")) == 1
