"""A store of made-up models for the tests of the report."""

import pytest

from fer_core.store import folders


@pytest.fixture
def made_up(home, tmp_path, monkeypatch):
    """An empty store; no model is shipped."""
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
