import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics import paper
from fer_core.metrics.core import measure_models
from fer_core.metrics.intervals import Interval
from fer_core.metrics.paper import F1_BY_CLASS, FINAL, IN_PACKAGES, OVERALL, PUBLISHED, paper_f1, paper_overall
from fer_core.models import model_names
from fer_core.store.folders import promoted
from tests.conftest import missing
from tests.made_up_store import add_model

PAPER = Path(__file__).parents[2] / ".." / "shared" / "paper.txt"
NAMES = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
CONTRADICTIONS = [item for items in paper.CONTRADICTIONS.values() for item in items]
STATEMENTS = [(where, value) for item in CONTRADICTIONS for where, value in item["statements"]]


@pytest.fixture(scope="module")
def text() -> str:
    return PAPER.read_text(encoding="utf-8") if PAPER.exists() else missing(f"needs the paper's text, {PAPER}")


def test_every_table_is_transcribed_to_the_digit(text):
    printed, rows = {}, []  # by the number of the figure whose caption follows
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("| ").split("|")])
        elif rows and (caption := re.search(r"Figure (\d+)", line)):
            printed[int(caption[1])], rows = rows[2:], []
    assert sorted(printed) == [5, 6, 11, 12, 13, 14, 15, 16]
    ours = {figure: [] for figure in printed}
    for row in OVERALL:
        ours[row.figure].append([row.name, row.accuracy, row.roc_auc, row.avg_tpr, row.avg_fpr, row.macro_f1])
    for row in F1_BY_CLASS:
        ours[row["figure"]].append([row["name"], *row["f1"]])
    for figure, rows in printed.items():
        assert [[name, *(repr(float(value)).rstrip("0") for value in values)] for name, *values in ours[figure]] == [
            [name, *(cell.rstrip("0") for cell in cells)] for name, *cells in rows
        ]


def test_the_classification_report_is_transcribed_to_the_digit(text):
    body = text[text.index("## Classification Report: ") : text.index("ROC AUC: 0.876")].replace("```", "")
    body = "{" + body.split("{", 1)[1].strip().replace("'", '"')
    report = json.loads(body, parse_float=str)
    printed = paper.paper_report().set_index("expression")
    for index, name in enumerate(NAMES):
        for key in ("precision", "recall", "support", "f1"):
            assert repr(FINAL[key][index]) == str(report[name]["f1-score" if key == "f1" else key])
            assert printed.loc[EXPRESSIONS[index], key] == FINAL[key][index]
        rates = re.findall(rf"^{name}: ([0-9.]+)", text, re.MULTILINE)
        assert rates == [f"{FINAL[key][index]:.2f}" for key in ("tpr", "fpr")]
    for name, means in {"macro avg": FINAL["macro_avg"], "weighted avg": FINAL["weighted_avg"]}.items():
        assert [repr(mean) for mean in means] == [report[name][key] for key in ("precision", "recall", "f1-score")]
        assert printed.loc[name, ["precision", "recall", "f1", "support"]].tolist() == [*means, report[name]["support"]]
    assert f"ROC AUC: {FINAL['roc_auc']!r}" in text
    assert [f"**Accuracy:** {FINAL['accuracy'][0]!r}" in text, repr(FINAL["accuracy"][1])] == [True, report["accuracy"]]


def test_quotations_are_verbatim_and_numbers_are_printed(text):
    plain = " ".join(text.replace("\\", "").replace("`", "").split())
    for where, value in STATEMENTS:
        if isinstance(value, str):
            assert value in plain, where
        elif not re.search(r"possible|recomputed|mean of|/ 7", where):
            assert re.search(rf"(?<![\d.]){re.escape(repr(value))}0*(?!\d)", plain), where


def test_contradictions_are_complete_and_well_formed():
    assert len({item["topic"] for item in CONTRADICTIONS}) == len(CONTRADICTIONS) == 24
    for item in CONTRADICTIONS:
        assert set(item["variants"]) <= set(paper.VARIANTS.values())
        assert len({value for _, value in item["statements"]}) >= 2
        assert item["note"].endswith(".")
    notes = paper.paper_notes("resnet50_frozen")
    assert "how the data was split" in notes
    assert "accuracy of VGG16_modified" not in notes
    assert "accuracy of VGG16_modified" in paper.paper_notes("vgg16_modified")


RANGES = {
    ("accuracy of VGG16_modified against its F1 scores", "accuracy"): (12, "VGG16_modified", None),
    ("accuracy of VGG16_mod_face against its F1 scores", "accuracy"): (16, "VGG16_mod_face", None),
    ("Avg TPR of VGG16_modified against its F1 scores", "avg_tpr"): (14, "VGG16_modified", None),
    ("Avg FPR of VGG16_freezed against its accuracy", "avg_fpr"): (6, "VGG16_frozen", 0.4784),
    ("Avg FPR of MobileNet_freezed against its accuracy and F1 scores", "avg_fpr"): (6, "MobileNet", 0.5352),
    ("Avg FPR of ResNet50_freezed against its accuracy and F1 scores", "avg_fpr"): (6, "ResNet50", 0.4823),
    ("Avg FPR of MobileNet_modified against its accuracy and F1 scores", "avg_fpr"): (
        12, "MobileNet_modified", 0.5458,
    ),
}  # fmt: skip


def _possible_range(metric: str, f1: list[float], accuracy: float | None, by_size: bool = False) -> Interval:
    """Return the range of a metric over all confusion matrices of PublicTest with these F1 scores (and accuracy).

    A linear program over the true positives and predicted counts of each class. Fractions of faces are allowed, so the
    range is never too narrow. `by_size`: Avg FPR is weighted by the faces of each class.
    """
    rows, rounding = np.array(FINAL["support"], dtype=float), 5e-5
    n, k, same, zero = rows.sum(), 7, np.eye(7), np.zeros(7)
    high, low, others = np.array(f1) + rounding, np.array(f1) - rounding, n - rows
    above = [  # columns: hits (k), predicted (k)
        np.c_[2 * same, -np.diag(high)],  # 2 hits <= high (rows + predicted)
        np.c_[-2 * same, np.diag(low)],  # 2 hits >= low (rows + predicted)
        np.c_[same, -same],  # hits <= predicted
        np.c_[(1 - same) - same, same],  # predicted - hits <= sum over the others of (rows - hits)
    ]
    limits = [high * rows, -low * rows, zero, others]
    share = np.r_[np.ones(k) / n, zero]
    if accuracy is not None:
        above += [share[None], -share[None]]
        limits += [np.array([accuracy + rounding]), np.array([rounding - accuracy])]
    weights = rows / n if by_size else np.full(k, 1 / k)
    objective = {
        "accuracy": share,
        "avg_tpr": np.r_[1 / rows / k, zero],
        "avg_fpr": np.r_[-weights / others, weights / others],
    }[metric]
    ends = []
    for sign in (1, -1):
        bounds = [(0, size) for size in rows] + [(0, n)] * k
        most, equal = (np.concatenate(above), np.concatenate(limits)), ([np.r_[zero, np.ones(k)]], [n])
        solution = linprog(sign * objective, *most, *equal, bounds)
        assert solution.success
        ends.append(sign * float(solution.fun))
    return Interval(*ends)


def test_impossible_numbers_lie_outside_the_recomputed_range():
    """Some are possible as a mean weighted by class size; a recall weighted so is the accuracy."""
    impossible = {item["topic"]: item for item in paper.CONTRADICTIONS["impossible"]}
    assert set(impossible) == {topic for topic, _ in RANGES}
    for (topic, metric), (figure, name, accuracy) in RANGES.items():
        f1 = next(row["f1"] for row in F1_BY_CLASS if (row["figure"], row["name"]) == (figure, name))
        possible, item = _possible_range(metric, f1, accuracy), impossible[topic]
        ends = {where.split("possible")[0].split()[-1]: value for where, value in item["statements"][-2:]}
        assert (ends["lowest"], ends["highest"]) == pytest.approx((possible.low, possible.high), abs=5.1e-5)
        said = item["statements"][0][1]
        assert said < possible.low - 5e-5 or said > possible.high + 5e-5
        if metric != "accuracy":
            weighted = _possible_range("accuracy" if metric == "avg_tpr" else metric, f1, accuracy, by_size=True)
            assert (said in weighted) == ("weighted by class size can be so" in item["note"]), topic
            assert "plain mean" in item["note"]
            if topic == "Avg FPR of VGG16_freezed against its accuracy":
                assert weighted.low == pytest.approx(0.0789, abs=5e-5)
    assert "three of the four values of Avg FPR are possible" in paper.PLAIN_MEANS


def test_vgg16_modified_recomputed_from_section_4_5():
    """The printed fractions determine the counts: recall times support, and hits divided by precision, are integers.

    The classification report states the accuracy and the macro averages itself; the figures print others.
    """
    support, precision, recall = (np.array(FINAL[name]) for name in ("support", "precision", "recall"))
    hits = np.rint(recall * support).astype(int)
    predicted = np.rint(hits / precision).astype(int)
    assert predicted.sum() == support.sum()
    assert hits.sum() / support.sum() == pytest.approx(FINAL["accuracy"][1], rel=1e-15)
    assert (2 * hits / (support + predicted)).mean() == pytest.approx(FINAL["macro_avg"][2], rel=1e-15)
    assert (hits / support).mean() == pytest.approx(FINAL["macro_avg"][1], rel=1e-15)
    assert ((predicted - hits) / (support.sum() - support)).mean() == pytest.approx(0.0656, abs=5e-5)
    assert float(np.float32(2096 / 3589)) == pytest.approx(FINAL["accuracy"][0], abs=1e-15), "section 4.5, Accuracy"


def test_numbers_from_the_paper_without_its_text():
    """Typed from the printed tables; the text is not everywhere."""
    values = {(row.figure, row.name): row for row in OVERALL}
    assert len(values) == len(F1_BY_CLASS) == 10
    assert values[5, "ResNet50_freezed"][2:] == (0.4823, 0.7984, 0.4821, 0.0853, 0.458)
    assert F1_BY_CLASS[6]["f1"] == [0.5127, 0.1333, 0.4302, 0.7998, 0.5164, 0.7266, 0.5435]
    assert FINAL["support"] == [467, 56, 496, 895, 653, 415, 607]
    assert (FINAL["precision"][3], FINAL["recall"][3]) == (0.8251497005988024, 0.7698324022346369)


def test_names_map_onto_the_eight_variants():
    variants = {paper.VARIANTS[row.name] for row in OVERALL}
    assert len(variants & set(model_names())) == 8
    assert {paper.VARIANTS[row["name"]] for row in F1_BY_CLASS} == variants == set(paper.VARIANTS.values())
    assert [row.avg_tpr for row in paper.reported("vgg16_modified")] == [0.5976, 0.5357, 0.6021]
    assert paper.reported("compact_cnn") == []
    assert [name.lower() for name in NAMES] == list(EXPRESSIONS)


def test_the_paper_beside_ours(models, home):
    ours = add_model(promoted(), "vgg16_modified", 2.5)
    answers, _ = load_predictions([*models, ours], "PublicTest", "plain")
    measured = measure_models(answers)
    table = paper_overall(answers, measured)
    assert (table["variant"].nunique(), len(table)) == (8, 10)
    mine = table[table["variant"] == "vgg16_modified"]
    assert mine["reported"].tolist() == ["reported, figure 11", "reported, figure 13", "reported, figure 15"]
    assert mine["avg_tpr_reported"].tolist() == [0.5976, 0.5357, 0.6021]
    assert set(mine["measured"]) == {"measured, PublicTest plain"}
    assert set(mine["accuracy_measured"]) == {measured["vgg16_modified"][0].accuracy}
    rest = table[table["variant"] != "vgg16_modified"]
    assert set(rest["measured"]) == {"not trained here yet"}
    assert rest["accuracy_measured"].isna().all()
    marks = paper.paper_marks(table, "accuracy")
    assert marks["source"].value_counts().to_dict() == {"reported": 10, "measured here": 1}
    assert set(paper_f1("vgg16_modified", measured)["model"]) == {"reported, figure 12", "measured here"}
    assert set(paper_overall(None, {})["measured"]) == {"not trained here yet"}


def test_where_imagenet_is_missing_another_source_of_weights_stands_in(models, home):
    others = [add_model(promoted(), "vgg16_frozen_utk", 2.5), add_model(promoted(), "vgg16_frozen", 1.5)]
    answers, _ = load_predictions([*models, *others], "PublicTest", "plain")
    for known, words, name in (
        (answers.only(["able", "vgg16_frozen_utk"]), ", UTKFace weights", "vgg16_frozen_utk"),
        (answers, "", "vgg16_frozen"),  # as the paper's
    ):
        measured = measure_models(known)
        mine = paper_overall(known, measured).set_index("variant").loc[["vgg16_frozen"]]
        assert set(mine["measured"]) == {f"measured, PublicTest plain{words}"}
        assert set(mine["accuracy_measured"]) == {measured[name][0].accuracy}
        assert f"measured here{words}" in set(paper_f1("vgg16_frozen", measured)["model"])
        assert f"measured here{words}" in set(paper.paper_marks(paper_overall(known, measured), "accuracy")["source"])


def test_what_is_measured_of_packages_lies_in_its_interval_of_binomial_width():
    for model in IN_PACKAGES:
        for accuracy, low, high in (model["public_test"], model["private_test"]):
            assert low < accuracy < high
            assert (high - low) == pytest.approx(2 * 1.96 * (accuracy * (1 - accuracy) / 3589) ** 0.5, rel=0.1)


def test_every_published_claim_is_a_percentage_with_its_source():
    for result in PUBLISHED:
        assert 50 < result["claimed"] < 100
        assert re.search(r"20\d\d.*\]\(https://", result["source"])
        assert bool(result.get("reproduced")) == ("](https://" in result.get("reproduced_source", ""))
