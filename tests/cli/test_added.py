"""`models add`: a model file or predictions that were made elsewhere."""

import json

import pandas as pd
import pytest

from fer_core.columns import percent
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model, promoted
from fer_core.types import FerError
from tests.cli.conftest import fails
from tests.made_up_store import START, probabilities, write_fer2013
from tests.test_added import ORDER, by_level, write_shown_by_level


@pytest.fixture
def theirs(home, tmp_path):
    """The words of the command, up to what is said about the model."""
    (tmp_path / "model.onnx").write_bytes(by_level())
    data = write_shown_by_level(tmp_path / "levels.csv")
    return ("models", "add", "theirs", tmp_path / "model.onnx", "--data", data)


def test_a_keras_file_needs_what_converts_it(fer, home, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_core.cli.added.find_spec", lambda _: None)
    (tmp_path / "model.keras").write_bytes(b"any")
    result = fer("models", "add", "theirs", tmp_path / "model.keras")
    assert result.exit_code == 1
    assert "train" in result.stderr and "Traceback" not in result.stderr


def test_a_model_is_guessed_shown_approved_and_measured(fer, theirs, portrait):
    refused = fer(*theirs)
    assert refused.exit_code == 1, "nobody approved"
    for words in ("-1-1", ", ".join(ORDER), "logits"):
        assert words in refused.stdout
    with pytest.raises(FerError, match="no trained model of that name"):
        load_model("theirs")
    result = fer(*theirs, "--yes", "--title", "Of a paper")
    assert result.exit_code == 0, result.output
    model = load_model("theirs")
    assert "PublicTest: accuracy 88.9 % (" in result.stdout, "all but every ninth"
    assert f"Stored {model.folder}" in result.stdout
    assert (model.title, model.takes.scale, model.takes.classes) == ("Of a paper", "-1-1", ORDER)
    (answer,) = json.loads(fer("predict", portrait, "--model", "theirs", "--json").stdout)
    assert sum(answer["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    fails(
        fer,
        (("models", "add", "new", *theirs[3:], "--on", "rafdb"), "Expected --on fer2013"),
        (("models", "add", "new", *theirs[3:], "--classes", "angry,happy"), "Missing: disgust"),
        (("models", "add", "new", "nowhere.onnx"), "There is no file nowhere.onnx"),
    )
    for side in ("0", "2049"):
        assert fer("models", "add", "new", *theirs[3:], "--size", side).exit_code == 2


def test_predictions_are_measured(fer, home, tmp_path, monkeypatch):
    data = write_fer2013(tmp_path, monkeypatch, flat=False)
    table = pd.DataFrame(probabilities(2.0, 1), columns=EXPRESSIONS)
    table.assign(row=START["private_test"] + table.index).to_csv(tmp_path / "p.csv", index=False)
    result = fer("models", "add", "paper", tmp_path / "p.csv", "--data", data)
    assert result.exit_code == 0, result.output
    model = load_model("paper")
    accuracy = percent(model.card.score("private_test").accuracy, ".1%")
    assert f"PrivateTest: accuracy {accuracy} (" in result.stdout
    assert "PublicTest" not in result.stdout and "fer-lab predict" not in result.stdout
    assert model.folder == promoted() / "paper"
