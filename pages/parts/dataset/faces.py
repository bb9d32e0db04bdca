"""Browse the faces, see one of them as numbers, and count the faces of each expression."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import SPLITS
from fer_core.figures.bars import class_distribution
from fer_core.figures.matrices import pixel_chart
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import MEASURES, filtered
from pages.parts.charts import show_chart
from pages.parts.common import choose, plain
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


ON_A_PAGE: Final = 24
ANY: Final = "any"


def browse(shown: ShownFaces) -> None:
    """Show faces that pass the chosen filters, page by page, and one of them closely."""
    table = shown.table()
    found, ranges = _chosen(shown, table)
    st.markdown(f"**{len(found):,} faces**{_in_words(ranges)}")
    if found.empty:
        st.caption("No face passes all of these filters.")
        return
    pages = -(-len(found) // ON_A_PAGE)
    number = st.number_input("Page", 1, pages, 1, key="d_page", width=160) if pages > 1 else 1
    on_page = found.iloc[(int(number) - 1) * ON_A_PAGE : int(number) * ON_A_PAGE]
    with st.grid("auto", min_column_width=108, gap="small"):
        for place, face in zip(on_page.index, on_page.itertuples(), strict=True):
            with st.container(gap=None):
                name = shown.name(place)
                st.image(
                    shown.dataset.images[place], width="stretch", alt=f"Face of {plain(name)}, labelled {face.label}"
                )
                st.markdown(f"**{face.label}**")
                st.caption("  \n".join([*([] if shown.own else [_said(face)]), plain(name)]))
    st.header("One face closely")
    place = st.selectbox("Face", list(on_page.index), format_func=shown.name, key="d_row", width=280)
    _closely(shown, place, table.loc[place])


def _chosen(shown: ShownFaces, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Ask for filters and order, and return the rows that pass in this order, and the range of each measure."""
    columns = [name for name in MEASURES if table[name].notna().any()]
    split = said = ANY
    with st.container(horizontal=True):
        if not shown.own:
            splits = [split for split in SPLITS if (table["split"] == split).any()]
            split = st.selectbox("Split", [ANY, *splits], key="d_split", bind="query-params", width=160)
        label = st.selectbox("Label", [ANY, *EXPRESSIONS], key="d_label", bind="query-params", width=160)
        if not shown.own:
            said = st.selectbox("Annotators say", [ANY, *EXPRESSIONS], key="d_said", bind="query-params", width=160)
        titles = {"row": "file" if shown.own else "row"} | {name: MEASURES[name].title for name in columns}
        order = st.selectbox(
            "Order by", list(titles), key="d_order", bind="query-params", format_func=titles.__getitem__, width=220
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        falling = st.toggle("Highest first", key="d_falling", bind="query-params")
        differing = not shown.own and st.toggle("Label and annotators differ", key="d_differing", bind="query-params")
        wrong = st.toggle("The default model is wrong", key="d_wrong", bind="query-params")
        copies = st.toggle("Picture occurs more than once", key="d_copies", bind="query-params")
    ranges = _ranges(table, columns)
    split, label, said = ("" if value == ANY else str(value) for value in (split, label, said))
    found = filtered(table, split, label, said, differing, wrong, copies, ranges)
    return found.sort_values(order, ascending=not falling, kind="stable"), ranges


def _ranges(table: pd.DataFrame, columns: list[str]) -> dict[str, tuple[float, float]]:
    """Ask for the range of each measure."""
    ranges: dict[str, tuple[float, float]] = {}
    with st.expander("More filters", icon=":material/tune:"), st.grid("auto", min_column_width=240, gap="medium"):
        for name in columns:
            measure = MEASURES[name]
            ranges[name] = st.slider(
                measure.title,
                measure.low,
                measure.high,
                (measure.low, measure.high),
                key=f"d_{name}",
                bind="query-params",
                format="percent" if isinstance(measure.high, float) else None,
                help=f"{measure.help} A slider at its end includes everything beyond it.",
            )
    unknown = int(table["roll"].isna().sum())
    st.caption(f"{unknown:,} of {len(table):,} faces have no head roll: no face or no eyes are detected in them.")
    return ranges


def _in_words(ranges: dict[str, tuple[float, float]]) -> str:
    """Return the ranges that leave faces out, in words."""
    words = [
        f"{MEASURES[name].title} {low:g} to {high:g}"
        for name, (low, high) in ranges.items()
        if (low, high) != (MEASURES[name].low, MEASURES[name].high)
    ]
    return "".join(f" · {text}" for text in words)


def _said(face: Any) -> str:
    if pd.isna(face.agreement):
        return "no votes"
    return f"{face.said or 'no clear answer'}, {face.agreement:.0%} agree"


def _closely(shown: ShownFaces, place: int, face: pd.Series) -> None:
    name = plain(shown.name(place))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**The numbers of {name}**: black is 0, white is 255")
        show_chart(pixel_chart(shown.dataset.images[place]), f"Pixels of {name}")
        st.caption("Drag over a part of the face to read its numbers. A double click shows the whole face again.")
    with right:
        votes = "" if shown.own else shown.fer2013.votes(int(face["row"]))
        st.markdown(f"**Labelled {face['label']}**" + (f"; ten annotators: {plain(votes)}" if votes else ""))
        if face["predicted"]:
            st.markdown(f"The default model predicts {face['predicted']}.")
        roll = "unknown" if pd.isna(face["roll"]) else f"{face['roll']:.0f}°"
        facts = {
            "Mean gray": f"{face['brightness']:.0f}",
            "Standard deviation": f"{face['contrast']:.0f}",
            "Sharpness": f"{face['sharpness']:.0f}",
            "Head roll": roll,
            "Nearly the same picture elsewhere": "yes" if face["copy"] else "no",
        }
        if not shown.own:
            facts = {"Split": str(face["split"])} | facts
        st.table(pd.Series(facts, name=""), border="horizontal", alt=f"Facts about {name}")
