"""A made-up folder."""

import pytest

from fer_core.comparison import Answers, load_answers
from fer_core.store import folders
from fer_core.store.folders import promoted
from fer_core.store.stored_model import StoredModel
from tests.made_up_store import add_models


@pytest.fixture
def models(home, tmp_path, monkeypatch) -> list[StoredModel]:
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
    return add_models(promoted())


@pytest.fixture
def answers(models) -> Answers:
    return load_answers(models, "PublicTest", "plain")[0]


@pytest.fixture
def other(models) -> Answers:
    return load_answers(models, "PrivateTest", "plain")[0]
