"""The report as one HTML file with interactive charts, which needs no network, and its charts as PNG pictures."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image, ImageOps
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from fer_core.columns import counted, percent
from fer_core.figures.theme import legend_height
from fer_core.files import whole_file, write_text
from fer_core.metrics.core import metric_titles
from fer_core.metrics.ensembles import Ensemble
from fer_core.metrics.paper import PLAIN_MEANS, paper_metrics, paper_report
from fer_core.metrics.paper_changes import CHANGES_CAPTION, changes_in_prose
from fer_core.metrics.paper_claims import CLAIMS_CAPTION, in_prose
from fer_core.models.spec import pretrained_note
from fer_core.sections.results import Results, writing
from fer_core.sections.section import Chart, Section
from fer_core.sections.sections import SECTIONS
from fer_core.types import FerError

# forbids the browser every request: what the page needs is in it
POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
SCALE: Final = 2  # pixels of a PNG picture for each pixel of a chart on the screen


def write_html(results: Results, path: Path) -> Path:
    """Write a report as HTML; a `FerError` says that the file cannot be written."""
    text = render(results)
    with writing("The report", path, folder=path.parent):
        write_text(path, text)
    return path


def render(results: Results) -> str:
    """Return a report as the text of an HTML file, about 7 MB long, most of it plotly.js."""
    sections = [section for make in SECTIONS if (section := make(results)).charts or len(section.table)]
    anchors = {section.title: section.title.lower().replace(" ", "-") for section in sections}
    links = "".join(f'<a href="#{anchor}">{title}</a>' for title, anchor in anchors.items())
    body = [*_head(results), f"<nav>{links}</nav>"]
    for section in sections:
        drawn = "".join(map(_figure, section.charts))
        body += [
            f'<section><h2 id="{anchors[section.title]}">{section.title}</h2>'
            f"{f'<p><strong>{escape(section.answer)}</strong></p>' if section.answer else ''}"
            f"<p>{escape(section.caption)}</p>",
            f'<div class="pair">{drawn}</div>' if section.title == "Confusion" else drawn,
            *_tables(results, section),
            "</section>",
        ]
    style, script = (Path(__file__).with_name(f"report.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>FER Lab report: {escape(results.answers.where)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n<noscript>The charts need JavaScript.</noscript>\n"
        + f"<script>{get_plotlyjs()}</script>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def write_png(results: Results, folder: Path) -> list[Path]:
    """Write every chart into a folder, which is created if it does not exist, and return the files.

    Kaleido draws them in a Chromium. They have only the models that charts show at first. Nothing is downloaded, also
    if there is no browser.

    Raises:
        FerError: there is no Chromium or Chrome, it fails, or the folder cannot be written.
    """
    import kaleido
    from choreographer.channels import ChannelClosedError
    from kaleido import errors

    charts = [chart for make in SECTIONS for chart in make(results).charts]
    files = [folder / f"{chart.name}.png" for chart in charts]
    pictures = [
        {"fig": still(chart.draw()), "path": path, "opts": {"scale": SCALE, "width": chart.width}}
        for chart, path in zip(charts, files, strict=True)
    ]
    failures = (errors.BrowserClosedError, errors.BrowserFailedError, errors.JavascriptError, errors.KaleidoError)
    with writing("The pictures", folder, folder=folder):
        try:
            # One browser draws all. With MathJax, its page would load a script from a server.
            kaleido.write_fig_from_object_sync(pictures, cancel_on_error=True, kopts={"mathjax": False})
        except errors.ChromeNotFoundError as error:
            named = os.environ.get("BROWSER_PATH")
            where = f"BROWSER_PATH names {named}, which is not a program" if named else "none was found"
            raise FerError(
                f"Pictures of charts need Chromium or Chrome, but {where}. Install one (Debian: apt-get install "
                "chromium), or set BROWSER_PATH to its program."
            ) from error
        except (*failures, BrokenPipeError, ChannelClosedError, TimeoutError) as error:
            reason = str(error.args[0])[:200].rstrip(". ") if error.args else type(error).__name__
            raise FerError(
                f"The browser did not draw the charts ({reason}). Set BROWSER_PATH to another Chromium or Chrome."
            ) from error
        for path in files:
            with Image.open(path) as picture:  # charts reach its edges
                framed = ImageOps.expand(picture.convert("RGB"), 16 * SCALE, "white")
            with whole_file(path) as partial:
                framed.save(partial)
    return files


def still(figure: go.Figure) -> go.Figure:
    """Return a figure without the models that only a click in the legend would show."""
    smaller = go.Figure([trace for trace in figure.data if trace.visible != "legendonly"], figure.layout)
    smaller.layout.height += legend_space(smaller) - legend_space(figure)
    return smaller


def legend_space(figure: go.Figure, narrow: bool = False) -> int:
    """Return the part of a figure's height in pixels that is meant for its legend of models; 0 without one."""
    if not figure.layout.legend.entrywidth:
        return 0
    return legend_height(sum(trace.showlegend is not False for trace in figure.data), narrow)


def _head(results: Results) -> Iterator[str]:
    answers, made = results.answers, datetime.now(UTC).strftime("%Y-%m-%d")
    of = "" if answers.own else "FER2013’s "
    yield (
        f"<h1>Facial expression models compared</h1><p>{counted(len(answers.names), 'model')} on "
        f"{len(answers.labels):,} faces of {of}{escape(answers.where)}. Intervals are 95 %, over the test faces drawn; "
        f"training with another seed is not covered. Made with FER Lab, {made}.</p>"
    )
    yield f"<p>{escape(answers.yardstick)}</p>"
    if note := pretrained_note(results.board["weights_from"]):
        yield f"<p>{escape(note)}</p>"
    yield from (f'<p class="note">{escape(sentence)}</p>' for sentence in results.complaints)
    if len(results.front) < len(results.titles):
        yield f"<p>At first, charts with a legend show {len(results.front)} of {len(results.titles)} models.</p>"
    hint = "Point at a chart to see its numbers, drag to zoom in, double-click to zoom out."
    if len(results.titles) > 1:
        hint += " A click on a name in a legend shows or hides a model, a double click shows it alone."
    yield f'<p class="hint">{hint}</p>'


def _tables(results: Results, section: Section) -> Iterator[str]:
    """Yield what stands below the charts of a section."""
    table, titles = section.texts, section.titles
    if section.title in ("F1 by expression", "Robustness"):
        yield _table(table, titles)
    elif section.title == "Classification report":
        if not results.answers.own:
            table = replace(section, table=pd.concat([paper_report(), section.table])).texts
        reports = counted(table["model"].nunique(), "classification report")
        yield f"<details><summary>{reports}</summary>{_table(table, titles)}</details>"
    elif section.title == "Scoreboard":
        if isinstance(results.ensemble, Ensemble):
            yield f"<p>{escape(results.ensemble.description)}</p>"
        intervals = {name: _two_lines(table, name, f"{name}_interval", missing="") for name in metric_titles()}
        yield "<p>In each cell of the table: the number, and below it its 95 % interval.</p>"
        table = table.assign(ece=[percent(value, ".1%") for value in table["ece"]])
        numbers = {name: titles[name] for name in ("model", *metric_titles())} | {"ece": "ECE"}
        yield _table(table.assign(**intervals), numbers | {"degraded_accuracy": titles["degraded_accuracy"]})
        sizes = ["–" if pd.isna(size) else f"{size / 1e6:.1f} MB" for size in table["size_bytes"]]
        names = ("model", "parameters", "size_bytes", "trained", "weights_from")
        yield _table(table.assign(size_bytes=sizes), {name: titles[name] for name in names})
    elif section.title == "Calibration":
        table = table.set_index("model").loc[results.graded_titles].reset_index()
        both = {"ece": _two_lines(table, "ece", "against_floor"), "floor": _two_lines(table, "floor", "floor_range")}
        merged = ("floor_range", "against_floor")
        yield _table(table.assign(**both), {name: title for name, title in titles.items() if name not in merged})
    elif section.title == "Significance":
        yield f"<details><summary>Numbers of {counted(len(table), 'pair')}</summary>{_table(table, titles)}</details>"
    elif section.title == "Paper":
        yield "<p>In each cell of the table: above as reported, below as measured here.</p>"
        both = {name: _two_lines(table, f"{name}_reported", f"{name}_measured") for name in paper_metrics()}
        sources = {name: titles[name] for name in ("reported", "measured")}
        yield _table(table.assign(**both), {"title": titles["title"], **paper_metrics(), **sources})
        yield f"<h3>The paper’s conclusions, judged</h3><p>{CLAIMS_CAPTION}</p>"
        sentences = [*in_prose(results.claims), *changes_in_prose(results.changes)]
        yield from (f"<p>{escape(sentence.replace('**', ''))}</p>" for sentence in sentences)
        yield f"<p>{escape(CHANGES_CAPTION)}</p>"
        yield f"<h3>Contradictions in the paper</h3><p>{escape(PLAIN_MEANS)}</p>"
        titles = {"topic": "Topic", "note": "Contradiction", "statements": "Statements"}
        yield _table(results.tables["paper_contradictions"], titles, kind="long")


def _figure(chart: Chart) -> str:
    """Return a chart as a `<figure>` with its heading and its data; the page's script draws it."""
    wide = _drawing(chart.draw())
    drawings = {"wide": wide}
    if chart.adapts:
        drawings["narrow"] = _drawing(chart.draw(narrow=True), narrow=True)
        if _json(drawings["narrow"]["data"]) == _json(wide["data"]):
            del drawings["narrow"]["data"]
    heading = f"<h3>{escape(chart.heading)}</h3>" if chart.heading else ""
    return (
        f'<div>{heading}<figure role="img" aria-label="{escape(chart.alt)}">'
        f'<div class="chart" data-name="{escape(chart.name)}" style="min-height: {wide["layout"]["height"]}px"></div>'
        f'<script type="application/json">{_json(drawings)}</script></figure></div>'
    )


def _table(values: pd.DataFrame, titles: Mapping[str, str], *, kind: str = "") -> str:
    """Return a table of the columns named in `titles`; text in a "long" one is broken into lines where needed.

    pandas' own HTML shows a line break within a cell as two characters.
    """
    head = "".join(f"<th>{escape(title)}</th>" for title in titles.values())
    lines = zip(*(_cells(values[name]) for name in titles), strict=True)
    rows = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>" for line in lines)
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="scroll"><table class="{kind}">{body}</table></div>'


def _two_lines(values: pd.DataFrame, above: str, below: str, *, missing: str = "–") -> list[str]:
    """Return the cells of two columns in one; where the upper one is missing and `missing` is empty, the lower one."""
    pairs = zip(_cells(values[above]), _cells(values[below]), strict=True)
    return [second if first == "–" and not missing else f"{first}\n{second}" for first, second in pairs]


def _cells(column: pd.Series) -> list[str]:
    """Return values as text: four digits after the point unless all are whole numbers, and a dash for none."""
    numbers = pd.to_numeric(column, errors="coerce")
    whole = bool((numbers.dropna() % 1 == 0).all())

    def text(value: Any, number: float) -> str:
        if pd.isna(value) or isinstance(value, str):
            return "–" if pd.isna(value) else value
        return f"{number:,.0f}" if whole else f"{number:.1e}" if 0 < abs(number) < 5e-5 else f"{number:.4f}"

    return list(map(text, column, numbers))


def _drawing(figure: go.Figure, narrow: bool = False) -> dict[str, Any]:
    parts = figure.to_dict()
    return {"data": _compact(parts["data"]), "layout": parts["layout"], "legend": legend_space(figure, narrow)}


def _compact(part: Any) -> Any:
    """Return a figure's data with 32 instead of 64 bits for each number of an array, enough for any screen."""
    if isinstance(part, list):
        return [_compact(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("dtype") == "f8":
        numbers = np.frombuffer(b64decode(part["bdata"]), "<f8").astype("<f4")
        return {**part, "dtype": "f4", "bdata": b64encode(numbers.tobytes()).decode()}
    return {name: _compact(item) for name, item in part.items()}


def _json(value: Any) -> str:
    """Return JSON that may stand in a `<script>`: it has no `<`."""
    return json.dumps(value, cls=PlotlyJSONEncoder, separators=(",", ":")).replace("<", "\\u003c")
