"""The sections of the Compare page with one score for each model: scoreboard, F1 by expression, significance."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.columns import YARDSTICKS
from fer_core.figures import ranking
from fer_core.measuring.scoreboard import face_milliseconds
from fer_core.metrics.core import METRICS, metric_titles
from fer_core.metrics.significance import LEVEL
from fer_core.models.spec import WEIGHTS
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, show_table
from pages.parts.compare import drawings
from pages.parts.compare.results import LEGEND, Selection
from pages.parts.data import computed, results, shared
from pages.parts.explanations import explain


def scoreboard(selection: Selection) -> None:
    """Show the models ranked by one metric, and a table of all numbers."""
    table, answers = results(selection).scoreboard, results(selection).shown
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = metric_titles()
        key = choose("Rank by", titles, "c_metric", format_func=titles.__getitem__)
        metric = METRICS[key]
        lower_first = not metric.higher_is_better
        best = table.sort_values(key, ascending=lower_first).iloc[0]
        explain(
            metric.title,
            f"{best['model']} is best by {YARDSTICKS[answers.by]}, with {best[key]:.3f}. "
            f"{metric.example(results(selection).measured[best['name']][0])} In 95 % of resamples of the "
            f"{len(answers.labels):,} faces it lies between {best[f'{key}_low']:.3f} and "
            f"{best[f'{key}_high']:.3f}.",
        )
    show_chart(
        ranking(table, key, metric.title, ascending=lower_first),
        f"{metric.title} of {len(table)} models with 95 % intervals; best by {YARDSTICKS[answers.by]}: "
        f"{best['model']}, {best[key]:.3f}",
    )
    st.caption(
        f"On {len(answers.labels):,} faces of {answers.where}. A line is the 95 % interval. Models whose intervals "
        "overlap widely may well be equally good; see Significance. Intervals cover which test faces were drawn, not "
        "training again with another seed."
    )
    if st.button(
        "Measure latency here", icon=":material/timer:", help="One face on this computer, a second per model."
    ):
        with st.spinner("Measuring each model for a second", show_time=True):
            st.session_state["c_latency"] = {one.name: computed(_milliseconds, one) for one in selection.models}
    measured = pd.Series(st.session_state.get("c_latency", {}), dtype=float)
    sources = table["weights_from"].replace(WEIGHTS)
    table = table.assign(latency_ms=table["name"].map(measured), weights_from=sources)
    numbers: dict[str, str | tuple[str, str]] = {}
    for name, words in titles.items():
        numbers |= {name: (words, "%.3f"), f"{name}_interval": "95 % interval"}
    show_table(
        table,
        f"Scoreboard of {len(table)} models on {answers.where}",
        {
            "model": "Model",
            **numbers,
            "degraded_accuracy": ("Accuracy, degraded", "%.3f"),
            "latency_ms": ("Latency, ms per face", "%.1f"),
            "size_bytes": ("Size", "bytes"),
            "parameters": ("Parameters", "compact"),
            "trained": "Trained",
            "weights_from": "Weights from",
        },
        height="content",
    )


def _milliseconds(model: StoredModel) -> float | None:
    """Return the latency of a model for one face on this computer; None if it cannot predict."""
    try:
        return face_milliseconds(model)
    except FerError:
        return None


def by_expression(selection: Selection) -> None:
    """Show F1 of every model and expression."""
    table = results(selection).class_f1
    hardest = table.groupby("expression")["f1"].mean().idxmin()
    rare = table.sort_values("faces").iloc[0]
    one = table[table["model"] == results(selection).scoreboard["model"].iloc[0]]
    row = one.sort_values("f1").iloc[0]
    explain(
        "F1",
        f"{row['model']} has its lowest F1 for {row['expression']}: precision {row['precision']:.2f} and recall "
        f"{row['recall']:.2f} give {row['f1']:.2f}, on {row['faces']} faces.",
    )
    show_chart(
        shared(drawings.f1_by_expression, selection, narrow_screen()),
        f"F1 by expression of each model with 95 % intervals; lowest for {hardest}",
        key="c_class_scores",
    )
    st.caption(
        f"{results(selection).shown.where}. Rare expressions have wide intervals: {rare['expression']} has "
        f"{rare['faces']} faces. {LEGEND}"
    )


def significance(selection: Selection) -> None:
    """Show which differences between models are significant."""
    table = results(selection).pairs
    if table.empty:
        st.info("Two models are needed to compare. Choose more above.", icon=":material/info:")
        return
    significant = int((table["p_holm"] < LEVEL).sum())
    first = table.iloc[0]
    explain(
        "McNemar’s test",
        f"{first['only_first']:,} faces are classified correctly only by {first['first']}, {first['only_second']:,} "
        f"only by {first['second']}: p = {first['p_holm']:.2g} after correction.",
    )
    show_chart(
        shared(drawings.significance, selection, narrow_screen()),
        f"Differences in accuracy of every pair; {significant} of {len(table)} significant",
    )
    st.caption(
        f"{results(selection).shown.where}. Percentage points by which the model at the left is more accurate "
        "than the one with the number above. Coloured: significant (McNemar’s test, Holm’s correction over all pairs, "
        f"p < 0.05). {'Gray' if narrow_screen() else 'In brackets'}: not significant. The test covers which test faces "
        "were drawn, not training again with another seed."
    )
    points = {column: 100 * table[column] for column in ("difference", "low", "high")}
    show_table(
        table.assign(**points),
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
    )
