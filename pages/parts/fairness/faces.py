"""The faces of an audit: FER2013's test faces, or pictures that a visitor brings with the groups of the people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import streamlit as st

from fer_core.audit.faces import AuditedFaces, picture_faces, stored_faces
from fer_core.audit.pictures import LAYOUT, open_grouped
from fer_core.store.folders import load_model
from fer_core.types import FerError
from fer_core.visitors import TemporaryFolder, check_room
from pages.parts.common import (
    choose_faces,
    note_utkface,
    path_on_this_computer,
    plain,
    servable_models,
    stop_without_predictions,
    stored_models,
    warn,
    whole_image_toggle,
    with_code,
)
from pages.parts.data import predictions

EXAMPLE: Final = """people.zip
   table.csv        file,gender,age,expression
                    anna.jpg,female,34,happy
                    ben.jpg,male,61,
   anna.jpg   ben.jpg   …"""

NOTES: Final = 50

_AUDITED: Final = "a_audited"
"""Key of the faces that were predicted last in this session, with what they were predicted from."""


def fer2013() -> AuditedFaces | None:
    """Ask for a split, a yardstick and a model, and return FER2013's test faces with its stored predictions."""
    stored, complaints = stored_models()
    with st.container(horizontal=True):
        split, view, by = choose_faces("a")
        answers, left_out = predictions(stored, split, view, by)
        if answers is None:
            stop_without_predictions()
        title = answers.titles.__getitem__
        name = st.selectbox("Model", answers.names, format_func=title, key="a_model", bind="query-params")
    warn(complaints + left_out, "Some models are left out:")
    try:
        faces = stored_faces(answers, name)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        return None
    st.caption(
        f"{answers.yardstick} FER2013 says nothing about the people, so faces are divided by properties of the picture."
    )
    note_utkface(model for model in stored if model.name == name)
    return faces


def own_pictures() -> AuditedFaces | None:
    """Ask for pictures and a model, and return the faces with its predictions; None before there are any."""
    # Without a type filter, so that a wrong file gets a sentence that says what is wrong and what works.
    file = st.file_uploader("A zip of pictures with a table of groups, or a Parquet table that holds both", key="a_zip")
    asked = "Or the path of such a file, or of a folder of pictures with a table, on this computer"
    path = path_on_this_computer(asked, "a_folder") if file is None else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stored = servable_models()
        models = {model.name: model.title for model in stored}
        name = st.selectbox("Model", models, format_func=models.__getitem__, key="a_served", bind="query-params")
        whole = whole_image_toggle("a_whole")
    note_utkface((model for model in stored if model.name == name), scores=False)
    if file is None and not path:
        st.session_state.pop(_AUDITED, None)
        st.code(EXAMPLE, language=None)
        st.caption(f"{plain(LAYOUT)} Uploads are deleted once they are predicted; results are gone with this page.")
        return None
    wanted = (path if file is None else file.file_id, name, whole)
    done, faces = st.session_state.get(_AUDITED, (None, None))
    if done != wanted:
        try:
            faces = _predicted(Path(path).expanduser(), name, whole) if file is None else _uploaded(file, name, whole)
        except FerError as error:
            st.warning(with_code(str(error)), icon=":material/warning:")
            return None
        st.session_state[_AUDITED] = (wanted, faces)
    if faces.notes:
        with st.expander(f"{len(faces.notes):,} notes on what is left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(note)}" for note in faces.notes[:NOTES]))
    return faces


def _uploaded(file: Any, name: str, whole: bool) -> AuditedFaces:
    """Predict an uploaded file's pictures; the file on disk is deleted afterwards."""
    try:
        with closing(TemporaryFolder()) as folder:
            place = folder.path / f"upload{Path(file.name).suffix.lower()}"
            check_room(file.size)
            place.write_bytes(file.getvalue())  # getbuffer() would copy it
            return _predicted(place, name, whole)
    except OSError as error:
        raise FerError(f"The pictures cannot be unpacked ({error.strerror or error}). Free some disk space.") from error


def _predicted(place: Path, name: str, whole: bool) -> AuditedFaces:
    """Predict the pictures of a folder or file, with progress."""
    bar = st.progress(0.0, "Looking at the pictures …")

    def say(done: int, total: int) -> None:
        bar.progress(done / total, f"{done:,} of {total:,} pictures")

    try:
        with open_grouped(place) as pictures:
            return picture_faces(pictures, load_model(name), whole, say)
    finally:
        bar.empty()
