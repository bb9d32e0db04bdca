"""The Compare page without a browser: every section and choice, broken stores, and each view by its URL."""

import re
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.metrics.core import METRICS
from fer_core.store import folders
from fer_core.store.folders import promoted
from tests.app.conftest import ROOT
from tests.made_up_store import add_model, plurality, predictions

SECTIONS = [
    *("Scoreboard", "F1 by expression", "ROC and PR", "Calibration", "Robustness", "Significance", "Training", "Paper"),
]


@pytest.fixture
def compare(no_models, opened_without_error):
    return partial(opened_without_error, "compare")


def unescaped(text):
    return text.value.replace("\\", "")


def board(app):
    return next(frame.value for frame in app.dataframe if "accuracy_low" in frame.value)


def test_an_empty_store_says_what_to_do(compare):
    app = compare()
    assert "no trained model yet" in app.info[0].value
    assert not app.dataframe


def test_the_scoreboard_stands_there_before_any_click(compare, three):
    app = compare()
    assert app.title[0].value == "Compare models"
    assert board(app)["model"].tolist() == ["The able one", "The fair one", "The weak one"]
    assert len(app.get("plotly_chart")) == 1
    assert any("PublicTest, plain" in caption.value for caption in app.caption)


def test_every_section_opens_by_its_url_and_says_what_it_covers(compare, three):
    """Judged by most annotators, with an ensemble; other tests open sections by FER2013's label."""
    for section in SECTIONS:
        app = compare(c_section=section, c_by="Most annotators", c_fuse=["The able one", "The weak one"])
        assert app.get("plotly_chart"), section
        assert not app.error, section
        covers = any("another seed" in caption.value for caption in app.caption)
        assert covers == (section in ("Scoreboard", "Significance"))


def test_the_card_of_each_model(compare, three):
    app = compare(c_section="Model cards", c_card="The weak one")
    words = " ".join(block.value for block in app.markdown)
    assert "#### The weak one" in words
    assert "#### Uses" in words
    app.selectbox(key="c_card").set_value("able").run()
    assert any("#### The able one" in block.value for block in app.markdown)


def test_split_view_and_models_by_url(compare, three):
    app = compare(c_split="PrivateTest", c_view="flip", c_models=["The weak one", "The fair one"], c_metric="Avg FPR")
    table = board(app)
    assert table["name"].tolist() == ["fair", "weak"]
    assert set(table["split"]) == {"PrivateTest"}
    assert set(table["view"]) == {"flip"}
    assert app.get_by_key("c_metric").value == "avg_fpr"


def test_the_scoreboard_by_most_annotators(compare, three):
    table = board(compare(c_by="Most annotators")).set_index("name")
    clear = plurality() >= 0
    stored = three[0].predictions("public_test")[PROBABILITIES].to_numpy()
    right = (stored.argmax(axis=1) == plurality())[clear].mean()
    assert table.loc["able", "accuracy"] == pytest.approx(right)
    assert set(table["faces"]) == {84}
    assert table.loc["able", "degraded_accuracy"] > board(compare()).set_index("name").loc["able", "degraded_accuracy"]


def test_every_metric_ranks(compare, three):
    app = compare()
    for metric, words in METRICS.items():
        app.get_by_key("c_metric").set_value(metric).run()
        assert not app.exception
        assert app.get("plotly_chart")[0].proto.alt.startswith(f"{words.title} of 3 models")


def test_a_ticked_ensemble_gets_its_row_at_once(compare, three):
    app = compare()
    assert len(board(app)) == 3
    app.get_by_key("c_fuse").set_value(["able", "weak"]).run()
    for fusion in ("mean", "weighted", "exponential"):
        app.get_by_key("c_fusion").set_value(fusion).run()
        assert not app.exception
        assert f"Ensemble of 2 ({fusion})" in board(app)["model"].tolist()
        caption = " ".join(caption.value for caption in app.caption)
        assert ("accuracy on PrivateTest" in caption) == (fusion != "mean")


def test_the_ensemble_stands_in_the_pairs(compare, three):
    app = compare(c_section="Significance", c_fuse=["The able one", "The fair one"], c_fusion="weighted")
    table = app.dataframe[0].value
    assert len(table) == 6
    assert "Ensemble of 2 (weighted)" in set(table["first"]) | set(table["second"])


def test_the_threshold_moves_the_numbers(compare, three):
    app = compare(c_section="ROC and PR", c_expression="fear", c_threshold="0.2")
    before = [metric.value for metric in app.metric]
    app.slider(key="c_threshold").set_value(0.9).run()
    assert [metric.value for metric in app.metric] != before
    true, false = map(int, app.metric[3].value.split(" / "))
    assert any(f"{true} / ({true} + {false}) = {app.metric[0].value}." in unescaped(text) for text in app.markdown)
    app.slider(key="c_threshold").set_value(1.0).run()
    assert app.metric[0].value == "–"


def test_calibration_beside_its_noise_floor_and_a_temperature_from_the_other_split(compare, three):
    app = compare(c_section="Calibration", c_calibrated="The weak one")
    table = app.dataframe[0].value.set_index("model")
    row = table.loc["The weak one"]
    assert [metric.value for metric in app.metric] == [
        f"{row[name]:.3f}" for name in ("log_loss", "brier", "ece", "floor")
    ]
    (words,) = [text.value for text in app.markdown if text.value.startswith("An ECE of")]
    assert {"above": "above", "inside": "within", "below": "below"}[row["against_floor"]] in words
    assert f"{row['floor']:.3f} on average, {row['floor_low']:.3f} to {row['floor_high']:.3f}" in words
    assert (
        f"T = {row['temperature']:.2f}, fitted on PrivateTest: log loss {row['log_loss']:.3f} → "
        f"{row['log_loss_scaled']:.3f}, ECE {row['ece']:.3f} → {row['ece_scaled']:.3f}."
    ) in words
    assert row["floor_range"] == f"{row['floor_low']:.3f}–{row['floor_high']:.3f}"
    (worked,) = [unescaped(text) for text in app.markdown if text.value.startswith("**Calibration error")]
    of_bins = re.search(r"\|([.\d]+) − ([.\d]+)\| × ([.\d]+) of the faces = ([.\d]+)", worked)
    accuracy, confidence, share, part = map(float, of_bins.groups())
    assert abs(accuracy - confidence) * share == pytest.approx(part, abs=1e-3)
    assert any("hold-out are not stored" in caption.value for caption in app.caption)


def test_calibration_without_the_other_split(compare, three):
    path = three[0].folder / "predictions.parquet"
    table = pd.read_parquet(path)
    table[table["split"] == "public_test"].to_parquet(path)
    app = compare(c_section="Calibration", c_calibrated="The able one")
    assert any("No temperature" in text.value for text in app.markdown)
    assert app.dataframe[0].value.set_index("name")["temperature"].isna().to_dict() == {
        "able": True, "fair": False, "weak": False,
    }  # fmt: skip


def test_robustness_of_the_highlighted_model(compare, three):
    add_model(promoted(), "bare", degraded=False)
    (three[1].folder / "degraded.csv").write_bytes(b"no")
    app = compare(c_section="Robustness", c_robust="The weak one")
    assert [metric.value for metric in app.metric] == ["40.0%", "28.0%", "40.0%"]  # of 0.4; strengths lose 0.1 each
    assert app.dataframe[0].value["name"].tolist() == ["able", "weak"]
    assert "degraded.csv of fair is damaged" in app.warning[0].value.replace("\\", "")
    assert any(caption.value.startswith("Not measured: The bare one.") for caption in app.caption)
    said = "Confidence is over all faces"
    assert not any(said in caption.value for caption in app.caption)
    assert any(said in caption.value for caption in compare(c_section="Robustness", c_by="Most annotators").caption)
    assert board(compare()).set_index("name")["degraded_accuracy"].round(3).to_dict() == pytest.approx(
        {"able": 0.56, "fair": float("nan"), "weak": 0.28, "bare": float("nan")}, nan_ok=True
    )


def test_robustness_without_any_results(compare, own_home):
    add_model(promoted(), "only", degraded=False)
    app = compare(c_section="Robustness")
    assert not app.error
    assert any("fer-lab evaluate NAME --degraded --save" in caption.value for caption in app.caption)


def test_the_paper_beside_ours(compare, three):
    add_model(promoted(), "vgg16_frozen", 2.5)
    app = compare(c_section="Paper", c_variant="VGG16, frozen", c_split="PrivateTest")
    table = app.dataframe[0].value
    assert table.set_index("variant").loc["vgg16_frozen", "measured"] == "measured, PublicTest plain"
    assert table.set_index("variant").loc["xception_frozen", "measured"] == "not trained here yet"
    assert any("if they are plain means" in caption.value for caption in app.caption)
    assert app.get_by_key("c_variant").value == "vgg16_frozen"
    assert not [name for name in (*app.get_by_key("c_variant").options, *table["title"]) if "_" in name]


def notes_on_utkface(app):
    return sum("non-commercial research" in caption.value for caption in app.caption)


def test_only_rows_on_show_are_said_to_start_from_utkface(compare, three):
    assert notes_on_utkface(compare(c_section="Significance")) == 0
    add_model(promoted(), "other", weights_from="utkface")
    assert notes_on_utkface(compare(c_section="Significance")) == 1
    app = compare(c_models=["The able one", "The fair one"])
    assert notes_on_utkface(app) == 0
    app.get_by_key("c_fuse").set_value(["able", "other"]).run()
    assert notes_on_utkface(app) == 1
    app = compare(c_models=["The able one", "The other one"])
    assert notes_on_utkface(app) == 1
    assert board(app).set_index("name")["weights_from"].to_dict() == {"able": "random weights", "other": "UTKFace"}
    app = compare(c_models="The able one", c_section="Paper", c_by="Most annotators")
    assert notes_on_utkface(app) == 1, "the paper's variants are shown whatever is chosen"
    assert any("judged by FER2013’s label" in caption.value for caption in app.caption)


def test_latency_is_measured_on_demand(compare, three):
    weights = (ROOT / "trained_models" / "compact_cnn" / "model.tflite").read_bytes()
    card = replace(three[0].card, name="fast", title="Fast", served={})
    assert folders.save_model(
        promoted(), card, weights=weights, predictions=predictions(2.0), history=three[0].history()
    ).servable
    app = compare()
    assert board(app)["latency_ms"].isna().all()
    app.button[0].click().run()
    times = board(app).set_index("name")["latency_ms"]
    assert times["fast"] > 0
    assert times.drop("fast").isna().all()


def test_broken_models_are_named_and_skipped(compare, three):
    (three[1].folder / "predictions.parquet").write_bytes(b"PAR1" + b"x" * 99)
    (three[2].folder / "history.csv").write_bytes(b"\xff\xfe\x00damaged")
    half = promoted() / "half_written"
    half.mkdir()
    (half / "card.json").write_text("{")
    app = compare(c_section="Training")
    words = " ".join(warning.value for warning in app.warning).replace("\\", "")
    assert "half_written" in words
    assert "fair" in words
    assert "weak" in words
    assert board(compare())["name"].tolist() == ["able", "weak"]


def test_no_usable_predictions_say_so(compare, three):
    for model in three:
        (model.folder / "predictions.parquet").write_bytes(b"no")
    app = compare()
    assert "No model has predictions of this split" in app.info[0].value


def test_a_new_folder_shows_up_with_no_change_of_code(compare, three):
    app = compare()
    add_model(promoted(), "anything", 2.8, title="Somebody’s *own* model")
    app.run()
    assert not app.exception
    assert "Somebody’s *own* model" in board(app)["model"].tolist()


def test_nonsense_in_the_url_falls_back(compare, three):
    wrong = {"c_split": "Training", "c_models": ["Nobody"], "c_fuse": ["Nobody", "The able one"], "c_section": "?"}
    assert compare(**wrong).dataframe
    curves = {"c_section": "ROC and PR", "c_threshold": "nan", "c_expression": "bored", "c_focus": "Nobody"}
    assert compare(**curves).dataframe


def test_one_model_alone(compare, own_home):
    add_model(promoted(), "only")
    assert len(board(compare())) == 1
    assert "Two models are needed" in compare(c_section="Significance").info[0].value
