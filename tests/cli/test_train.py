"""`train`: from a few faces to a stored, served model."""

from __future__ import annotations

import json

import pytest

from fer_core.store import load_model, promoted


@pytest.mark.slow
def test_trains_stores_and_serves(fer, fer2013_path, home, portrait):
    result = fer("train", "compact_cnn", "--subset", "350", "--epochs", "1", "--data", fer2013_path)
    assert result.exit_code == 0, result.output
    model = load_model("compact_cnn")
    assert model.folder.is_relative_to(home)
    assert model.card["training"]["faces"] == 315
    assert model.card["recipe"]["epochs"] == 1
    assert len(model.history()) == 1
    assert len(model.predictions("public_test")) == 350
    answer = json.loads(fer("predict", portrait, "--json").stdout)
    assert len(answer[0]["faces"]) == 1
    again = fer("train", "compact_cnn", "--subset", "350", "--epochs", "2", "--data", fer2013_path)
    assert again.exit_code == 1
    assert "holds a run with another model, recipe or dataset" in again.stderr


def test_another_seed_is_stored_beside_the_first(fer, fer2013_path, home):
    for seed in ("0", "3"):
        result = fer("train", "class_prior", "--seed", seed, "--subset", "350", "--data", fer2013_path)
        assert result.exit_code == 0, result.output
    assert {folder.name for folder in promoted().iterdir()} == {"class_prior", "class_prior_seed3"}
    other = load_model("class_prior_seed3")
    assert (other.title, other.card["training"]["seed"]) == ("Class prior (the floor), seed 3", 3)


def test_wrong_calls_are_explained(fer, home, fer2013_path):
    result = fer("train", "resnet9000")
    assert result.exit_code == 1
    assert "Expected one of: compact_cnn" in result.stderr
    result = fer("train", "compact_cnn", "--subset", "350", "--ship", "--data", fer2013_path)
    assert result.exit_code == 1
    assert "cannot be shipped" in result.stderr
    assert fer("train", "compact_cnn", "--epochs", "0").exit_code == 2
