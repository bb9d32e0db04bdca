"""A shared server: each visitor sees what is their own, within limits; and who may train there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st

from fer_core.files import home
from fer_core.guesses import Guesses
from fer_core.runs.run import Run
from fer_core.store import folders
from fer_core.visitors import Limits, Visitor
from tests.app.conftest import said, upload
from tests.app.made_up_runs import made_run, portrait, with_result, write_faces, zipped
from tests.clips import film, scene
from tests.server import ROOT
from tests.waiting import until

ANNA, BEN = "a" * 43, "b" * 43
"""Secrets in the cookies of two browsers."""


def set_secrets(monkeypatch, **secrets) -> None:
    monkeypatch.setattr(st, "secrets", SimpleNamespace(load_if_toml_exists=lambda: True, get=secrets.get))


@pytest.fixture
def server(open_app, monkeypatch):
    """`server(secret, page, query, **settings)` opens a page in the browser that holds this secret."""

    def opened(secret: str, page: str | None, query: dict | None = None, **settings):
        set_secrets(monkeypatch, server={"shared": True, **settings})
        monkeypatch.setattr("pages.parts.visitor._cookie", lambda: secret)
        return open_app(page, **(query or {}))

    return opened


def folder(secret: str) -> Path:
    return Visitor.of(secret, Limits()).folder


def given_run(secret: str, run: Run) -> Path:
    """Give a run to a visitor."""
    target = folder(secret) / "runs" / run.id
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(run.folder, target)
    return target


def test_runs_are_seen_stopped_and_deleted_by_their_owner_only(server):
    annas = given_run(ANNA, made_run("stopped", "Annas run", epochs=2))
    made_run("stopped", "The administrators run")
    bens = server(BEN, "finetune", {"f_tab": "Runs", "f_run": annas.name})
    assert "Your trainings, with their curves and results, will be listed here" in said(bens)
    assert not bens.get("plotly_chart")
    hers = server(ANNA, "finetune", {"f_tab": "Runs"})
    assert hers.dataframe[0].value["Run"].tolist() == ["Annas run"]
    assert "Tuning" not in [tab.label for tab in hers.tabs]
    hers.button(key=f"f_delete_{annas.name}").click().run()
    assert not annas.exists()
    assert len(list((home() / "runs").glob("stopped*"))) == 1


def test_a_promoted_model_is_on_its_owners_pages_only(server):
    given_run(ANNA, with_result(made_run("finished", "Annas model", epochs=3), measured=False))
    hers = server(ANNA, "finetune", {"f_tab": "Runs"})
    hers.button(key="f_promote_now").click().run()
    assert "Try Annas model on Predict" in [link.proto.label for link in hers.get("page_link")]
    shutil.copytree(folders.SHIPPED / folders.DEFAULT_MODEL, home() / "models" / "for_all")
    for secret, names in ((ANNA, {"annas_model", "for_all"}), (BEN, {"for_all"})):
        options = server(secret, "predict").get_by_key("p_models").proto.options
        assert len(options) == 1 + len(names)
        assert any("Annas model" in option.content for option in options) == (secret == ANNA)


def test_collections_and_zips_are_in_the_visitors_folder(server):
    hers = server(ANNA, "finetune", {"f_source": "Own snapshots", "f_by": "Upload"})
    hers.file_uploader(key="f_picture_Upload_0").upload("a.png", portrait()).run()
    assert "happy: 1" in said(hers)
    assert "happy: 0" in said(server(BEN, "finetune", {"f_source": "Own snapshots", "f_by": "Upload"}))
    his = server(BEN, "finetune", {"f_source": "Own pictures"})
    assert "No other visitor can see them" in said(his)
    files = {f"{name}__{turn}.png": portrait(turn, name == "sad") for name in ("happy", "sad") for turn in (0, 5)}
    his.file_uploader(key="f_zip").upload("mine.zip", zipped(**files)).run()
    assert not (home() / "uploads").exists()
    assert len(list(folder(BEN).rglob("mine.zip"))) == 1
    assert [path.name for path in folder(ANNA).rglob("*.png")] == ["001.png"]


def test_limits_are_said_with_what_was_received(server):
    write_faces(home() / "fer2013")
    given_run(ANNA, made_run("waiting"))
    few = server(ANNA, "finetune", training_minutes=0.01)
    few.button(key="f_go").click().run()
    assert "Expected at most 0.01 minutes" in said(few)
    full = server(ANNA, "finetune", {"f_source": "Own pictures"}, visitor_megabytes=0.001)
    full.file_uploader(key="f_zip").upload("mine.zip", zipped(happy__a=portrait(), sad__b=portrait())).run()
    assert "Your disk space on this server is used up. Expected at most 0.001 MB" in full.warning[0].value
    many = server(BEN, "predict", {"p_source": "Upload"}, pictures=1, megapixels=0.01)
    upload(many, "p_upload", ("a.png", portrait()), ("b.png", portrait()))
    assert "Only the first 1 pictures are used" in many.warning[0].value
    assert "Expected at most 0.01 megapixels" in many.warning[1].value


def test_a_video_of_more_than_six_seconds_is_too_long(server):
    app = server(ANNA, "video", {"v_source": "Upload"}, video_minutes=0.1)
    app.file_uploader(key="v_upload").upload("film.mp4", film([scene()] * 70)).run()
    app.button(key="v_start").click().run()
    until(lambda: not app.run().get("progress"))
    assert "film.mp4 is too long" in said(app)


def test_settings_that_are_not_valid_close_the_server_and_the_notice_says_those_that_are(server):
    app = server(ANNA, None, keep_hour=5)
    assert "its settings are not valid" in app.error[0].value
    assert not app.title
    words = said(server(ANNA, None, keep_hours=5))
    assert "5 hours after your last visit" in words
    assert "30 days" not in words


def test_no_page_keeps_threads_jobs_or_pools_in_streamlits_caches():
    """Every visitor can clear those caches; `threads.kept` holds what must live."""
    lives = "VideoJob|Classifier|RDBStorage|Visits|Rooms|LiveSession|StreamAnalyzer|FaceAnalyzer|on_release"
    for path in (ROOT / "pages").rglob("*.py"):
        cached = re.findall(r"(@st\.cache.*?:\n {4}\S)", path.read_text("utf-8"), re.DOTALL)
        assert not [function for function in cached if re.search(lives, function)], path


@pytest.fixture
def finetune(open_app, monkeypatch):
    """Open Fine-tune on a server with these settings of training."""
    return lambda **training: set_secrets(monkeypatch, training=training) or open_app("finetune")


def give(app, password: str):
    app.text_input(key="access_given").set_value(password)
    return app.button[0].click().run()


def test_everybody_may_train_by_default_and_nobody_where_it_is_switched_off_or_impossible(finetune, monkeypatch):
    assert finetune().tabs
    off = finetune(enabled=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # as if it were not installed
    for app, words in ((off, "switched off on this server"), (finetune(), 'Run `pip install "fer-lab[train]"`')):
        assert words in app.info[0].value
        assert not app.tabs
        assert not app.button


def test_the_password_opens_the_page_until_it_changes(finetune):
    app = finetune(password="schöner Tag")
    assert not app.tabs
    assert "not the password" in give(app, "guess").warning[0].value
    assert give(app, "schöner Tag").tabs
    assert not app.text_input(key="f_title").value
    finetune(password="another")
    assert not app.run().tabs


def test_a_guesser_has_to_wait_in_every_session(finetune, monkeypatch):
    monkeypatch.setattr("pages.parts.visitor.TRAINING", Guesses(lambda: 0.0))
    monkeypatch.setattr("pages.parts.visitor._address", lambda: "192.0.2.7")
    for given in ("a", "b", "c", "d", "secret"):
        app = give(finetune(password="secret"), given)
    assert "Too many wrong passwords came from your network address. Try again in" in app.warning[0].value
    assert not app.tabs
