"""What the page of a report is made of: its style, the script that draws the charts, figures and tables as HTML."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from fer_core.figures.theme import legend_height
from fer_core.report.charts import Chart

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
td.long { white-space: normal; min-width: 13rem; }
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
  td, td:first-child, td.long { white-space: pre-line; min-width: 0; }
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


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page with everything that it needs.

    Args:
        title: of the browser's window, as plain text.
        body: HTML.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n<noscript>The charts need JavaScript.</noscript>\n"
        + f"<script>{get_plotlyjs()}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def figure(chart: Chart) -> str:
    """Return a chart as a `<figure>` with its data; the page's script draws it."""
    wide = _drawing(chart.draw())
    drawings = {"wide": wide}
    if chart.adapts:
        drawings["narrow"] = _drawing(chart.draw(narrow=True), narrow=True)
        if _json(drawings["narrow"]["data"]) == _json(wide["data"]):
            del drawings["narrow"]["data"]
    return (
        f'<figure role="img" aria-label="{escape(chart.description)}">'
        f'<div class="chart" data-name="{escape(chart.name)}" style="min-height: {wide["layout"]["height"]}px"></div>'
        f'<script type="application/json">{_json(drawings)}</script></figure>'
    )


def table(values: pd.DataFrame, titles: Mapping[str, str], long: Collection[str] = ()) -> str:
    """Return a table.

    Args:
        values: one row for each row; a column of text may have line breaks.
        titles: name to title of each column to show.
        long: names of columns whose text is broken into lines where it needs to.
    """
    head = "".join(f"<th>{escape(title)}</th>" for title in titles.values())
    columns = [
        [f"<td{' class=long' if name in long else ''}>{escape(text)}</td>" for text in cells(values[name])]
        for name in titles
    ]
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def cells(column: pd.Series) -> list[str]:
    """Return values as text: four digits after the point unless all are whole numbers, and a dash for none."""
    numbers = pd.to_numeric(column, errors="coerce")
    whole = bool((numbers.dropna() % 1 == 0).all())
    words = []
    for value, number in zip(column, numbers, strict=True):
        if pd.isna(value):
            words.append("–")
        elif isinstance(value, str):
            words.append(value)
        elif whole:
            words.append(f"{number:,.0f}")
        else:
            words.append(f"{number:.1e}" if 0 < abs(number) < 5e-5 else f"{number:.4f}")
    return words


def legend_space(figure: go.Figure, narrow: bool = False) -> int:
    """Return the part of a figure's height in pixels that is meant for its legend of models; 0 without one."""
    if not figure.layout.legend.entrywidth:
        return 0
    return legend_height(sum(trace.showlegend is not False for trace in figure.data), narrow)


def _drawing(figure: go.Figure, narrow: bool = False) -> dict[str, Any]:
    parts = figure.to_dict()
    return {"data": _compact(parts["data"]), "layout": parts["layout"], "legend": legend_space(figure, narrow)}


def _compact(part: Any) -> Any:
    """Return a figure's data with 32 instead of 64 bits for each number of an array, enough for any screen."""
    if isinstance(part, list):
        return [_compact(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("dtype") == "f8":
        numbers = np.frombuffer(b64decode(part["bdata"]), "<f8").astype("<f4")
        return {**part, "dtype": "f4", "bdata": b64encode(numbers.tobytes()).decode()}
    return {name: _compact(one) for name, one in part.items()}


def _json(value: Any) -> str:
    """Return JSON that may stand in a `<script>`: it has no `<`."""
    return json.dumps(value, cls=PlotlyJSONEncoder, separators=(",", ":")).replace("<", "\\u003c")
