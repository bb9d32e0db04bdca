"""Which faces the Dataset page shows: FER2013, or the visitor's own pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.measuring.face_table import face_table
from fer_core.runs.own_pictures import OwnFaces, read_own_faces, read_own_zip
from fer_core.store.folders import load_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError, Image
from pages.parts.common import choose, path_on_this_computer, plain, whole_image_toggle, with_code
from pages.parts.data import classifier, computed, computed_here, fer2013, own_pictures
from pages.parts.finetune.data import ZIP_LAYOUT

FER2013: Final = "FER2013"
OWN: Final = "My own pictures"

FOLDER_SECONDS: Final = 600
"""After this time a folder is read again: its pictures may have changed."""


@dataclass(frozen=True, eq=False)
class ShownFaces:
    """The faces on show.

    Attributes:
        dataset: faces with labels.
        fer2013: FER2013's faces and FER+'s votes.
        own: the visitor's own pictures; None if FER2013 is on show.
    """

    dataset: FaceDataset
    fer2013: Fer2013Faces
    own: OwnFaces | None = None

    def name(self, place: int) -> str:
        """Return the name of a face: its row in FER2013, or its file."""
        return f"row {self.dataset.rows[place]}" if self.own is None else self.own.name(place)

    def picture(self, place: int) -> Image:
        """Return the picture that a face comes from: FER2013's face itself, or the visitor's picture."""
        return self.dataset.images[place] if self.own is None else self.own.picture(place)

    def table(self) -> pd.DataFrame:
        """Return the table of `face_table`, from the cache."""
        try:
            model = load_model()
        except FerError:
            model = None
        if self.own is None:
            return computed(face_table, self.dataset, model)
        return computed_here(_own_table, self.dataset, model)


def choose_faces_shown() -> tuple[ShownFaces | None, bool]:
    """Ask which faces to show.

    Returns:
        The faces, None if there are none yet; and whether FER2013 is chosen.
    """
    known = fer2013()
    if choose("Faces", (FER2013, OWN), "d_of") == OWN:
        own = _own_pictures()
        return (ShownFaces(own.dataset, known, own) if own else None), False
    if known.missing:
        st.info(
            "FER2013 is the dataset of a challenge in 2013: 35,887 faces from the web, 48 × 48 gray pixels, each with "
            f"one of seven expressions. {with_code(known.missing)} Or choose **{OWN}** above.",
            icon=":material/database:",
        )
    dataset = known.dataset
    return (None if known.missing or dataset is None else ShownFaces(dataset, known)), True


def _own_pictures() -> OwnFaces | None:
    """Ask for a zip or folder; show what is wrong with it, or what was left out."""
    # Without a type filter, so that a wrong file gets a sentence that says what is wrong and what works.
    file = st.file_uploader("A zip with a folder of pictures for each expression: happy, sad …", key="d_zip")
    asked = "Or the path of such a folder on this computer"
    folder = path_on_this_computer(asked, "d_folder") if file is None else ""
    whole = whole_image_toggle("d_whole")
    if file is None and not folder:
        st.code(ZIP_LAYOUT, language=None)
        st.caption(
            "At least two expressions, with at least two pictures each. An uploaded zip is deleted when you close this "
            "page."
        )
        return None
    if file is not None:
        found = own_pictures(_from_zip, file, whole)
    else:
        found = own_pictures(_from_folder, folder, whole, int(time() // FOLDER_SECONDS))
    if isinstance(found, str):
        st.warning(with_code(found), icon=":material/warning:")
        return None
    if found.skipped:
        with st.expander(f"{len(found.skipped)} left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in found.skipped[:50]))
    if not len(found.dataset):
        st.warning("No face was found in any of these pictures.", icon=":material/warning:")
        return None
    return found


def _from_zip(file: Any, whole: bool) -> OwnFaces:
    return read_own_zip(file, file.name, whole_image=whole)


def _from_folder(folder: str, whole: bool, _: int) -> OwnFaces:
    return read_own_faces(Path(folder).expanduser(), whole_image=whole)


def _own_table(dataset: FaceDataset, model: StoredModel | None) -> pd.DataFrame:
    try:
        known = None if model is None else classifier(model)
    except (FerError, OSError):
        known = None
    return face_table(dataset, classifier=known)
