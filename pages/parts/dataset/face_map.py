"""The map of faces: choose a model and a colour, point at faces, and select some to see how well it does on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.figures import COLORINGS, face_map_chart
from fer_core.metrics.mapped_faces import face_sheet, judged, map_table
from fer_core.metrics.predictions import Predictions, joined
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, choose_yardstick, empty, note_utkface, plain, warn
from pages.parts.compare.results import Selection, all_answers, stamps
from pages.parts.dataset.hover_faces import show_faces_on_hover
from pages.parts.dataset.selected_faces import selected_faces
from pages.parts.explanations import explain

BOTH: Final = "Both"
_ROWS: Final = "d_map_rows"
_DRAWN: Final = "d_map_drawn"
_CLEARED: Final = "d_map_cleared"


def face_map(faces: Fer2013Faces) -> None:
    """Show the map of the test faces by a model's features, and the faces that are selected on it."""
    stored, _ = list_models()
    mapped = {model.name: model for model in stored if model.has_face_map}
    if not mapped:
        st.info(
            f"No model has a map of faces yet. To make one, you need FER2013: `fer-lab evaluate {DEFAULT_MODEL} --map "
            "--save`",
            icon=":material/info:",
        )
        return
    st.markdown(
        "Each point is a face of FER2013’s test splits. Near points look alike to the model. Draw around points with "
        "the lasso or a box to see these faces and how well the model does on them."
    )
    name = st.selectbox(
        "Model",
        mapped,
        format_func=lambda one: mapped[one].title,
        key="d_map_model",
        bind="query-params",
        width=360,
        help="Models with a map. For a model of your own, `fer-lab evaluate NAME --map --save` makes it.",
    )
    note_utkface([mapped[name]])
    answers = {by: _answers(stored, name, by) for by in ("label", "plurality")}
    try:
        table = map_table(mapped[name].face_map(), answers["label"], answers["plurality"], name, faces)
    except FerError as error:
        warn([str(error)], "")
        return
    if table.empty:
        st.info(
            f"{plain(mapped[name].title)} has no stored predictions of the faces on its map.", icon=":material/info:"
        )
        return
    sheet = _sheet(faces, table[["row", "label"]], faces.dataset.fingerprint) if faces.dataset else None
    _map(table, answers, name, mapped[name].title, faces)
    if sheet is not None:
        show_faces_on_hover(sheet)
    else:
        st.caption(
            "Pictures of the faces need FER2013, and the annotators' agreement needs FER+'s votes. The map, labels, "
            "predictions and results come from stored files."
        )


def _answers(stored: list[StoredModel], name: str, by: str) -> list[Predictions]:
    """Return the predictions of each test split for which this model has some."""
    first = Selection(stamps(stored), "", "plain", by)
    parts = (all_answers(replace(first, split=split))[0] for split in TEST_SPLITS)
    return [part for part in parts if part is not None and name in part.probabilities]


@st.cache_data(max_entries=2, show_spinner="Putting the faces on a sheet …")
def _sheet(_faces: Fer2013Faces, table: pd.DataFrame, fingerprint: str) -> bytes | None:  # noqa: ARG001 (the cache key)
    return face_sheet(_faces, table)


@st.fragment
def _map(
    table: pd.DataFrame, answers: dict[str, list[Predictions]], name: str, title: str, faces: Fer2013Faces
) -> None:
    colorings = [
        one
        for one in COLORINGS
        if (one != "plurality" or answers["plurality"]) and (one != "agreement" or table["agreement"].notna().any())
    ]
    with st.container(horizontal=True):
        coloring = st.selectbox(
            "Colour", colorings, format_func=COLORINGS.__getitem__, key="d_map_color", bind="query-params", width=220
        )
        split = choose("Faces", [BOTH, *TEST_SPLITS], "d_map_split")
        by = choose_yardstick("d_map_by") if answers["plurality"] else "label"
    shown = table if split == BOTH else table[table["split"] == split]
    shown = shown.assign(judged=judged(shown, by))
    _chart(shown, coloring, (name, coloring, split, by, str(narrow_screen())), title)
    explain(
        "Map of faces",
        f"Of the ten faces with the most similar features, {shown['kept'].mean():.1f} on average are among the ten "
        f"nearest on the map of {title}.",
    )
    rows = shown.loc[shown["row"].isin(st.session_state.get(_ROWS, [])), "row"]
    st.header("Selected faces")
    if rows.empty:
        empty(
            "No face is selected. Draw around some points to see the faces here; the tools are above the chart, at the "
            "right. A double click on the chart ends a selection.",
            "lasso_select",
        )
        return
    st.button("Clear the selection", icon=":material/deselect:", on_click=_clear)
    selected_faces(joined(answers[by]).of_rows(rows), name, faces)


def _chart(shown: pd.DataFrame, coloring: str, view: tuple[str, ...], title: str) -> None:
    """Show the map.

    A new view starts with the faces that were selected before. Later selections are not drawn again, because another
    figure would end the zoom.
    """
    state: Any = st.session_state
    key = f"d_map_chart_{state.get(_CLEARED, 0)}"
    if key not in state or state[_DRAWN][0] != view:
        state[_DRAWN] = (view, state.get(_ROWS, []))
    by_place = shown.set_index("place")["row"]

    def select() -> None:
        places = [point["customdata"] for point in state[key].selection.points]
        state[_ROWS] = by_place[by_place.index.isin(places)].tolist()

    with st.container(key="d_map"):
        show_chart(
            face_map_chart(shown, coloring, state[_DRAWN][1], narrow_screen()),
            f"Map of {len(shown):,} faces by the features of {title}; coloured by {COLORINGS[coloring]}",
            key=key,
            on_select=select,
            selection_mode=("lasso", "box"),
        )
    st.caption(
        "The colour is not used to place the points: t-SNE sees the features only. Axes, the distance between groups "
        "and their size mean nothing, and another seed gives another arrangement."
    )


def _clear() -> None:
    st.session_state[_ROWS] = []
    st.session_state[_CLEARED] = st.session_state.get(_CLEARED, 0) + 1
