"""`report --png`: one picture for each chart, by a browser that is at hand."""

import pytest
from choreographer.channels import ChannelClosedError
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.figures.scores import class_scores
from fer_core.sections.png import still
from fer_core.sections.results import build_report
from fer_core.sections.sections import SECTIONS
from fer_core.store.folders import promoted
from tests.made_up_store import add_model, add_models


def run(folder):
    pictures = folder / "pictures"
    result = CliRunner().invoke(app, ["report", "--out", str(folder / "report.html"), "--png", str(pictures)])
    return result, " ".join(result.output.split()), pictures


@pytest.mark.browser
def test_every_chart_becomes_a_picture(made_up, tmp_path, monkeypatch, chromium):
    monkeypatch.setenv("BROWSER_PATH", chromium)
    models = [add_model(promoted(), "able"), add_model(promoted(), "weak", skill=1.0)]
    result, said, pictures = run(tmp_path)
    assert result.exit_code == 0, said
    results = build_report(models, "PublicTest")
    charts = [chart for make in SECTIONS for chart in make(results).charts]
    assert f"Wrote {len(charts)} pictures" in said
    assert {path.stem for path in pictures.iterdir()} == {chart.name for chart in charts}
    for chart in charts:
        with Image.open(pictures / f"{chart.name}.png") as picture:
            assert picture.width == 2 * (chart.width + 32), chart.name
            assert len(picture.getcolors(1 << 20)) > 8, chart.name  # not empty
            assert picture.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("found", ["", "/nowhere/chromium"])
def test_without_a_browser_it_says_what_to_do(made_up, tmp_path, monkeypatch, found):
    from choreographer.browsers.chromium import Chromium

    if found:
        monkeypatch.setenv("BROWSER_PATH", found)
    else:
        monkeypatch.delenv("BROWSER_PATH", raising=False)
        monkeypatch.setattr(Chromium, "find_browser", lambda **_: None)
    add_models(promoted())
    result, said, pictures = run(tmp_path)
    assert result.exit_code == 1
    assert "need Chromium or Chrome" in said
    assert "set BROWSER_PATH" in said
    assert (f"BROWSER_PATH names {found}" in said) == bool(found)
    assert (tmp_path / "report.html").is_file()
    assert not list(pictures.iterdir())


def test_a_browser_that_ends_at_once_says_so(made_up, tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/bin/true")
    add_models(promoted())
    result, said, _ = run(tmp_path)
    assert result.exit_code == 1
    assert "The browser did not draw the charts" in said


@pytest.mark.parametrize("error", [ChannelClosedError("closed"), BrokenPipeError(32, "Broken pipe"), TimeoutError()])
def test_a_browser_that_ends_while_it_draws_says_so(made_up, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("kaleido.write_fig_from_object_sync", fail)
    add_models(promoted())
    result, said, _ = run(tmp_path)
    assert result.exit_code == 1
    assert "The browser did not draw the charts" in said


def test_a_folder_that_cannot_be_written_says_so(made_up, tmp_path):
    (tmp_path / "pictures").write_text("a file")
    add_models(promoted())
    result, said, _ = run(tmp_path)
    assert result.exit_code == 1
    assert "cannot be written" in said


def test_pictures_show_no_model_that_needs_a_click(made_up):
    models = [add_model(promoted(), f"m{place}", skill=1 + place / 4) for place in range(8)]
    report = build_report(models, "PublicTest")
    whole = class_scores(report.class_f1, report.titles, front=report.front)
    picture = still(whole)
    assert len(whole.data) == 8
    assert [trace.name for trace in picture.data] == [title for title in report.titles if title in report.front]
    assert picture.layout.height < whole.layout.height
    assert len(whole.data) == 8
