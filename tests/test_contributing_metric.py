"""What CONTRIBUTING says about metrics, carried out: Cohen's kappa with one entry of the table, and nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from fer_core.cli import app as command_line
from fer_core.columns import PROBABILITIES
from fer_core.data import load_fer2013
from fer_core.measuring.scoreboard import card_scoreboard
from fer_core.metrics.core import METRICS, Metric, bootstrap_intervals, evaluate, of_counts
from fer_core.sections.html import render
from fer_core.sections.results import build_report, write_csv
from fer_core.store import folders
from fer_core.store.card import ModelCard, Score
from fer_core.store.folders import promoted
from fer_core.store.stored_model import CARD
from tests.made_up_store import SKILLS, add_model, write_fer2013
from tests.test_contributing_dataset import page
from tests.test_floors import ROOT

SECTION = (ROOT / "docs/CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a metric")[1].split("\n## ")[0]


def kappa(counts):
    faces = counts.sum(axis=(-2, -1))
    agreed = np.trace(counts, axis1=-2, axis2=-1) / faces
    by_chance = (counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1) / faces**2
    return (agreed - by_chance) / (1 - by_chance)


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
    assert "of_counts" in SECTION
    entry = Metric(
        title="Cohen’s kappa",
        definition="Agreement beyond chance.",
        reading="1 is perfect, 0 is chance.",
        trap="It depends on the mix of expressions.",
        **of_counts(kappa),
    )
    monkeypatch.setitem(METRICS, "kappa", entry)
    return [folders.load_model(name) for name in SKILLS]


def true_and_predicted(model):
    table = model.predictions("public_test")
    return table["label"].to_numpy(), table[PROBABILITIES].to_numpy(np.float64)


def expected(model):
    labels, proba = true_and_predicted(model)
    return cohen_kappa_score(labels, proba.argmax(axis=1))


def test_compare_ranks_by_it_with_intervals_and_explains_it(models):
    app = page("compare", {"c_metric": "Cohen’s kappa"})
    assert app.get_by_key("c_metric").value == "kappa"
    board = next(frame.value for frame in app.dataframe if "kappa_low" in frame.value).set_index("name")
    for model in models:
        row = board.loc[model.name]
        assert row["kappa"] == pytest.approx(expected(model))
        assert row["kappa_low"] < row["kappa"] < row["kappa_high"]
        assert row["kappa_interval"] == f"{row['kappa_low']:.3f} – {row['kappa_high']:.3f}"
    (words,) = [block.value for block in app.markdown if block.value.startswith("**Cohen’s kappa**")]
    assert "Agreement beyond chance." in words
    assert "The able one is best" in words
    assert first_of_chart(app) == "The able one"


def first_of_chart(app):
    (chart,) = app.get("plotly_chart")
    return json.loads(chart.proto.spec)["layout"]["yaxis"]["categoryarray"][0]


def test_the_table_says_which_direction_is_better(models, monkeypatch):
    monkeypatch.setitem(METRICS, "kappa", replace(METRICS["kappa"], higher_is_better=False))
    app = page("compare", {"c_metric": "Cohen’s kappa"})
    assert any("The weak one is best" in block.value for block in app.markdown)
    assert first_of_chart(app) == "The weak one"


def test_the_report_and_its_tables_have_it(models, tmp_path):
    report = build_report(models, "PublicTest")
    text = render(report)
    assert "<th>Cohen’s kappa</th>" in text
    for model in models:
        assert f"{expected(model):.4f}" in text
    write_csv(report, tmp_path)
    head = (tmp_path / "scoreboard.csv").read_text(encoding="utf-8").splitlines()[0]
    assert {"kappa", "kappa_low", "kappa_high"} <= set(head.replace('"', "").split(","))


def test_evaluate_prints_it(models, tmp_path):
    command = ["evaluate", "able", "--data", str(tmp_path / "data" / "fer2013.csv")]
    result = CliRunner().invoke(command_line, [*command, "--json"])
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)["able"]["public_test"]["plain"]
    assert values["kappa"] == pytest.approx(expected(models[0]))
    low, high = values["kappa_interval"]
    assert low < values["kappa"] < high
    assert list(values)[:6] == ["accuracy", "macro_f1", "roc_auc", "avg_tpr", "avg_fpr", "kappa"]
    assert "Cohen’s kappa" in CliRunner().invoke(command_line, command).stdout


def test_a_card_from_before_has_a_dash(models):
    row = card_scoreboard(models)[0]
    assert 0 < row["public_test_accuracy"] < 1
    assert math.isnan(row["public_test_kappa"])
    assert row["public_test_kappa_interval"] == "–"
    assert not page("home", {}).error
    assert CliRunner().invoke(command_line, ["models"]).exit_code == 0


def test_an_undefined_metric_has_a_dash(models, tmp_path, monkeypatch):
    undefined = of_counts(lambda counts: np.full(counts.shape[:-2], np.nan))
    monkeypatch.setitem(METRICS, "kappa", replace(METRICS["kappa"], **undefined))
    result = CliRunner().invoke(command_line, ["evaluate", "able", "--data", str(tmp_path / "data" / "fer2013.csv")])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    below = lines.index(["Cohen’s", "kappa", *["–"] * 4]) + 1
    assert lines[below] == ["95", "%", "interval", *["–"] * 4]
    assert render(build_report(models, "PublicTest")).count("<td>–</td>") >= len(models)
    page("compare", {"c_metric": "Cohen’s kappa"})


def test_the_paper_does_not_report_it(models):
    app = page("compare", {"c_section": "Paper"})
    assert not any("kappa" in str(column) for frame in app.dataframe for column in frame.value)
    options = app.get_by_key("c_paper_metric").options
    assert "Avg FPR" in options
    assert "Cohen’s kappa" not in options
