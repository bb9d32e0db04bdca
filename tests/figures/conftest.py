import pytest

from fer_core.measuring.results import load_predictions
from tests.made_up_store import add_models


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return add_models(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def answers(models):
    return load_predictions(models, "PublicTest", "plain")[0]
