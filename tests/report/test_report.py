"""The report: one file that needs nothing else, and every table as CSV."""

import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from fer_core import figures, store
from fer_core.cli import app
from fer_core.report.html import svg_figure
from fer_core.store import promoted
from tests.made_up_store import add_model, add_models


@pytest.fixture(autouse=True)
def made_up(home, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")


def run(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_one_file_for_chosen_models(tmp_path):
    add_models(promoted())
    add_model(promoted(), "tricky", title="<script>alert(1)</script>")
    out, csv = tmp_path / "deep" / "report.html", tmp_path / "tables"
    result = run(
        "able", "weak", "tricky", "--out", out, "--csv", csv, "--ensemble", "weighted", "--split", "PrivateTest"
    )
    assert result.exit_code == 0, result.output
    text = out.read_text(encoding="utf-8")
    outside = set(re.findall(r"""(?:https?:)?//[^\s"'<>)]+""", text))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in text
    assert not re.findall(r"<(?:img|link|iframe)\b|@import|url\((?![\"\']?#)", text)
    for words in ("PrivateTest", "The able one", "The weak one", "Ensemble of 3 (weighted)", "Significance",
                  "Calibration", "Robustness", "Low light",
                  "Confusion", "Training", "not trained here yet", "reported, figure 11"):  # fmt: skip
        assert words in text, words
    assert "The fair one" not in text
    assert text.count("<svg") >= 7 * 2 + 4
    tables = {path.stem: pd.read_csv(path) for path in csv.glob("*.csv")}
    assert set(tables) == {
        "calibration", "class_f1", "confusion", "curves", "pairs", "paper", "paper_contradictions", "paper_f1",
        "paper_recomputed", "reliability", "robustness", "scoreboard", "thresholds", "training",
    }  # fmt: skip
    assert len(tables["scoreboard"]) == 4
    assert set(tables["scoreboard"]["split"]) == {"PrivateTest"}
    assert len(tables["pairs"]) == 6
    assert tables["robustness"].groupby("name").size().to_dict() == {"able": 26, "tricky": 26, "weak": 26}
    assert tables["confusion"].groupby("name")["count"].sum().eq(105).all()


def test_one_model_alone_and_a_broken_one(tmp_path):
    add_model(promoted(), "able", history=False, degraded=False)
    (add_model(promoted(), "bad", degraded=False).folder / "predictions.parquet").write_bytes(b"PAR1")
    out = tmp_path / "report.html"
    result = run("--out", out)
    assert result.exit_code == 0, result.output
    assert "bad" in result.output
    text = out.read_text(encoding="utf-8")
    assert "Significance" not in text
    assert "Robustness" not in text
    assert "The model bad is left out" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "no trained model of that name"),
        (["--split", "Training"], "Expected --split to be one of PublicTest, PrivateTest"),
        (["--view", "twice"], "Expected --view"),
        (["--ensemble", "vote"], "Expected --ensemble"),
        (["able", "--ensemble", "mean"], "at least two"),
    ],
)
def test_what_cannot_be_done_says_so(tmp_path, arguments, message):
    add_models(promoted())
    result = run(*arguments, "--out", tmp_path / "report.html")
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "report.html").exists()


def test_an_empty_store_says_so(tmp_path):
    result = run("--out", tmp_path / "report.html")
    assert result.exit_code == 1
    assert "no trained model" in result.output


def test_figures_need_nothing_from_outside():
    chart = figures.probability_bars([0.1, 0, 0, 0.9, 0, 0, 0])
    drawn = svg_figure(chart, 300, 'ROC of "fear" <b>')
    assert drawn.startswith('<figure role="img" aria-label="ROC of &quot;fear&quot; &lt;b&gt;"><svg')
    assert "<script" not in drawn
    assert 'id="clip' not in drawn
