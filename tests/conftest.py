"""Fixtures that all tests share."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pylibsrtp  # noqa: F401 (of the Live page; importing it after other copies of OpenSSL crashes)
import pytest

from fer_core import visitors
from fer_core.data import FaceDataset, load_fer2013
from fer_core.inference import Classifier
from fer_core.measuring.measure import no_predictions
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbones import local_file
from fer_core.store.card import ModelCard
from fer_core.store.folders import promoted, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.visitors import Limits, Visitor
from tests.server import ROOT, chromium_path


def require(path_env: str, reason: str) -> Path:
    value = os.environ.get(path_env)
    if value and Path(value).exists():
        return Path(value)
    return missing(f"{reason}: set {path_env} to an existing path. Received: {value!r}")


def require_weights(file: str) -> Path:
    return local_file(file) or missing(f"needs {file}: set FER_BACKBONE_DIR to the folder that holds it")


def missing(message: str) -> NoReturn:
    """Skip the test, or fail it if FER_REQUIRE_ALL=1."""
    if os.environ.get("FER_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, so that none of them runs alone in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Leave what is loaded by now, TensorFlow too, out of all searches for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put `__main__` back: an AppTest leaves its page there, and a process that a later test spawns would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def fer2013_path() -> Path:
    """The path of the real FER2013."""
    return require("FER2013_PATH", "needs the real FER2013")


@pytest.fixture(scope="session")
def fer2013(fer2013_path: Path, request: pytest.FixtureRequest) -> FaceDataset:
    """The real FER2013, parsed once and kept in pytest's cache folder between sessions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(request.config.cache.mkdir("fer_home")))
        return load_fer2013(fer2013_path)


@pytest.fixture(scope="session")
def ferplus_path() -> Path:
    """The path of the real FER+ votes."""
    return require("FERPLUS_PATH", "needs the real FER+ votes")


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    """YuNet's weights. Needed by tests that count faces: the fallback finds some that are none."""
    return require("FER_YUNET_MODEL", "needs YuNet's weights")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without one the tests skip, or fail if FER_REQUIRE_ALL=1."""
    return chromium_path() or missing("needs Chromium: install it, or name it in FER_CHROMIUM")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder for one test; the environment names no dataset."""
    folder = tmp_path / "fer_home"
    monkeypatch.setenv("FER_HOME", str(folder))
    monkeypatch.delenv("FER2013_PATH", raising=False)
    monkeypatch.delenv("FERPLUS_PATH", raising=False)
    return folder


@pytest.fixture
def fer2013_file(home: Path, fer2013: FaceDataset, fer2013_path: Path, pytestconfig: pytest.Config) -> Path:
    """The path of the real FER2013, which this test's data folder has parsed already."""
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "fer2013").symlink_to(pytestconfig.cache.mkdir("fer_home") / "cache" / "fer2013")
    return fer2013_path


@pytest.fixture
def visit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Visitor]:
    """`visit("anna", rooms=2)` makes this process work for a visitor of a shared server, with these limits."""

    def come(secret: str, **settings: float) -> Visitor:
        visitor = Visitor.of(secret, Limits.from_settings(settings))
        monkeypatch.setattr(visitors, "_asked", [lambda: visitor])
        return visitor

    return come


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    """The default architecture with few channels, built and fitted in a second."""
    return ModelSpec("tiny", "Tiny", "compact_cnn", widths=(8, 8, 12, 16))


@pytest.fixture(scope="session")
def tiny_network(tiny_spec: ModelSpec) -> Any:
    """A tiny network with random weights and random biases (zeros could hide errors)."""
    import keras

    keras.utils.set_random_seed(7)
    network = build_network(tiny_spec)
    for variable in network.trainable_variables:
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.1))
    return network


@pytest.fixture(scope="session")
def tiny_classifier(tiny_network: Any) -> Classifier:
    """The tiny network, converted to LiteRT."""
    from fer_core.training.export import to_litert

    return Classifier(to_litert(tiny_network, 48))


@pytest.fixture(scope="session")
def _own_weights(tiny_spec: ModelSpec) -> tuple[ModelSpec, bytes]:
    from fer_core.training.export import to_litert

    spec = replace(tiny_spec, name="own", title="Own <b>classes</b>", classes=("calm", "confused", "happy"))
    return spec, to_litert(build_network(spec), 48)


@pytest.fixture
def own_model(_own_weights: tuple[ModelSpec, bytes], home: Path) -> StoredModel:
    """A model of classes of its own in the user's store, with random weights."""
    spec, weights = _own_weights
    card = ModelCard(spec.name, spec.title, 1, "random", 48, metrics={}, served={}, spec=spec)
    return save_model(promoted(), card, predictions=no_predictions(), weights=weights)


@cache
def installed_components() -> list[Any]:
    """Read which packages bring Streamlit components. AppTest does it for each app, and a server once."""
    from streamlit.components.v2.manifest_scanner import scan_component_manifests

    return scan_component_manifests()


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Open a page through `app.py`, as a link with these query parameters would. No run may raise an exception."""
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.scriptrunner import script_runner
    from streamlit.testing.v1 import AppTest, app_test

    class Pages(PagesManager):
        """AppTest begins each run in the mode in which Streamlit runs a page's file without `app.py`. This ends it."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            PagesManager.uses_pages_directory = False

    run = AppTest._run

    def checked(app: AppTest, *args: Any, **kwargs: Any) -> AppTest:
        run(app, *args, **kwargs)
        assert not app.exception
        return app

    # after each run, collect no garbage for Keras, which other tests have loaded and the app does not
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: None)
    components = installed_components()
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda: components)
    monkeypatch.setattr(app_test, "PagesManager", Pages)
    monkeypatch.setattr(AppTest, "_run", checked)

    def opened(page: str | None = None, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=280)
        for key, value in query.items():
            app.query_params[key] = value
        return (app.switch_page(f"pages/{page}.py") if page else app).run()

    return opened
