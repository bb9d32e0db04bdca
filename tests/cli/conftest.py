"""Run the command line as a user does, in this process."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fer_core.cli import app, output
from fer_core.data import sample_portrait
from fer_core.store.folders import load_model
from fer_core.store.stored_model import StoredModel


@pytest.fixture
def fer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`fer("predict", path, "--json")` runs the command; the result has exit_code, stdout and stderr."""
    for console in (output.stdout, output.stderr):
        monkeypatch.setattr(console, "width", 200)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample portrait as a PNG file."""
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    Image.fromarray(sample_portrait()).save(path)
    return path


@pytest.fixture(scope="session")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample portrait twice, side by side, as a JPEG file."""
    path = tmp_path_factory.mktemp("pictures") / "two.jpg"
    Image.fromarray(np.concatenate([sample_portrait(), sample_portrait()[:, ::-1]], axis=1)).save(path, quality=95)
    return path


@pytest.fixture
def mine(home: Path) -> StoredModel:
    """A model of the user's own, which is served, with the weights of the compact CNN and without scores."""
    folder = home / "models" / "mine"
    shutil.copytree(load_model("compact_cnn").folder, folder)
    replace(load_model("compact_cnn").card, name="mine", metrics={}).write(folder / "card.json")
    return load_model("mine")


def fails(fer: Callable[..., Result], *cases: tuple[tuple[object, ...], str]) -> None:
    """Run commands, each of which must end with status 1 and a sentence that has certain words."""
    for words, expected in cases:
        result = fer(*words)
        assert result.exit_code == 1, words
        assert expected in result.stderr, words
        assert "Traceback" not in result.stderr
