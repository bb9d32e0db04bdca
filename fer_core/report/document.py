"""The report's page: text, tables and pictures in one file that opens anywhere, without network or scripts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_core import figures
from fer_core.columns import METRICS
from fer_core.comparison import both_ways, curves_of, paper_marks
from fer_core.evaluation.paper import AUTHORS, TITLE
from fer_core.labels import EXPRESSIONS
from fer_core.report.pictures import picture
from fer_core.report.tables import Findings
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


def write_report(findings: Findings, path: Path) -> Path:
    """Write the report.

    Raises:
        FerError: the file cannot be written.
    """
    text = render(findings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FerError(f"The report cannot be written to {path} ({error.strerror or error}).") from error
    return path


def render(findings: Findings) -> str:
    """Return the report as HTML."""
    answers = findings.answers
    made = datetime.now(UTC).strftime("%Y-%m-%d")
    parts = [
        f"<h1>Facial expression models compared</h1><p>{len(answers.names)} models on {len(answers.labels):,} faces of "
        f"FER2013’s {escape(answers.where)}. Intervals are 95 %. Made with FER Lab, {made}.</p>",
        *[f'<p class="note">{escape(sentence)}</p>' for sentence in findings.complaints],
        *_scoreboard(findings),
        *_expressions(findings),
        *_curves(findings),
        *_calibration(findings),
        *_pairs(findings),
        *_confusion(findings),
        *_training(findings),
        *_paper(findings),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>FER Lab report: {escape(answers.where)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _scoreboard(findings: Findings) -> Iterable[str]:
    table = findings.tables["scoreboard"]
    yield "<h2>Scoreboard</h2>"
    yield picture(figures.ranking(table, "accuracy", "Accuracy"), WIDE, "Accuracy of every model with intervals")
    if findings.ensemble:
        yield f"<p>{escape(findings.ensemble)}</p>"
    numbers = [column for name in METRICS for column in (name, f"{name}_interval")]
    words = {"model": "Model", **METRICS, **{f"{name}_interval": "95 % interval" for name in METRICS}}
    words |= {"ece": "ECE", "parameters": "Parameters", "size_bytes": "Bytes", "trained": "Trained"}
    words |= {"weights_from": "Weights from"}
    yield _table(table, ["model", *numbers, "ece", "parameters", "size_bytes", "trained", "weights_from"], words)


def _expressions(findings: Findings) -> Iterable[str]:
    table = findings.tables["class_f1"]
    yield "<h2>F1 by expression</h2>"
    yield picture(figures.class_bars(table), WIDE, "F1 by expression of every model, with intervals")
    wide = table.pivot_table(index="model", columns="expression", values="f1", sort=False)[list(EXPRESSIONS)]
    yield _table(wide.reset_index(), ["model", *EXPRESSIONS], {"model": "Model"})


def _curves(findings: Findings) -> Iterable[str]:
    points, curves = findings.tables["thresholds"], findings.tables["curves"]
    yield "<h2>ROC and precision against recall</h2>"
    yield "<p>One expression against the rest; the dots are where each model stands at a threshold of 0.5.</p>"
    key, named = _key(findings, curves)
    yield named
    for expression in EXPRESSIONS:
        at = points[(points["expression"] == expression) & (points["threshold"] == 0.5)]
        roc, pr = curves_of(curves, "roc", expression), curves_of(curves, "pr", expression)
        if roc.empty or pr.empty:
            continue
        drawn = [
            picture(figures.roc_chart(roc, at, key=key), HALF, f"ROC curves for {expression}"),
            picture(figures.pr_chart(pr, at, key=key), HALF, f"Precision against recall for {expression}"),
        ]
        yield f'<h3>{expression}</h3><div class="pair">{"".join(drawn)}</div>'


def _calibration(findings: Findings) -> Iterable[str]:
    yield "<h2>Calibration</h2><p>On the dashed line a model is right as often as it says.</p>"
    yield picture(figures.reliability_chart(findings.tables["reliability"]), WIDE, "Reliability of every model")
    words = {"model": "Model", "ece": "Calibration error", "confidence": "Mean confidence", "accuracy": "Accuracy"}
    words |= {"temperature": "Temperature, fitted on the other test split", "ece_scaled": "Error after it"}
    yield _table(findings.tables["calibration"], list(words), words)


def _pairs(findings: Findings) -> Iterable[str]:
    table = findings.tables["pairs"]
    if table.empty:
        return
    yield (
        "<h2>Significance</h2><p>Points of accuracy by which the model at the left is ahead of the one below. "
        "Coloured: McNemar’s test, p &lt; 0.05 after Holm’s correction over all pairs. In brackets: not clear.</p>"
    )
    order = list(findings.tables["scoreboard"]["model"])
    yield picture(figures.pair_matrix(both_ways(table), order), WIDE - 200, "Every pair of models")
    words = {"first": "First", "second": "Second", "difference": "Difference", "low": "95 % from", "high": "to"}
    words |= {"only_first": "Only first right", "only_second": "Only second right", "p_holm": "p (Holm)"}
    yield _table(table, [*words, "verdict"], {**words, "verdict": "Verdict"})


def _confusion(findings: Findings) -> Iterable[str]:
    yield "<h2>Confusion</h2><p>Of 100 faces of the row’s expression, how many are taken for the column’s.</p>"
    drawn = [
        f"<div><h3>{escape(str(model))}</h3>"
        + picture(figures.confusion_chart(cells, "rates"), NARROW, f"Confusion of {model}")
        + "</div>"
        for model, cells in findings.tables["confusion"].groupby("model", sort=False)
    ]
    yield f'<div class="pair">{"".join(drawn)}</div>'


def _training(findings: Findings) -> Iterable[str]:
    table = findings.tables["training"]
    if table.empty:
        return
    yield (
        "<h2>Training</h2><p>Solid: on the faces trained on, as augmented; where a model learns from teachers, their "
        "part of the loss counts. Dashed: on the hold-out.</p>"
    )
    key, named = _key(findings, table)
    yield named
    drawn = [
        picture(figures.training_chart(table, what, key=key), HALF, f"{what} of training")
        for what in ("accuracy", "loss")
    ]
    yield f'<div class="pair">{"".join(drawn)}</div>'


def _key(findings: Findings, table: pd.DataFrame) -> tuple[list[str], str]:
    """Return all models and the picture that names those in the table."""
    drawn = list(table["model"].unique())
    models = list(dict.fromkeys([*findings.tables["curves"]["model"], *drawn]))
    return models, picture(figures.model_key(models, drawn), WIDE, f"Colours of {len(drawn)} models")


def _paper(findings: Findings) -> Iterable[str]:
    table = findings.tables["paper"]
    yield (
        f"<h2>The paper beside our measurements</h2><p>{escape(', '.join(AUTHORS))}: “{escape(TITLE)}”. Reported "
        "numbers stand as printed. Both on PublicTest.</p>"
    )
    marks = paper_marks(table, "accuracy")
    yield picture(figures.paper_chart(marks, "Accuracy"), WIDE, "Accuracy of the paper’s variants")
    words = {"variant": "Variant", "reported": "Reported", "measured": "Measured"}
    for name, title in METRICS.items():
        words |= {f"{name}_reported": f"{title}, reported", f"{name}_measured": f"{title}, measured"}
    yield _table(table, list(words), words)
    yield "<h3>The final model, recomputed from the paper’s own table (section 4.5), beside its figures</h3>"
    again = findings.tables["paper_recomputed"]
    yield _table(again, list(again.columns), {"metric": "VGG16_modified", "recomputed": "Recomputed"})
    yield "<h3>Where the paper disagrees with itself</h3>"
    words = {"topic": "About", "note": "What does not fit", "statements": "Its statements"}
    yield _table(findings.tables["paper_contradictions"], list(words), words, long=("topic", "note", "statements"))


def _table(table: pd.DataFrame, columns: list[str], words: dict[str, str], long: tuple[str, ...] = ()) -> str:
    head = "".join(f"<th>{escape(words.get(column, column))}</th>" for column in columns)
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
