"""The sections of the Fairness page: groups compared, where a model fails most, and what this can say."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from fer_core.audit.faces import AuditedFaces
from fer_core.audit.groups import ALL, LIMITS, MINIMUM, RATES
from fer_core.audit.properties import PROPERTIES
from fer_core.figures.scores import error_leaves, group_rates
from fer_core.files import csv_text
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.significance import LEVEL
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, offer_download, plain, show_table, whole_number, with_code
from pages.parts.data import computed
from pages.parts.explanations import explain

NONE: Final = "–"
SEVEN: Final = "all seven"


def groups(faces: AuditedFaces) -> None:
    """Show a rate by group, the largest gaps between groups, and whether chance explains them."""
    divisions = faces.divisions
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Divide by", divisions, format_func=divisions.__getitem__, key="a_groups", bind="query-params"
        )
        others = [NONE, *(name for name in divisions if name != by)]
        and_by = st.selectbox(
            "and by", others, format_func=lambda name: divisions.get(name, name), key="a_crossed", bind="query-params"
        )
        least = whole_number(
            "Faces to compare",
            1,
            10_000,
            MINIMUM,
            "a_minimum",
            width=160,
            help="A rate that is a share of fewer faces is shown hollow and not compared.",
        )
    audit = computed(AuditedFaces.compare, faces, by, "" if and_by == NONE else str(and_by), least)
    rates = [rate for rate in RATES if (audit.rates["rate"] == rate).any()]
    with st.container(horizontal=True):
        rate = choose("Rate", rates, "a_rate", format_func=RATES.__getitem__)
        expression = SEVEN
        if rate != "accuracy":
            expression = choose("Expression", (SEVEN, *EXPRESSIONS), "a_expression", wrap=True)
    shown = audit.rates[audit.rates["rate"] == rate]
    if expression != SEVEN:
        shown = shown[shown["expression"] == expression]
    gaps = audit.gaps[audit.gaps["rate"] == rate].sort_values("gap", ascending=False)
    explain("Gap between groups", _largest(gaps))
    title = RATES[rate] if expression in (SEVEN, ALL) else f"{RATES[rate]}, {expression}"
    if shown["value"].notna().any():
        show_chart(group_rates(shown, title, narrow=narrow_screen()), f"{title} by {audit.by}: {_in_words(shown)}")
    st.caption(f"{plain(faces.model)}. {plain(faces.faces)}. {_about(by)}")
    if gaps.empty:
        st.caption(f"There are no two groups of at least {least} faces to compare.")
    else:
        _show_gaps(gaps)
    name = f"fer-lab-audit-{audit.by.replace(' × ', '-')}.csv"
    offer_download("All rates and groups", lambda: csv_text(audit.rates), name, "text/csv", "download", "a_csv")


def failures(faces: AuditedFaces) -> None:
    """Show the kinds of faces on which the model is wrong most often."""
    try:
        leaves = computed(AuditedFaces.where_it_fails, faces)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        return
    overall = float(leaves["wrong"].sum() / leaves["faces"].sum())
    worst = leaves.iloc[0]
    st.markdown(
        f"The model is wrong on **{overall:.0%}** of these faces ({plain(faces.faces)}). It fails most where "
        f"**{plain(worst['where'])}**: on {worst['value']:.0%} of {worst['faces']:,} faces ({worst['low']:.0%} to "
        f"{worst['high']:.0%})."
    )
    words = "; ".join(f"{row.where} {row.value:.0%}" for row in leaves.itertuples())
    show_chart(error_leaves(leaves, overall), f"Share of wrong predictions by kind of face: {words}")
    st.caption(
        "A decision tree of at most three conditions separates wrong from right predictions. One half of the faces "
        "grew it, the other half is counted here, so no group was chosen by the errors that it shows. "
        + " ".join(f"{one.title}: {one.words}." for name, one in PROPERTIES.items() if name in faces.properties)
    )


def limits(_: AuditedFaces) -> None:
    """Say what an audit can and cannot tell."""
    show_limits()


def show_limits() -> None:
    """Show what an audit can and cannot tell, as a list."""
    st.markdown("\n".join(f"- **{title}** {text}" for title, text in LIMITS.items()))


SECTIONS: Final = {"Groups": groups, "Where it fails most": failures, "What this can say": limits}


def _largest(gaps: pd.DataFrame) -> str:
    if gaps.empty:
        return "No two groups have enough faces."
    one = gaps.iloc[0]
    return (
        f"{'' if one['expression'] == ALL else one['expression'] + ': '}{one['highest']} {one['highest_value']:.1%}, "
        f"{one['lowest']} {one['lowest_value']:.1%}, so the gap is {100 * one['gap']:.1f} points, "
        f"{_chance(one['p_holm'])}."
    )


def _show_gaps(gaps: pd.DataFrame) -> None:
    beyond = gaps[gaps["p_holm"] < LEVEL]
    one = (beyond if len(beyond) else gaps).iloc[0]
    what = "" if one["expression"] == ALL else f" for **{one['expression']}**"
    st.markdown(
        f"**{len(beyond)} of {len(gaps)} gaps** are larger than chance explains (p < {LEVEL:g} after Holm’s "
        f"correction). The largest{' of them' if len(beyond) else ''} is{what}: {plain(one['highest'])} "
        f"{one['highest_value']:.1%}, {plain(one['lowest'])} {one['lowest_value']:.1%}."
    )
    in_percent = ["highest_value", "lowest_value", "gap", "low", "high"]
    table = gaps.assign(**{name: 100 * gaps[name] for name in in_percent})
    show_table(
        table,
        "Largest gap between groups for each expression",
        {
            "expression": "Expression",
            "highest": "Highest",
            "highest_value": ("Rate, %", "%.1f"),
            "lowest": "Lowest",
            "lowest_value": ("Rate, % ", "%.1f"),
            "gap": ("Gap, points", "%.1f"),
            "low": ("95 % from", "%.1f"),
            "high": ("to", "%.1f"),
            "ratio": ("Lowest / highest", "%.2f"),
            "ratio_low": ("95 % from ", "%.2f"),
            "ratio_high": ("to ", "%.2f"),
            "p_holm": ("p (Holm)", "%.4f"),
        },
        height="content",
    )


def _chance(p: float) -> str:
    return f"{'larger than chance explains' if p < LEVEL else 'which chance can explain'} (p = {p:.3f} after Holm)"


def _about(by: str) -> str:
    return f"{PROPERTIES[by].title}: {PROPERTIES[by].words}." if by in PROPERTIES else ""


def _in_words(rates: pd.DataFrame) -> str:
    known = rates[rates["value"].notna()]
    return "; ".join(f"{row.expression}, {row.group}: {row.value:.0%}" for row in known.itertuples())[:600]
