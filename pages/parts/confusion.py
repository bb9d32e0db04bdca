"""Parts of the Confusion page: a table to click on, and the faces behind a cell."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from fer_core.comparison import Album
from fer_core.figures import CELL
from pages.parts.analysis import plain


def clickable(chart: alt.LayerChart, key: str, description: str) -> None:
    """Show a confusion chart; a click on a cell chooses it in the boxes below.

    The key ought to change with the chosen cell: the chart then forgets its own selection, and every cell can be
    clicked again.
    """

    def choose() -> None:
        state: Any = st.session_state
        if picked := state[key].selection.get(CELL):
            state["m_actual"], state["m_predicted"] = picked[0]["actual"], picked[0]["predicted"]

    st.altair_chart(chart, key=key, on_select=choose, selection_mode=CELL, alt=description)


def show_faces(faces: pd.DataFrame, album: Album, what: str, who: bool = False) -> None:
    """Show faces with predicted and actual; without FER2013 their row numbers, and how to get it.

    Args:
        faces: as `fer_core.comparison.cell_faces` returns them.
        album: the faces and votes at hand.
        what: the line above them.
        who: also whose answer it is.
    """
    st.markdown(f"**{what}**")
    if faces.empty:
        st.caption("No face is in this cell.")
        return
    if not album.missing:
        with st.grid("auto", min_column_width=108, gap="small"):
            for face in faces.itertuples():
                with st.container(gap=None):
                    _card(face, album, who)
    with st.expander("What every model and the annotators say of them", expanded=bool(album.missing)):
        _table(faces, album)


def _card(face: Any, album: Album, who: bool) -> None:
    image = album.face(face.row, face.actual)
    if image is None:
        st.caption(f"Row {face.row} of the data at hand is another face.")
    else:
        st.image(
            image, width="stretch", alt=f"Face of row {face.row}: actual {face.actual}, predicted {face.predicted}"
        )
    mark = ":green[:material/check:]" if face.actual == face.predicted else ":red[:material/close:]"
    st.markdown(f"{mark} **{face.predicted}** {face.confidence:.0%}")
    by = f", says {plain(face.said_by)}" if who else ""
    st.caption(f"actual {face.actual}{by}  \nrow {face.row}")


def _table(faces: pd.DataFrame, album: Album) -> None:
    votes = [album.votes(row) for row in faces["row"]]
    models = [str(column) for column in faces if column not in {"row", "actual", "predicted", "confidence", "said_by"}]
    shown = faces.assign(annotators=votes)
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        alt="What every model and the annotators say of these faces",
        column_order=["row", "actual", *([] if album.votes_missing else ["annotators"]), *models],
        column_config={
            "row": st.column_config.NumberColumn("Row", format="%d", pinned=True, help="In FER2013, counted from 0"),
            "actual": "Actual",
            "annotators": st.column_config.TextColumn("Ten annotators (FER+)", width="large"),
        },
    )
    if album.votes_missing:
        st.caption(plain(album.votes_missing))
