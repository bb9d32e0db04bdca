"""A store of made-up models for the tests of the report."""

import pytest

from fer_core import store


@pytest.fixture
def made_up(home, tmp_path, monkeypatch):
    """An empty store; no model is shipped."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
