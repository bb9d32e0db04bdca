"""The map of faces of the Dataset page: test faces that look alike to a model, and those that are selected on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import PERCENT, TEST_SPLITS, percent
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.figures.face_map import COLORINGS, face_map_chart
from fer_core.figures.matrices import confusion_chart
from fer_core.metrics.confusion import SHOWN, confusion_cells, sample_faces
from fer_core.metrics.mapped_faces import FEW, SHEET_COLUMNS, expression_scores, face_sheet, judged, map_table
from fer_core.metrics.predictions import Predictions, joined
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import choose, choose_model, choose_yardstick, explain, note_utkface, plain, show_table, warn
from pages.parts.confusion import show_faces
from pages.parts.data import computed, predictions
from pages.parts.head import answer

MOST_SHOWN: Final = 24

_ROWS: Final = "d_map_rows"
_DRAWN: Final = "d_map_drawn"
_CLEARED: Final = "d_map_cleared"
"""Keys of the session state."""

# Shows the face of the point under the pointer, on charts in the container with the key `d_map`. The `customdata` of
# each point is the place of its face on the sheet that is the component's data.
_FILE: Final = Path(__file__)
_HOVER: Final = st.components.v2.component(
    "fer_lab_hover_faces",
    html='<div id="face" role="img" aria-label="The face under the pointer" hidden></div>',
    css=_FILE.with_suffix(".css").read_text(),
    js=f"const COLUMNS = {SHEET_COLUMNS};\n{_FILE.with_suffix('.js').read_text()}",
)


def _selected_faces(answers: Predictions, name: str, faces: Fer2013Faces) -> None:
    number, title = len(answers.labels), answers.titles[name]
    if number == 0:
        st.caption("None of the selected faces has one clear answer of the annotators.")
        return
    cells = confusion_cells(answers, name)
    right = int(cells.loc[cells["actual"] == cells["predicted"], "count"].sum())
    st.markdown(f"{plain(title)} is right on **{right:,} of {number:,} faces ({percent(right / number)})**.")
    scores, few = expression_scores(answers, name)
    with st.grid(2, min_column_width=330):
        with st.container():
            alt = f"Confusion of {title} on {number:,} selected faces; counts of faces"
            show_chart(confusion_chart(cells, "counts"), alt)
        with st.container():
            titles = {"f1": "F1", "low": "95 % from", "high": "to", "precision": "Precision", "recall": "Recall"}
            columns: dict[str, Any] = {"expression": "Expression", "faces": ("Faces", "%d")}
            columns |= {name: (title, PERCENT) for name, title in titles.items()}
            show_table(scores, "F1 by expression on the selected faces", columns)
            if few:
                st.caption(f"Fewer than {FEW} faces are too few for F1 to say much: {', '.join(few)}.")
            st.caption(f"{answers.yardstick} A selection is not a random sample, so compare with care.")
    which = choose("Show", SHOWN, "d_map_which")
    sample = sample_faces(answers, name, which, MOST_SHOWN, seed=0)
    if sample.empty:
        st.caption(f"No prediction for these faces is {which}.")
        return
    drawn = ", drawn at random" if len(sample) == MOST_SHOWN else ""
    show_faces(sample, faces, f"{len(sample)} of the selected faces{drawn}")


def face_map(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show the map of the test faces by a model's features, and the faces that are selected on it."""
    stored, _ = list_models()
    mapped = [model for model in stored if model.has_face_map]
    if not mapped:
        st.info(
            f"No model has a map of faces yet. To make one, you need FER2013: `fer-lab evaluate {DEFAULT_MODEL} --map "
            "--save`",
            icon=":material/info:",
        )
        return
    words = "Models with a map. For a model of your own, `fer-lab evaluate NAME --map --save` makes it."
    with drawer:
        (model,) = choose_model(mapped, "d_map_model", width=360, help=words)
    name, title = model.name, model.title
    note_utkface([model])
    answers: dict[str, list[Predictions]] = {}
    for by in ("label", "plurality"):
        of_splits = (predictions(stored, split, "plain", by)[0] for split in TEST_SPLITS)
        answers[by] = [part for part in of_splits if part is not None and name in part.probabilities]
    try:
        table = map_table(model.face_map(), answers["label"], answers["plurality"], name, faces)
    except FerError as error:
        warn([str(error)], "")
        return
    if table.empty:
        st.info(f"{plain(title)} has no stored predictions of the faces on its map.", icon=":material/info:")
        return
    sheet = computed(face_sheet, faces, table[["row", "label"]]) if faces.dataset else None
    with top:
        _map(table, answers, model, faces)
    if sheet is not None:
        with st.container(height=1, border=False):
            _HOVER(key="hover_faces", data=sheet)
    else:
        st.caption(
            "Pictures of the faces need FER2013, and the annotators' agreement needs FER+'s votes. The map, labels, "
            "predictions and results come from stored files."
        )


@st.fragment
def _map(table: pd.DataFrame, answers: dict[str, list[Predictions]], model: StoredModel, faces: Fer2013Faces) -> None:
    def clear() -> None:
        st.session_state[_ROWS] = []
        st.session_state[_CLEARED] = st.session_state.get(_CLEARED, 0) + 1

    missing = {"plurality": not answers["plurality"], "agreement": table["agreement"].isna().all()}
    colorings = [name for name in COLORINGS if not missing.get(name)]
    selected = st.session_state.get(_ROWS, [])
    left, right = st.columns([6, 5], gap="medium") if selected else (st.container(), st.container())
    with left:
        place = st.container()
        with st.container(horizontal=True):
            title_of = COLORINGS.__getitem__
            coloring = st.selectbox("Colour", colorings, format_func=title_of, key="d_map_color", bind="query-params")
            split = choose("Faces", ["Both", *TEST_SPLITS], "d_map_split")
            by = choose_yardstick("d_map_by") if answers["plurality"] else "label"
    shown = table if split == "Both" else table[table["split"] == split]
    shown = shown.assign(judged=judged(shown, by))
    kept = f"Of the ten faces with the most similar features, {shown['kept'].mean():.1f} on average are among the ten"
    with place:
        answer(f"Faces that look alike to {model.title} are close: draw around some with the lasso to see them.")
        _chart(shown, coloring, (model.name, coloring, split, by, str(narrow_screen())), model.title)
        explain("Map of faces", f"{kept} nearest on the map of {model.title}.")
    rows = shown.loc[shown["row"].isin(selected), "row"]
    if len(rows):
        with right:
            st.button("Clear the selection", icon=":material/deselect:", on_click=clear)
            _selected_faces(joined(answers[by]).of_rows(rows), model.name, faces)


def _chart(shown: pd.DataFrame, coloring: str, view: tuple[str, ...], title: str) -> None:
    """Show the map. A new view starts with the faces that were selected before.

    Later selections are not drawn again, because another figure would end the zoom.
    """
    state: Any = st.session_state
    key = f"d_map_chart_{state.get(_CLEARED, 0)}"
    if key not in state or state[_DRAWN][0] != view:
        state[_DRAWN] = (view, state.get(_ROWS, []))

    def select() -> None:
        places = [point["customdata"] for point in state[key].selection.points]
        state[_ROWS] = shown.loc[shown["place"].isin(places), "row"].tolist()

    with st.container(key="d_map"):
        show_chart(
            face_map_chart(shown, coloring, selected=state[_DRAWN][1], narrow=narrow_screen()),
            f"Map of {len(shown):,} faces by the features of {title}; coloured by {COLORINGS[coloring]}",
            key=key,
            on_select=select,
            selection_mode=("lasso", "box"),
        )
    st.caption(
        "The colour is not used to place the points: t-SNE sees the features only. Axes, the distance between groups "
        "and their size mean nothing, and another seed gives another arrangement."
    )
