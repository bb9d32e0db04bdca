import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics import paper
from fer_core.metrics.core import measure_models
from fer_core.metrics.intervals import Interval
from fer_core.metrics.paper import (
    F1_BY_CLASS,
    FINAL,
    OVERALL,
    PUBLISHED,
    paper_contradictions,
    paper_f1,
    paper_marks,
    paper_notes,
    paper_overall,
    paper_recomputed,
)
from fer_core.store.folders import promoted
from tests.made_up_store import add_model

PAPER = Path(__file__).parents[2] / ".." / "shared" / "paper.txt"
NAMES = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")


@pytest.fixture(scope="module")
def text() -> str:
    if not PAPER.exists():
        if os.environ.get("FER_REQUIRE_ALL") == "1":
            pytest.fail(f"FER_REQUIRE_ALL=1, but {PAPER} is not there")
        pytest.skip("the paper's text is not beside the repository")
    return PAPER.read_text(encoding="utf-8")


def _figures(text: str) -> dict[int, list[list[str]]]:
    """Return the tables' rows as printed, by the number of the figure whose caption follows."""
    tables, rows = {}, []
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("| ").split("|")])
        elif rows and (caption := re.search(r"Figure (\d+)", line)):
            tables[int(caption[1])], rows = rows[2:], []
    return tables


def _printed(value: float) -> str:
    return repr(float(value)).rstrip("0")


def test_every_table_is_transcribed_to_the_digit(text):
    printed = _figures(text)
    assert sorted(printed) == [5, 6, 11, 12, 13, 14, 15, 16]
    ours = {figure: [] for figure in printed}
    for row in OVERALL:
        ours[row.figure].append([row.name, row.accuracy, row.roc_auc, row.avg_tpr, row.avg_fpr, row.macro_f1])
    for row in F1_BY_CLASS:
        ours[row.figure].append([row.name, *row.f1])
    for figure, rows in printed.items():
        assert [[r[0], *map(_printed, r[1:])] for r in ours[figure]] == [
            [r[0], *(cell.rstrip("0") for cell in r[1:])] for r in rows
        ]


def test_the_classification_report_is_transcribed_to_the_digit(text):
    body = text[text.index("## Classification Report: ") : text.index("ROC AUC: 0.876")].replace("```", "")
    body = "{" + body.split("{", 1)[1].strip().replace("'", '"')
    report = json.loads(body, parse_float=str)
    for index, name in enumerate(NAMES):
        for key in ("precision", "recall", "support"):
            assert repr(FINAL[key][index]) == str(report[name][key])


def test_quotations_are_verbatim_and_numbers_are_printed(text):
    plain = " ".join(text.replace("\\", "").replace("`", "").split())
    for item in paper.CONTRADICTIONS:
        for statement in item.statements:
            if isinstance(statement.value, str):
                assert statement.value in plain, statement
            elif not re.search(r"possible|recomputed|mean of|/ 7", statement.where):
                assert re.search(rf"(?<![\d.]){re.escape(repr(statement.value))}0*(?!\d)", plain), statement


def test_numbers_stand_in_the_figures_they_are_said_to():
    """A statement's number about figures is in every figure that it names."""
    for item in paper.CONTRADICTIONS:
        for statement in item.statements:
            if isinstance(statement.value, str) or re.search(r"possible|mean of|/ 7", statement.where):
                continue
            head = re.match(r"figures? ([\d, ]+)", statement.where)
            for figure in re.findall(r"\d+", head[1]) if head else ():
                rows = [r for r in (*OVERALL, *F1_BY_CLASS) if r.figure == int(figure)]
                numbers = [v for r in rows for f in r for v in (f if isinstance(f, tuple) else (f,))]
                assert statement.value in numbers, statement


def test_contradictions_are_complete_and_well_formed():
    variants = set(paper.VARIANTS.values())
    topics = [item.topic for item in paper.CONTRADICTIONS]
    assert len(set(topics)) == len(topics)
    for item in paper.CONTRADICTIONS:
        assert set(item.variants) <= variants
        assert len(item.statements) >= 2
        assert len({statement.value for statement in item.statements}) >= 2
        assert item.note.endswith(".")
    notes = paper_notes("resnet50_frozen")
    assert "how the data was split" in notes
    assert "accuracy of VGG16_modified" not in notes


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


def _possible_range(
    metric: str,
    f1: Sequence[float],
    accuracy: float | None = None,
    support: Sequence[int] = FINAL["support"],
    rounding: float = 5e-5,
    by_size: bool = False,
) -> Interval | None:
    """Return the range of a metric over all confusion matrices that have these F1 scores (and this accuracy).

    A linear program over the true positives and predicted counts of each class: F1 and accuracy within rounding,
    predicted counts that sum to all faces, no class with more hits than rows or predictions, no more false positives
    than the other classes have misses. Fractions of faces are allowed, so the range is never too narrow: a reported
    value outside it cannot come from the same predictions on the same faces.

    Args:
        metric: "accuracy", "avg_tpr" or "avg_fpr".
        f1: F1 of each expression, as printed.
        accuracy: as printed; None to leave it open.
        support: faces of each expression; default: PublicTest's.
        rounding: half a unit of the last printed digit.
        by_size: whether Avg FPR is weighted by the faces of each class instead of a plain mean.

    Returns:
        The range, or None if no confusion matrix has these F1 scores and this accuracy.
    """
    rows = np.array(support, dtype=float)
    n, k, same = rows.sum(), len(rows), np.eye(len(rows))
    printed, zero = np.array(f1, dtype=float), np.zeros(len(rows))
    high, low = printed + rounding, printed - rounding
    others = n - rows
    above = [  # columns: hits (k), predicted (k)
        np.c_[2 * same, -np.diag(high)],  # 2 hits <= high (rows + predicted)
        np.c_[-2 * same, np.diag(low)],  # 2 hits >= low (rows + predicted)
        np.c_[same, -same],  # hits <= predicted
        np.c_[(1 - same) - same, same],  # predicted - hits <= sum over the others of (rows - hits)
    ]
    limits = [high * rows, -low * rows, zero, others]
    if accuracy is not None:
        share = np.r_[np.ones(k) / n, zero]
        above += [share[None], -share[None]]
        limits += [np.array([accuracy + rounding]), np.array([rounding - accuracy])]
    weights = rows / n if by_size else np.full(k, 1 / k)
    objective = {
        "accuracy": np.r_[np.ones(k) / n, zero],
        "avg_tpr": np.r_[1 / rows / k, zero],
        "avg_fpr": np.r_[-weights / others, weights / others],
    }[metric]
    bounds = [(0, size) for size in rows] + [(0, n)] * k
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * objective,
            A_ub=np.concatenate(above),
            b_ub=np.concatenate(limits),
            A_eq=[np.r_[zero, np.ones(k)]],
            b_eq=[n],
            bounds=bounds,
        )
        if not found.success:
            return None
        ends.append(sign * float(found.fun))
    return Interval(*ends)


def test_impossible_numbers_lie_outside_the_recomputed_range():
    impossible = {item.topic: item for item in paper.CONTRADICTIONS if item.kind == "impossible"}
    assert set(impossible) == {topic for topic, _ in RANGES}
    for (topic, metric), (figure, name, accuracy) in RANGES.items():
        f1 = next(row.f1 for row in F1_BY_CLASS if (row.figure, row.name) == (figure, name))
        possible = _possible_range(metric, f1, accuracy)
        ends = {s.where.split("possible")[0].split()[-1]: s.value for s in impossible[topic].statements[-2:]}
        assert (ends["lowest"], ends["highest"]) == pytest.approx((possible.low, possible.high), abs=5.1e-5)
        said = impossible[topic].statements[0].value
        assert said < possible.low - 5e-5 or said > possible.high + 5e-5


def test_what_is_impossible_as_a_plain_mean_and_possible_as_a_weighted_one():
    """A recall weighted by class size is the accuracy."""
    impossible = {item.topic: item for item in paper.CONTRADICTIONS if item.kind == "impossible"}
    possible = {}
    for (topic, metric), (figure, name, accuracy) in RANGES.items():
        if metric != "accuracy":
            f1 = next(row.f1 for row in F1_BY_CLASS if (row.figure, row.name) == (figure, name))
            weighted = "accuracy" if metric == "avg_tpr" else metric
            possible[topic] = _possible_range(weighted, f1, accuracy, by_size=True)
            inside = impossible[topic].statements[0].value in possible[topic]
            assert inside == ("weighted by class size can be so" in impossible[topic].note), topic
            assert "plain mean" in impossible[topic].note
    assert possible["Avg FPR of VGG16_freezed against its accuracy"].low == pytest.approx(0.0789, abs=5e-5)
    assert "three of the four values of Avg FPR are possible" in paper.PLAIN_MEANS


def test_vgg16_modified_recomputed_from_section_4_5():
    """The classification report states the accuracy and the macro averages itself; the figures print others."""
    again = paper.recompute_vgg16_modified()
    assert again["accuracy"] == pytest.approx(0.6163276678740597, rel=1e-15)
    assert again["macro_f1"] == pytest.approx(0.6031509581846758, rel=1e-15)
    assert again["avg_tpr"] == pytest.approx(0.5976325969508828, rel=1e-15)
    assert again["avg_fpr"] == pytest.approx(0.0656, abs=5e-5)
    table = paper_recomputed().set_index("metric")
    assert table.loc["Macro F1", "recomputed"] == again["macro_f1"]
    assert table.loc["Accuracy", "figure 11"] == 0.584
    assert float(np.float32(2096 / 3589)) == pytest.approx(0.584006667137146, abs=1e-15), "section 4.5, Accuracy"


def test_numbers_from_the_paper_without_its_text():
    """Typed from the printed tables; the text is not everywhere."""
    values = {(row.figure, row.name): row for row in OVERALL}
    assert len(values) == len(F1_BY_CLASS) == 10
    assert values[5, "ResNet50_freezed"][2:] == (0.4823, 0.7984, 0.4821, 0.0853, 0.458)
    assert F1_BY_CLASS[6].f1 == (0.5127, 0.1333, 0.4302, 0.7998, 0.5164, 0.7266, 0.5435)
    assert FINAL["support"] == [467, 56, 496, 895, 653, 415, 607]
    assert (FINAL["precision"][3], FINAL["recall"][3]) == (0.8251497005988024, 0.7698324022346369)
    assert len(paper.CONTRADICTIONS) == 24
    (split,) = [item for item in paper.CONTRADICTIONS if item.topic == "how the data was split"]
    assert split.variants == ()
    assert split.statements[0] == ("section 3.1", "private testing (validation), and public testing (test)")


def test_entries_are_of_known_models_and_numbers_are_shares():
    assert {row.name for row in (*OVERALL, *F1_BY_CLASS)} <= set(paper.VARIANTS)
    assert all(len(row.f1) == len(EXPRESSIONS) for row in F1_BY_CLASS)
    numbers = [number for row in OVERALL for number in row[2:]] + [number for row in F1_BY_CLASS for number in row.f1]
    assert all(isinstance(number, float) and 0 <= number <= 1 for number in numbers)


def test_names_map_onto_the_eight_variants():
    assert set(paper.VARIANTS.values()) == {
        "mobilenetv2_frozen", "vgg16_frozen", "xception_frozen", "resnet50_frozen",
        "mobilenetv2_modified", "vgg16_modified", "vgg16_modified_noise", "vgg16_modified_face",
    }  # fmt: skip
    assert {paper.VARIANTS[row.name] for row in OVERALL} == set(paper.VARIANTS.values())
    assert {paper.VARIANTS[row.name] for row in F1_BY_CLASS} == set(paper.VARIANTS.values())
    assert [row.avg_tpr for row in paper.reported("vgg16_modified")] == [0.5976, 0.5357, 0.6021]
    assert paper.reported("compact_cnn") == ()
    assert [name.lower() for name in NAMES] == list(EXPRESSIONS)


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


def test_every_claim_is_a_percentage_with_its_source():
    for one in PUBLISHED:
        assert 50 < one.claimed < 100
        assert "20" in one.source  # a year
        assert "](https://" in one.source
        assert bool(one.reproduced) == ("](https://" in one.reproduced_source)


def test_the_reproductions_that_users_report_are_lower():
    known = {one.what: one for one in PUBLISHED}
    for name, reported in (("ResEmoteNet", "65.9"), ("Residual Masking Network (RMN)", "65.6")):
        assert known[name].reproduced.startswith(reported)
