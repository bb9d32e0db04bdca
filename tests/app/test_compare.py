"""The Compare page without a browser: every section and choice, broken stores, and each view by its URL."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.store import folders
from fer_core.store.folders import load_model, promoted
from pages.parts.compare import SECTIONS
from tests.app.conftest import at_section, charts, said
from tests.made_up_store import add_model, plurality, predictions, write_fer2013
from tests.server import ROOT
from tests.test_added import ORDER, by_level, write_shown_by_level

pytestmark = pytest.mark.usefixtures("no_models")


def board(app):
    return next(frame.value for frame in app.dataframe if "accuracy_low" in frame.value)


def test_the_scoreboard_follows_the_store_and_measures_latency_on_demand(page, three):
    app = page()
    assert app.title[0].value == "Compare models"
    assert board(app)["model"].tolist() == ["The able one", "The fair one", "The weak one"]
    assert len(app.get("plotly_chart")) == 1
    assert "PublicTest, plain" in said(app)
    weights = (ROOT / "trained_models" / "compact_cnn" / "model.tflite").read_bytes()
    card = replace(three[0].card, name="fast", title="Somebody’s *own* model", served={})
    folders.save_model(promoted(), card, weights=weights, predictions=predictions(2.0), history=three[0].history())
    app.run()
    assert "Somebody’s *own* model" in board(app)["model"].tolist()
    assert board(app)["latency_ms"].isna().all()
    app.button[0].click().run()
    times = board(app).set_index("name")["latency_ms"]
    assert times["fast"] > 0
    assert times.drop("fast").isna().all()
    for path in promoted().glob("*/predictions.parquet"):
        path.write_bytes(b"no")
    app.run()
    assert "No model has predictions of this split" in app.info[0].value


def test_every_section_has_a_chart_and_says_what_it_covers(page, three):
    """Judged by most annotators, with an ensemble; other tests open sections by FER2013's label."""
    app = page(c_section="Scoreboard", c_by="Most annotators", c_fuse=["The able one", "The weak one"])
    for section in list(SECTIONS)[:-1]:  # a model card has no chart
        at_section(app, "c_section", section)
        assert app.get("plotly_chart"), section
        assert not app.error, section
        assert ("another seed" in said(app)) == (section in ("Scoreboard", "Significance"))


def test_what_a_section_does_not_show_is_not_asked_and_kept_for_later(page, three):
    app = page(c_section="Scoreboard", c_split="PrivateTest", c_by="FER2013's label")
    asked = {"c_split", "c_view", "c_by"}
    for section, keys in {"Robustness": {"c_by"}, "Training": set(), "Significance": asked}.items():
        at_section(app, "c_section", section)
        assert {group.key for group in app.get("button_group")} & asked == keys, section
    assert "PrivateTest, plain, judged by FER2013's label" in said(app)


def test_few_models_are_in_front_and_a_click_on_one_opens_its_confusions(page, no_models):
    for place in range(7):
        add_model(promoted(), f"m{place}")
    app = page()
    assert len(board(app)) == 5
    assert len(board(app.toggle(key="c_more").set_value(True).run())) == 7


def test_the_card_of_each_model(page, three):
    app = page(c_section="Model cards", c_card="The weak one")
    assert "#### The weak one" in said(app)
    assert "#### Uses" in said(app)
    assert "#### The able one" in said(app.selectbox(key="c_card").set_value("able").run())


def test_split_view_and_models_by_url_and_nonsense_in_it(page, three):
    app = page(c_split="PrivateTest", c_view="flip", c_models=["The weak one", "The fair one"], c_metric="Avg FPR")
    table = board(app)
    assert table["name"].tolist() == ["fair", "weak"]
    assert set(table["split"]) | set(table["view"]) == {"PrivateTest", "flip"}
    assert charts(app)[0].startswith("Avg FPR of 2 models")
    wrong = {"c_threshold": "nan", "c_expression": "bored", "c_focus": "Nobody", "c_models": ["Nobody"]}
    assert page(c_section="ROC and PR", c_split="Training", c_fuse=["Nobody", "The able one"], **wrong).dataframe


def test_the_scoreboard_by_each_yardstick_and_with_an_ensemble(page, three):
    app = page(c_by="Most annotators")
    table = board(app).set_index("name")
    clear = plurality() >= 0
    stored = three[0].predictions("public_test")[PROBABILITIES].to_numpy()
    right = (stored.argmax(axis=1) == plurality())[clear].mean()
    assert table.loc["able", "accuracy"] == pytest.approx(100 * right)
    assert set(table["faces"]) == {84}
    assert "The able one is right on" in app.subheader[0].value
    app.get_by_key("c_by").set_value("label").run()
    assert len(table) == len(board(app)) == 3
    assert table.loc["able", "degraded_accuracy"] > board(app).set_index("name").loc["able", "degraded_accuracy"]
    app.get_by_key("c_fuse").set_value(["able", "weak"]).run()
    for fusion in ("mean", "exponential", "weighted"):
        app.get_by_key("c_fusion").set_value(fusion).run()
        assert f"Ensemble of 2 ({fusion})" in board(app)["model"].tolist()
        assert ("accuracy on PrivateTest" in said(app)) == (fusion != "mean")
    table = at_section(app, "c_section", "Significance").dataframe[0].value
    assert len(table) == 6
    assert "Ensemble of 2 (weighted)" in set(table["first"]) | set(table["second"])


def test_the_threshold_moves_the_numbers(page, three):
    app = page(c_section="ROC and PR", c_expression="fear", c_threshold="0.2")
    before = [metric.value for metric in app.metric]
    app.slider(key="c_threshold").set_value(0.9).run()
    assert [metric.value for metric in app.metric] != before
    true, false = map(int, app.metric[3].value.split(" / "))
    assert f"{true} / ({true} + {false}) = {app.metric[0].value}." in said(app)
    app.slider(key="c_threshold").set_value(1.0).run()
    assert app.metric[0].value == "–"


def test_calibration_beside_its_noise_floor_and_a_temperature_from_the_other_split(page, three):
    app = page(c_section="Calibration", c_calibrated="The weak one")
    table = app.dataframe[0].value.set_index("model")
    row = table.loc["The weak one"]
    numbers = [f"{row[name]:.3f}" for name in ("log_loss", "brier")]
    numbers += [f"{row[name]:.1f} %" for name in ("ece", "floor")]
    assert [metric.value for metric in app.metric] == numbers
    (words,) = [text.value for text in app.markdown if text.value.startswith("An ECE of")]
    assert {"above": "above", "inside": "within", "below": "below"}[row["against_floor"]] in words
    assert f"T = {row['temperature']:.2f}, fitted on PrivateTest: log loss {row['log_loss']:.3f} → " in words
    of_bins = re.search(r"\|([.\d]+) − ([.\d]+)\| × ([.\d]+) of the faces = ([.\d]+) %", said(app))
    accuracy, confidence, share, part = map(float, of_bins.groups())
    assert abs(accuracy - confidence) * share == pytest.approx(part, abs=0.1)
    assert "hold-out are not stored" in said(app)
    path = three[2].folder / "predictions.parquet"
    stored = pd.read_parquet(path)
    stored[stored["split"] == "public_test"].to_parquet(path)
    app.run()
    assert "No temperature" in said(app)
    without = app.dataframe[0].value.set_index("name")["temperature"].isna()
    assert without.to_dict() == {"able": False, "fair": False, "weak": True}


def test_robustness_of_the_highlighted_model(page, three):
    add_model(promoted(), "bare", degraded=False)
    (three[1].folder / "degraded.csv").write_bytes(b"no")
    app = page(c_section="Robustness", c_robust="The weak one")
    assert "The weak one falls from 50.0 % on clean faces to 38.0 % on degraded ones" in said(app)  # 0.1 a strength
    assert app.dataframe[0].value["name"].tolist() == ["able", "weak"]
    assert "degraded.csv of fair is damaged" in said(app)
    assert "Not measured: The bare one." in said(app)
    for by in ("plurality", "label"):
        app.get_by_key("c_by").set_value(by).run()
        assert ("Confidence is over all faces" in said(app)) == (by == "plurality")
    table = board(at_section(app, "c_section", "Scoreboard")).set_index("name")
    assert table["degraded_accuracy"].dropna().to_dict() == pytest.approx({"able": 56, "weak": 28}, abs=0.1)
    assert len(table) == 4


def test_the_paper_beside_ours(page, three):
    add_model(promoted(), "vgg16_frozen", 2.5)
    app = page(c_section="Paper", c_variant="VGG16, frozen", c_split="PrivateTest")
    table = app.dataframe[0].value
    assert table.set_index("variant").loc["vgg16_frozen", "measured"] == "measured, PublicTest plain"
    assert table.set_index("variant").loc["xception_frozen", "measured"] == "not trained here yet"
    assert "if they are plain means" in said(app)
    assert app.get_by_key("c_variant").value == "vgg16_frozen"
    assert not [name for name in (*app.get_by_key("c_variant").options, *table["title"]) if "_" in name]


def test_only_rows_on_show_are_said_to_start_from_utkface(page, three):
    def notes(app) -> int:
        return said(app).count("non-commercial research")

    app = page(c_section="Significance")
    assert notes(app) == 0
    add_model(promoted(), "other", weights_from="utkface")
    assert notes(app.run()) == 1
    for key, names, number in (("c_models", ["able", "fair"], 0), ("c_fuse", ["able", "other"], 1), ("c_fuse", [], 0)):
        assert notes(app.get_by_key(key).set_value(names).run()) == number
    at_section(app, "c_section", "Paper")
    assert notes(app) == 1, "the paper's variants are shown whatever is chosen"
    at_section(app, "c_section", "Scoreboard").get_by_key("c_models").set_value(["able", "other"]).run()
    assert notes(app) == 1
    assert board(app).set_index("name")["weights_from"].to_dict() == {"able": "random weights", "other": "UTKFace"}


def test_broken_models_are_named_and_skipped(page, three):
    (three[1].folder / "predictions.parquet").write_bytes(b"PAR1" + b"x" * 99)
    (three[2].folder / "history.csv").write_bytes(b"\xff\xfe\x00damaged")
    half = promoted() / "half_written"
    half.mkdir()
    (half / "card.json").write_text("{")
    app = page(c_section="Training")
    for name in ("half_written", "fair", "weak"):
        assert name in said(app)
    assert board(at_section(app, "c_section", "Scoreboard"))["name"].tolist() == ["able", "weak"]


def test_one_model_alone_without_results_on_degraded_faces(page, own_home):
    add_model(promoted(), "only", degraded=False)
    app = page()
    assert len(board(app)) == 1
    assert "Two models are needed" in at_section(app, "c_section", "Significance").info[0].value
    at_section(app, "c_section", "Robustness")
    assert not app.error
    assert "fer-lab evaluate NAME --degraded --save" in said(app)


def test_predictions_made_elsewhere_are_added_by_upload(open_app, three, tmp_path, monkeypatch):
    path = write_fer2013(tmp_path / "data", monkeypatch, flat=False)
    monkeypatch.setenv("FER2013_PATH", str(path))
    table = predictions(2.0).query("split == 'public_test' and view == 'plain'")
    answers = pd.DataFrame({"row": table["row"], "class": table[PROBABILITIES].to_numpy().argmax(axis=1)})
    app = open_app("compare", c_section="Calibration")
    app.text_input(key="c_added_name").set_value("theirs")
    whole = answers.to_csv(index=False).encode()
    for content, says in ((b"row,class\n5,9\n", "Unknown expression"), (whole, "theirs is now")):
        app.file_uploader(key="c_added").upload("theirs.csv", content).run()
        app.button(key="c_added_measure").click().run()
        assert not app.exception
        assert says in said(app)
    assert "theirs" in app.multiselect(key="c_models").options
    assert "answers have no probabilities: theirs" in said(app)


def test_a_model_made_elsewhere_is_shown_as_it_would_be_used_and_added(open_app, three, tmp_path, monkeypatch):
    monkeypatch.setenv("FER2013_PATH", str(write_shown_by_level(tmp_path / "levels.csv")))
    app = open_app("compare")
    app.text_input(key="c_added_name").set_value("theirs")
    app.file_uploader(key="c_added").upload("theirs.onnx", b"no model").run()
    assert "The file cannot be opened as a model" in said(app)
    app.file_uploader(key="c_added").upload("theirs.onnx", by_level()).run()
    first = app.table[-1].value.iloc[0]
    assert (first["Scale"], first["Classes"], first["Outputs"]) == ("-1-1", ", ".join(ORDER), "logits")
    app.button(key="c_added_use").click().run()
    assert not app.exception
    assert "theirs is now among the models" in said(app)
    assert load_model("theirs").card.score("public_test").accuracy == pytest.approx(8 / 9)
