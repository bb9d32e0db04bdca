"""`models`, `data`, `evaluate`, `bench`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.store import DEFAULT_MODEL, load_model

ROOT = Path(__file__).resolve().parents[2]


def test_models_has_the_stable_keys(fer, home):
    rows = json.loads(fer("models", "--json").stdout)
    (default,) = [row for row in rows if row["default"]]
    assert set(default) == {"name", "title", "parameters", "size_bytes", "input_shape", "weights_from", "default"}
    assert default["name"] == DEFAULT_MODEL
    assert default["input_shape"] == [48, 48, 1]
    assert default["size_bytes"] == load_model().weights.stat().st_size
    assert f"{DEFAULT_MODEL} (default)" in fer("models").stdout


def test_broken_models_are_named(fer, home):
    (home / "models" / "broken").mkdir(parents=True)
    result = fer("models", "--json")
    assert result.exit_code == 0
    assert "broken is skipped" in result.stderr
    json.loads(result.stdout)


def test_data_info_gives_the_published_counts(fer, fer2013_path):
    report = json.loads(fer("data", "info", fer2013_path, "--json").stdout)
    assert report["faces"] == 35_887
    assert report["counts"]["PrivateTest"] == {
        "angry": 491,
        "disgust": 55,
        "fear": 528,
        "happy": 879,
        "sad": 594,
        "surprise": 416,
        "neutral": 626,
    }
    assert report["duplicate_groups"] > 0
    assert set(report["test_faces_also_in_training"]) == {"PublicTest", "PrivateTest"}


def test_data_info_without_data_says_how_to_get_it(fer, home):
    result = fer("data", "info")
    assert result.exit_code == 1
    assert "python -m fer_core data download" in result.stderr


def test_evaluate_agrees_with_the_card(fer, fer2013_path):
    result = fer("evaluate", "compact_cnn", "--data", fer2013_path, "--json")
    assert result.exit_code == 0
    measured = json.loads(result.stdout)["compact_cnn"]
    stored = load_model("compact_cnn").card.metrics
    for split in ("public_test", "private_test"):
        for view in ("plain", "flip"):
            for key in ("accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr"):
                # 0.001 is four faces of 3,589: another processor may round a near tie the other way
                assert measured[split][view][key] == pytest.approx(stored[split][view][key], abs=1e-3)


def test_a_model_without_test_scores_is_evaluated_without_complaint(fer, fer2013_path, home):
    shutil.copytree(load_model("compact_cnn").folder, home / "models" / "mine")
    path = home / "models" / "mine" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "mine", "metrics": {}}))
    result = fer("evaluate", "mine", "--data", fer2013_path)
    assert result.exit_code == 0
    assert "but the card says" not in result.stderr


def test_titles_in_brackets_stay_whole(fer, home):
    shutil.copytree(load_model("class_prior").folder, home / "models" / "mine")
    path = home / "models" / "mine" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "mine", "title": "[draft] of [/b] mine"}))
    assert "[draft] of [/b] mine" in fer("models").stdout


def test_evaluate_wants_names(fer, home):
    result = fer("evaluate")
    assert result.exit_code == 1
    assert "Name the models to measure" in result.stderr
    assert fer("evaluate", "nothing").exit_code == 1


@pytest.mark.slow
def test_bench_has_the_stable_keys(home, yunet_file):
    """In a process of its own: the processes it starts must not import pytest's main module."""
    command = [sys.executable, "-m", "fer_core", "bench", "--seconds", "0.2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    numbers = json.loads(done.stdout)
    expected = {
        "classify_speedup_vs_keras_predict",
        "frame_speedup_vs_haar_keras",
        "faces_per_second",
        "startup_seconds",
        "resident_mb",
        "stream_speedup_vs_usual_loop",
        "stream_frames_per_second",
        "feature_cache_speedup",
        "fused_normalization_speedup",
    }
    assert expected <= set(numbers)
    assert all(value > 0 for value in numbers.values())
