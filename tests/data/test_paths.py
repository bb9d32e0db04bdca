from pathlib import Path

import platformdirs
import pytest

from fer_core.data import cache_folder
from fer_core.data import home as data_home
from fer_core.types import FerError


def test_home_is_named_by_fer_home_and_created(home):
    assert not home.exists()
    assert data_home() == home
    assert home.is_dir()


def test_home_follows_the_system_without_fer_home(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_HOME", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(tmp_path / name))
    assert data_home() == tmp_path / "fer-lab"


def test_cache_folder_lies_under_home(home):
    assert cache_folder("features") == home / "cache" / "features"
    assert (home / "cache" / "features").is_dir()


def test_home_that_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("x")
    monkeypatch.setenv("FER_HOME", str(tmp_path / "taken"))
    with pytest.raises(FerError, match=r"cannot be created .* Set the environment variable FER_HOME"):
        data_home()


def test_home_expands_the_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_HOME", "~/lab")
    assert data_home() == Path(tmp_path / "lab")
