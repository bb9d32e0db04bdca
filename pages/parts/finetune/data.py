"""What a run learns from: the Fine-tune page's first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import find_fer2013
from fer_core.figures import class_counts
from fer_core.labels import EXPRESSIONS
from fer_core.runs.choice import ChosenData, DataChoice, load_training_data
from fer_core.runs.collection import Collection
from fer_core.runs.uploads import KEPT_DAYS, keep_upload
from fer_core.types import FerError
from pages.parts.analysis import plain, warn
from pages.parts.finetune.snapshots import snapshots

SIZES: Final = {"500": 500, "1000": 1000, "2000": 2000, "5000": 5000, "10000": 10_000, "all": None}
MOST_MEGABYTES: Final = 500

LAYOUT: Final = """pictures.zip
   happy/   anna.jpg   ben.png   …
   sad/     carl.jpg   dora.jpg  …"""
"""What a zip of own pictures looks like."""

ZIP = "f_zip_kept"
"""Where a session keeps the name and path of its zip: it stays chosen while another part of the page is open."""


@dataclass(frozen=True)
class Chosen:
    """What was chosen to learn from.

    Attributes:
        choice: for the run; None if there is nothing to learn from yet.
        faces: to learn from.
        words: what it is, for the run's name.
    """

    choice: DataChoice | None = None
    faces: int = 0
    words: str = ""


def fer2013() -> Chosen:
    """Ask for a part of FER2013 and show how many faces of each expression that is."""
    try:
        source = find_fer2013()
        stamp = source.stat().st_mtime_ns
    except (FerError, OSError) as error:
        st.info(plain(str(error)), icon=":material/download:")
        return Chosen()
    size = st.select_slider("Faces to learn from", list(SIZES), "2000", key="f_faces", bind="query-params")
    balanced = st.toggle(
        "The same number of each expression",
        key="f_balanced",
        bind="query-params",
        help="As far as they go: FER2013 has 16 times as many happy faces as disgusted ones.",
    )
    choice = DataChoice(faces=SIZES[str(size)], balanced=balanced)
    try:
        counts = _counts(choice, str(source), stamp)
    except FerError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return Chosen()
    faces = _show(counts)
    st.caption(
        "Solid: to learn from. Pale: the hold-out, of FER2013’s fixed tenth of Training, to watch how it does on other "
        "faces. The test faces are looked at once, at the end."
    )
    return Chosen(choice, faces, f"{faces:,} faces{', balanced' if balanced else ''}")


def own_pictures() -> Chosen:
    """Ask for a zip of class folders and show how many faces of each expression are in it."""
    # No type filter: a wrong file gets our sentence, which says what is wrong and what would work.
    file = st.file_uploader(
        "A zip with a folder of pictures for each expression: happy, sad …",
        key="f_zip",
        max_upload_size=MOST_MEGABYTES,
    )
    whole = st.toggle(
        "Pictures are faces already",
        key="f_whole",
        bind="query-params",
        help="Take each whole picture as one face, framed as in FER2013, and look for no face in it.",
    )
    try:
        if file is not None:
            st.session_state[ZIP] = (file.name, _kept(file.file_id, file.name, file))
        if ZIP not in st.session_state:
            st.code(LAYOUT, language=None)
            st.caption(
                f"Two expressions or more, two pictures or more of each. They stay on FER Lab’s computer: for "
                f"{KEPT_DAYS} days, or as long as there is a run that learns from them."
            )
            return Chosen()
        name, path = st.session_state[ZIP]
        choice = DataChoice("folder", path=path, whole_image=whole)
        found = _found(choice)
    except FerError as error:
        st.session_state.pop(ZIP, None)
        st.warning(plain(str(error)), icon=":material/warning:")
        return Chosen()
    if isinstance(found, str):
        st.warning(plain(found), icon=":material/warning:")
        return Chosen()
    faces = _show(found.counts)
    st.caption(f"{plain(name)}. Solid: to learn from. Pale: the hold-out, to watch how it does on other pictures.")
    warn(list(found.warnings), "Before you train:")
    if found.skipped:
        with st.expander(f"{len(found.skipped)} left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in found.skipped[:50]))
    return Chosen(choice, faces, name.removesuffix(".zip"))


def own_snapshots() -> Chosen:
    """Collect snapshots, expression by expression, and show how many there are."""
    collection = snapshots()
    missing = collection.ready
    found = _found(collection.choice(), _stamp(collection)) if missing is None else missing
    if isinstance(found, str):
        _show(pd.DataFrame({"snapshots": pd.Series(collection.counts())}))
        st.caption(f":material/info: {plain(found)}")
        return Chosen()
    faces = _show(found.counts)
    st.caption("Solid: to learn from. Pale: the hold-out, to watch how it does on other snapshots.")
    warn(list(found.warnings), "Before you train:")
    return Chosen(collection.choice(), faces, "own snapshots")


SOURCES: Final = {"FER2013 subset": fer2013, "Own pictures": own_pictures, "Own snapshots": own_snapshots}


def data_choice() -> Chosen:
    """Ask what to learn from."""
    source = st.segmented_control(
        "Learn from", list(SOURCES), default="FER2013 subset", required=True, key="f_source", bind="query-params",
        wrap=True,
    )  # fmt: skip
    return SOURCES[str(source)]()


def _show(counts: pd.DataFrame) -> int:
    """Draw how many faces there are; return how many to learn from."""
    learnt = counts.iloc[:, 0]
    words = ", ".join(f"{name} {count:,}" for name, count in learnt.items())
    st.altair_chart(class_counts(counts), alt=f"Faces to learn from: {words}", key="f_counts")
    return int(learnt.sum())


@st.cache_data(max_entries=40, show_spinner="Opening FER2013; the first time takes some seconds …")
def _counts(choice: DataChoice, source: str, stamp: int) -> pd.DataFrame:  # noqa: ARG001 (the cache's key)
    return load_training_data(choice).counts


def _stamp(collection: Collection) -> int:
    """Return a number that changes with any snapshot: numbers of removed ones are given again."""
    return hash(tuple(one.png for expression in EXPRESSIONS for one in collection.snapshots(expression)))


@st.cache_data(max_entries=20, show_spinner="Keeping the zip …")
def _kept(file_id: str, name: str, _file: Any) -> str:  # noqa: ARG001 (the cache's key)
    return keep_upload(name, _file.getvalue())


@st.cache_resource(max_entries=4, show_spinner="Looking at every picture …")
def _found(choice: DataChoice, stamp: int = 0) -> ChosenData | str:  # noqa: ARG001 (the cache's key)
    """Return the faces of own pictures, or the sentence that says why they cannot be used."""
    try:
        return load_training_data(choice)
    except FerError as error:
        return str(error)
