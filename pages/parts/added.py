"""Add predictions, or a model file, that were made elsewhere to the models that are compared."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.data import FaceDataset
from fer_core.measuring.added import TABLES, add_file, add_predictions, guess, guess_table
from fer_core.store.folders import promoted
from fer_core.types import FerError
from fer_core.visitors import check_room, limits
from pages.parts.common import plain, warn
from pages.parts.data import fer2013, own_pictures


def offer_to_add() -> None:
    """Ask for a file and a name, show how a model would be used, and store it once a button is clicked."""
    own = limits() is None  # model files are opened on one's own computer only
    label = "A CSV or Parquet table of predictions" + (", or a model: .onnx or .tflite" if own else "")
    file = st.file_uploader(label, key="c_added")
    name = st.text_input("Name", max_chars=40, placeholder="my_model", key="c_added_name").strip()
    st.caption(
        "A table has a row for each face of PublicTest or PrivateTest: its row in fer2013.csv, from 0 (row), or its "
        "gray levels (pixels), and seven probabilities (angry, disgust …) or one expression. A model takes one picture "
        "and answers with seven numbers; how is guessed on the hold-out, and you decide."
    )
    if st.session_state.get("c_added_done"):
        st.success(plain(st.session_state.pop("c_added_done")), icon=":material/check:")
    if file is None or not name:
        return
    faces = fer2013()
    try:
        if faces.dataset is None:
            raise FerError(faces.missing)
        if not own and Path(file.name).suffix.lower() not in TABLES:
            raise FerError("This server takes only tables of predictions. For models, run FER Lab on your computer.")
        if _offer(file, name, faces.dataset):
            st.session_state["c_added_done"] = f"{name} is now among the models."
            st.rerun()
    except FerError as error:
        warn([str(error)])


def _offer(file: Any, name: str, dataset: FaceDataset) -> bool:
    """Offer to store predictions or a model; return whether that was done."""
    content, settings = file.getvalue(), {"root": promoted(), "source": file.name}
    check_room(len(content))
    if Path(file.name).suffix.lower() in TABLES:
        if asked := st.button("Measure", icon=":material/speed:", key="c_added_measure"):
            with tempfile.TemporaryDirectory() as folder, st.spinner("Measuring"):
                path = Path(folder) / f"predictions{Path(file.name).suffix.lower()}"
                path.write_bytes(content)
                add_predictions(name, path, dataset, **settings)
        return asked
    with st.spinner("Trying the usual ways to use it"):
        guesses = own_pictures(_guesses, file, dataset)
    st.table(guess_table(guesses).head(5), border="horizontal", alt="Ways to use the model, with accuracies")
    if asked := st.button("Use it as in the first row", icon=":material/check:", key="c_added_use"):
        with st.spinner("Measuring", show_time=True):
            add_file(name, content, guesses[0].takes, dataset, **settings)
    return asked


def _guesses(file: Any, dataset: FaceDataset) -> Any:
    return guess(file.getvalue(), dataset)
