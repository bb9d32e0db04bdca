"""Pictures that occur more than once in FER2013, and how good models are without them."""

from __future__ import annotations

import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.data.near_duplicates import LEAST
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.label_truth import copied_faces, copies_by_split, copies_counted, differing_copies, without_copies
from fer_core.store.folders import list_models
from pages.parts.common import choose, choose_yardstick, note_utkface, show_table
from pages.parts.compare.results import Selection, all_answers, stamps

PAIRS_SHOWN = 12


def copies(faces: Fer2013Faces) -> None:
    """Show how many pictures occur more than once, and every model's accuracy without those that it was trained on."""
    counts = copies_counted()
    st.markdown(
        f"FER2013 holds **{counts['exact']:,} pairs of faces with equal pixels** and {counts['near']:,} more pairs "
        f"that are nearly the same picture (correlation of the pixels {LEAST} or more). In {counts['across']:,} pairs "
        "one face is in Training and the other in a test split: models have seen these answers."
    )
    columns: dict[str, str | tuple[str, str]] = {
        "splits": "Pairs within or between",
        "exact": ("Equal pixels", "localized"),
        "near": ("Nearly the same", "localized"),
        "differing": ("With different labels", "localized"),
    }
    if faces.dataset is None:
        del columns["differing"]
    show_table(copies_by_split(faces.dataset), "Pairs of the same picture by split", columns, height="content")
    st.header("Accuracy without them")
    with st.container(horizontal=True):
        split = choose("Test split", TEST_SPLITS, "d_copies_split")
        by = choose_yardstick("d_copies_by")
    exact, near = copied_faces(split)
    st.markdown(
        f"**{exact} faces of {split}** have equal pixels in Training, and **{near} more** are nearly the same picture "
        "as a face there."
    )
    stored, _ = list_models()
    answers, _ = all_answers(Selection(stamps(stored), split, "plain", by))
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
    else:
        table = without_copies(answers).sort_values("all", ascending=False)
        first = table.iloc[0]
        show_table(
            table,
            f"Accuracy on {split} with and without faces that are also in Training",
            {
                "model": "Model",
                "all": (f"All {first['all_faces']:,} faces", "%.3f"),
                "no_exact": (f"Without equal pixels: {first['no_exact_faces']:,}", "%.3f"),
                "no_near": (f"Without near copies too: {first['no_near_faces']:,}", "%.3f"),
                "no_near_low": ("95 % from", "%.3f"),
                "no_near_high": ("to", "%.3f"),
            },
            height="content",
        )
        st.caption(
            f"Accuracy on {answers.where}. The interval belongs to the last number. The other numbers of this app "
            "include all faces, as published results do."
        )
        note_utkface(model for model in stored if model.name in answers.names)
    _pairs_with_differing_labels(faces)


def _pairs_with_differing_labels(faces: Fer2013Faces) -> None:
    dataset = faces.dataset
    if dataset is None:
        return
    differing, pairs = differing_copies(dataset)
    st.header("One picture, two labels")
    st.markdown(f"**{len(differing):,} of {pairs:,} pairs** have different labels.")
    with st.grid("auto", min_column_width=240, gap="small"):
        for pair in differing[:PAIRS_SHOWN]:
            with st.container(border=True, horizontal=True):
                for place in pair:
                    label, row = EXPRESSIONS[dataset.labels[place]], int(dataset.rows[place])
                    with st.container(gap=None):
                        st.image(dataset.images[place], width=96, alt=f"Face of row {row}, labelled {label}")
                        st.markdown(f"**{label}**")
                        st.caption(f"{dataset.usage[place]}  \nrow {row}")
