"""The map of faces: point at faces, and select some to see how well a model does on them."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS
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
from pages.parts.common import choose, choose_yardstick, note_utkface, plain, show_table, warn
from pages.parts.confusion import show_faces
from pages.parts.data import computed, predictions
from pages.parts.explanations import explain

SIDE: Final = 96
"""Side of the picture in pixels."""

_HOVER = st.components.v2.component(
    "fer_lab_hover_faces",
    html='<div id="face" role="img" aria-label="The face under the pointer" hidden></div>',
    css=f"""
#face {{
  box-sizing: content-box;
  position: fixed;
  z-index: 1000;
  width: {SIDE}px;
  height: {SIDE}px;
  border: 2px solid var(--st-text-color);
  border-radius: 4px;
  background-size: {SIDE * SHEET_COLUMNS}px;
  pointer-events: none;
}}
""",
    js=f"""
export default function ({{ data, parentElement }}) {{
  const face = parentElement.querySelector("#face");
  const sheet = URL.createObjectURL(new Blob([data], {{ type: "image/jpeg" }}));
  face.style.backgroundImage = `url(${{sheet}})`;

  const hide = () => {{ face.hidden = true; }};
  const show = ({{ event, points }}) => {{
    const place = points[0].customdata;
    const above = event.clientY - {SIDE} - 56;
    face.style.backgroundPosition =
      `${{-{SIDE} * (place % {SHEET_COLUMNS})}}px ${{-{SIDE} * Math.floor(place / {SHEET_COLUMNS})}}px`;
    face.style.left = `${{Math.min(Math.max(event.clientX - {SIDE} / 2, 0), window.innerWidth - {SIDE})}}px`;
    face.style.top = `${{above > 0 ? above : event.clientY + 56}}px`;
    face.hidden = false;
  }};

  // Streamlit may replace the chart at any time, so listen to the one that the pointer is on.
  const listen = ({{ target }}) => {{
    const chart = target.closest?.(".st-key-d_map .js-plotly-plot");
    if (!chart?.on) return hide();
    for (const [name, action] of [["plotly_hover", show], ["plotly_unhover", hide]]) {{
      chart.removeListener(name, action);
      chart.on(name, action);
    }}
  }};
  document.addEventListener("pointerover", listen);
  document.addEventListener("pointerdown", hide);
  return () => {{
    document.removeEventListener("pointerover", listen);
    document.removeEventListener("pointerdown", hide);
    hide();
    URL.revokeObjectURL(sheet);
  }};
}}
""",
)


def show_faces_on_hover(sheet: bytes) -> None:
    """Show the face of the point under the pointer, on charts in the container with the key `d_map`.

    Args:
        sheet: of `metrics.mapped_faces.face_sheet`; the `customdata` of each point is the place of its face on it.
    """
    with st.container(height=1, border=False):
        _HOVER(key="hover_faces", data=sheet)


MOST_SHOWN: Final = 24


def selected_faces(answers: Predictions, name: str, faces: Fer2013Faces) -> None:
    """Show the confusion matrix and F1 of a model on selected faces, and some of the faces.

    Args:
        answers: predictions of the selected faces.
        name: of the model.
        faces: FER2013's faces and FER+'s votes, as far as they are available.
    """
    number, title = len(answers.labels), answers.titles[name]
    if number == 0:
        st.caption("None of the selected faces has one clear answer of the annotators.")
        return
    cells = confusion_cells(answers, name)
    right = int(cells.loc[cells["actual"] == cells["predicted"], "count"].sum())
    st.markdown(f"{plain(title)} is right on **{right:,} of {number:,} faces ({right / number:.0%})**.")
    scores, few = expression_scores(answers, name)
    with st.grid(2, min_column_width=330):
        with st.container():
            show_chart(
                confusion_chart(cells, "counts"), f"Confusion of {title} on {number:,} selected faces; counts of faces"
            )
        with st.container():
            show_table(
                scores,
                "F1 by expression on the selected faces",
                {
                    "expression": "Expression",
                    "faces": ("Faces", "%d"),
                    "f1": ("F1", "%.2f"),
                    "low": ("95 % from", "%.2f"),
                    "high": ("to", "%.2f"),
                    "precision": ("Precision", "%.2f"),
                    "recall": ("Recall", "%.2f"),
                },
                height="content",
            )
            if few:
                st.caption(f"Fewer than {FEW} faces are too few for F1 to say much: {', '.join(few)}.")
            st.caption(f"{answers.yardstick} A selection is not a random sample, so compare with care.")
    which = choose("Show", SHOWN, "d_map_which")
    sample = sample_faces(answers, name, which, MOST_SHOWN, seed=0)
    if sample.empty:
        st.caption(f"No prediction for these faces is {which}.")
        return
    show_faces(
        sample, faces, f"{len(sample)} of the selected faces" + (", drawn at random" * (len(sample) == MOST_SHOWN))
    )


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
    sheet = computed(face_sheet, faces, table[["row", "label"]]) if faces.dataset else None
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
    parts = (predictions(stored, split, "plain", by)[0] for split in TEST_SPLITS)
    return [part for part in parts if part is not None and name in part.probabilities]


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
        st.info(
            "No face is selected. Draw around some points to see the faces here; the tools are above the chart, at the "
            "right. A double click on the chart ends a selection.",
            icon=":material/lasso_select:",
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


def _clear() -> None:
    st.session_state[_ROWS] = []
    st.session_state[_CLEARED] = st.session_state.get(_CLEARED, 0) + 1
