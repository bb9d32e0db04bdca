"""What ten annotators said beside FER2013's labels, and what is published about FER2013."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from fer_core.data import SPLITS
from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.figures import confusion_chart
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.confusion import label_cells
from fer_core.metrics.label_truth import ORDERS, agreement_by_label, contested_faces
from fer_core.metrics.paper import PUBLISHED
from pages.parts.charts import show_chart
from pages.parts.common import choose, plain, show_table, with_code

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
