"""The sentences of pages, against numbers worked out by hand."""

import pandas as pd
import pytest

from fer_core.labels import EXPRESSIONS
from fer_core.metrics.confusion import label_cells
from fer_core.sections import answers, worked


def board(*rows):
    columns = ["model", *(f"{name}{end}" for name in ("accuracy", "avg_fpr") for end in ("", "_low", "_high"))]
    return pd.DataFrame(rows, columns=columns)


A = ("A", 0.7, 0.68, 0.72, 0.05, 0.04, 0.06)
B = ("B", 0.69, 0.67, 0.71, 0.04, 0.03, 0.05)
C = ("C", 0.5, 0.48, 0.52, 0.09, 0.08, 0.1)


@pytest.mark.parametrize(
    ("rows", "metric", "says"),
    [
        (
            (A, B, C),
            "accuracy",
            "A is right on 70.0 % of the faces, judged by x. 1 of the 2 others shown may be as good",
        ),
        ((C, A), "accuracy", "A is right on 70.0 % of the faces, judged by x. The other one shown is not as good: the"),
        ((B, A), "accuracy", "A is right on 70.0 % of the faces, judged by x. The other one shown may be as good: the"),
        ((A, B, C), "avg_fpr", "B has the best Avg FPR, 4.0 %, judged by x. 1 of the 2 others shown may be as good"),
        ((A,), "accuracy", "A is right on 70.0 % of the faces, judged by x."),
    ],
)
def test_the_best_model_and_those_that_may_be_as_good(rows, metric, says):
    assert answers.best_model(board(*rows), metric, judge="x").startswith(says)


def test_without_probabilities_no_model_is_the_best_by_them():
    rows = board(A).assign(roc_auc=float("nan"), roc_auc_low=float("nan"), roc_auc_high=float("nan"))
    assert answers.best_model(rows, "roc_auc", judge="x").startswith("No model shown has a ROC AUC")


def test_the_hardest_and_the_easiest_expression_by_the_best_model_of_each():
    rows = [
        ("A", "fear", 0.4),
        ("B", "fear", 0.5),
        ("A", "happy", 0.9),
        ("B", "happy", 0.8),
        ("A", "sad", float("nan")),
    ]
    said = answers.extremes(pd.DataFrame(rows, columns=["model", "expression", "f1"]))
    assert said.startswith("Fear is the hardest expression: no model has a higher F1 than 50.0 % (B). Happy")
    assert said.endswith("with 90.0 %.")


def test_rows_in_words():
    row = pd.Series({"model": "A", "recall": 0.8, "precision": 0.5, "confidence": 0.75, "accuracy": 0.8})
    assert answers.at_threshold(row, "sad") == "A finds 80 % of the sad faces, and 50 % of what it calls sad is sad."
    never = row.to_dict() | {"recall": 0.0, "precision": float("nan")}
    assert answers.at_threshold(pd.Series(never), "sad") == "A finds 0 % of the sad faces, and calls no face sad."
    assert answers.confidence(row).startswith(
        "A is 5.0 points too unsure: on average it is 75.0 % sure, and right on 80"
    )
    assert "as sure as right" in answers.confidence(pd.Series(row.to_dict() | {"accuracy": 0.75}))
    row = pd.Series({"model": "A", "clean": 0.8, "degraded": 0.7, "noise": 0.75, "blur": 0.65})
    said = answers.falls(row, {"noise": "Noise", "blur": "Blur"})
    assert said == "A falls from 80.0 % on clean faces to 70.0 % on degraded ones; blur is worst, with 65.0 %."
    assert answers.apart(pd.DataFrame({"p_holm": [0.01, 0.2, 0.04]})).startswith("2 of 3 pairs of models")


def test_the_most_frequent_mistake_and_where_two_models_differ():
    fear, sad, happy = (EXPRESSIONS.index(name) for name in ("fear", "sad", "happy"))
    truth = [fear] * 10 + [happy] * 20
    first = label_cells(*map(pd.Series, (truth, [fear] * 6 + [sad] * 3 + [happy] + [happy] * 18 + [sad] * 2)))
    often = label_cells(*map(pd.Series, (truth, [fear] * 7 + [sad] * 3 + [happy] * 16 + [sad] * 4)))
    said, cell = answers.confusion(often, "A")
    assert said.startswith("A calls 20 % of the happy faces sad (4 of 20), its most frequent mistake"), "not 3 of 10"
    said, cell = answers.confusion(first, "A")
    assert said.startswith("A calls 30 % of the fear faces sad (3 of 10), its most frequent mistake. It calls 60 % of")
    assert answers.confusion_cell(first, "A", ("angry", "sad")) == "A calls – of the angry faces sad (0 of 0)."
    assert cell == ("fear", "sad")
    second = label_cells(*map(pd.Series, (truth, [fear] * 10 + [happy] * 20)))
    both = first.assign(rate=first["rate"] - second["rate"])
    assert answers.differing(both, "A", "B") == "Of 100 fear faces, A calls 40 fewer fear than B."


def test_classes_and_labels():
    counts = pd.DataFrame([[8, 1, 0], [22, 3, 6]], index=["Training", "Test"], columns=["happy", "disgust", "fear"])
    assert answers.classes(counts).startswith("Happy is 7.5 times as frequent as disgust: 30 faces against 4. Always")
    assert answers.classes(counts).endswith("happy is right on 75 %.")
    said = answers.copies({"exact": 1234, "near": 56, "across": 7})
    assert "1,234 pairs of faces" in said and "56 more" in said and "In 7 of the pairs" in said
    columns = ["actual", "predicted", "count", "rate"]
    cells = [("sad", "sad", 6, 0.6), ("sad", "fear", 4, 0.4), ("fear", "fear", 10, 0.5), ("fear", "sad", 10, 0.5)]
    said = answers.labels(pd.DataFrame(cells, columns=columns))
    assert said.endswith("say on 53.3 % of the faces; for fear only on 50 %.")


def test_a_gap_that_chance_does_not_explain_comes_before_a_larger_one():
    columns = ["rate", "expression", "highest", "highest_value", "lowest", "lowest_value", "gap", "p_holm"]
    rows = [
        ("recall", "fear", "old", 0.9, "young", 0.3, 0.6, 0.2),
        ("recall", "sad", "old", 0.8, "young", 0.5, 0.3, 0.01),
    ]
    gaps = pd.DataFrame(rows, columns=columns)
    said = "Age: sad is found in 50 % of the faces that are “young”, and 80 % of those that are “old”. Chance does not"
    assert answers.gap(gaps, "Age").startswith(said)
    assert "Chance can explain" in answers.gap(gaps.head(1), "Age")
    assert "no two groups" in answers.gap(gaps.head(0), "Age")


def test_where_a_prediction_changes_most():
    columns = ["change", "group", "value"]
    rows = [("blurred", "old", 0.9), ("blurred", "young", 0.8), ("turned", "old", 0.5), ("turned", "young", 0.7)]
    rates = pd.DataFrame(rows, columns=columns)
    said = "Age: after the change “turned”, 50 % of the faces that are “old” keep their prediction, and 70 % of those"
    assert answers.consistency(rates, "Age").startswith(said)
    said = "50 % of the faces that are “old” keep their prediction after the change “turned”"
    assert answers.consistency(rates[rates["group"] == "old"], "Age").startswith(said)
    assert answers.consistency(rates.assign(group="").head(1), "").startswith("90 % of the faces keep their prediction")


def test_faces_that_pass_that_are_hard_and_that_fail():
    assert answers.faces(15, 2130) == "15 of 2,130 faces"
    assert answers.faces(1, 2, ["dark", "sad"]) == "1 of 2 faces · dark · sad"
    assert answers.hardest("all wrong", 120, of=3589) == "All models are wrong: 120 of 3,589 faces"
    assert answers.hardest("divided", 3589, of=3589) == "Models are divided: most different answers first"
    leaves = pd.DataFrame(
        {"where": ["dark", "bright"], "faces": [1000, 3000], "wrong": [600, 600], "value": [0.6, 0.2]}
    )
    assert answers.failures(leaves) == (
        "The model is wrong on 30 % of these faces, and most often where dark: on 60 % of 1,000 faces."
    )


def test_calculations_in_words():
    row = {"true_positives": 3, "false_positives": 1, "false_negatives": 2, "true_negatives": 4}
    row |= {"precision": 0.75, "recall": 0.6, "f1": 2 / 3}
    said = worked.at_threshold(pd.Series(row), "sad")
    assert said["Precision"] == ("75.0 %", "3 / (3 + 1) = 75.0 %.")
    assert said["F1"][0] == "66.7 %"
    assert said["True / false positives"][1].startswith("Of 5 faces of sad, 3 are predicted as sad")
    row = pd.Series({"log_loss": 0.7, "brier": 0.4, "ece": 0.05, "floor": 0.02, "floor_low": 0.01, "floor_high": 0.03})
    row["against_floor"], row["fitted_on"] = "above", None
    bins = pd.DataFrame({"from": [0.0, 0.5], "to": [0.5, 1.0], "accuracy": [0.3, 0.9], "confidence": [0.4, 0.8]})
    said = worked.calibration(row, bins.assign(share=[0.2, 0.8]))
    assert said["Log loss"][1].startswith("exp(−0.700) = 0.497")
    assert said["Brier score"][1].endswith("gives 0.857.")
    assert "|90.0 − 80.0| × 0.800 of the faces = 8.0 %" in said["Calibration error (ECE)"][1]
    assert "is above what" in worked.against_floor(row)
    assert worked.with_temperature(row).startswith("No temperature")
