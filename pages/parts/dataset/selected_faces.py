"""Faces that a person has selected: how well a model does on them, and their pictures."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.figures import confusion_chart
from fer_core.metrics.confusion import SHOWN, confusion_cells, sample_faces
from fer_core.metrics.mapped_faces import FEW, expression_scores
from fer_core.metrics.predictions import Predictions
from pages.parts.charts import show_chart
from pages.parts.common import choose, plain, show_table
from pages.parts.confusion import show_faces

AT_ONCE: Final = 24


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
    sample = sample_faces(answers, name, which, AT_ONCE, seed=0)
    if sample.empty:
        st.caption(f"No prediction for these faces is {which}.")
        return
    show_faces(sample, faces, f"{len(sample)} of the selected faces" + (", drawn at random" * (len(sample) == AT_ONCE)))
