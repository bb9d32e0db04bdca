"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fer_core.data import FerDataset, load_fer2013
from fer_core.inference import Classifier
from fer_core.models import ModelSpec, build_network


def require(path_env: str, reason: str) -> Path:
    """Return the path that an environment variable names; skip without it, or fail if FER_REQUIRE_ALL=1."""
    value = os.environ.get(path_env)
    if value and Path(value).exists():
        return Path(value)
    message = f"{reason}: set {path_env} to an existing path. Received: {value!r}"
    if os.environ.get("FER_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def fer2013_path() -> Path:
    """Where the real FER2013 is."""
    return require("FER2013_PATH", "needs the real FER2013")


@pytest.fixture(scope="session")
def fer2013(fer2013_path: Path, request: pytest.FixtureRequest) -> FerDataset:
    """The real FER2013, parsed once and kept in pytest's own cache folder between sessions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(request.config.cache.mkdir("fer_home")))
        return load_fer2013(fer2013_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of the test's own, and no dataset named by the environment."""
    folder = tmp_path / "fer_home"
    monkeypatch.setenv("FER_HOME", str(folder))
    monkeypatch.delenv("FER2013_PATH", raising=False)
    monkeypatch.delenv("FERPLUS_PATH", raising=False)
    return folder


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    """The default architecture, thin enough to build and fit in a second."""
    return ModelSpec("tiny", "Tiny", "compact_cnn", widths=(8, 8, 12, 16))


@pytest.fixture(scope="session")
def tiny_network(tiny_spec: ModelSpec) -> Any:
    """A tiny network with random weights and, so that nothing hides behind zeros, random biases too."""
    import keras

    keras.utils.set_random_seed(7)
    network = build_network(tiny_spec)
    for variable in network.trainable_variables:
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.1))
    return network


@pytest.fixture(scope="session")
def tiny_classifier(tiny_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The tiny network, served."""
    from fer_core.training.convert import to_litert

    path = tmp_path_factory.mktemp("tiny") / "model.tflite"
    path.write_bytes(to_litert(tiny_network, 48))
    return Classifier(path)
