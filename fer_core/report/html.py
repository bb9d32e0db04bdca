"""The report as one HTML file that needs no scripts and no network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import altair as alt
import pandas as pd

from fer_core import figures
from fer_core.columns import METRICS
from fer_core.comparison import both_ways, curves_of, paper_marks, robustness_curves, robustness_summary
from fer_core.evaluation.paper import AUTHORS, TITLE
from fer_core.faces import DEGRADATIONS
from fer_core.files import write_text
from fer_core.labels import EXPRESSIONS
from fer_core.report.contents import Report
from fer_core.types import FerError

NARROW, WIDE, HALF = 460, 900, 420

STYLE: Final = """
:root { color-scheme: light; }
body { font: 17px/1.5 system-ui, sans-serif; color: #16202b; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid #d5dbe3; padding-top: 1.5rem; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid #d5dbe3; text-align: left; white-space: nowrap; }
td.long { white-space: normal; min-width: 13rem; }
.note { color: #55606c; }
"""


def write_html(report: Report, path: Path) -> Path:
    """Write a report as HTML.

    Raises:
        FerError: the file cannot be written.
    """
    text = render(report)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise FerError(f"The report cannot be written to {path} ({error.strerror or error}).") from error
    return path


def render(report: Report) -> str:
    """Return a report as HTML."""
    answers = report.answers
    made = datetime.now(UTC).strftime("%Y-%m-%d")
    parts = [
        f"<h1>Facial expression models compared</h1><p>{len(answers.names)} models on {len(answers.labels):,} faces of "
        f"FER2013’s {escape(answers.where)}. Intervals are 95 %. Made with FER Lab, {made}.</p>",
        f"<p>{escape(answers.yardstick)}</p>",
        *[f'<p class="note">{escape(sentence)}</p>' for sentence in report.complaints],
        *_scoreboard(report),
        *_expressions(report),
        *_curves(report),
        *_calibration(report),
        *_robustness(report),
        *_pairs(report),
        *_confusion(report),
        *_training(report),
        *_paper(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>FER Lab report: {escape(answers.where)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def svg_figure(chart: alt.Chart | alt.LayerChart, width: int, description: str) -> str:
    """Return a chart as SVG in a `<figure>`.

    Args:
        chart: from `fer_core.figures`.
        width: of the plot in pixels.
        description: alternative text.
    """
    import vl_convert

    shown = chart.properties(width=width).configure(font="system-ui, sans-serif").configure_view(stroke=None)
    with alt.data_transformers.enable("default", max_rows=None):
        spec = json.dumps(shown.to_dict())
    svg = _unique_ids(vl_convert.vegalite_to_svg(spec))
    return f'<figure role="img" aria-label="{escape(description, quote=True)}">{svg}</figure>'


def _scoreboard(report: Report) -> Iterable[str]:
    table = report.tables["scoreboard"]
    yield "<h2>Scoreboard</h2>"
    yield svg_figure(figures.ranking(table, "accuracy", "Accuracy"), WIDE, "Accuracy of every model with intervals")
    if report.ensemble:
        yield f"<p>{escape(report.ensemble)}</p>"
    numbers = [column for name in METRICS for column in (name, f"{name}_interval")]
    titles = {"model": "Model", **METRICS, **{f"{name}_interval": "95 % interval" for name in METRICS}}
    titles |= {
        "ece": "ECE",
        "degraded_accuracy": "Accuracy, degraded",
        "parameters": "Parameters",
        "size_bytes": "Bytes",
        "trained": "Trained",
    }
    titles |= {"weights_from": "Weights from"}
    others = ("ece", "degraded_accuracy", "parameters", "size_bytes", "trained", "weights_from")
    yield _table(table, ["model", *numbers, *others], titles)


def _expressions(report: Report) -> Iterable[str]:
    table = report.tables["class_f1"]
    yield "<h2>F1 by expression</h2>"
    yield svg_figure(figures.class_bars(table), WIDE, "F1 by expression of every model, with intervals")
    wide = table.pivot_table(index="model", columns="expression", values="f1", sort=False)[list(EXPRESSIONS)]
    yield _table(wide.reset_index(), ["model", *EXPRESSIONS], {"model": "Model"})


def _curves(report: Report) -> Iterable[str]:
    points, curves = report.tables["thresholds"], report.tables["curves"]
    yield "<h2>ROC and precision against recall</h2>"
    yield "<p>One expression against the rest. The dots show each model at a threshold of 0.5.</p>"
    key, named = _key(report, curves)
    yield named
    for expression in EXPRESSIONS:
        at = points[(points["expression"] == expression) & (points["threshold"] == 0.5)]
        roc, pr = curves_of(curves, "roc", expression), curves_of(curves, "pr", expression)
        if roc.empty or pr.empty:
            continue
        drawn = [
            svg_figure(figures.roc_chart(roc, at, key=key), HALF, f"ROC curves for {expression}"),
            svg_figure(figures.pr_chart(pr, at, key=key), HALF, f"Precision against recall for {expression}"),
        ]
        yield f'<h3>{expression}</h3><div class="pair">{"".join(drawn)}</div>'


def _calibration(report: Report) -> Iterable[str]:
    yield "<h2>Calibration</h2><p>On the dashed line, confidence equals accuracy.</p>"
    yield svg_figure(figures.reliability_chart(report.tables["reliability"]), WIDE, "Reliability of every model")
    titles = {"model": "Model", "ece": "Calibration error", "confidence": "Mean confidence", "accuracy": "Accuracy"}
    titles |= {"temperature": "Temperature, fitted on the other test split", "ece_scaled": "Error after scaling"}
    yield _table(report.tables["calibration"], list(titles), titles)


def _robustness(report: Report) -> Iterable[str]:
    table = report.tables["robustness"]
    if table.empty:
        return
    yield (
        f"<h2>Robustness</h2><p>Accuracy on {table['faces'].max():,} test faces of both splits with five kinds of "
        "degradation, in five strengths each. These faces are always the same. Low light also lowers the contrast; "
        "occlusion is a gray square at a random place. Models that are not shown were not measured.</p>"
    )
    key, named = _key(report, table)
    yield named
    drawn = [
        svg_figure(
            figures.robustness_chart(robustness_curves(table, kind), one.title, one.unit, key),
            HALF,
            f"{one.title}: accuracy",
        )
        for kind, one in DEGRADATIONS.items()
    ]
    yield f'<div class="pair">{"".join(drawn)}</div>'
    titles = {"model": "Model", "clean": "Clean", "degraded": "Degraded, mean"}
    titles |= {kind: one.title for kind, one in DEGRADATIONS.items()} | {"confidence": "Mean confidence, degraded"}
    yield _table(robustness_summary(table), list(titles), titles)


def _pairs(report: Report) -> Iterable[str]:
    table = report.tables["pairs"]
    if table.empty:
        return
    yield (
        "<h2>Significance</h2><p>Accuracy of the model at the left minus that of the model below, in percentage "
        "points. Coloured: p &lt; 0.05 in McNemar’s test with Holm’s correction over all pairs. In brackets: not "
        "significant.</p>"
    )
    order = list(report.tables["scoreboard"]["model"])
    yield svg_figure(figures.pair_matrix(both_ways(table), order), WIDE - 200, "Every pair of models")
    titles = {"first": "First", "second": "Second", "difference": "Difference", "low": "95 % from", "high": "to"}
    titles |= {"only_first": "Only first correct", "only_second": "Only second correct", "p_holm": "p (Holm)"}
    yield _table(table, [*titles, "verdict"], {**titles, "verdict": "Verdict"})


def _confusion(report: Report) -> Iterable[str]:
    yield "<h2>Confusion</h2><p>Rows: actual expression. Columns: predicted expression, in percent of the row.</p>"
    drawn = [
        f"<div><h3>{escape(str(model))}</h3>"
        + svg_figure(figures.confusion_chart(cells, "rates"), NARROW, f"Confusion of {model}")
        + "</div>"
        for model, cells in report.tables["confusion"].groupby("model", sort=False)
    ]
    yield f'<div class="pair">{"".join(drawn)}</div>'


def _training(report: Report) -> Iterable[str]:
    table = report.tables["training"]
    if table.empty:
        return
    yield (
        "<h2>Training</h2><p>Solid: on the augmented training faces; with distillation, the loss includes the "
        "teachers’ part. Dashed: on the hold-out.</p>"
    )
    key, named = _key(report, table)
    yield named
    drawn = [
        svg_figure(figures.training_chart(table, what, key=key), HALF, f"{what} of training")
        for what in ("accuracy", "loss")
    ]
    yield f'<div class="pair">{"".join(drawn)}</div>'


def _key(report: Report, table: pd.DataFrame) -> tuple[list[str], str]:
    """Return all models, and a legend of those in the table."""
    drawn = list(table["model"].unique())
    models = list(dict.fromkeys([*report.tables["curves"]["model"], *drawn]))
    return models, svg_figure(figures.model_key(models, drawn), WIDE, f"Colours of {len(drawn)} models")


def _paper(report: Report) -> Iterable[str]:
    table = report.tables["paper"]
    yield (
        f"<h2>The paper beside our measurements</h2><p>{escape(', '.join(AUTHORS))}: “{escape(TITLE)}”. Reported "
        "numbers are as printed. Both on PublicTest.</p>"
    )
    marks = paper_marks(table, "accuracy")
    yield svg_figure(figures.paper_chart(marks, "Accuracy"), WIDE, "Accuracy of the paper’s variants")
    titles = {"variant": "Variant", "reported": "Reported", "measured": "Measured"}
    for name, title in METRICS.items():
        titles |= {f"{name}_reported": f"{title}, reported", f"{name}_measured": f"{title}, measured"}
    yield _table(table, list(titles), titles)
    yield "<h3>The final model, recomputed from the table in section 4.5, beside the figures</h3>"
    again = report.tables["paper_recomputed"]
    yield _table(again, list(again.columns), {"metric": "VGG16_modified", "recomputed": "Recomputed"})
    yield "<h3>Contradictions in the paper</h3>"
    titles = {"topic": "Topic", "note": "Contradiction", "statements": "Statements"}
    yield _table(report.tables["paper_contradictions"], list(titles), titles, long=("topic", "note", "statements"))


def _table(table: pd.DataFrame, columns: list[str], titles: dict[str, str], long: tuple[str, ...] = ()) -> str:
    head = "".join(f"<th>{escape(titles.get(column, column))}</th>" for column in columns)
    rows = [
        "<tr>"
        + "".join(
            f"<td{' class=long' if column in long else ''}>{escape(_cell(value))}</td>"
            for column, value in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in table[columns].itertuples(index=False, name=None)
    ]
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, float) and value != int(value):
        return f"{value:.4f}" if abs(value) >= 5e-5 else f"{value:.1e}"
    return f"{value:,.0f}" if isinstance(value, float | int) else str(value)


def _unique_ids(svg: str) -> str:
    """Make the ids of clipping paths unique; every SVG numbers them from 0."""
    prefix = "p" + hashlib.sha256(svg.encode()).hexdigest()[:10]
    return re.sub(r'(\bid="|url\(["\']?#|href="#)', rf"\g<1>{prefix}-", svg)
