"""The app without a browser: Streamlit's AppTest, from the front door."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data import FaceDataset
from fer_core.faces import DetectorUnavailable, yunet_path
from fer_core.store import folders
from fer_core.store.folders import promoted
from fer_core.store.stored_model import WEIGHTS, StoredModel
from tests.clips import film, moving_head
from tests.made_up_store import add_models, write_fer2013

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


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 20 frames over two seconds."""
    path = tmp_path_factory.mktemp("films") / "clip.mp4"
    path.write_bytes(film(moving_head(20)))
    return path


@pytest.fixture(autouse=True)
def own_home(home: Path, tmp_path: Path, yunet: Path | None, short_clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, of the shipped models only the default one, the same detector for all, and a
    short sample clip."""
    monkeypatch.setenv("FER_YUNET_MODEL", str(yunet or "not here"))
    monkeypatch.setattr("pages.parts.video.sample_clip", lambda: short_clip)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(folders, "SHIPPED", shipped)
    ship(folders.DEFAULT_MODEL)
    return home


@pytest.fixture
def page(open_app: Callable[..., AppTest], request: pytest.FixtureRequest) -> Callable[..., AppTest]:
    """Open the page that the test file is named after."""
    return partial(open_app, request.path.stem.split("_")[1])


def agree(app: AppTest) -> AppTest:
    """Confirm that everyone in view agrees, as the app asks before a camera starts."""
    return app.button(key="n_agree").click().run()


def upload(app: AppTest, key: str, *files: tuple[str, bytes]) -> AppTest:
    """Hand files (name and content) to an uploader, and run the page."""
    for name, content in files:
        app.file_uploader(key=key).upload(name, content)
    return app.run()


def ship(name: str) -> None:
    """Add one of the shipped models to those of the test."""
    (folders.SHIPPED / name).symlink_to(SHIPPED_DEFAULT.with_name(name))


def said(app: AppTest) -> str:
    """Return what a page says in words, without the backslashes that keep Markdown out of names."""
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.header)
    return " ".join(str(element.value) for kind in kinds for element in kind).replace("\\", "").replace("\xa0", " ")


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
    return app.run()


@pytest.fixture
def three(own_home: Path) -> list[StoredModel]:
    """Three made-up models in the user's own folder."""
    return add_models(promoted())


@pytest.fixture
def made_up(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up FER2013 of gray faces."""
    return write_fer2013(own_home / "fer2013", monkeypatch, flat=False)


@pytest.fixture
def real(own_home, monkeypatch, fer2013, fer2013_file, ferplus_path) -> FaceDataset:
    """FER2013 itself with FER+'s votes, which belong to no other faces."""
    monkeypatch.setenv("FER2013_PATH", str(fer2013_file))
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    return fer2013


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
