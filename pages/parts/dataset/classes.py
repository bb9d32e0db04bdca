"""How many faces each expression has."""

from __future__ import annotations

import streamlit as st

from fer_core.figures.bars import class_distribution
from pages.parts.charts import show_chart
from pages.parts.common import choose
from pages.parts.dataset.source import OWN, ShownFaces


def classes(shown: ShownFaces) -> None:
    """Show the class distribution of each split, as in the paper's figure 1."""
    dataset = shown.dataset
    counts = dataset.counts()
    if shown.own:
        counts = counts.loc[["Training"]].rename(index={"Training": OWN})
    bars = choose("Bars", ("numbers", "shares"), "d_bars")
    totals = counts.sum()
    rare, frequent = str(totals.idxmin()), str(totals.idxmax())
    show_chart(
        class_distribution(counts, shares=bars == "shares"),
        f"Faces by expression and split; most for {frequent}, fewest for {rare}",
    )
    splits = "" if shown.own else " PublicTest is the paper’s test split, PrivateTest the challenge’s."
    st.caption(
        f"{len(dataset):,} faces of 48 × 48 gray pixels. {totals.max():,} are {frequent}, {totals.min():,} {rare}. A "
        f"model that always answers {frequent} is right on {totals.max() / len(dataset):.0%} of them.{splits}"
    )
    st.dataframe(
        counts.assign(all=counts.sum(axis=1)).rename_axis("Split"), alt="Number of faces by split and expression"
    )
