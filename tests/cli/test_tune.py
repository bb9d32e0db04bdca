"""`tune`: a study is created, and continued by the same command. Real fits are tested in tests/tuning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.runs.run import list_runs
from tests.cli.conftest import fails
from tests.runs.conftest import write_faces


@pytest.fixture
def pictures(home: Path, tmp_path: Path) -> Path:
    return write_faces(tmp_path / "pictures", 8)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """Replace fits; return the list of recipes they are called with. Smaller label smoothing gives higher accuracy."""
    recipes = []

    def fit(_, spec, *, recipe, callbacks, **given):
        recipes.append(recipe)
        return {"val_accuracy": [1 - recipe.label_smoothing], "val_loss": [0.5]}

    monkeypatch.setattr("fer_core.training.fit.fit", fit)
    monkeypatch.setattr("fer_core.training.initial_weights.initial_network", lambda *_: None)
    monkeypatch.setattr("fer_core.jobs.start", lambda *_, **__: None)
    return recipes


def test_a_study_is_created_and_continued_and_its_best_queued(fer, pictures, asked):
    words = ["--pictures", pictures, "--crops", "--trials", "2", "--epochs", "1", "--learning-rate", "0.001", "0.01"]
    first = fer("tune", "compact_cnn", "--study", "own", *words)
    assert first.exit_code == 0, first.output
    assert "Trial 2: accuracy" in first.stderr
    again = fer("tune", "--study", "own", "--trials", "4", "--json", "--submit")
    assert again.exit_code == 0, again.output
    document = json.loads(again.stdout)
    assert len(document["trials"]) == len(asked) == 4
    best = max(document["trials"], key=lambda trial: trial["accuracy"])
    (run,) = list_runs()[0]
    assert run.id == document["run"]
    assert run.plan.recipe.label_smoothing == best["label_smoothing"] == min(r.label_smoothing for r in asked)
    assert all(0.001 <= recipe.peak_learning_rate <= 0.01 for recipe in asked)
    assert run.plan.data.path == str(pictures)


def test_wrong_calls_are_explained(fer, pictures, asked):
    fails(
        fer,
        (("tune",), "Expected a model, or an existing --study"),
        (("tune", "--study", "none"), "no study of that name"),
        (("tune", "resnet9000"), "Expected one of: compact_cnn"),
        (("tune", "hog_linear"), "no settings to tune"),
        (("tune", "compact_cnn", "--faces", "3"), "at least 70 faces"),
        (("tune", "compact_cnn", "--vary", "colour"), "Received: colour"),
        (("tune", "compact_cnn", "--learning-rate", "1", "0.1"), "a lower and a higher value"),
        (("tune", "compact_cnn", "--storage", "nonsense"), "is not valid"),
        (("tune", "compact_cnn"), "FER2013"),
    )
    assert asked == []
