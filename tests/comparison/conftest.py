"""A made-up folder."""

import pytest

from fer_core.measuring.results import load_predictions
from fer_core.metrics.predictions import Predictions
from fer_core.store import folders
from fer_core.store.folders import promoted
from fer_core.store.stored_model import StoredModel
from tests.made_up_store import add_models


@pytest.fixture
def models(home, tmp_path, monkeypatch) -> list[StoredModel]:
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
    return add_models(promoted())


@pytest.fixture
def answers(models) -> Predictions:
    return load_predictions(models, "PublicTest", "plain")[0]


@pytest.fixture
def other(models) -> Predictions:
    return load_predictions(models, "PrivateTest", "plain")[0]
