"""CONTRIBUTING's recipes, carried out: a metric, a dataset, a backbone and a page."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from fer_core.cli import app as command_line
from fer_core.columns import PROBABILITIES
from fer_core.data import load_fer2013
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.measuring.scoreboard import card_scoreboard
from fer_core.metrics.core import METRICS, Metric, bootstrap_intervals, evaluate, of_counts
from fer_core.models import model_names, model_spec
from fer_core.runs.data import DataSettings, load_training_data
from fer_core.sections.html import render
from fer_core.sections.results import build_report, write_csv
from fer_core.store import folders
from fer_core.store.card import ModelCard, Score
from fer_core.store.folders import load_model, promoted
from fer_core.store.stored_model import CARD
from pages import PAGES
from tests.data.conftest import csv_text, make_dataset
from tests.made_up_store import SKILLS, add_model, write_fer2013
from tests.test_floors import ROOT

SECTION = (ROOT / "docs/CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a dataset")[1].split("\n## ")[0]
COMMANDS = re.findall(r"`fer-lab ([^`]+)`", SECTION)
BACKBONE = "MobileNetV3Small"
EVALUATE = "evaluate able --data FILE"
EACH = 4


def run(words, **places):
    result = CliRunner().invoke(command_line, [str(places.get(word, word)) for word in words.split()])
    assert result.exit_code == 0, result.output
    return result


def kappa(counts):
    shares = counts / counts.sum(axis=(-2, -1), keepdims=True)
    by_chance = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    return (np.trace(shares, axis1=-2, axis2=-1) - by_chance) / (1 - by_chance)


@pytest.fixture
def models(home, tmp_path, monkeypatch):
    """Three models, one of whose cards has scores from before the metric was added."""
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")
    path = write_fer2013(tmp_path / "data", monkeypatch)
    data = load_fer2013(path).fingerprint
    made = [add_model(promoted(), name, skill, data_fingerprint=data) for name, skill in SKILLS.items()]
    labels, proba = true_and_predicted(made[0])
    old = Score.of(evaluate(labels, proba), bootstrap_intervals(labels, proba, n_resamples=50)).values
    card = ModelCard.read(made[0].folder / CARD).as_dict() | {"metrics": {"public_test": {"plain": dict(old)}}}
    ModelCard.from_dict(card).write(made[0].folder / CARD)
    words = {"definition": "Agreement beyond chance.", "reading": "1 is perfect.", "trap": "It depends on the mix."}
    monkeypatch.setitem(METRICS, "kappa", Metric(title="Cohen’s kappa", **words, **of_counts(kappa)))
    return [load_model(name) for name in SKILLS]


def true_and_predicted(model):
    table = model.predictions("public_test")
    return table["label"].to_numpy(), table[PROBABILITIES].to_numpy(np.float64)


def expected(model):
    labels, proba = true_and_predicted(model)
    return cohen_kappa_score(labels, proba.argmax(axis=1))


@pytest.mark.parametrize(("higher", "best"), [(True, "The able one"), (False, "The weak one")])
def test_compare_ranks_by_it_with_intervals_and_explains_it(models, open_app, monkeypatch, higher, best):
    monkeypatch.setitem(METRICS, "kappa", replace(METRICS["kappa"], higher_is_better=higher))
    app = open_app("compare", c_metric="Cohen’s kappa", c_by="FER2013's label")
    board = next(frame.value for frame in app.dataframe if "kappa_low" in frame.value).set_index("name")
    for model in models:
        row = board.loc[model.name]
        assert row["kappa"] == pytest.approx(100 * expected(model))
        assert 100 * row["kappa_low"] < row["kappa"] < 100 * row["kappa_high"]
        assert row["kappa_interval"] == f"{100 * row['kappa_low']:.1f} – {100 * row['kappa_high']:.1f} %"
    (words,) = [block.value for block in app.markdown if block.value.startswith("**Cohen’s kappa**")]
    assert "Agreement beyond chance." in words and f"{best} is best" in words
    (chart,) = app.get("plotly_chart")
    assert json.loads(chart.proto.spec)["layout"]["yaxis"]["categoryarray"][0] == best


def test_the_report_and_its_tables_have_it(models, tmp_path):
    report = build_report(models, "PublicTest")
    text = render(report)
    assert "<th>Cohen’s kappa</th>" in text
    for model in models:
        assert f"{100 * expected(model):.1f} %" in text
    write_csv(report, tmp_path)
    head = (tmp_path / "scoreboard.csv").read_text(encoding="utf-8").splitlines()[0]
    assert {"kappa", "kappa_low", "kappa_high"} <= set(head.replace('"', "").split(","))


def test_evaluate_prints_it(models, tmp_path):
    document = json.loads(run(EVALUATE + " --json", FILE=tmp_path / "data" / "fer2013.csv").stdout)
    values = document["able"]["public_test"]["plain"]
    assert values["kappa"] == pytest.approx(expected(models[0]))
    low, high = values["kappa_interval"]
    assert low < values["kappa"] < high
    assert list(values)[:6] == ["accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr", "kappa"]
    assert "Cohen’s kappa" in run(EVALUATE, FILE=tmp_path / "data" / "fer2013.csv").stdout


def test_a_card_from_before_has_a_dash(models, open_app):
    row = card_scoreboard(models)[0]
    assert 0 < row["public_test_accuracy"] < 1
    assert math.isnan(row["public_test_kappa"])
    assert row["public_test_kappa_interval"] == "–"
    assert not open_app("home").error
    run("models")


def test_the_paper_does_not_report_it(models, open_app):
    app = open_app("compare", c_section="Paper")
    assert not any("kappa" in str(column) for frame in app.dataframe for column in frame.value)
    options = app.get_by_key("c_paper_metric").options
    assert "Avg FPR" in options
    assert "Cohen’s kappa" not in options


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures of noise for each expression."""
    random = np.random.default_rng(0)
    for name in EXPRESSIONS:
        (tmp_path / "faces" / name).mkdir(parents=True)
        for k in range(EACH):
            pixels = random.integers(0, 256, (48, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "faces" / name / f"{k}.png")
    return tmp_path / "faces"


def zipped(folder):
    return Path(shutil.make_archive(str(folder), "zip", folder)).read_bytes()


def with_zip(app, key, content):
    """Return what a page says about a zip of pictures."""
    app.file_uploader(key=key).upload("faces.zip", content).run()
    return " ".join(block.value for block in [*app.markdown, *app.caption, *app.info, *app.warning])


def test_fine_tune_and_tune_learn_from_class_pictures_and_a_zip_of_them(home, pictures, monkeypatch):
    """The fit itself, which is that of all trainings, is left out."""
    monkeypatch.setattr("fer_core.training.fit.fit", lambda *_, **__: {"val_accuracy": [0.5], "val_loss": [1.0]})
    zipped(pictures)
    for place in (pictures, pictures.with_suffix(".zip")):
        data = load_training_data(DataSettings("folder", path=str(place), whole_image=True)).data
        assert len(data.training) + len(data.holdout) == EACH * len(EXPRESSIONS)
        assert set(data.training.labels) == set(range(7))
    assert [command.split()[0] for command in COMMANDS] == ["tune", "audit", "data", "train", "evaluate"]
    command = COMMANDS[0] + " --crops --trials 1 --epochs 1"
    assert "0 of 28 pictures" in " ".join(run(command, FOLDER=pictures).output.split())


def test_an_eighth_folder_is_a_class_or_counted(home, pictures, open_app):
    (pictures / "contempt").mkdir()
    for path in (pictures / "sad").iterdir():
        Image.open(path).transpose(Image.Transpose.ROTATE_90).save(pictures / "contempt" / path.name)
    data = load_training_data(DataSettings("folder", path=str(pictures), whole_image=True)).data
    assert (data.training.classes, data.tests) == (tuple(sorted([*EXPRESSIONS, "contempt"])), None)
    note = f"{EACH} pictures are left out: 'contempt' is none of the expressions"
    document = run(COMMANDS[1] + " --whole-image --json", FOLDER=pictures).output
    assert note in document
    assert '"labelled": true' in document
    assert f'"faces": {EACH * len(EXPRESSIONS)}' in document
    app = open_app("fairness", a_source="My own pictures", a_whole="true")
    words = with_zip(app, "a_zip", zipped(pictures)).replace("\\", "")
    assert note in words and f"{EACH * len(EXPRESSIONS)} faces of your pictures" in words


def test_a_csv_of_other_faces(home, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(csv_text(make_dataset(420)), encoding="utf-8")
    assert "420 faces" in run(COMMANDS[2], FILE=path).output
    run(COMMANDS[3], FILE=path)
    assert "class_prior" in run(COMMANDS[4], FILE=path).output
    answers, complaints = load_predictions([load_model("class_prior")], "PublicTest", "plain")
    assert complaints == []
    assert len(answers.labels) == 140
    dataset = load_fer2013(path)
    assert dataset.votes is None
    assert set(dataset.rows) == set(answers.rows) == {-1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The only model of a store: trained by name for one epoch, from random weights."""
    from fer_core.training.data import TrainingData
    from fer_core.training.train import train_named

    assert not any(model_spec(name).backbone == BACKBONE for name in model_names())
    folder = tmp_path_factory.mktemp("contributor")
    noise = make_dataset(126)
    training, tests = noise.split("Training"), noise.subset(noise.usage != "Training").subset(np.arange(28))
    data = TrainingData(training.subset(np.arange(21)), training.subset(np.arange(21, 42)), tests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        patch.delenv("FER2013_PATH", raising=False)
        patch.setattr(folders, "SHIPPED", folder / "nothing")
        patch.setattr("fer_core.training.train.QUANTIZATIONS", ("float32",))
        yield train_named(model_spec(f"{BACKBONE.lower()}_modified_random"), data, root=promoted(), epochs=1)


@pytest.mark.slow
def test_any_backbone_is_trained_by_its_name_and_says_what_was_trained(trained):
    open_weights = 576 * 96 + 96 * 576 + 576 * 144 + 144 + 144 * 576 + 576 + 25 * 576 + 96 * 576
    head = 576 * 7 + 7 + 2 * 576
    assert trained.card.spec.backbone == BACKBONE
    assert trained.card.trained_part.startswith("head and last 6 layers with weights: ")
    assert trained.card.training["open_weights"] == open_weights + head


@pytest.mark.slow
@pytest.mark.parametrize("page", [name for name, *_ in PAGES])
def test_a_model_on_any_backbone_opens_on_every_page(trained, open_app, page):
    app = open_app(page)
    assert not app.error
    if page == "tour":  # every step of it, and not the sentence that another model is needed
        app.get_by_key("t_step").set_value("Normalise").run()
        assert not app.info
        assert "this network scales by itself" in " ".join(text.value for text in app.markdown)


def copied(tmp_path, *parts, change, line, more):
    """Return the environment of a program that uses a copy of some code, with more after one line of a file."""
    for part in parts:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    text = (tmp_path / change).read_text(encoding="utf-8")
    assert line in text
    (tmp_path / change).write_text(text.replace(line, line + more), encoding="utf-8")
    return {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "FER_HOME": str(tmp_path / "home")}


def printed(program, folder, variables):
    command, environment = [sys.executable, "-c", program], os.environ | variables
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


def test_a_backbone_is_an_entry_of_one_table(tmp_path):
    """In a copy of the code: give a backbone a named model, and find it wherever backbones are listed."""
    others = '    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), Backbone(_UNCHANGED)),\n'
    words = '"MobileNetV3 Small", True, size=64, epochs=3, milliseconds=2.0'
    entry = f'    "MobileNetV3Small": Backbone(_UNCHANGED, ("frozen",), {words}),\n'
    table = "fer_core/models/backbones.py"
    variables = copied(tmp_path, "fer_core", "pages", change=table, line=others, more=entry)
    facts = json.loads(printed(USES_A_BACKBONE, tmp_path, variables))
    assert facts == ["mobilenetv3small_frozen", "MobileNetV3 Small, frozen", 64, True, True, 3, False]


USES_A_BACKBONE = """
import json, sys
from fer_core.models import model_spec, network_names, networks_by_input
from fer_core.runs.estimate import estimate
from fer_core.training.recipe import pretraining_recipe, recipe_for
name = networks_by_input()['MobileNetV3 Small']
spec, other = model_spec(name), model_spec('mobilenetv3large_frozen')
shorter = estimate(spec, recipe_for(spec), faces=1000).seconds < estimate(other, recipe_for(other), faces=1000).seconds
epochs = pretraining_recipe('MobileNetV3Small').epochs
known = name in network_names()
print(json.dumps([name, spec.title, spec.backbone_size, known, shorter, epochs, 'keras' in sys.modules]))
"""


def test_a_page_is_a_script_and_a_line(tmp_path):
    """In a copy of the app: write `pages/NAME.py`, add it to `PAGES`, open it."""
    line = '    ("hello", "Hello", "waving_hand", "A page of a contributor."),\n'
    variables = copied(tmp_path, "pages", change="pages/__init__.py", line="PAGES: Final = (\n", more=line)
    shutil.copy(ROOT / "app.py", tmp_path)
    (tmp_path / "pages" / "hello.py").write_text(HELLO, encoding="utf-8")
    assert "Hello 4 faces" in printed(OPENS_HELLO, tmp_path, variables)


HELLO = """
import streamlit as st
from pages.parts.head import head
head("Hello", "One sentence.")
faces = st.slider("Faces", 1, 9, key="x_faces", bind="query-params")
st.write(f"{faces} faces")
"""

OPENS_HELLO = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file('app.py', default_timeout=120)
app.query_params['x_faces'] = '4'
app.run()
app.switch_page('pages/hello.py').run()
print(app.exception, app.title[0].value, app.markdown[-1].value)
"""
