"""The Live camera page without a browser: before Start, and with a stand-in for the video that plays one scene."""

from __future__ import annotations

import re
from types import SimpleNamespace
from unittest.mock import Mock

import av
import pytest

from fer_core.inference.live import LiveSession
from fer_core.store.folders import DEFAULT_MODEL
from pages.parts import live as live_camera
from pages.parts.live import PATIENCE, REFRESHES_WITHOUT_PICTURE
from tests.app.conftest import agree, charts, pictures, said
from tests.inference.streams import frame_with_heads

FRAME = av.VideoFrame.from_ndarray(frame_with_heads([(240, 120)], side=200), format="rgb24")


@pytest.fixture
def live(open_app):
    """Open the page and confirm that everyone in view agrees."""
    return lambda **query: agree(open_app("live", **query))


@pytest.fixture
def playing(monkeypatch):
    """The video plays: each run of the page brings five frames. The dict holds the component's last arguments."""
    given = {}

    def stand_in(key, **options):
        given.update(options)
        for _ in range(given.get("frames", 5)):
            options["video_frame_callback"](given.get("scene", FRAME))
        return SimpleNamespace(state=SimpleNamespace(playing=True, signalling=False))

    monkeypatch.setattr(live_camera, "webrtc_streamer", stand_in)
    # A busy machine renders the page later than half a second after. No result and no face is forgotten meanwhile.
    for name in ("live.RATE_SECONDS", "tracking.LOST_SECONDS", "tracking.MEMORY_SECONDS"):
        monkeypatch.setattr(f"fer_core.inference.{name}", 30.0)
    return given


def test_results_before_start(live):
    app = live()
    assert app.title[0].value == "Live camera"
    assert "The built-in sample: happy" in said(app)
    assert "Press START" in said(app)
    assert all("happy" in words for words in [*charts(app), pictures(app)[0]])
    assert not app.button


def test_not_sure_before_and_while_it_plays(open_app, playing, never_sure):
    app = open_app("live", l_model=never_sure)
    assert app.subheader[0].value == "The built-in sample: not sure"
    assert "Face 1: not sure" in said(agree(app))


def test_one_of_several_faces_can_be_chosen(live, yunet_file, playing, monkeypatch):
    heads = frame_with_heads([(40, 120), (390, 140)], side=200)
    playing["scene"] = av.VideoFrame.from_ndarray(heads, format="rgb24")
    app = live()
    (choice,) = [group for group in app.get("button_group") if group.label == "Face"]
    assert choice.options == ["1", "2"]
    for number in (2, 1):
        assert f"Face {number}: happy" in said(choice.set_value(number).run())
        assert charts(app)[0] == f"Probabilities of face {number} now"
    for name in ("stream.DETECT_SECONDS", "tracking.LOST_SECONDS", "tracking.MEMORY_SECONDS"):
        monkeypatch.setattr(f"fer_core.inference.{name}", 0.0)  # both are forgotten, and another one is there
    playing["scene"] = FRAME
    assert re.search(r"Face [3-9]: happy", said(app.run()))


def test_settings_and_servers_reach_the_stream(live, playing, monkeypatch):
    configure = Mock()
    monkeypatch.setattr(LiveSession, "configure", configure)
    app = live(l_smoothing="1.2", l_activation="true", l_mirror="false")
    (settings,), more = configure.call_args
    assert (settings.smoothing, settings.activation, more) == (1.2, True, {"mirror": False})
    assert playing["rtc_configuration"] == {"iceServers": []}
    assert playing["media_stream_constraints"]["audio"] is False
    turn = {"urls": "turn:turn.example.org:3478", "username": "fer", "credential": "word"}
    app.secrets["webrtc"] = {"ice_servers": [turn, {"username": "no address"}]}
    app.slider(key="l_smoothing").set_value(0.0).run()
    assert configure.call_args.args[0].smoothing == 0
    assert playing["rtc_configuration"] == {"iceServers": [turn]}


def test_a_recording_that_another_model_takes_over(live, playing, from_utkface):
    app = live()
    assert "non-commercial research" not in said(app)
    for words in ("Face 1: happy", "Face 1 over the last minute", "5 analysed"):
        assert words in said(app)
    assert [words.split(" ")[-1] for words in charts(app)] == ["now", "minute"]
    assert not app.get("download_button")
    app.button(key="l_record").click().run()
    app.selectbox(key="l_model").set_value(from_utkface).run()
    assert "non-commercial research" in said(app)
    recorded = app.session_state["live_session"].recording_csv().splitlines()
    assert recorded[-1].endswith(",second")
    assert DEFAULT_MODEL not in recorded[-1]
    app.button(key="l_stop").click().run()
    (download,) = app.get("download_button")
    rows = app.session_state["live_session"].status().recorded
    assert rows >= 5
    assert f"{rows:,} rows" in download.proto.label
    assert app.button(key="l_record")


def test_a_frozen_frame_goes_to_predict(live, playing, yunet_file):
    app = live()
    app.button(key="l_freeze").click().run()
    assert "The frozen frame" in pictures(app)
    (link,) = app.get("page_link")
    assert (link.proto.page, link.proto.query_string) == ("predict", "p_source=Live")
    app.query_params["p_source"] = "Live"
    app.switch_page("pages/predict.py").run()
    assert "Face 1: happy" in said(app)
    assert app.dataframe[0].value["File"].tolist() == ["live.png"]


def test_says_what_helps_when_no_picture_comes_or_the_video_cannot_be_set_up(live, playing, monkeypatch):
    playing["frames"] = 0
    app = live()
    assert "Waiting for the camera" in said(app)
    assert not app.warning
    app.session_state[REFRESHES_WITHOUT_PICTURE] = PATIENCE
    assert "no picture reaches FER Lab" in said(app.run())

    monkeypatch.setattr(live_camera, "webrtc_streamer", Mock(side_effect=TimeoutError("no answer")))
    assert "A photo on the Predict page works without it" in app.run().warning[0].value
    assert "The built-in sample: happy" in said(app)
