"""The Fine-tune page without a browser: choices, own pictures and snapshots, runs in every state, promotion."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.columns import PROBABILITIES, percent
from fer_core.labels import EXPRESSIONS
from fer_core.models import model_spec
from fer_core.runs.run import file_stem, list_runs
from fer_core.runs.uploads import Collection
from fer_core.store import folders
from fer_core.store.stored_model import PREDICTIONS
from pages.parts.data import KEYS
from tests.app.conftest import agree, change_card, charts, said
from tests.app.made_up_runs import EACH, made_run, portrait, with_result, write_faces, zipped
from tests.bad_inputs import encoded


@pytest.fixture
def dataset(own_home):
    write_faces(own_home / "fer2013")


@pytest.fixture
def submitted(monkeypatch):
    """The plans that the page submits."""
    plans = []
    monkeypatch.setattr("pages.parts.runs.submit", lambda plan: plans.append(plan) or made_run("waiting", plan.title))
    return plans


def test_faces_counts_and_time_before_any_click_then_a_run_whatever_nonsense_is_in_the_url(page, dataset, submitted):
    app = page(f_variant="hog_linear", f_faces="7", f_start="mars", f_epochs="0")
    learnt = EACH - EACH // 10
    assert charts(app) == [f"Faces to train on: {', '.join(f'{n} {learnt}' for n in EXPRESSIONS)}"]
    assert "Takes about" in said(app)
    app.button(key="f_go").click().run()
    (plan,) = submitted
    assert plan.spec == replace(model_spec("compact_cnn"), weights_from=folders.DEFAULT_MODEL)
    assert plan.recipe.epochs == 15
    assert (plan.data.source, plan.data.faces, plan.data.balanced) == ("fer2013", 2000, False)
    assert plan.title == f"Small CNN, {7 * learnt} faces"
    assert plan.title in said(app), "it is watched beside its settings"
    app.button(key="f_open_runs").click().run()
    assert app.session_state["f_tab"] == "Runs"


def test_settings_by_link_and_by_hand(page, dataset, submitted):
    app = page(
        f_faces="500", f_balanced="true", f_variant="VGG16, modified", f_start="random weights", f_epochs="3",
        f_rate="0.001", f_augment="strong", f_patience="5", f_open="12", f_weights="balanced", f_noise="0.05",
        f_norm="before noise", f_prepare="aligned", f_recipe="paper", f_split="true",
    )  # fmt: skip
    app.selectbox(key="f_optimizer").set_value("sgd")
    app.text_input(key="f_title").set_value("Mine").run()
    app.button(key="f_go").click().run()
    (plan,) = submitted
    spec, recipe = plan.spec, plan.recipe
    assert plan.title == "Mine"
    assert (spec.backbone, spec.weights_from, spec.open_layers, spec.noise) == ("VGG16", "random", 12, 0.05)
    assert (spec.batch_normalization, spec.preprocessing) == ("before noise", "aligned")
    assert (recipe.schedule, recipe.label_smoothing, plan.data.papers_split) == ("constant", 0.0, True)
    assert spec.name == "vgg16_own"  # it is the named variant no more
    assert (recipe.epochs, recipe.peak_learning_rate, recipe.optimizer) == (3, 0.001, "sgd")
    assert (recipe.early_stopping, recipe.ema, recipe.class_weights) == (5, 0.0, "balanced")
    assert recipe.augmentation.rotation > 15
    assert (plan.data.faces, plan.data.balanced) == (500, True)


def test_zips_that_cannot_be_used_and_one_that_can(page, submitted):
    app = page(f_source="Own pictures")
    for content, sentence in (
        (b"not a zip", "not a zip"),
        (zipped(happy__1=b"x"), "only one class, 'happy'"),
        (zipped(holiday__1=portrait()), "Expected a folder for each expression"),
        (zipped(holiday__1=portrait(), work__1=portrait()), "The class 'holiday' in mine.zip has too few"),
    ):
        app.file_uploader(key="f_zip").upload("mine.zip", content).run()
        assert sentence in said(app)
        assert app.button(key="f_go_off").disabled
    turns = (0, 4, 8)
    files = {f"{name}__{turn}.png": portrait(turn, name == "sad") for name in ("happy", "sad") for turn in turns}
    app.file_uploader(key="f_zip").upload("my_own-[faces].zip", zipped(**files, sad__note=b"hello")).run()
    assert "happy 2" in charts(app)[0]
    assert "the model cannot learn what it looks like" in said(app)
    app.button(key="f_go").click().run()
    assert submitted[0].data.source == "folder"
    assert submitted[0].data.path.endswith("my_own-faces.zip")
    assert submitted[0].title.endswith("my_own-[faces]")
    app.file_uploader(key="f_zip").set_value(None).run()
    assert not charts(app), "a zip that is removed is not learned from"
    assert app.button(key="f_go_off").disabled


def test_two_collections_of_own_classes_are_told_apart(home):
    keys = []
    for name, classes in (("one", ("cat", "dog")), ("one", ("cat",)), ("other", ("cow",))):
        for label in classes:
            Collection(name).add(portrait(0), label)
        keys.append(KEYS["fer_core.runs.uploads.Collection"](Collection(name)))
    assert [len(key) for key in keys] == [2, 3, 1]
    assert keys[0] != keys[2]


def test_snapshots_from_camera_to_run(page, submitted):
    Collection("anas").add(portrait(0), "sad")
    app = page(f_source="Own snapshots", f_class="sad")
    assert app.selectbox(key="f_collection").value == "mine", "nobody else's at first"
    assert app.selectbox(key="f_collection").options == ["mine", "anas"]
    agree(app)

    def shoot(content: bytes) -> None:
        app.camera_input(key=f"f_picture_Camera_{app.session_state['f_shot']}").upload("shot.jpg", content).run()

    assert "at least two expressions" in said(app)
    shoot(encoded(Image.new("RGB", (320, 240), "gray"), "PNG"))
    assert "No face was found" in app.warning[0].value
    for turn in (0, 3, 6):
        shoot(portrait(turn))
    assert "sad: 3" in said(app)
    for number in (2, 3):
        app.button(key=f"f_remove_sad_{number}").click().run()
    assert [snapshot.number for snapshot in Collection("mine").snapshots("sad")] == [1]
    shoot(portrait(9))
    app.get_by_key("f_class").set_value("happy").run()
    shoot(portrait(0, mirrored=True))
    shoot(portrait(5, mirrored=True))
    assert "Too few pictures of happy (2) and sad (2)" in said(app)
    app.button(key="f_go").click().run()
    assert submitted[0].data == Collection("mine").settings()


def test_runs_in_every_state_and_deleted(page):
    for age, state in enumerate(("stopped", "failed", "fitting")):
        made_run(state, f"{state} run", f"What became of the {state} one.", epochs=2, age=100 * age)
    (made_run("finished", age=900).folder / "plan.json").write_text("{", encoding="utf-8")
    app = page(f_tab="Runs", f_run=["stopped-0", "failed-100"])
    assert "plan.json is missing or damaged" in said(app)
    table = app.dataframe[0].value
    assert table["State"].tolist() == ["Stopped", "Failed", "Interrupted"]  # nobody works on the one that says it fits
    assert table["Best on hold-out, by label"].tolist() == ["35.0 %"] * 3
    assert charts(app) == ["Accuracy and loss over the epochs of stopped run, failed run"]
    assert app.button(key="f_resume")
    for part in ("2 of 5 epochs in 1:23 min, 1.5 GB of memory", "Best on the hold-out, by the label: 35.0 %."):
        assert part in said(app)
    assert "What became of the failed one" in page(f_tab="Runs", f_run="failed-100").error[0].value
    app = page(f_tab="Runs", f_run="fitting-200")
    assert "Its process vanished" in app.error[0].value
    app.button(key="f_delete_fitting-200").click().run()
    assert [run.id for run in list_runs()[0]] == ["stopped-0", "failed-100"]


def test_a_finished_run_beside_the_default_model_then_on_predict(page, open_app):
    with_result(made_run("finished", "My run", epochs=3))
    app = page(f_tab="Runs")
    default = folders.load_model()
    score = percent(default.card.score("public_test", by="plurality").accuracy, ".1%")
    answer = f"My run {score}, {default.title} {score}"
    assert f"#### {answer}: no clear difference by most annotators." in said(app), (
        "the test has the default's own files"
    )
    assert charts(app)[0] == f"Accuracy: {answer}"
    assert "PublicTest, plain, judged by most annotators" in said(app)
    assert "is where it started" not in said(app)
    for name, sentence in ((folders.DEFAULT_MODEL, "comes with FER Lab"), ("mine", "My run")):
        app.text_input(key="f_name_finished-0").set_value(name)
        assert sentence in said(app.button(key="f_promote_now").click().run())
    assert [link.proto.label for link in app.get("page_link")] == ["Try My run on Predict"]
    assert [button.proto.label.split(",")[0] for button in app.get("download_button")] == ["LiteRT", "Keras"]
    assert file_stem(list_runs()[0][0]) == "mine"
    predict = open_app("predict", p_models="My run")
    assert list(predict.dataframe[0].value["Model"]) == ["My run"]


def test_a_run_is_judged_by_most_annotators_and_recommended_by_the_hold_out(page):
    """A run that repeats FER2013's labels is worse by most annotators, whatever the hold-out says."""
    run = with_result(made_run("finished", "My run", epochs=3, start=folders.DEFAULT_MODEL))
    folder = run.folder / "result" / run.plan.spec.name
    table = pd.read_parquet(folder / PREDICTIONS)
    table[PROBABILITIES] = np.eye(7)[table["label"]]
    table.to_parquet(folder / PREDICTIONS, index=False)
    served = run.result().card.as_dict()["served"]
    change_card(folder, served={**served, "holdout_score": {**served["holdout_score"], "score": 0.5}})
    default = folders.load_model()
    app = page(f_tab="Runs")
    voted = table[(table["split"] == "public_test") & (table["view"] == "plain") & (table["plurality"] >= 0)]
    agreed = percent((voted["label"] == voted["plurality"]).mean(), ".1%")
    score = percent(default.card.score("public_test", by="plurality").accuracy, ".1%")
    verdict = f"{default.title} is better by most annotators"
    assert f"My run {agreed}, {default.title} {score}: {verdict}." in said(app)
    assert f"{default.title} is recommended" in said(app)
    assert f"{default.title} is where it started" in said(app)


def test_without_votes_of_the_test_faces_the_label_judges(page):
    run = with_result(made_run("finished", "My run", epochs=3))
    folder = run.folder / "result" / run.plan.spec.name
    table = pd.read_parquet(folder / PREDICTIONS).assign(plurality=-1)
    table.to_parquet(folder / PREDICTIONS, index=False)
    (folders.SHIPPED / folders.DEFAULT_MODEL).unlink()
    app = page(f_tab="Runs")
    score = percent(run.result().card.score("public_test", by="label").accuracy, ".1%")
    assert f"My run {score}: judged by FER2013's label." in said(app)


def test_without_test_faces_the_hold_out_speaks_and_every_page_survives(page, open_app, monkeypatch):
    run = with_result(made_run("finished", "My run", epochs=3), measured=False)
    monkeypatch.setattr("pages.parts.runs.onnx_file", lambda one: (one.folder / "model.onnx").write_bytes(b"onnx"))
    app = page(f_tab="Runs")
    assert "only on its hold-out of 12 faces" in said(app)
    assert re.search(r"My run is right on \d+\.\d % of the faces that were held out", said(app))
    assert charts(app) == ["Accuracy and loss over the epochs of My run"]
    assert [button.label.split(",")[0] for button in app.get("download_button")] == ["LiteRT", "Keras"]
    app.button(key="f_onnx").click().run()
    assert [button.label.split(",")[0] for button in app.get("download_button")] == ["LiteRT", "Keras", "ONNX"]
    app.button(key="f_promote_now").click().run()
    assert folders.load_model("my_run").card.promoted_from == run.id
    open_app("predict")
    for other in ("home", "compare", "confusion"):
        app = open_app(other)
        assert not app.warning
        assert "Without a score: My run" in said(app)
