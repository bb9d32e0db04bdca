"""The section of the Compare page on the paper: its reported results beside ours, and its contradictions."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.figures import class_scores, paper_chart
from fer_core.metrics.paper import (
    PAPER_VARIANTS,
    PLAIN_MEANS,
    paper_marks,
    paper_metrics,
    paper_notes,
    paper_recomputed,
)
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, plain, show_table
from pages.parts.compare.results import Selection
from pages.parts.data import results
from pages.parts.explanations import explain


def paper(selection: Selection) -> None:
    """Show the paper's eight variants, reported and measured."""
    overall, f1 = results(selection).paper_tables
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = paper_metrics()
        metric = choose("Metric", titles, "c_paper_metric", format_func=titles.__getitem__)
        reported = overall.dropna(subset=[f"{metric}_reported"]).iloc[-1]
        ours = reported[f"{metric}_measured"]
        example = f"The paper reports {reported[f'{metric}_reported']:.4f} for {reported['title']}"
        explain(titles[metric], example + ("." if pd.isna(ours) else f"; measured here: {ours:.4f}."))
    st.caption(
        "Reported numbers are as the paper prints them, with its contradictions. Both are always on PublicTest, the "
        f"paper’s test split, and judged by FER2013’s label; ours {selection.view}."
    )
    trained = int(overall.dropna(subset=["accuracy_measured"])["variant"].nunique())
    show_chart(
        paper_chart(paper_marks(overall, metric), titles[metric]),
        alt=f"{titles[metric]} of the paper’s eight variants, as reported; {trained} of them measured here",
    )
    show_table(
        overall,
        "The paper’s results beside ours",
        {
            "title": "Variant",
            "reported": "Reported",
            "measured": "Measured",
            **{
                f"{name}_{source}": (f"{words}, {source}", "%.4f")
                for name, words in titles.items()
                for source in ("reported", "measured")
            },
        },
        placeholder="–",
    )
    variant = st.selectbox(
        "Variant",
        list(PAPER_VARIANTS),
        index=5,
        format_func=PAPER_VARIANTS.__getitem__,
        key="c_variant",
        bind="query-params",
    )
    title = PAPER_VARIANTS[variant]
    scores = f1[variant].dropna(subset=["f1"])
    lowest = scores.sort_values("f1").drop_duplicates("model").itertuples()
    explain("F1", f"{title} has its lowest F1: " + "; ".join(f"{r.expression} {r.f1:.3f} ({r.model})" for r in lowest))
    show_chart(
        class_scores(f1[variant], narrow=narrow_screen()), alt=f"F1 by expression of {title}, reported and measured"
    )
    st.markdown("**The final model, recomputed from the paper’s own table of precision, recall and support**")
    recomputed = paper_recomputed()
    st.dataframe(
        recomputed,
        hide_index=True,
        alt="The final model recomputed from section 4.5, beside the paper’s figures",
        column_config={
            "metric": PAPER_VARIANTS["vgg16_modified"],
            "recomputed": st.column_config.NumberColumn("Recomputed from section 4.5", format="%.4f"),
            **{
                name: st.column_config.NumberColumn(f"Reported, {name}", format="%.4f")
                for name in recomputed.columns[2:]
            },
        },
    )
    st.markdown("**Where the paper contradicts itself**")
    st.table(
        {plain(topic): plain(note) for topic, note in paper_notes(variant).items()},
        border="horizontal",
        alt=f"Where the paper contradicts itself about {title}",
    )
    st.caption(f"Names such as VGG16_modified are the paper’s. {PLAIN_MEANS}")
