"""The sections of the Compare page and of the report, made from results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import pandas as pd

from fer_core.columns import PERCENT, percent
from fer_core.faces import DEGRADATIONS
from fer_core.figures import curves, matrices, scores
from fer_core.measuring.robustness import robustness_curves, robustness_summary
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.core import METRICS, metric_titles
from fer_core.metrics.curves import curves_of, threshold_table
from fer_core.metrics.paper import AUTHORS, FINAL, TITLE, paper_marks, paper_metrics
from fer_core.metrics.significance import LEVEL, both_ways
from fer_core.models.spec import WEIGHTS
from fer_core.sections import answers as says
from fer_core.sections.results import Results
from fer_core.sections.section import Chart, Section


def scoreboard(results: Results, metric: str = "accuracy") -> Section:
    """Return the models ranked by a metric of `METRICS`, and a table of all metrics."""
    board, answers, measure = results.board, results.answers, METRICS[metric]
    ascending = not measure.higher_is_better
    best = board.sort_values(metric, ascending=ascending).iloc[0]
    overlap = "Models whose intervals overlap widely may well be equally good; see Significance. "
    columns: dict[str, str | tuple[str, str]] = {"model": "Model", "name": "Name"}
    for name, title in metric_titles().items():
        columns |= {name: (title, PERCENT), f"{name}_interval": "95 % interval"}
    columns |= {
        "degraded_accuracy": ("Accuracy, degraded", PERCENT),
        "latency_ms": ("Latency, ms per face", "%.1f"),
        "size_bytes": ("Size", "bytes"),
        "parameters": ("Parameters", "compact"),
        "trained": "Trained",
        "weights_from": "Weights from",
    }
    alt = f"{measure.title} of {len(board)} models with 95 % intervals; best by {answers.judge}: "
    alt += f"{best['model']}, {_percent(best[metric])}"
    draw = partial(scores.ranking, board, metric, title=measure.title, ascending=ascending)
    return Section(
        "Scoreboard",
        says.best_model(board, metric, judge=answers.judge),
        [Chart(metric.replace("_", "-"), alt, draw, adapts=False)],
        f"On {len(answers.labels):,} faces of {answers.where}. A line is the 95 % interval. "
        f"{overlap if len(board) > 1 else ''}Intervals cover which test faces were drawn, not training again with "
        "another seed.",
        board.assign(weights_from=board["weights_from"].replace(WEIGHTS)),
        f"Scoreboard of {len(board)} models on {answers.where}",
        columns,
        measure.title,
        f"{best['model']} is best by {answers.judge}, with {_percent(best[metric])}. "
        f"{measure.example(results.measured[best['name']][0])} In 95 % of resamples of the {len(answers.labels):,} "
        f"faces it lies between {_percent(best[f'{metric}_low'])} and {_percent(best[f'{metric}_high'])}.",
    )


def by_expression(results: Results) -> Section:
    """Return F1 of every model and expression."""
    table = results.class_f1
    hardest = table.groupby("expression")["f1"].mean().idxmin()
    rare = table.sort_values("faces").iloc[0]
    row = table[table["model"] == results.ranked[0]].sort_values("f1").iloc[0]
    wide = table.pivot_table(index="model", columns="expression", values="f1", dropna=False)
    alt = f"F1 by expression of each model with 95 % intervals; lowest for {hardest}"
    return Section(
        "F1 by expression",
        says.extremes(table),
        [Chart("f1-by-expression", alt, partial(scores.class_scores, table, **_models(results, table)))],
        f"{results.answers.where}. Rare expressions have wide intervals: {rare['expression']} has {rare['faces']} "
        "faces.",
        wide.loc[results.ranked].reset_index(),
        "F1 of every model by expression",
        {"model": "Model"} | {name: (name.capitalize(), PERCENT) for name in results.answers.classes},
        "F1",
        f"{row['model']} has its lowest F1 for {row['expression']}: precision {_percent(row['precision'])} and recall "
        f"{_percent(row['recall'])} give {_percent(row['f1'])}, on {row['faces']} faces.",
    )


def classification(results: Results, focus: str | None = None) -> Section:
    """Return the classification reports: that of the model with the title `focus`, or of all models, the best first.

    There is no chart. On PublicTest or PrivateTest, the caption has what the paper reports of its final model.
    """
    table = results.reports
    if focus is not None:
        table = table[table["model"] == focus]
    order = pd.Categorical(table["model"], results.ranked)
    table = table.iloc[order.codes.argsort(kind="stable")]
    above, within = FINAL["accuracy"]
    caption = "Macro: the mean over the expressions; weighted: each counts as often as it has faces. Recall is the TPR."
    if not results.answers.own:
        caption += (
            f" The paper’s final model has a ROC AUC of {_percent(FINAL['roc_auc'])}, and an accuracy of "
            f"{_percent(within)} in its classification report but {_percent(above)} above it (section 4.5)."
        )
    return Section(
        "Classification report",
        "",
        [],
        caption,
        table,
        f"Classification report of {focus or 'every model'}",
        {
            **({} if focus else {"model": "Model"}),
            "expression": "Expression",
            **_shares(precision="Precision", recall="Recall", f1="F1", tpr="TPR", fpr="FPR"),
            "support": ("Faces", "%d"),
        },
    )


def roc_and_pr(
    results: Results, expressions: Iterable[str] = (), *, threshold: float = 0.5, focus: str | None = None
) -> Section:
    """Return the curves of expressions, by default all that have them, and the numbers at a threshold of the last one.

    Answers without probabilities have no curves. The threshold is a probability from which an expression is predicted,
    `focus` the title of a model to emphasize.
    """
    charts = []
    if results.graded is None:
        return Section("ROC and precision-recall", "", [])
    for expression in expressions or results.answers.classes:
        points = threshold_table(results.graded, expression, threshold)
        roc, pr = (curves_of(results.curves, kind, expression) for kind in ("roc", "pr"))
        if roc.empty or pr.empty:
            continue
        areas = (lines["area"] if focus is None else lines.loc[lines["model"] == focus, "area"] for lines in (roc, pr))
        alt = f"ROC and precision-recall curves for {expression}; areas {' and '.join(map(_range, areas))}"
        alt += f" for {focus}" if focus else ""
        draw = partial(curves.roc_pr_chart, roc, pr, points=points, focus=focus, **_models(results, roc))
        charts.append(Chart(f"roc-pr-{expression}", alt, draw, heading=expression.capitalize()))
    answer, example = "", ""
    caption = "One expression against the rest. The marks show each model at a threshold of 0.5."
    if focus is not None:
        caption = f"{results.answers.where}. The dots mark each model at this threshold."
        at = points[points["model"] == focus].iloc[0]
        answer = says.at_threshold(at, expression)
        right, wrong, missed = (at[name] for name in ("true_positives", "false_positives", "false_negatives"))
        example = (
            f"At {threshold:.2f}, {focus} is at a false positive rate of {at['fpr']:.3f} and a true positive rate of "
            f"{at['tpr']:.3f} on its ROC curve. It predicts {expression} for {right + wrong} faces, {right} of them "
            f"correctly; of the {right + missed} faces of {expression} it misses {missed}."
        )
    return Section(
        "ROC and precision-recall",
        answer,
        charts,
        caption,
        points,
        f"Every model at threshold {threshold:.2f} for {expression}",
        {
            "model": "Model",
            **_shares(precision="Precision", recall="Recall", f1="F1", fpr="False positive rate"),
            "true_positives": "True positives",
            "false_positives": "False positives",
        },
        "ROC and precision-recall curves",
        example,
    )


def calibration(results: Results, focus: str | None = None) -> Section:
    """Return the reliability diagrams, and calibration errors beside their noise floors; no charts without
    probabilities."""
    if results.graded is None:
        return Section("Calibration", "", [])
    bins, table = results.reliability, results.calibration
    ranges = [f"{100 * low:.1f} – {_percent(high)}" for low, high in table[["floor_low", "floor_high"]].to_numpy()]
    alt, example = f"Reliability diagram of each model; calibration errors {_range(table['ece'])}", ""
    answer = says.confidence(table[table["model"] == (focus or results.graded_titles[0])].iloc[0])
    other = "the other test split" if results.other is None else results.other.split
    if focus is None:
        fitted = (
            f"The temperature T is fitted to the log loss on {other}, because predictions for the hold-out are not "
            "stored; no model here uses it. On the split shown, log loss and ECE can rise with it."
        )
        if table["fitted_on"].isna().all():
            fitted = "No temperature T: there are no predictions of the other test split to fit it on."
        caption = (
            "On the dashed line, confidence equals accuracy; below it a model is overconfident, above it "
            "underconfident. ECE: expected calibration error with 15 bins. Noise floor: the mean ECE of a perfectly "
            "calibrated model with the same confidences, from 1,000 draws of labels, and below it the range of 95 % of "
            "the draws; an ECE above it is evidence of bad calibration. Brier score: summed over the "
            f"expressions, 0 to 2. {fitted}"
        )
    else:
        error = table.loc[table["model"] == focus, "ece"].iloc[0]
        alt = f"Reliability diagram; calibration error of {focus} {_percent(error)}"
        caption = (
            f"{results.answers.where}. Below the dashed line a model is overconfident, above it underconfident. Noise "
            "floor: the mean ECE of a perfectly calibrated model with the same confidences, from 1,000 draws of "
            "labels; the ECE is above, inside or below the range of 95 % of the draws. Temperatures T are fitted on "
            f"{other}, because predictions for the hold-out are not stored; no model here uses them."
        )
        last = bins[bins["model"] == focus].iloc[-1]
        example = (
            f"{focus} predicts {last['faces']:,} faces with a confidence of {percent(last['from'])} or more, on "
            f"average {_percent(last['confidence'])}; {_percent(last['accuracy'])} of these predictions are correct."
        )
    return Section(
        "Calibration",
        answer,
        [Chart("reliability", alt, partial(curves.reliability_chart, bins, focus, **_models(results, bins)))],
        caption,
        table.assign(floor_range=ranges),
        "Calibration of every model",
        {
            "model": "Model",
            **_numbers(log_loss="Log loss", brier="Brier score"),
            **_shares(ece="ECE", floor="Noise floor"),
            "floor_range": "95 % range",
            "against_floor": "ECE is",
            "temperature": ("T", "%.2f"),
            **_numbers(log_loss_scaled="Log loss with T"),
            **_shares(ece_scaled="ECE with T", confidence="Confidence", accuracy="Accuracy"),
        },
        "Reliability diagram",
        example,
    )


def robustness(results: Results, focus: str | None = None) -> Section:
    """Return accuracy and confidence on degraded faces; no charts if no model was measured on them."""
    table, example = results.degraded[0], ""
    if table.empty:
        return Section("Robustness", "", [])
    kinds = {kind: degradation.title for kind, degradation in DEGRADATIONS.items()}
    titles = {kind: (degradation.title, degradation.unit) for kind, degradation in DEGRADATIONS.items()}
    summary = robustness_summary(table)
    shown = focus or str(summary.iloc[0]["model"])
    alt = f"Accuracy of {table['model'].nunique()} models on degraded faces: {', '.join(kinds.values()).lower()}"
    faces = f"faces ({results.answers.own})" if results.answers.own else "test faces of both splits"
    words = "Low light also lowers the contrast; occlusion is a gray square at a random place."
    caption = (
        f"Accuracy on {table['faces'].max():,} {faces} with five kinds of degradation, in five strengths each. "
        f"These faces are always the same. {words} Models that are not listed were not measured."
    )
    if focus is not None:
        row = summary[summary["model"] == focus].iloc[0]
        alt = f"Accuracy on degraded faces; {focus}: {percent(row['clean'])} when clean, on average " + ", ".join(
            f"{title.lower()} {percent(row[kind])}" for kind, title in kinds.items()
        )
        example = (
            f"{focus} falls from {_percent(row['clean'])} on clean faces to {_percent(row['degraded'])} on average, "
            f"while its mean confidence there is {_percent(row['confidence'])}."
        )
        of_all = "Confidence is over all faces, also those without one clear answer of the annotators."
        caption = (
            f"On {row['faces']:,} fixed {faces}, without mirror images, whatever is chosen. "
            "Solid: accuracy, with 95 % intervals for the highlighted model. Dashed: its mean confidence; where it is "
            "above the solid line, the model is overconfident. Degraded: the mean over five kinds in five strengths. "
            f"{words}{f' {of_all}' if results.answers.by == 'plurality' else ''}"
        )
    drawn = {kind: robustness_curves(table, kind) for kind in DEGRADATIONS}
    draw = partial(curves.robustness_chart, drawn, titles, focus=focus, **_models(results, table))
    return Section(
        "Robustness",
        says.falls(summary[summary["model"] == shown].iloc[0], kinds),
        [Chart("robustness", alt, draw)],
        caption,
        summary,
        "Accuracy of every model on degraded faces",
        {
            "model": "Model",
            **_shares(clean="Clean", degraded="Degraded", **kinds, confidence="Mean confidence, degraded"),
        },
        "Robustness",
        example,
    )


def significance(results: Results) -> Section:
    """Return the differences of all pairs; no charts if there is only one model."""
    table = results.pairs
    if table.empty:
        return Section("Significance", "", [])
    significant = int((table["p_holm"] < LEVEL).sum())
    alt = f"Differences in accuracy of every pair; {significant} of {len(table)} significant"
    first = table.iloc[0]
    return Section(
        "Significance",
        says.apart(table),
        [Chart("significance", alt, partial(matrices.pair_matrix, both_ways(table), results.ranked))],
        f"{results.answers.where}. Percentage points by which the model at the left is more accurate than the one with "
        "the number above. Coloured: significant (McNemar’s test, Holm’s correction over all pairs, p < 0.05). Gray, "
        "in brackets: not significant. The test covers which test faces were drawn, not training again with another "
        "seed.",
        table.assign(**{column: 100 * table[column] for column in ("difference", "low", "high")}),
        "McNemar’s test of every pair of models",
        {
            "first": "First",
            "second": "Second",
            "difference": ("Points ahead", "%+.1f"),
            "low": ("95 % from", "%+.1f"),
            "high": ("to", "%+.1f"),
            "only_first": "Only first right",
            "only_second": "Only second right",
            "p_holm": ("p (Holm)", "%.2g"),
            "verdict": "Verdict",
        },
        "McNemar’s test",
        f"{first['only_first']:,} faces are classified correctly only by {first['first']}, {first['only_second']:,} "
        f"only by {first['second']}: p = {first['p_holm']:.2g} after correction.",
    )


def confusion(results: Results) -> Section:
    """Return the confusion matrix of each model."""
    charts = []
    for name, model in zip(results.board["name"], results.board["model"], strict=True):
        cells = confusion_cells(results.answers, name)
        alt = f"Confusion of {model}; {says.confusion(cells, model)[0]}"
        file, draw = re.sub(r"[^a-z0-9_-]", "", name), partial(matrices.confusion_chart, cells, "rates")
        charts.append(Chart(f"confusion-{file}", alt, draw, adapts=False, heading=model, width=560))
    caption = "Rows: actual expression. Columns: predicted expression, in percent of the row."
    best = results.board.iloc[0]
    answer, _ = says.confusion(confusion_cells(results.answers, best["name"]), best["model"])
    return Section("Confusion", answer, charts, caption)


def training(results: Results) -> Section:
    """Return the training curves; no charts if no model has them."""
    table, example = results.histories[0], ""
    if table.empty:
        return Section("Training", "", [])
    held = table[(table["faces"] == "hold-out") & (table["what"] == "accuracy")].sort_values("value")
    if not held.empty:
        best = held.iloc[-1]
        example = (
            f"{best['model']} reaches the highest hold-out accuracy by the label, {_percent(best['value'])}, after "
            f"epoch {best['epoch']:.0f}."
        )
    alt = f"Accuracy and loss over the epochs of training of {table['model'].nunique()} models"
    return Section(
        "Training",
        example,
        [Chart("training", alt, partial(curves.training_chart, table, **_models(results, table)))],
        "Dotted: training faces, augmented; with distillation, the loss includes the teacher’s part. Solid: hold-out.",
        explained="Training curves",
        example=example,
    )


def paper(results: Results, metric: str = "accuracy") -> Section:
    """Return the values of a metric that the paper reports beside ours; no charts on a data set of one's own."""
    if results.answers.own:
        return Section("Paper", "", [])
    table, titles = results.paper[0], paper_metrics()
    measured = int(table.dropna(subset=["accuracy_measured"])["variant"].nunique())
    known = table.dropna(subset=[f"{metric}_reported"])
    last = known.sort_values("variant", key=lambda names: names != "vgg16_modified", kind="stable").iloc[0]  # the final
    ours = last[f"{metric}_measured"]
    alt = f"{titles[metric]} of the paper’s eight variants, as reported; {measured} of them measured here"
    draw = partial(scores.paper_chart, paper_marks(table, metric), titles[metric])
    kinds = [(name, source) for name in titles for source in ("reported", "measured")]
    numbers = {f"{name}_{source}": (f"{titles[name]}, {source}", PERCENT) for name, source in kinds}
    example = f"The paper reports {_percent(last[f'{metric}_reported'])} for {last['title']}"
    example += "." if pd.isna(ours) else f"; measured here: {_percent(ours)}."
    return Section(
        "Paper",
        example,
        [Chart(f"paper-{metric.replace('_', '-')}", alt, draw)],
        f"{', '.join(AUTHORS)}: “{TITLE}”. Reported numbers are as printed. Both are on PublicTest and judged by "
        "FER2013’s label.",
        table,
        "The paper’s results beside ours",
        {"title": "Variant", "reported": "Reported", "measured": "Measured", **numbers},
        titles[metric],
        example,
    )


SECTIONS: Final[tuple[Callable[[Results], Section], ...]] = (
    *(scoreboard, by_expression, classification, roc_and_pr, calibration, robustness),
    *(significance, confusion, training, paper),
)
"""The sections of a report in their order."""


def _models(results: Results, table: pd.DataFrame) -> dict[str, Any]:
    """Return the order of the models' colours, and those of the table to show at first; None for all."""
    front = [model for model in results.front if model in set(table["model"])]
    return {"models": results.titles, "front": front or None}


def _numbers(**titles: str) -> dict[str, tuple[str, str]]:
    """Return columns of numbers with three digits after the point."""
    return {name: (title, "%.3f") for name, title in titles.items()}


def _shares(**titles: str) -> dict[str, tuple[str, str]]:
    return {name: (title, PERCENT) for name, title in titles.items()}


def _percent(share: float) -> str:
    return percent(share, ".1%")


def _range(values: Iterable[float]) -> str:
    numbers = sorted(set(values))
    return " to ".join(_percent(number) for number in dict.fromkeys([numbers[0], numbers[-1]]))
