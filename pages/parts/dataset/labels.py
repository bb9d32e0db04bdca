"""How good FER2013's labels are: votes, hardest faces, copies, and what is published."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data import SPLITS
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.data.near_duplicates import LEAST
from fer_core.figures.matrices import confusion_chart
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.confusion import HARDEST, hardest_faces, label_cells
from fer_core.metrics.label_truth import (
    ORDERS,
    agreement_by_label,
    contested_faces,
    copied_faces,
    copies_by_split,
    copies_counted,
    differing_copies,
    without_copies,
)
from fer_core.metrics.paper import PUBLISHED
from fer_core.store.folders import list_models
from pages.parts.charts import show_chart
from pages.parts.common import choose, choose_faces, choose_yardstick, note_utkface, plain, show_table, with_code
from pages.parts.confusion import show_faces
from pages.parts.data import predictions

ALL: Final = "All"
SHOWN: Final = 24


def labels(faces: Fer2013Faces) -> None:
    """Show where annotators and labels differ, and the faces on which they do."""
    if faces.dataset is None:
        return
    if faces.dataset.votes is None:
        st.info(with_code(faces.votes_missing), icon=":material/info:")
        return
    with st.container(horizontal=True):
        split = choose("Faces", [ALL, *SPLITS], "d_truth")
        values = choose("In the cells", ("counts", "rates"), "d_values", "rates")
    dataset = faces.dataset if split == ALL else faces.dataset.split(split)
    assert dataset.votes is not None
    cells, table = label_cells(dataset.labels, dataset.plurality), agreement_by_label(dataset.labels, dataset.votes)
    everyone = table.iloc[-1]
    worst = table.iloc[:-1].sort_values("same").iloc[0]
    interval = f"95 % interval {everyone['low']:.1%} to {everyone['high']:.1%}"
    st.markdown(
        f"On {everyone['clear']:.0%} of these faces most annotators give one of the seven answers. It is FER2013’s "
        f"label on **{everyone['same']:.1%}** of them ({interval}). A perfect reader of the majority would have this "
        f"accuracy by FER2013’s label. The annotators agree least with **{worst['label']}**: {worst['same']:.0%}."
    )
    show_chart(
        confusion_chart(cells, values, rows="FER2013’s label", columns="Most annotators"),
        f"FER2013’s label against what most annotators say; the same on {everyone['same']:.1%}",
    )
    show_table(
        table,
        "Agreement of the annotators by label",
        {
            "label": "Label",
            "faces": ("Faces", "localized"),
            "clear": ("With one clear answer", "%.3f"),
            "same": ("Answer is the label", "%.3f"),
            "low": ("95 % from", "%.3f"),
            "high": ("to", "%.3f"),
            "votes_for_label": ("Votes for the label", "%.3f"),
            "entropy": ("Entropy, bits", "%.2f"),
        },
        height="content",
    )
    st.caption(
        "Annotators: FER+ (Barsoum et al. 2016), ten people per face, who could also answer contempt, unknown or not a "
        "face. Entropy is 0 if all ten say the same, and 1 if they are divided equally between two answers."
    )
    st.header("Contested faces")
    order = choose("Show faces where", ORDERS, "d_contested", format_func=ORDERS.__getitem__)
    places = contested_faces(dataset, order)
    st.markdown(
        f"**{len(places):,} faces**, the clearest cases first" if order != "divided" else "**Most divided first**"
    )
    with st.grid("auto", min_column_width=130, gap="small"):
        for place in places[:SHOWN]:
            row, label = int(dataset.rows[place]), EXPRESSIONS[dataset.labels[place]]
            with st.container(gap=None):
                st.image(dataset.images[place], width="stretch", alt=f"Face of row {row}, labelled {label}")
                st.markdown(f"**{label}**")
                st.caption(f"{plain(faces.votes(row))}  \nrow {row}")


def published(faces: Fer2013Faces) -> None:  # noqa: ARG001 (one signature for all sections)
    """Show published accuracies beside what others could reproduce."""
    st.markdown(
        "Accuracies on PrivateTest by FER2013’s label, as their authors report them. Networks are tuned, sometimes on "
        "the test split, and reported by those who built them, so reproductions are often lower."
    )
    rows = [
        {
            "Method": one.what,
            "Claimed": f"{one.claimed:.2f} %",
            "Reproduced": one.reproduced or "–",
            "Source": "; reproduced: ".join(filter(None, (one.source, one.reproduced_source))),
        }
        for one in PUBLISHED
    ]
    st.table(pd.DataFrame(rows).set_index("Method"), border="horizontal", alt="Published accuracies on FER2013")
    st.caption("Reported by others, not measured here. What is measured here stands under Compare models.")


def hardest(faces: Fer2013Faces) -> None:
    """Show test faces that all models get wrong, that one gets wrong with confidence, or that divide the models."""
    with st.container(horizontal=True):
        split, view, by = choose_faces("d_hard")
    stored, _ = list_models()
    answers, _ = predictions(stored, split, view, by)
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
        return
    order = choose("Show faces where", HARDEST, "d_hardest", format_func=HARDEST.__getitem__)
    name = st.selectbox(
        "Predictions of", answers.names, format_func=answers.titles.__getitem__, key="d_hard_model", bind="query-params"
    )
    found = hardest_faces(answers, order, name)
    number = (
        f"{len(found):,} of {len(answers.labels):,} faces" if order != "divided" else "Most different answers first"
    )
    show_faces(found.head(SHOWN), faces, f"{HARDEST[order]}: {number}")
    st.caption(f"{plain(answers.where)}. {len(answers.names)} models. {answers.yardstick}")
    note_utkface(model for model in stored if model.name in answers.names)


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
    answers, _ = predictions(stored, split, "plain", by)
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
