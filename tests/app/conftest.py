"""The app without a browser: Streamlit's AppTest, from the front door."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from fer_core.faces import DetectorUnavailable, yunet_path
from fer_core.store import folders
from fer_core.store.folders import promoted
from fer_core.store.stored_model import WEIGHTS, StoredModel
from tests.made_up_store import add_models

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_DEFAULT = folders.SHIPPED / folders.DEFAULT_MODEL


@pytest.fixture(scope="session")
def yunet(request: pytest.FixtureRequest) -> Path | None:
    """The detector's file: the named one, or one fetched once for all sessions; None where the network is closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(request.config.cache.mkdir("fer_home")))
        try:
            return yunet_path()
        except DetectorUnavailable:
            return None


@pytest.fixture(autouse=True)
def own_home(home: Path, tmp_path: Path, yunet: Path | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, of the shipped models only the default one, and the same detector for all."""
    monkeypatch.setenv("FER_YUNET_MODEL", str(yunet or "not here"))
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / folders.DEFAULT_MODEL).symlink_to(SHIPPED_DEFAULT)
    monkeypatch.setattr(folders, "SHIPPED", shipped)
    return home


@pytest.fixture
def open_app(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page through `app.py` without an error, as a link with these query parameters would."""

    class Pages(PagesManager):
        """AppTest begins each run in the mode in which Streamlit runs a page's file without `app.py`. This ends it."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            PagesManager.uses_pages_directory = False

    monkeypatch.setattr(app_test, "PagesManager", Pages)

    def opened(page: str | None = None, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        (app.switch_page(f"pages/{page}.py") if page else app).run()
        assert not app.exception
        return app

    return opened


def agree(app: AppTest) -> AppTest:
    """Confirm that everyone in view agrees, as the app asks before a camera starts."""
    app.button(key="n_agree").click().run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """Return what a page says in words, without the backslashes that keep Markdown out of names."""
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.header)
    return " ".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def charts(app: AppTest) -> list[str]:
    """Return the alternative texts of the charts."""
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def pictures(app: AppTest) -> list[str]:
    """Return the alternative texts of the pictures."""
    return [image.alt for element in app.get("image") for image in element.proto.imgs]


def captions(app: AppTest) -> list[str]:
    """Return the texts below the pictures."""
    return [image.caption for element in app.get("image") for image in element.proto.imgs]


def at_section(app: AppTest, key: str, section: str) -> AppTest:
    """Open another tab of a page; `key` is that of its tabs."""
    app.session_state[key] = app.query_params[key] = section
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def three(own_home: Path) -> list[StoredModel]:
    """Three made-up models in the user's own folder."""
    return add_models(promoted())


@pytest.fixture
def predict(open_app: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open the Predict page."""
    return partial(open_app, "predict")


def change_card(folder: Path, **changes: Any) -> None:
    """Change keys of a stored model's card."""
    path = folder / folders.CARD
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


@pytest.fixture
def second_model() -> str:
    """A second model in the user's own store: the shipped one under another name."""
    source, target = folders.SHIPPED / folders.DEFAULT_MODEL, folders.promoted() / "second"
    target.mkdir(parents=True)
    for file in (WEIGHTS, folders.CARD):
        shutil.copy(source / file, target)
    change_card(target, name="second", title="Second model")
    return "second"


@pytest.fixture
def never_sure(second_model: str) -> str:
    """The title of a second model, with a threshold that it does not reach on the sample."""
    served = folders.load_model(second_model).card.as_dict()["served"]
    served["not_sure"] = {"below": 1.0, "accuracy": 0.95, "answered": 0.01, "faces": 2000}
    change_card(folders.promoted() / second_model, served=served)
    return "Second model"


@pytest.fixture
def from_utkface(second_model: str) -> str:
    """The name of a second model, whose card says that it starts from UTKFace."""
    change_card(folders.promoted() / second_model, weights_from="utkface")
    return second_model


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fresh clone before any training."""
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "nothing")
