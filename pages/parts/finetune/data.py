"""The first step of a new run: the faces to train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import find_fer2013
from fer_core.figures.bars import class_counts
from fer_core.labels import EXPRESSIONS
from fer_core.runs.data import DataSettings, LoadedData, load_training_data
from fer_core.runs.uploads import KEPT_DAYS, Collection, keep_upload
from fer_core.runs.visits import AWAY_MINUTES
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts.charts import show_chart
from pages.parts.common import choose, plain, warn, whole_image_toggle, with_code
from pages.parts.finetune.snapshots import snapshots

SIZES: Final = {"500": 500, "1000": 1000, "2000": 2000, "5000": 5000, "10000": 10_000, "all": None}

ZIP_LAYOUT: Final = """pictures.zip
   happy/   anna.jpg   ben.png   …
   sad/     carl.jpg   dora.jpg  …"""

ZIP: Final = "f_zip_kept"
"""Key of the name and path of the session's zip, which stays selected while another part of the page is open."""


@dataclass(frozen=True)
class SelectedData:
    """The data of a new run.

    Attributes:
        source: for the run; None if there is nothing to train on yet.
        faces: number of training faces.
        title: a short description, for the name of the run.
    """

    source: DataSettings | None = None
    faces: int = 0
    title: str = ""


def select_data() -> SelectedData:
    """Ask what to train on and show the number of faces."""
    sources = {"FER2013 subset": _fer2013, "Own pictures": _own_pictures, "Own snapshots": _own_snapshots}
    return sources[choose("Learn from", sources, "f_source", wrap=True)]()


def _fer2013() -> SelectedData:
    try:
        path = find_fer2013()
        stamp = path.stat().st_mtime_ns
    except (FerError, OSError) as error:
        st.info(with_code(str(error)), icon=":material/download:")
        return SelectedData()
    size = st.select_slider("Faces to train on", list(SIZES), "2000", key="f_faces", bind="query-params")
    balanced = st.toggle(
        "The same number of each expression",
        key="f_balanced",
        bind="query-params",
        help="As far as possible: FER2013 has 16 times as many happy faces as disgusted ones.",
    )
    source = DataSettings(faces=SIZES[str(size)], balanced=balanced)
    try:
        counts = _fer2013_counts(source, str(path), stamp)
    except FerError as error:
        st.warning(with_code(str(error)), icon=":material/warning:")
        return SelectedData()
    faces = _show_counts(counts)
    st.caption(
        "Solid: training faces. Pale: the hold-out, from fixed faces of FER2013’s Training split, which shows how "
        "well the model does on other faces. The test faces are used once, at the end."
    )
    return SelectedData(source, faces, f"{faces:,} faces{', balanced' if balanced else ''}")


def _own_pictures() -> SelectedData:
    # Without a type filter, so that a wrong file gets a sentence that says what is wrong and what works.
    file = st.file_uploader("A zip with a folder of pictures for each expression: happy, sad …", key="f_zip")
    whole = whole_image_toggle("f_whole")
    try:
        if file is not None:
            st.session_state[ZIP] = (file.name, _kept_upload(file.file_id, file.name, file))
        if ZIP not in st.session_state:
            st.code(ZIP_LAYOUT, language=None)
            st.caption(f"At least two expressions, with at least two pictures each. {_how_long()}")
            return SelectedData()
        name, path = st.session_state[ZIP]
        source = DataSettings("folder", path=path, whole_image=whole)
        found = _loaded(source)
    except FerError as error:
        st.session_state.pop(ZIP, None)
        st.warning(with_code(str(error)), icon=":material/warning:")
        return SelectedData()
    if isinstance(found, str):
        st.warning(with_code(found), icon=":material/warning:")
        return SelectedData()
    faces = _show_own(found, f"{plain(name)}. ", "pictures")
    if found.skipped:
        with st.expander(f"{len(found.skipped)} left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in found.skipped[:50]))
    return SelectedData(source, faces, name.removesuffix(".zip"))


def _how_long() -> str:
    if limits():
        return (
            f"They are deleted {AWAY_MINUTES} minutes after you close this page, or when a training that uses them has "
            "ended. No other visitor can see them."
        )
    return f"They stay on FER Lab’s computer for {KEPT_DAYS} days, or as long as there is a run that uses them."


def _own_snapshots() -> SelectedData:
    collection = snapshots()
    missing = collection.missing
    found = _loaded(collection.settings(), _content_hash(collection)) if missing is None else missing
    if isinstance(found, str):
        _show_counts(pd.DataFrame({"snapshots": pd.Series(collection.counts())}))
        st.caption(f":material/info: {with_code(found)}")
        return SelectedData()
    return SelectedData(collection.settings(), _show_own(found, "", "snapshots"), "own snapshots")


def _show_own(found: LoadedData, prefix: str, kind: str) -> int:
    """Show the number of own faces with a caption and warnings; return the number of training faces."""
    faces = _show_counts(found.counts)
    st.caption(
        f"{prefix}Solid: training faces. Pale: the hold-out, which shows how well the model does on other {kind}."
    )
    warn(list(found.warnings), "Before you train:")
    return faces


def _show_counts(counts: pd.DataFrame) -> int:
    """Draw the number of faces of each expression; return the number of training faces."""
    training = counts.iloc[:, 0]
    words = ", ".join(f"{name} {count:,}" for name, count in training.items())
    show_chart(class_counts(counts), alt=f"Faces to train on: {words}", key="f_counts")
    return int(training.sum())


@st.cache_data(max_entries=40, show_spinner="Opening FER2013; the first time takes some seconds …")
def _fer2013_counts(source: DataSettings, path: str, stamp: int) -> pd.DataFrame:  # noqa: ARG001 (the cache key)
    return load_training_data(source).counts


def _content_hash(collection: Collection) -> int:
    """Return a number that changes with any snapshot, because the numbers of removed ones are used again."""
    return hash(tuple(one.png for expression in EXPRESSIONS for one in collection.snapshots(expression)))


@st.cache_data(max_entries=20, show_spinner="Saving the zip …", scope="session")
def _kept_upload(file_id: str, name: str, _file: Any) -> str:  # noqa: ARG001 (the cache key)
    return keep_upload(name, _file.getvalue())


@st.cache_resource(max_entries=4, show_spinner="Looking at every picture …", scope="session")
def _loaded(source: DataSettings, stamp: int = 0) -> LoadedData | str:  # noqa: ARG001 (the cache key)
    """Return the faces of own pictures, or a sentence that says why they cannot be used."""
    try:
        return load_training_data(source)
    except FerError as error:
        return str(error)
