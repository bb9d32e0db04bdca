"""Who may train on a shared server: everybody by default, nobody, or those who know the password."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import streamlit as st

from fer_core.guesses import Guesses


@pytest.fixture
def finetune(opened_without_error, monkeypatch):
    """Open Fine-tune on a server whose secrets are these."""

    def opened(**training):
        secrets = {"training": training}
        monkeypatch.setattr(st, "secrets", SimpleNamespace(load_if_toml_exists=lambda: True, get=secrets.get))
        return opened_without_error("finetune")

    return opened


def give(app, password: str):
    app.text_input(key="access_given").set_value(password)
    return app.button[0].click().run()


def test_everybody_may_train_by_default_and_nobody_where_it_is_switched_off_or_impossible(finetune, monkeypatch):
    assert finetune().tabs
    off = finetune(enabled=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # as if it were not installed
    for app in (off, finetune(enabled=True)):
        assert "switched off on this server" in app.info[0].value
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
