"""The report as one HTML file with interactive charts, which needs no network."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from fer_core.figures.theme import legend_height
from fer_core.files import write_text
from fer_core.metrics.core import metric_titles
from fer_core.metrics.ensembles import Ensemble
from fer_core.metrics.paper import PLAIN_MEANS, paper_metrics
from fer_core.models.spec import utkface_note
from fer_core.sections.results import Results
from fer_core.sections.sections import SECTIONS, Chart, Section
from fer_core.types import FerError

POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
"""Forbids the browser every request: what the page needs is in it."""

STYLE: Final = """
:root { color-scheme: light; }
body { font: 17px/1.5 system-ui, sans-serif; color: #16202b; background: #fff; max-width: 66rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid #d5dbe3; padding-top: 1.5rem; }
h3 { margin: 1.5rem 0 .25rem; }
a { color: #084c7f; } nav a { display: inline-block; margin-right: 1.2rem; padding: .2rem 0; }
figure { margin: .5rem 0 1rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 1.5rem; }
.pair > div { min-width: 0; }
.scroll { overflow: auto; margin: 1rem 0; } details .scroll { max-height: 40rem; }
table { border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid #d5dbe3; text-align: left; }
td { white-space: pre; }
th { position: sticky; top: 0; background: #fff; vertical-align: bottom; }
table.long td { white-space: normal; min-width: 13rem; }
@media (max-width: 640px) { td:first-child { min-width: 11rem; white-space: pre-line; } }
summary { cursor: pointer; padding: .3rem 0; }
.note { color: #55606c; }
body.paper { width: 688px; margin: 0; padding: 0; font-size: 13px; }
.paper .pair { grid-template-columns: 1fr 1fr; }
.paper .chart { zoom: 0.7; }
@page { margin: 14mm; }
@media print {
  nav, .hint, .modebar-container, details:not([open]) { display: none !important; }
  h2, h3, h2 + p, p:has(+ .scroll) { break-after: avoid; } h2 { margin-top: 1.5rem; }
  figure, tr, p, .pair > div { break-inside: avoid; }
  .scroll, details .scroll { overflow: visible; max-height: none; }
  table { font-size: 10px; } th { position: static; } th, td { padding: 2px 5px; }
  td, td:first-child, table.long td { white-space: pre-line; min-width: 0; }
}
"""

SCRIPT: Final = """
const ZOOM = 0.7;
const divs = [...document.querySelectorAll(".chart")], slim = matchMedia("(max-width: 640px)"), charts = new Map();
const onPaper = () => document.body.classList.contains("paper");

function draw(div) {
  if (!charts.has(div)) charts.set(div, JSON.parse(div.nextElementSibling.textContent));
  const chart = charts.get(div), paper = onPaper(), narrow = slim.matches && !paper;
  const { layout, legend, data = chart.wide.data } = (narrow && chart.narrow) || chart.wide;
  const look = { ...layout };
  if (narrow) look.dragmode = false;  // a finger on a chart scrolls the page
  if (paper) look.width = Math.floor(div.parentElement.clientWidth / ZOOM);
  // What a click would show is not even listed on paper.
  const drawn = paper ? data.map((one) => one.visible === "legendonly" ? { ...one, visible: false } : one) : data;
  const picture = { format: "png", scale: 2, filename: div.dataset.name };
  Plotly.react(div, drawn, look, { responsive: true, displaylogo: false, toImageButtonOptions: picture });
  div.style.minHeight = "";
  if (legend) {  // give the chart the height that the legend really takes at this width
    const height = Math.round(layout.height - legend + div._fullLayout.legend._height + 16);
    if (Math.abs(height - layout.height) > 4) Plotly.relayout(div, { height });
  }
}

async function drawAll() {
  for (const div of divs) {
    if (!charts.has(div)) draw(div);
    await new Promise((next) => setTimeout(next));  // so that the page can be read and scrolled meanwhile
  }
}

function redraw() {
  for (const div of charts.keys()) draw(div);
}

let waiting, width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;  // on phones, only a bar of the browser has come or gone
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(redraw, 200);
});
addEventListener("beforeprint", () => { document.body.classList.add("paper"); divs.forEach(draw); });
addEventListener("afterprint", () => { document.body.classList.remove("paper"); redraw(); });
drawAll();
"""


def write_html(results: Results, path: Path) -> Path:
    """Write a report as HTML.

    Raises:
        FerError: the file cannot be written.
    """
    text = render(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise FerError(f"The report cannot be written to {path} ({error.strerror or error}).") from error
    return path


def render(results: Results) -> str:
    """Return a report as the text of an HTML file, about 7 MB long, most of it plotly.js."""
    sections = [section for make in SECTIONS if (section := make(results)).charts]
    anchors = {section.title: section.title.lower().replace(" ", "-") for section in sections}
    links = "".join(f'<a href="#{anchor}">{title}</a>' for title, anchor in anchors.items())
    body = [*_head(results), f"<nav>{links}</nav>"]
    for section in sections:
        drawn = "".join(map(_figure, section.charts))
        if section.title == "Confusion":
            drawn = f'<div class="pair">{drawn}</div>'
        body += [
            f'<section><h2 id="{anchors[section.title]}">{section.title}</h2><p>{escape(section.caption)}</p>',
            drawn,
            *_TABLES.get(section.title, _no_table)(results, section),
            "</section>",
        ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>FER Lab report: {escape(results.answers.where)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n<noscript>The charts need JavaScript.</noscript>\n"
        + f"<script>{get_plotlyjs()}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def legend_space(figure: go.Figure, narrow: bool = False) -> int:
    """Return the part of a figure's height in pixels that is meant for its legend of models; 0 without one."""
    if not figure.layout.legend.entrywidth:
        return 0
    return legend_height(sum(trace.showlegend is not False for trace in figure.data), narrow)


def _head(results: Results) -> Iterator[str]:
    answers = results.answers
    made = datetime.now(UTC).strftime("%Y-%m-%d")
    yield (
        f"<h1>Facial expression models compared</h1><p>{len(answers.names)} models on {len(answers.labels):,} faces of "
        f"FER2013’s {escape(answers.where)}. Intervals are 95 %, over the "
        f"test faces drawn; training with another seed is not covered. Made with FER Lab, {made}.</p>"
    )
    yield f"<p>{escape(answers.yardstick)}</p>"
    if note := utkface_note(results.board["weights_from"]):
        yield f"<p>{escape(note)}</p>"
    yield from (f'<p class="note">{escape(sentence)}</p>' for sentence in results.complaints)
    if len(results.front) < len(results.titles):
        yield f"<p>At first, charts with a legend show {len(results.front)} of {len(results.titles)} models.</p>"
    hint = "Point at a chart to see its numbers, drag to zoom in, double-click to zoom out."
    if len(results.titles) > 1:
        hint += " A click on a name in a legend shows or hides a model, a double click shows it alone."
    yield f'<p class="hint">{hint}</p>'


def _no_table(_: Results, __: Section) -> Iterator[str]:
    yield from ()


def _whole_table(_: Results, section: Section) -> Iterator[str]:
    yield _table(section.table, section.titles)


def _scoreboard(results: Results, section: Section) -> Iterator[str]:
    board, titles = section.table, section.titles
    if isinstance(results.ensemble, Ensemble):
        yield f"<p>{escape(results.ensemble.description)}</p>"
    intervals = {name: _two_lines(board, name, f"{name}_interval", missing="") for name in metric_titles()}
    yield "<p>In each cell of the table: the number, and below it its 95 % interval.</p>"
    numbers = {name: titles[name] for name in ("model", *metric_titles())} | {"ece": "ECE"}
    yield _table(board.assign(**intervals), numbers | {"degraded_accuracy": titles["degraded_accuracy"]})
    sizes = ["–" if pd.isna(size) else f"{size / 1e6:.1f} MB" for size in board["size_bytes"]]
    names = ("model", "parameters", "size_bytes", "trained", "weights_from")
    yield _table(board.assign(size_bytes=sizes), {name: titles[name] for name in names})


def _calibration(results: Results, section: Section) -> Iterator[str]:
    table = section.table.set_index("model").loc[results.ranked].reset_index()
    ends = [f"{low:.4f}–{high:.4f}" for low, high in table[["floor_low", "floor_high"]].to_numpy()]
    table = table.assign(floor_range=ends)
    both = {"ece": _two_lines(table, "ece", "against_floor"), "floor": _two_lines(table, "floor", "floor_range")}
    merged = ("floor_range", "against_floor")
    yield _table(table.assign(**both), {name: title for name, title in section.titles.items() if name not in merged})


def _significance(_: Results, section: Section) -> Iterator[str]:
    every = _table(section.table, section.titles)
    yield f"<details><summary>Numbers of all {len(section.table)} pairs</summary>{every}</details>"


def _paper(results: Results, section: Section) -> Iterator[str]:
    yield "<p>In each cell of the table: above as reported, below as measured here.</p>"
    both = {name: _two_lines(section.table, f"{name}_reported", f"{name}_measured") for name in paper_metrics()}
    titles = {"title": section.titles["title"], **paper_metrics()}
    titles |= {name: section.titles[name] for name in ("reported", "measured")}
    yield _table(section.table.assign(**both), titles)
    yield "<h3>The final model, recomputed from the table in section 4.5, beside the figures</h3>"
    again = results.tables["paper_recomputed"]
    yield _table(again, {name: name.capitalize() for name in map(str, again)} | {"metric": "VGG16_modified"})
    yield f"<h3>Contradictions in the paper</h3><p>{escape(PLAIN_MEANS)}</p>"
    titles = {"topic": "Topic", "note": "Contradiction", "statements": "Statements"}
    yield _table(results.tables["paper_contradictions"], titles, kind="long")


_TABLES: Final[dict[str, Callable[[Results, Section], Iterator[str]]]] = {
    "Scoreboard": _scoreboard,
    "F1 by expression": _whole_table,
    "Calibration": _calibration,
    "Robustness": _whole_table,
    "Significance": _significance,
    "Paper": _paper,
}
"""What stands below the charts of a section, by its title."""


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
    texts = []
    for value, number in zip(column, numbers, strict=True):
        if pd.isna(value):
            texts.append("–")
        elif isinstance(value, str):
            texts.append(value)
        elif whole:
            texts.append(f"{number:,.0f}")
        else:
            texts.append(f"{number:.1e}" if 0 < abs(number) < 5e-5 else f"{number:.4f}")
    return texts


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
