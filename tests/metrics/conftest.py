from collections.abc import Callable

import numpy as np
import pytest

from fer_core.measuring.results import load_predictions
from fer_core.metrics.predictions import Predictions
from fer_core.store import folders
from fer_core.store.folders import promoted
from fer_core.store.stored_model import StoredModel
from tests.made_up_store import add_models, noisy

Sample = tuple[np.ndarray, np.ndarray]


def _sample(n: int = 400, seed: int = 0, skill: float = 1.5, classes: int = 7) -> Sample:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return labels, noisy(labels, rng, skill)


@pytest.fixture(scope="session")
def sample() -> Callable[..., Sample]:
    """`sample(n, seed, skill, classes)` gives `y_true (n,)` from the first `classes`, and `proba (n, 7)`."""
    return _sample


@pytest.fixture(scope="session")
def degenerate() -> dict[str, Sample]:
    """Awkward but legal inputs."""
    labels, proba = _sample(60, 3)
    tenths = np.floor(proba * 10) / 10
    tenths[:, 6] += 1 - tenths.sum(axis=1)
    return {
        "one row": (labels[:1], proba[:1]),
        "class missing": _sample(60, 4, classes=6),
        "one class": (np.full(20, 3), _sample(20, 5)[1]),
        "all one prediction": (labels, np.tile([0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1], (60, 1))),
        "all ties": (labels, np.full((60, 7), 1 / 7)),
        "certain and right": (labels, np.eye(7)[labels]),
        "certain and wrong": (labels, np.eye(7)[(labels + 1) % 7]),
        "rounded to tenths": (labels, tenths),
    }


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
