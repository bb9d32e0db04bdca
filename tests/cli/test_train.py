"""`train`: a few faces in, a stored model out; `tune`: a study that is continued. Its fits: tests/tuning."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from fer_core.metrics.paper import PAPER_VARIANTS
from fer_core.runs.run import list_runs
from fer_core.store.folders import load_model, promoted
from fer_core.training.callbacks import HISTORY
from fer_core.tuning.study import read_study
from fer_core.types import FerError
from tests.cli.conftest import fails
from tests.made_up_store import add_model
from tests.own_data import own_study
from tests.runs.conftest import write_faces
from tests.tuning.conftest import curves

__all__ = ["curves"]


@pytest.fixture(autouse=True)
def one_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store weights in one way: to choose among all takes a conversion each, and is tested in tests/training."""
    monkeypatch.setattr("fer_core.training.train.QUANTIZATIONS", ("float32",))


@pytest.mark.slow
def test_trains_stores_and_serves(fer, fer2013_file, home, portrait):
    words = ("train", "compact_cnn", "--subset", "70", "--data", fer2013_file, "--epochs")
    result = fer(*words, "1")
    assert result.exit_code == 0, result.output
    model = load_model("compact_cnn_trial")
    assert model.folder.is_relative_to(home)
    assert not load_model("compact_cnn").folder.is_relative_to(home), "a trial stands in no good model's place"
    assert model.card.training["faces"] == 63, "the others are the hold-out"
    assert model.card.training["data"].startswith("a part of FER2013")
    assert model.card.recipe["epochs"] == len(model.history()) == 1
    assert len(model.predictions("public_test")) == 70
    degraded = model.degraded()
    assert (len(degraded), set(degraded["faces"])) == (26, {140}), "of 1,000, as there are no more test faces here"
    assert len(model.face_map()) == 140
    (answer,) = json.loads(fer("predict", portrait, "--json", "--model", "compact_cnn_trial").stdout)
    assert len(answer["faces"]) == 1
    assert "belongs to a run with another model, recipe or dataset" in fer(*words, "2").stderr


def test_trains_on_own_pictures_of_own_classes(fer, home, tmp_path, monkeypatch):
    """The fit itself, which is that of all trainings, is left out."""

    def no_fit(*_, folder, **__):
        (folder / HISTORY).write_text("epoch,loss,val_loss\n0,2.0,1.5\n")

    monkeypatch.setattr("fer_core.training.train.fit", no_fit)
    study = own_study(tmp_path / "study", each=24)
    assert fer("data", "add", "pain", study, "--whole-image", "--own-classes").exit_code == 0
    result = fer("train", "compact_cnn", "--pictures", "pain", "--epochs", "1", "--weights", "compact_cnn_student")
    assert result.exit_code == 0, result.output
    model = load_model("compact_cnn_compact_cnn_student_pain")
    assert model.card.classes == ("calm", "confused", "happy")
    assert model.card.training["data"] == "own data set of whole pictures (pain)"
    assert model.card.training["faces"] + model.card.training["holdout_faces"] == 36, "the split Training alone"
    assert model.card.recipe["peak_learning_rate"] == pytest.approx(0.01), "a tenth of the recipe's"
    assert "faces of the hold-out" in result.stdout
    scores = json.loads(fer("evaluate", model.name, "--on", "pain", "--json").stdout)[model.name]["pain"]
    assert set(scores) == {"plain", "flip"}


def some_faces(path: Path, *usages: str) -> Path:
    """Write a CSV with 105 uniform faces per split."""
    faces = [(k % 7, " ".join([str(k)] * 48 * 48), usage) for usage in usages for k in range(105)]
    pd.DataFrame(faces, columns=["emotion", "pixels", "Usage"]).to_csv(path, index=False)
    return path


def test_data_without_test_splits(fer, home, tmp_path):
    result = fer("train", "hog_linear", "--data", some_faces(tmp_path / "a.csv", "Training"))
    assert "not measured: there are no test splits" in result.stdout, result.output
    assert load_model("hog_linear").card.metrics == {} and load_model("hog_linear").folder.is_relative_to(home)
    assert "instead of the hog_linear that comes with FER Lab" in result.stderr
    other = some_faces(tmp_path / "b.csv", "Training", "PublicTest")
    fails(fer, (("train", "class_prior", "--data", other), "or neither. Received: PublicTest"))


def test_wrong_calls_are_explained(fer, fer2013_file, tmp_path):
    data = ("--data", fer2013_file)
    fails(
        fer,
        (("train", "compact_cnn", "--weights", "imagenet"), "Only models with a backbone can start from imagenet"),
        (("train", "compact_cnn", "--weights", "utkface"), "Only models with a backbone can start from utkface"),
        (("train", "vgg16_frozen_utk", "--weights", "imagenet"), "use the model vgg16_frozen."),
        (("train", "vgg16_frozen_random", "--weights", "utkface"), "use the model vgg16_frozen."),
        (("train", "class_prior", "--epochs", "3", *data), "not trained in epochs"),
        (("train", "hog_linear", "--run", tmp_path, *data), "leave out --epochs, --run and --unlabelled"),
        (("train", "hog_linear", "--recipe", "paper", *data), "hog_linear is not trained in epochs"),
        (("train", "compact_cnn_ensemble", "--patience", "3"), "compact_cnn_ensemble is not trained in epochs"),
        (("train", "compact_cnn_ensemble", "--papers-split", *data), "learned another split"),
        (("train", "hog_linear", "--weights", "random"), "is no network, so it starts from no weights"),
        (("train", "compact_cnn_student", "--weights", "compact_cnn"), "is compact_cnn_votes_seed1, trained further"),
        (("train", "mobilenet_faces_student_random"), "is mobilenet_faces, trained further"),
        (("train", "--paper", "--run", tmp_path), "Leave out --run with --paper"),
        (("train", "resnet9000"), "Expected one of: compact_cnn"),
        (("train", "compact_cnn", "--subset", "350", "--ship", *data), "cannot be shipped"),
        (("train", "compact_cnn", "--pictures", tmp_path, "--ship"), "cannot be shipped"),
        (("train", "compact_cnn", "--pictures", tmp_path, *data), "Leave out --data"),
        (("train", "hog_linear", "--pictures", tmp_path), "Expected a network to train on own pictures: compact_cnn"),
        (("train", "compact_cnn", "--pictures", tmp_path), "has no pictures"),
    )
    for option in (("--epochs", "0"), ("--seed", "-1")):
        assert fer("train", "compact_cnn", *option).exit_code == 2


@pytest.fixture
def pictures(home: Path, tmp_path: Path) -> Path:
    return write_faces(tmp_path / "pictures", 8)


@pytest.fixture
def asked(curves, monkeypatch: pytest.MonkeyPatch) -> list:
    """Replace fits; return the recipes they are called with. Smaller label smoothing gives higher accuracy."""
    monkeypatch.setattr("fer_core.jobs.start", lambda *_, **__: None)
    return curves(lambda recipe: [1 - recipe.label_smoothing])


def test_a_study_is_created_and_continued_and_its_best_queued(fer, pictures, asked, tmp_path):
    words = ["--pictures", pictures, "--crops", "--trials", "2", "--epochs", "1", "--learning-rate", "0.001", "0.01"]
    assert "Trial 2: accuracy" in fer("tune", "compact_cnn", "--study", "own", *words).stderr
    fer("tune", "--study", "own", "--export", str(tmp_path / "own.jsonl"))
    assert len(read_study(tmp_path / "own.jsonl").trials()) == 2
    document = json.loads(fer("tune", "--study", "own", "--trials", "4", "--json", "--submit").stdout)
    assert len(document["trials"]) == len(asked) == 4
    best = max(document["trials"], key=lambda trial: trial["accuracy"])
    (run,) = list_runs()[0]
    assert (run.id, run.plan.data.path) == (document["run"], str(pictures))
    assert (
        run.plan.recipe.label_smoothing == best["label_smoothing"] == min(recipe.label_smoothing for _, recipe in asked)
    )
    assert all(0.001 <= recipe.peak_learning_rate <= 0.01 for _, recipe in asked)


def test_a_single_patience_holds_for_all_trials_and_the_best(fer, pictures, asked):
    words = ["--pictures", pictures, "--crops", "--trials", "2", "--epochs", "1", "--vary", "label_smoothing"]
    document = json.loads(fer("tune", "compact_cnn", *words, "--patience", "3", "--json", "--submit").stdout)
    assert [set(trial) & {"label_smoothing", "patience"} for trial in document["trials"]] == [{"label_smoothing"}] * 2
    (run,) = list_runs()[0]
    assert {(recipe.early_stopping, recipe.ema) for _, recipe in asked} == {(3, 0.0)}
    assert (run.plan.recipe.early_stopping, run.plan.recipe.ema) == (3, 0.0)


def test_wrong_studies_are_explained(fer, pictures, asked):
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
        (("tune", "compact_cnn", "--export", "a.jsonl"), "--export writes an existing study"),
        (("tune", "compact_cnn", "--open-layers", "2"), "compact_cnn cannot be tuned by --open-layers: leave it out"),
        (("tune", "mobilenetv2_frozen", "--strength", "0", "1"), "cannot be tuned by --strength"),
        (("tune", "compact_cnn", "--patience", "2", "--vary", "patience"), "Expected at least one setting to vary"),
        (("tune", "compact_cnn"), "FER2013"),
    )
    assert asked == []


def test_the_papers_models_are_trained_once_and_stand_beside_the_paper(fer, home, tmp_path, monkeypatch):
    """One model is there already, one cannot start, and the others are trained; the training itself is replaced."""
    add_model(promoted(), "mobilenetv2_frozen_as_the_paper", title="mine")
    trained = []

    def train_named(spec, data, *, root, recipe, **_):
        if spec.backbone == "Xception":
            raise FerError("The ImageNet weights of Xception are not available.")
        trained.append((spec.name, recipe.early_stopping, len(data.holdout)))
        return add_model(root, spec.name, title=spec.title)

    monkeypatch.setattr("fer_core.training.train.train_named", train_named)
    data = some_faces(tmp_path / "a.csv", "Training", "PublicTest", "PrivateTest")
    result = fer("train", "--paper", "--recipe", "paper", "--data", data)
    assert result.exit_code == 0, result.output
    assert [name for name, *_ in trained] == [
        f"{variant}_as_the_paper"
        for variant in PAPER_VARIANTS
        if variant not in ("mobilenetv2_frozen", "xception_frozen")
    ]
    assert all(patience == 5 for _, patience, _ in trained)
    assert "mobilenetv2_frozen_as_the_paper is stored already" in result.stdout
    assert "weights of Xception are not available" in result.stderr
    table = [line for line in result.stdout.splitlines() if "0.5840" in line]
    assert len(table) == 3 and all(len(re.findall(r"0\.\d{4} \(0\.\d{3}–0\.\d{3}\)", line)) == 2 for line in table)
    assert re.search(r"Xception, frozen.*0\.4873.*– ", result.stdout)
    fails(fer, (("train",), "or --paper"), (("train", "hog_linear", "--paper"), "or --paper"))
