"""What the Dataset page shows of FER2013 alone: votes, hardest faces, copies, published results, and a map of faces."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import TEST_SPLITS, percent
from fer_core.data import SPLITS, FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.data.near_duplicates import LEAST
from fer_core.figures.face_map import COLORINGS, face_map_chart
from fer_core.figures.matrices import confusion_chart
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import label_truth
from fer_core.metrics.confusion import HARDEST, SHOWN, confusion_cells, hardest_faces, label_cells, sample_faces
from fer_core.metrics.mapped_faces import FEW, SHEET_COLUMNS, expression_scores, face_sheet, judged, map_table
from fer_core.metrics.paper import IN_PACKAGES_ARE, packages_table, published_table
from fer_core.metrics.predictions import Predictions, joined
from fer_core.sections import answers as says
from fer_core.sections.section import PERCENT
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.charts import narrow_screen, show_chart
from pages.parts.common import (
    choose,
    choose_faces,
    choose_model,
    choose_predictions,
    choose_yardstick,
    explain,
    note_utkface,
    plain,
    show_table,
    warn,
    with_code,
)
from pages.parts.confusion import show_faces
from pages.parts.data import computed, faces_of, predictions
from pages.parts.face import Tile, face_tiles, fer2013_tile
from pages.parts.head import answer

MOST_SHOWN: Final = 24
PAIRS_SHOWN: Final = 12

_ROWS: Final = "d_map_rows"
_DRAWN: Final = "d_map_drawn"
_CLEARED: Final = "d_map_cleared"
"""Keys of the session state."""


def labels(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show where annotators and labels differ, and the faces on which they do."""
    dataset = faces.dataset
    if dataset is None:
        return
    if dataset.votes is None:
        st.info(with_code(faces.votes_missing), icon=":material/info:")
        return
    with drawer, st.container(horizontal=True):
        split = choose("Faces", ["All", *SPLITS], "d_truth")
        values = choose("In the cells", ("counts", "rates"), "d_values", "rates")
    if split != "All":
        dataset = dataset.split(split)
    assert dataset.votes is not None
    cells = label_cells(dataset.labels, dataset.plurality)
    table = label_truth.agreement_by_label(dataset.labels, dataset.votes)
    everyone = table.iloc[-1]
    same, low, high = (percent(everyone[name], ".1%") for name in ("same", "low", "high"))
    with top:
        answer(says.labels(table))
        show_chart(
            confusion_chart(cells, values, titles=("FER2013’s label", "Most annotators")),
            f"FER2013’s label against what most annotators say; the same on {same}",
        )
        st.caption(
            f"On {percent(everyone['clear'])} of these faces most annotators give one of the seven answers; the others "
            f"do not count (95 % interval {low} to {high}). A perfect reader of the majority has this accuracy by "
            "FER2013’s label."
        )
    show_table(
        table,
        "Agreement of the annotators by label",
        {
            "label": "Label",
            "faces": ("Faces", "localized"),
            "clear": ("With one clear answer", PERCENT),
            "same": ("Answer is the label", PERCENT),
            "low": ("95 % from", PERCENT),
            "high": ("to", PERCENT),
            "votes_for_label": ("Votes for the label", PERCENT),
            "entropy": ("Entropy, bits", "%.2f"),
        },
        height="content",
    )
    st.caption(
        "Annotators: FER+ (Barsoum et al. 2016), ten people per face, who could also answer contempt, unknown or not a "
        "face. Entropy is 0 if all ten say the same, and 1 if they are divided equally between two answers."
    )
    st.header("Contested faces")
    order = choose("Show faces where", label_truth.ORDERS, "d_contested", format_func=label_truth.ORDERS.__getitem__)
    places = label_truth.contested_faces(dataset, order)
    clearest = f"**{len(places):,} faces**, the clearest cases first"
    st.markdown("**Most divided first**" if order == "divided" else clearest)
    tiles = (_tile(faces, dataset, place, votes=True) for place in places[:MOST_SHOWN])
    face_tiles([tile for tile in tiles if tile is not None], "contested")


def _tile(faces: Fer2013Faces, dataset: FaceDataset, place: int, votes: bool = False) -> Tile | None:
    row, label = int(dataset.rows[place]), EXPRESSIONS[dataset.labels[place]]
    about = faces.votes(row) if votes else str(dataset.usage[place])
    return fer2013_tile(faces, row, label, f"**{label}**", [about])


def published(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001 (as all)
    """Show published accuracies beside what others could reproduce."""
    top.markdown(
        "Accuracies on PrivateTest by FER2013’s label, as their authors report them. Networks are tuned, sometimes on "
        "the test split, and reported by those who built them, so reproductions are often lower."
    )
    top.table(published_table().set_index("Method"), border="horizontal", alt="Published accuracies on FER2013")
    st.caption("Reported by others, not measured here. What is measured here stands under Compare models.")
    st.header("Models in packages, measured here")
    st.table(packages_table().set_index("Package"), border="horizontal", alt="Models of others, measured here")
    st.caption(IN_PACKAGES_ARE)


def hardest(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001 (as all)
    """Show test faces that all models get wrong, that one gets wrong with confidence, or that divide the models."""
    with drawer, st.container(horizontal=True):
        split, view, by = choose_faces("d_hard")
    stored, _ = list_models()
    answers, _ = predictions(stored, split, view, by)
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
        return
    with drawer, st.container(horizontal=True):
        order = choose("Show faces where", HARDEST, "d_hardest", format_func=HARDEST.__getitem__)
        name = choose_predictions(stored, answers, "d_hard_model")
    table = hardest_faces(answers, order, name)
    number = f"{len(table):,} of {len(answers.labels):,} faces"
    if order == "divided":
        number = "Most different answers first"
    with top:
        answer(f"{HARDEST[order]}: {number}")
        show_faces(table.head(MOST_SHOWN), faces_of(split), f"Predictions of {plain(answers.titles[name])}")
    st.caption(f"{plain(answers.where)}. {len(answers.names)} models. {answers.yardstick}")
    note_utkface(model for model in stored if model.name in answers.names)


def copies(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show how many pictures occur more than once, and every model's accuracy without those that it was trained on."""
    titles = {"exact": "Equal pixels", "near": "Nearly the same"}
    if faces.dataset is not None:
        titles["differing"] = "With different labels"
    with top:
        answer(says.copies(label_truth.copies_counted()))
        show_table(
            label_truth.copies_by_split(faces.dataset),
            "Pairs of the same picture by split",
            {"splits": "Pairs within or between", **{name: (title, "localized") for name, title in titles.items()}},
            height="content",
        )
        st.caption(f"Nearly the same: a correlation of the pixels of {LEAST} or more.")
    st.header("Accuracy without them")
    with drawer, st.container(horizontal=True):
        split = choose("Test split", TEST_SPLITS, "d_copies_split")
        by = choose_yardstick("d_copies_by")
    exact, near = label_truth.copied_faces(split)
    st.markdown(
        f"**{exact} faces of {split}** have equal pixels in Training, and **{near} more** are nearly the same picture "
        "as a face there."
    )
    stored, _ = list_models()
    answers, _ = predictions(stored, split, "plain", by)
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
    else:
        table = label_truth.without_copies(answers).sort_values("all", ascending=False)
        first = table.iloc[0]
        show_table(
            table,
            f"Accuracy on {split} with and without faces that are also in Training",
            {
                "model": "Model",
                "all": (f"All {first['all_faces']:,} faces", PERCENT),
                "no_exact": (f"Without equal pixels: {first['no_exact_faces']:,}", PERCENT),
                "no_near": (f"Without near copies too: {first['no_near_faces']:,}", PERCENT),
                "no_near_low": ("95 % from", PERCENT),
                "no_near_high": ("to", PERCENT),
            },
            height="content",
        )
        st.caption(
            f"Accuracy on {answers.where}. The interval belongs to the last number. The other numbers of this app "
            "include all faces, as published results do."
        )
        note_utkface(model for model in stored if model.name in answers.names)
    if faces.dataset is not None:
        _pairs_with_differing_labels(faces, faces.dataset)


def _pairs_with_differing_labels(faces: Fer2013Faces, dataset: FaceDataset) -> None:
    differing, pairs = label_truth.differing_copies(dataset)
    st.header("One picture, two labels")
    st.markdown(f"**{len(differing):,} of {pairs:,} pairs** have different labels.")
    tiles = (_tile(faces, dataset, place) for pair in differing[:PAIRS_SHOWN] for place in pair)
    face_tiles([tile for tile in tiles if tile is not None], "copies")
    st.caption("Two faces next to each other are a pair.")


SIDE: Final = 96  # in pixels, of the picture under the pointer

# Shows the face of the point under the pointer, on charts in the container with the key `d_map`. The `customdata` of
# each point is the place of its face on the sheet that is the component's data.
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
            numbers = {name: (title, PERCENT) for name, title in titles.items()}
            show_table(
                scores,
                "F1 by expression on the selected faces",
                {"expression": "Expression", "faces": ("Faces", "%d"), **numbers},
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
    answers = {by: _answers(stored, name, by) for by in ("label", "plurality")}
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


def _answers(stored: list[StoredModel], name: str, by: str) -> list[Predictions]:
    """Return the predictions of each test split for which this model has some."""
    parts = (predictions(stored, split, "plain", by)[0] for split in TEST_SPLITS)
    return [part for part in parts if part is not None and name in part.probabilities]


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
