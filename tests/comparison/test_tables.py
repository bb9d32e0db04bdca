"""Tables against scikit-learn and counting by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import history_table, load_predictions, recommendation
from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.calibration import calibration_table, faces_in_bins, reliability_table
from fer_core.metrics.core import f1_table, measure_models
from fer_core.metrics.curves import curve_table, curves_of, threshold_table
from fer_core.metrics.paper import (
    paper_contradictions,
    paper_f1,
    paper_marks,
    paper_notes,
    paper_overall,
    paper_recomputed,
)
from fer_core.metrics.predictions import ENSEMBLE
from fer_core.metrics.significance import both_ways, pair_table
from fer_core.store.card import ModelCard
from fer_core.store.folders import DEFAULT_MODEL, promoted
from fer_core.store.stored_model import StoredModel
from tests.made_up_store import add_model


def test_scoreboard(models, answers):
    table = scoreboard_table(answers, measure_models(answers), models)
    assert table["name"].tolist() == ["able", "fair", "weak"]
    for row in table.itertuples():
        predicted = answers.probabilities[row.name].argmax(axis=1)
        assert row.accuracy == pytest.approx(accuracy_score(answers.labels, predicted))
        assert row.macro_f1 == pytest.approx(f1_score(answers.labels, predicted, average="macro"))
        auc = roc_auc_score(answers.labels, answers.probabilities[row.name], multi_class="ovr")
        assert row.roc_auc == pytest.approx(auc)
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
    assert table.loc[0, ["size_bytes", "parameters", "trained"]].tolist() == [None, 1234567, "every layer"]
    assert set(table["split"]) == {"PublicTest"}


def test_class_f1(answers):
    table = f1_table(answers, measure_models(answers))
    expected = f1_score(answers.labels, answers.probabilities["fair"].argmax(axis=1), average=None)
    assert table[table["name"] == "fair"]["f1"].tolist() == pytest.approx(expected)


def test_thresholds(answers):
    table = threshold_table(answers, "fear", 0.4).set_index("name")
    said = answers.probabilities["fair"][:, 2] >= 0.4
    assert table.loc["fair", "precision"] == pytest.approx(precision_score(answers.labels == 2, said))
    assert table.loc["fair", "true_positives"] == (said & (answers.labels == 2)).sum()


def test_curves_hold_every_model_and_expression(answers):
    points = curve_table(answers)
    happy = curves_of(points, "roc", "happy")
    assert set(happy["name"]) == set(answers.names)
    area = happy[happy["name"] == "weak"]["area"].iloc[0]
    assert area == pytest.approx(roc_auc_score(answers.labels == 3, answers.probabilities["weak"][:, 3]))
    assert set(points["expression"]) == {*EXPRESSIONS, "macro", "micro"}


def test_faces_in_bins_are_counted_together(answers):
    bins = reliability_table(answers)
    own = bins[(bins["name"] == "fair") & (bins["from"] > 0.4)]
    found = faces_in_bins(own)
    proba = answers.probabilities["fair"]
    chosen = proba.max(axis=1) > own["from"].min()
    right = (proba.argmax(axis=1) == answers.labels)[chosen]
    assert found["faces"] == chosen.sum()
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["confidence"] == pytest.approx(proba.max(axis=1)[chosen].mean())
    low, high = proportion_confint(right.sum(), len(right), method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_charts_of_many_models_start_with_the_best_the_default_and_the_papers_families():
    names = ["best", "second", "vgg16_a", "vgg16_b", "xception_a", "resnet50_a", "mobilenetv2_a", DEFAULT_MODEL]
    board = pd.DataFrame({"name": names, "model": [f"title of {name}" for name in names]})
    backbones = {"vgg16_a": "VGG16", "vgg16_b": "VGG16", "xception_a": "Xception", "resnet50_a": "ResNet50"}
    backbones |= {"mobilenetv2_a": "MobileNetV2", "best": None, "second": "DenseNet121"}
    front = front_models(board, backbones)
    expected = ["best", "vgg16_a", "xception_a", "resnet50_a", "mobilenetv2_a", DEFAULT_MODEL]
    assert front == [f"title of {name}" for name in expected]
    fused = pd.concat([board, pd.DataFrame({"name": [ENSEMBLE], "model": ["Ensemble"]})])
    assert "Ensemble" in front_models(fused, backbones)
    assert len(front_models(fused, backbones)) == 6
    assert len(front_models(board.head(3), backbones)) == 3


def test_temperature_is_fitted_on_the_other_split(answers, other):
    table = calibration_table(answers, other).set_index("name")
    assert table["temperature"].between(0.05, 20).all()
    assert set(table["fitted_on"]) == {other.split} != {answers.split}
    fitted = minimize_scalar(lambda t: _log_loss(other, "fair", t), bounds=(0.05, 20), method="bounded")
    assert table.loc["fair", "temperature"] == pytest.approx(fitted.x, rel=0.01)
    assert table.loc["fair", "log_loss"] == pytest.approx(_log_loss(answers, "fair", 1))
    scaled = _log_loss(answers, "fair", table.loc["fair", "temperature"])
    assert table.loc["fair", "log_loss_scaled"] == pytest.approx(scaled)
    alone = calibration_table(answers, None)
    assert alone[["temperature", "fitted_on", "log_loss_scaled", "ece_scaled"]].isna().all(axis=None)
    assert alone[["log_loss", "brier", "ece", "floor"]].notna().all(axis=None)


def test_a_model_without_the_other_split_has_no_temperature(answers, other):
    table = calibration_table(answers, other.only(["able", "weak"])).set_index("name")
    assert table["fitted_on"].isna().to_dict() == {"able": False, "fair": True, "weak": False}
    assert table["ece_scaled"].isna().tolist() == table["fitted_on"].isna().tolist()


def _log_loss(answers, name, temperature):
    powers = answers.probabilities[name] ** (1 / temperature)
    return log_loss(answers.labels, powers / powers.sum(axis=1, keepdims=True))


def test_calibration_is_compared_with_its_noise_floor(answers):
    table = calibration_table(answers, None)
    expected = np.where(table["ece"] > table["floor_high"], "above", "inside")
    expected = np.where(table["ece"] < table["floor_low"], "below", expected)
    assert table["against_floor"].tolist() == expected.tolist()
    assert (table["floor_low"] < table["floor"]).all()
    assert (table["floor"] < table["floor_high"]).all()


def test_pairs_name_the_better_one_first(answers):
    table = pair_table(answers)
    assert len(table) == 3
    assert (table["difference"] >= 0).all()
    row = table[(table["first"] == "The able one") & (table["second"] == "The weak one")].iloc[0]
    right = {name: p.argmax(axis=1) == answers.labels for name, p in answers.probabilities.items()}
    assert row["only_first"] == (right["able"] & ~right["weak"]).sum()
    assert row["verdict"] == "The able one is better by FER2013's label"
    assert row["p_holm"] >= row["p"]
    both = both_ways(table)
    assert len(both) == 6
    for name in ("difference", "macro_f1_difference"):
        assert both[name].sum() == pytest.approx(0)
    low, high = (both.groupby(["first", "second"])[f"macro_f1_{end}"].first() for end in ("low", "high"))
    assert low["The weak one", "The able one"] == -high["The able one", "The weak one"]
    equal = both_ways(table.assign(difference=0.0, p_holm=1.0))
    assert set(equal["words"]) == {"(+0.0)"}


def test_a_verdict_names_what_it_is_by(models):
    voted, _ = load_predictions(models, "PublicTest", "plain", "plurality")
    assert pair_table(voted)["verdict"].str.endswith(" by most annotators").all()


def scored(name, score, faces=2669):
    served = {"holdout_score": {"score": score, "faces": faces}}
    return StoredModel(name, Path(name), ModelCard(name, f"The {name} one", 1, "random", 48, {}, served))


def test_the_score_on_the_hold_out_recommends():
    sentence = recommendation(scored("new", 0.701), scored("old", 0.725))
    assert sentence.startswith(
        "The old one scores 72.5% on the hold-out, The new one 70.1%: The old one is recommended."
    )
    assert "by FER2013's label and by most annotators" in sentence
    assert "neither is recommended" in recommendation(scored("a", 0.7), scored("b", 0.7))


@pytest.mark.parametrize("new", [scored("new", None), scored("new", 0.9, 500), scored("new", 0.9, None)])
def test_without_scores_of_the_same_faces_nothing_is_recommended(new):
    assert recommendation(new, scored("old", 0.725)).startswith("No recommendation")


def test_one_model_makes_no_pair(answers):
    assert pair_table(answers.only(["fair"])).empty


def test_histories(models):
    add_model(promoted(), "bare", history=False)
    (models[2].folder / "history.csv").write_bytes(b"\xff\xfe\x00")
    table, without, complaints = history_table([*models, comparison_model("bare")], {"fair": "Fair (fair)"})
    assert set(table["name"]) == {"able", "fair"}
    assert set(table["model"]) == {"The able one", "Fair (fair)"}
    assert without == ["The bare one"]
    assert len(complaints) == 1
    assert "weak" in complaints[0]
    first = table[(table["name"] == "able") & (table["what"] == "accuracy")]
    assert first["faces"].tolist() == ["training"] * 2 + ["hold-out"] * 2
    assert first["epoch"].tolist() == [1, 2, 1, 2]


def comparison_model(name):
    from fer_core.store.folders import load_model

    return load_model(name)


def test_the_paper_beside_ours(models, home):
    ours = add_model(promoted(), "vgg16_modified", 2.5)
    answers, _ = load_predictions([*models, ours], "PublicTest", "plain")
    measured = measure_models(answers)
    table = paper_overall(answers, measured)
    assert table["variant"].nunique() == 8
    assert table.set_index("variant").loc["vgg16_modified_noise", "title"] == "VGG16, modified, noise"
    assert len(table) == 10
    mine = table[table["variant"] == "vgg16_modified"]
    assert mine["reported"].tolist() == ["reported, figure 11", "reported, figure 13", "reported, figure 15"]
    assert mine["avg_tpr_reported"].tolist() == [0.5976, 0.5357, 0.6021]
    assert set(mine["measured"]) == {"measured, PublicTest plain"}
    assert mine["accuracy_measured"].notna().all()
    rest = table[table["variant"] != "vgg16_modified"]
    assert set(rest["measured"]) == {"not trained here yet"}
    assert rest["accuracy_measured"].isna().all()
    marks = paper_marks(table, "accuracy")
    assert marks["source"].value_counts().to_dict() == {"reported": 10, "measured here": 1}
    assert set(paper_f1("vgg16_modified", measured)["model"]) == {"reported, figure 12", "measured here"}
    assert "accuracy of VGG16_modified" in paper_notes("vgg16_modified")


def test_where_imagenet_is_missing_another_source_of_weights_stands_in(models, home):
    other = add_model(promoted(), "vgg16_frozen_utk", 2.5)
    answers, _ = load_predictions([*models, other], "PublicTest", "plain")
    measured = measure_models(answers)
    mine = paper_overall(answers, measured).set_index("variant").loc[["vgg16_frozen"]]
    assert set(mine["measured"]) == {"measured, PublicTest plain, UTKFace weights"}
    assert set(mine["accuracy_measured"]) == {measured["vgg16_frozen_utk"][0].accuracy}
    assert "measured here, UTKFace weights" in set(paper_f1("vgg16_frozen", measured)["model"])

    as_the_paper = add_model(promoted(), "vgg16_frozen", 1.5)
    answers, _ = load_predictions([*models, other, as_the_paper], "PublicTest", "plain")
    measured = measure_models(answers)
    mine = paper_overall(answers, measured).set_index("variant").loc[["vgg16_frozen"]]
    assert set(mine["measured"]) == {"measured, PublicTest plain"}
    assert set(mine["accuracy_measured"]) == {measured["vgg16_frozen"][0].accuracy}


def test_the_paper_alone():
    table = paper_overall(None, {})
    assert set(table["measured"]) == {"not trained here yet"}
    assert isinstance(paper_contradictions(), pd.DataFrame)
    assert not np.isnan(table["accuracy_reported"]).any()


def test_the_final_model_recomputed_from_its_own_table():
    """The paper's macro averages of section 4.5 are the independent answer; its figures print others."""
    table = paper_recomputed().set_index("metric")
    assert table.loc["Macro F1", "recomputed"] == pytest.approx(0.6031509581846758)
    assert table.loc["Avg TPR", "recomputed"] == pytest.approx(0.5976325969508828)
    assert table.loc["Accuracy", "recomputed"] == pytest.approx(0.6163276678740597)
    assert table.loc["Accuracy", "figure 11"] == 0.584
    assert table.loc["Avg FPR", "recomputed"] == pytest.approx(0.0656, abs=5e-5)
