"""The report as one HTML file with interactive charts, which needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

import pandas as pd

from fer_core.faces import DEGRADATIONS
from fer_core.files import write_text
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.robustness import robustness_summary
from fer_core.metrics.core import metric_titles
from fer_core.metrics.paper import AUTHORS, PLAIN_MEANS, TITLE, paper_metrics
from fer_core.models.spec import WEIGHTS, utkface_note
from fer_core.report import charts
from fer_core.report.charts import Chart
from fer_core.report.contents import Report
from fer_core.report.page import cells, figure, page, table
from fer_core.types import FerError


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
    """Return a report as the text of an HTML file, about 7 MB long, most of it plotly.js."""
    sections = {name: list(parts(report)) for name, parts in _SECTIONS.items()}
    shown = {_anchor(name): name for name, parts in sections.items() if parts}
    links = "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in shown.items())
    body = [*_head(report), f"<nav>{links}</nav>"]
    for anchor, name in shown.items():
        body += [f'<section><h2 id="{anchor}">{name}</h2>', *sections[name], "</section>"]
    return page(f"FER Lab report: {report.answers.where}", body)


def _head(report: Report) -> Iterator[str]:
    answers = report.answers
    made = datetime.now(UTC).strftime("%Y-%m-%d")
    yield (
        f"<h1>Facial expression models compared</h1><p>{len(answers.names)} models on {len(answers.labels):,} faces of "
        f"FER2013’s {escape(answers.where)}. Intervals are 95 %, over the "
        f"test faces drawn; training with another seed is not covered. Made with FER Lab, {made}.</p>"
    )
    yield f"<p>{escape(answers.yardstick)}</p>"
    if note := utkface_note(report.tables["scoreboard"]["weights_from"]):
        yield f"<p>{escape(note)}</p>"
    yield from (f'<p class="note">{escape(sentence)}</p>' for sentence in report.complaints)
    if len(report.front) < len(report.titles):
        yield f"<p>At first, charts with a legend show {len(report.front)} of {len(report.titles)} models.</p>"
    hint = "Point at a chart to see its numbers, drag to zoom in, double-click to zoom out."
    if len(report.titles) > 1:
        hint += " A click on a name in a legend shows or hides a model, a double click shows it alone."
    yield f'<p class="hint">{hint}</p>'


def _scoreboard(report: Report) -> Iterator[str]:
    board = report.tables["scoreboard"]
    yield from _all(charts.ranking(report))
    if report.ensemble:
        yield f"<p>{escape(report.ensemble)}</p>"
    metrics = metric_titles()
    numbers = {name: board[name].map("{:.4f}\n".format).replace("nan\n", "") for name in metrics}
    intervals = {name: texts + board[f"{name}_interval"] for name, texts in numbers.items()}
    titles = {"model": "Model", **metrics, "ece": "ECE", "degraded_accuracy": "Accuracy, degraded"}
    yield "<p>In each cell of the table: the number, and below it its 95 % interval.</p>"
    yield table(board.assign(**intervals), titles)
    about = {"model": "Model", "parameters": "Parameters", "size": "File", "trained": "Trained"}
    size = ["–" if pd.isna(size) else f"{size / 1e6:.1f} MB" for size in board["size_bytes"]]
    sources = board["weights_from"].replace(WEIGHTS)
    yield table(board.assign(size=size, weights_from=sources), about | {"weights_from": "Weights from"})


def _expressions(report: Report) -> Iterator[str]:
    yield from _all(charts.by_expression(report))
    scores = report.tables["class_f1"]
    wide = scores.pivot_table(index="model", columns="expression", values="f1", dropna=False)
    yield table(
        wide.loc[report.ranked].reset_index(), {"model": "Model"} | {name: name.capitalize() for name in EXPRESSIONS}
    )


def _curves(report: Report) -> Iterator[str]:
    yield "<p>One expression against the rest. The marks show each model at a threshold of 0.5.</p>"
    yield from _all(charts.roc_and_pr(report))


def _calibration(report: Report) -> Iterator[str]:
    found = report.tables["calibration"].set_index("model").loc[report.ranked].reset_index()
    fitted = "No temperature T: there are no predictions of the other test split to fit it on."
    for other in found["fitted_on"].dropna().unique():
        fitted = (
            f"The temperature T is fitted to the log loss on {other}, because predictions for the hold-out are not "
            "stored; no model here uses it. On the split shown, log loss and ECE can rise with it."
        )
    yield (
        "<p>On the dashed line, confidence equals accuracy; below it a model is overconfident, above it "
        "underconfident. ECE: expected calibration error with 15 bins. Noise floor: the mean ECE of a perfectly "
        "calibrated model with the same confidences, from 1,000 draws of labels, and below it the range of 95 % of the "
        "draws; an ECE above it is evidence of bad calibration. Brier score: summed over the seven expressions, 0 "
        f"to 2. {fitted}</p>"
    )
    yield from _all(charts.reliability(report))
    ece = [f"{e:.4f}\n{place}" for e, place in zip(found["ece"], found["against_floor"], strict=True)]
    ends = found[["floor", "floor_low", "floor_high"]].to_numpy()
    floor = [f"{mean:.4f}\n{low:.4f}–{high:.4f}" for mean, low, high in ends]
    titles = {"model": "Model", "log_loss": "Log loss", "brier": "Brier score", "ece": "ECE", "floor": "Noise floor"}
    titles |= {"temperature": "T", "log_loss_scaled": "Log loss with T"}
    titles |= {"ece_scaled": "ECE with T", "confidence": "Mean confidence", "accuracy": "Accuracy"}
    yield table(found.assign(ece=ece, floor=floor), titles)


def _robustness(report: Report) -> Iterator[str]:
    measured = report.tables["robustness"]
    if measured.empty:
        return
    yield (
        f"<p>Accuracy on {measured['faces'].max():,} test faces of both splits with five kinds of degradation, in "
        "five strengths each. These faces are always the same. Low light also lowers the contrast; occlusion is a gray "
        "square at a random place. Models that are not listed were not measured.</p>"
    )
    yield from _all(charts.robustness(report))
    titles = {"model": "Model", "clean": "Clean", "degraded": "Degraded, mean"}
    titles |= {kind: one.title for kind, one in DEGRADATIONS.items()} | {"confidence": "Mean confidence, degraded"}
    yield table(robustness_summary(measured), titles)


def _significance(report: Report) -> Iterator[str]:
    pairs = report.tables["pairs"]
    if pairs.empty:
        return
    yield (
        "<p>Accuracy of the model at the left minus that of the model with the number above, in percentage points. "
        "Coloured: p &lt; 0.05 in McNemar’s test with Holm’s correction over all pairs. In brackets: not "
        "significant. The test and the intervals cover which test faces were drawn, not training again with another "
        "seed.</p>"
    )
    yield from _all(charts.significance(report))
    titles = {"first": "First", "second": "Second", "difference": "Difference", "low": "95 % from", "high": "to"}
    titles |= {"only_first": "Only first correct", "only_second": "Only second correct", "p_holm": "p (Holm)"}
    every = table(pairs, titles | {"verdict": "Verdict"})
    yield f"<details><summary>Numbers of all {len(pairs)} pairs</summary>{every}</details>"


def _confusion(report: Report) -> Iterator[str]:
    yield "<p>Rows: actual expression. Columns: predicted expression, in percent of the row.</p>"
    yield f'<div class="pair">{"".join(_all(charts.confusion(report)))}</div>'


def _training(report: Report) -> Iterator[str]:
    if report.tables["training"].empty:
        return
    yield (
        "<p>Dotted: on the augmented training faces; with distillation, the loss includes the teachers’ part. Solid: "
        "on the hold-out.</p>"
    )
    yield from _all(charts.training(report))


def _paper(report: Report) -> Iterator[str]:
    yield (
        f"<p>{escape(', '.join(AUTHORS))}: “{escape(TITLE)}”. Reported numbers are as printed. Both are on "
        "PublicTest and judged by FER2013’s label.</p>"
    )
    yield from _all(charts.paper(report))
    yield "<p>In each cell of the table: above as reported, below as measured here.</p>"
    marks = report.tables["paper"]
    both = {
        name: [
            f"{a}\n{b}" for a, b in zip(*(cells(marks[f"{name}_{s}"]) for s in ("reported", "measured")), strict=True)
        ]
        for name in paper_metrics()
    }
    titles = {"title": "Variant", **paper_metrics(), "reported": "Reported in", "measured": "Measured on"}
    yield table(marks.assign(**both), titles)
    yield "<h3>The final model, recomputed from the table in section 4.5, beside the figures</h3>"
    again = report.tables["paper_recomputed"]
    titles = {name: name.capitalize() for name in map(str, again)} | {"metric": "VGG16_modified"}
    yield table(again, titles)
    yield f"<h3>Contradictions in the paper</h3><p>{escape(PLAIN_MEANS)}</p>"
    titles = {"topic": "Topic", "note": "Contradiction", "statements": "Statements"}
    yield table(report.tables["paper_contradictions"], titles, long=titles)


def _all(drawn: Iterable[Chart]) -> Iterator[str]:
    """Yield each chart, with its heading above it."""
    for chart in drawn:
        heading = f"<h3>{escape(chart.heading)}</h3>" if chart.heading else ""
        yield f"<div>{heading}{figure(chart)}</div>"


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


_SECTIONS: Final = {
    "Scoreboard": _scoreboard,
    "F1 by expression": _expressions,
    "ROC and precision-recall": _curves,
    "Calibration": _calibration,
    "Robustness": _robustness,
    "Significance": _significance,
    "Confusion": _confusion,
    "Training": _training,
    "Paper": _paper,
}
"""Title of each section, and the function that yields its parts; a section without parts is left out."""
