import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from choreographer.browsers.chromium import Chromium
from choreographer.channels import ChannelClosedError
from PIL import Image
from plotly.offline import get_plotlyjs
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.figures.scores import class_scores
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.sections.html import render, still, write_png
from fer_core.sections.results import Results, build_report
from fer_core.sections.sections import SECTIONS
from fer_core.store import folders
from fer_core.store.folders import list_models, promoted
from fer_core.types import FerError
from tests.made_up_store import add_model, add_models

SCRIPT = "<script>alert(1)</script>"
LINK = '<a href="https://example.org">here</a>'


class Reader(HTMLParser):
    """Collects what tests ask about: tags with their attributes, scripts, rows of tables, and errors of nesting."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.tables, self.open, self.wrong = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def run(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.fixture
def made_up(home, tmp_path, monkeypatch):
    """An empty store; no model is shipped."""
    monkeypatch.setattr(folders, "SHIPPED", tmp_path / "shipped")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The report on three made-up models, and its page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(folders, "SHIPPED", tmp_path_factory.mktemp("shipped"))
        report = build_report(add_models(promoted()), "PublicTest")
    return report, render(report)


def figures(reader):
    """Return the data of each chart by its name."""
    names = [attributes["data-name"] for _, attributes in reader.tags if "data-name" in attributes]
    data = [json.loads(script) for script in reader.scripts if script.startswith('{"wide"')]
    return dict(zip(names, data, strict=True))


def drawn_words(part, shown=False):
    """Yield every text of a figure that Plotly draws."""
    if isinstance(part, str) and shown:
        yield part
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        words = {"name", "text", "ticktext", "hovertext", "hovertemplate", "texttemplate", "customdata"}
        yield from drawn_words(value, key in words or (shown and isinstance(part, list)))


def test_one_file_for_chosen_models(made_up, tmp_path):
    add_models(promoted())
    add_model(promoted(), "tricky", title=SCRIPT)
    out, csv = tmp_path / "deep" / "report.html", tmp_path / "tables"
    chosen = ("able", "weak", "tricky", "--ensemble", "weighted", "--split", "PrivateTest")
    result = run(*chosen, "--out", out, "--csv", csv)
    assert result.exit_code == 0, result.output
    text = out.read_text(encoding="utf-8")
    for words in ("The able one", "The weak one", "Ensemble of 3 (weighted)", "Low light", "not trained here yet"):
        assert words in text, words
    assert "The fair one" not in text
    tables = {path.stem: pd.read_csv(path) for path in csv.glob("*.csv")}
    assert set(tables) == {
        "calibration", "class_f1", "classification_reports", "confusion", "curves", "pairs", "paper",
        "paper_changes", "paper_claims",
        "paper_contradictions", "paper_f1", "paper_report", "reliability", "robustness",
        "scoreboard", "thresholds", "training",
    }  # fmt: skip
    assert len(tables["scoreboard"]) == 4
    assert set(tables["scoreboard"]["split"]) == {"PrivateTest"}
    assert len(tables["pairs"]) == 6
    assert tables["robustness"].groupby("name").size().to_dict() == {"able": 26, "tricky": 26, "weak": 26}
    assert tables["confusion"].groupby("name")["count"].sum().eq(105).all()


def test_the_page_is_whole_needs_nothing_else_and_has_words_for_every_chart(three):
    _, text = three
    reader = Reader(text)
    assert not reader.wrong
    assert not reader.open
    assert text.count(get_plotlyjs()) == 1
    rest = text.replace(get_plotlyjs(), "")
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//|https?://|cdn|mathjax|@import""", rest, re.IGNORECASE)
    anchors = {f"#{attributes['id']}" for _, attributes in reader.tags if "id" in attributes}
    assert {attributes["href"] for tag, attributes in reader.tags if tag == "a"} == anchors
    (policy,) = [a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    drawn = figures(reader)
    assert set(drawn) == {
        "accuracy", "f1-by-expression", *(f"roc-pr-{name}" for name in EXPRESSIONS), "reliability", "robustness",
        "significance", "confusion-able", "confusion-fair", "confusion-weak", "training", "paper-accuracy",
    }  # fmt: skip
    words = {attributes["aria-label"] for tag, attributes in reader.tags if tag == "figure"}
    assert len(words) == len(drawn) and min(map(len, words)) > 20


def test_tables_have_the_numbers_of_the_report(three):
    report, text = three
    tables = Reader(text).tables
    board = report.tables["scoreboard"]
    head, *rows = tables[0]
    assert head == ["Model", "Accuracy", "Macro F1", "ROC AUC", "Avg TPR", "Avg FPR", "ECE", "Accuracy, degraded"]
    assert [row[0] for row in rows] == list(board["model"])
    for row, known in zip(rows, board.itertuples(), strict=True):
        number, interval = row[1].split("\n")
        assert number == f"{100 * known.accuracy:.1f} %"
        assert interval == known.accuracy_interval
        assert row[-1] == f"{100 * known.degraded_accuracy:.1f} %"
    f1 = report.tables["class_f1"].set_index(["model", "expression"])["f1"]
    for row in tables[2][1:]:
        assert row[1] == f"{100 * f1[row[0], 'angry']:.1f} %"
    (calibration,) = [table for table in tables if "Noise floor" in table[0]]
    known = report.tables["calibration"].set_index("model")
    for row in calibration[1:]:
        one, cells = known.loc[row[0]], dict(zip(calibration[0], row, strict=True))
        assert cells["Brier score"] == f"{one['brier']:.4f}"
        assert cells["ECE"] == f"{100 * one['ece']:.1f} %\n{one['against_floor']}"
        ends = f"{100 * one['floor_low']:.1f} – {100 * one['floor_high']:.1f} %"
        assert cells["Noise floor"] == f"{100 * one['floor']:.1f} %\n{ends}"
        assert cells["Log loss with T"] == f"{one['log_loss_scaled']:.4f}"
    (pairs,) = [table for table in tables if table[0][0] == "First"]
    assert len(pairs) == 1 + len(report.tables["pairs"])


def test_a_title_is_shown_not_followed(made_up, three):
    titles = [SCRIPT + LINK, '"><img src=x onerror=alert(1)></script><b> a & b']
    for place, title in enumerate(titles):
        add_model(promoted(), f"tricky{place}", title=title)
    reader, harmless = Reader(render(build_report(list_models()[0], "PublicTest"))), Reader(three[1])
    assert not reader.wrong
    assert {tag for tag, _ in reader.tags} == {tag for tag, _ in harmless.tags}
    assert [found for tag, found in reader.tags if tag == "a"] == [found for tag, found in harmless.tags if tag == "a"]
    assert {row[0] for row in reader.tables[0]} == {"Model", *titles}
    shown = {words for chart in figures(reader).values() for words in drawn_words(chart)}
    assert [words for words in shown if re.search(r"<(?!/?b>|br>|/?extra>)", words)] == []  # Plotly follows tags
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in words for words in shown)


def test_all_charts_give_a_model_one_colour_and_show_the_same_ones_at_first(made_up):
    models = [add_model(promoted(), f"m{place}", skill=1 + place / 4) for place in range(1, 8)]
    models.insert(0, add_model(promoted(), "m0", skill=1, weights_from="utkface"))
    report = build_report(models, "PublicTest")
    assert report.front == [f"The m{place} one" for place in (4, 3, 2, 1, 0)]
    colours: dict[str, set[str]] = {}
    reader = Reader(text := render(report))
    assert text.count("non-commercial research") == 1
    for name, chart in figures(reader).items():
        for trace in chart["wide"]["data"]:
            if trace.get("name", "").startswith("The ") and name != "paper-accuracy":
                look = {**trace.get("marker", {}), **trace.get("line", {})}
                colours.setdefault(trace["name"], set()).add(look["color"])
                assert (trace.get("visible", True) is True) == (trace["name"] in report.front), name
    assert [len(found) for found in colours.values()] == [1] * 8
    whole = class_scores(report.class_f1, models=report.titles, front=report.front)
    picture = still(whole)  # which shows no model that needs a click
    assert [trace.name for trace in picture.data] == [title for title in report.titles if title in report.front]


def test_one_model_alone_and_a_broken_one(made_up, tmp_path):
    path = add_model(promoted(), "able", history=False, degraded=False).folder / "predictions.parquet"
    table = pd.read_parquet(path)
    table[table["split"] == "public_test"].to_parquet(path)
    (add_model(promoted(), "bad", degraded=False).folder / "predictions.parquet").write_bytes(b"PAR1")
    out = tmp_path / "report.html"
    result = run("--out", out)
    assert result.exit_code == 0, result.output
    assert "bad" in result.output
    text = out.read_text(encoding="utf-8")
    assert "No temperature T: there are no predictions of the other test split" in text
    assert "Significance" not in text and "Robustness" not in text
    assert "predictions.parquet of bad is damaged" in text
    (curves,) = [trace for trace in figures(Reader(text))["training"]["wide"]["data"] if trace.get("showlegend")]
    assert (curves["name"], curves["visible"]) == ("The bad one", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "no trained model of that name"),
        (["--split", "Training"], "Expected --split to be one of PublicTest, PrivateTest"),
        (["able", "--ensemble", "mean"], "at least two"),
        ([], "no trained model"),
    ],
)
def test_what_cannot_be_done_says_so(made_up, tmp_path, arguments, message):
    if arguments:
        add_models(promoted())
    result = run(*arguments, "--out", tmp_path / "report.html")
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("skill", [1.0, 4.0])  # the worst and the best of three
def test_answers_without_probabilities_have_no_calibration(made_up, skill):
    models = [*add_models(promoted())[:2], add_model(promoted(), "sure", skill)]
    answers = load_predictions(models, "PublicTest", "plain")[0]
    answers.probabilities["sure"] = np.eye(7)[answers.probabilities["sure"].argmax(axis=1)]
    results = Results(models, answers)
    assert set(results.graded_titles) == {model.title for model in models[:2]}
    assert results.ranked.index(models[2].title) == (0 if skill == 4.0 else 2)
    text = render(results)
    assert models[2].title in text and "Reliability diagram" in text


@pytest.mark.slow
def test_the_shipped_models_fit_into_8_megabytes(home):
    text = render(build_report(list_models()[0], "PublicTest", fusion="exponential"))
    assert len(text.encode()) < 8e6
    assert len(figures(Reader(text))) > 25


@pytest.mark.browser
def test_every_chart_becomes_a_picture(made_up, tmp_path, monkeypatch, chromium):
    monkeypatch.setenv("BROWSER_PATH", chromium)
    models = [add_model(promoted(), "able"), add_model(promoted(), "weak", skill=1.0)]
    result = run("--out", tmp_path / "report.html", "--png", tmp_path / "pictures")
    assert result.exit_code == 0, result.output
    results = build_report(models, "PublicTest")
    charts = [chart for make in SECTIONS for chart in make(results).charts]
    assert f"Wrote {len(charts)} pictures" in result.output
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} == {chart.name for chart in charts}
    for chart in charts:
        with Image.open(tmp_path / "pictures" / f"{chart.name}.png") as picture:
            assert picture.width == 2 * (chart.width + 32), chart.name
            assert len(picture.getcolors(1 << 20)) > 8, chart.name  # not empty
            assert picture.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("browser", "message"),
    [
        ("", "need Chromium or Chrome, but none was found"),
        ("/nowhere/chromium", "BROWSER_PATH names /nowhere/chromium, which is not a program"),
        ("/bin/true", "The browser did not draw the charts"),
    ],
)
def test_without_a_browser_it_says_what_to_do(made_up, tmp_path, monkeypatch, browser, message):
    monkeypatch.setenv("BROWSER_PATH", browser)
    if not browser:
        monkeypatch.delenv("BROWSER_PATH")
        monkeypatch.setattr(Chromium, "find_browser", lambda **_: None)
    add_model(promoted(), "able", history=False, degraded=False)
    result = run("--out", tmp_path / "report.html", "--png", tmp_path / "pictures")
    assert result.exit_code == 1
    assert message in (words := " ".join(result.output.split()))
    assert "BROWSER_PATH" in words
    assert (tmp_path / "report.html").is_file()
    assert not list((tmp_path / "pictures").iterdir())


def test_a_browser_that_ends_and_a_folder_that_cannot_be_written_say_so(three, tmp_path, monkeypatch):
    report, _ = three
    monkeypatch.setattr("fer_core.sections.html.SECTIONS", SECTIONS[:1])
    (tmp_path / "file").write_text("a file")
    with pytest.raises(FerError, match="cannot be written"):
        write_png(report, tmp_path / "file")
    for error in (ChannelClosedError("closed"), BrokenPipeError(32, "Broken pipe"), TimeoutError()):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr("kaleido.write_fig_from_object_sync", fail)
        with pytest.raises(FerError, match="The browser did not draw the charts"):
            write_png(report, tmp_path)
