"""`train`, `models`, `evaluate` and `predict` with models that are not served."""

from __future__ import annotations

import json

import pytest

from fer_core.store import load_model


@pytest.fixture
def trained_prior(fer, fer2013_path, home):
    result = fer("train", "class_prior", "--subset", "350", "--data", fer2013_path)
    assert result.exit_code == 0, result.output
    assert "not served" in result.stdout
    return load_model("class_prior_trial")


def test_a_baseline_is_trained_listed_and_not_served(fer, trained_prior, home, portrait):
    assert trained_prior.folder.is_relative_to(home)
    (row,) = [row for row in json.loads(fer("models", "--json").stdout) if row["name"] == "class_prior_trial"]
    assert row["size_bytes"] == 0
    result = fer("predict", portrait, "--model", "class_prior_trial")
    assert result.exit_code == 1
    assert "kept for comparison only" in result.stderr


def test_evaluate_says_that_it_sums_up_or_why_not(fer, trained_prior, fer2013_path):
    result = fer("evaluate", "class_prior_trial", "--data", fer2013_path)
    assert result.exit_code == 1
    assert "predictions are of other data" in result.stderr
    assert "No model could be measured" in result.stderr


def test_wrong_calls_are_explained(fer, fer2013_path, home, tmp_path):
    result = fer("train", "class_prior", "--epochs", "3", "--data", fer2013_path)
    assert result.exit_code == 1
    assert "not in epochs" in result.stderr
    result = fer("train", "hog_linear", "--run", tmp_path, "--data", fer2013_path)
    assert result.exit_code == 1
    assert "leave out --epochs and --run" in result.stderr
