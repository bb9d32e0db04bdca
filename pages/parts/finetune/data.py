"""The first step of a new run: the faces to train on, among them snapshots of one's own face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import find_fer2013
from fer_core.figures.bars import class_counts
from fer_core.labels import EXPRESSIONS
from fer_core.runs.data import DataSettings, LoadedData, load_training_data
from fer_core.runs.uploads import KEPT_DAYS, Collection, keep_upload, list_collections
from fer_core.runs.visits import AWAY_MINUTES
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts.charts import show_chart
from pages.parts.common import choose, plain, warn, whole_image_toggle, with_code
from pages.parts.data import computed, computed_here, own_pictures
from pages.parts.finetune.runs import attempt
from pages.parts.notice import SNAPSHOTS, all_agree
from pages.parts.pictures import forget, picture_megabytes

DEFAULT_COLLECTION: Final = "mine"

PICTURES_TAKEN: Final = "f_shot"
REJECTED: Final = "f_troubles"
"""Keys of the session state: how many pictures were taken, and what was wrong with the last ones."""

THUMBNAILS: Final = 24


def snapshots() -> Collection:
    """Ask for pictures of one expression at a time and show the collection."""
    # The default one first: the others may be somebody else's.
    names = [DEFAULT_COLLECTION, *(name for name in list_collections() if name != DEFAULT_COLLECTION)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Collection",
            names,
            accept_new_options=True,
            key="f_collection",
            bind="query-params",
            width=190,
            help="One for each person or idea. Type a new name to start another.",
        )
        source = choose("Take them with", ("Camera", "Upload"), "f_by")
    try:
        collection = Collection(name or DEFAULT_COLLECTION)
    except FerError as error:
        st.warning(with_code(str(error)), icon=":material/warning:")
        collection = Collection(DEFAULT_COLLECTION)
    counts = collection.counts()
    expression = str(
        st.pills(
            "Expression to show",
            EXPRESSIONS,
            default="happy",
            required=True,
            key="f_class",
            bind="query-params",
            wrap=True,
        )
        or "happy"
    )
    _picture_input(collection, expression, source)
    warn(st.session_state.pop(REJECTED, []), "Some pictures were not kept:")
    for one in [expression, *(name for name, count in counts.items() if count and name != expression)]:
        _thumbnails(collection, one, removable=one == expression)
    return collection


def _picture_input(collection: Collection, expression: str, source: str) -> None:
    """Show the camera or the file uploader; it gets a new key after each use, so that it is empty again."""
    key = f"f_picture_{source}_{st.session_state.setdefault(PICTURES_TAKEN, 0)}"

    def add() -> None:
        held = st.session_state[key]
        files = held if isinstance(held, list) else [held] if held else []
        rejected = []
        given = limits()
        if given and len(files) > given.pictures:
            rejected.append(f"This server takes at most {given.pictures} pictures at a time. Received: {len(files)}")
            files = files[: given.pictures]
        for file in files:
            try:
                collection.add(file.getvalue(), expression)
            except FerError as error:
                rejected.append(f"{file.name}: {error}" if len(files) > 1 else str(error))
        forget(files)
        st.session_state[REJECTED] = rejected
        st.session_state[PICTURES_TAKEN] += 1

    if source == "Camera":
        if all_agree(SNAPSHOTS):
            words = f"Look {expression} and take photos, also with other light and angles"
            st.camera_input(words, key=key, on_change=add)
    else:
        # Without a type filter, so that a wrong file gets a sentence that says what is wrong.
        st.file_uploader(
            f"Pictures that show {expression}",
            accept_multiple_files=True,
            key=key,
            on_change=add,
            max_upload_size=picture_megabytes(),
        )


def _thumbnails(collection: Collection, expression: str, removable: bool) -> None:
    """Show the faces of one expression, with buttons to remove them if `removable`."""
    kept = collection.snapshots(expression)
    shown = kept[-THUMBNAILS:]
    st.markdown(f"**{expression}: {len(kept)}**")
    if not kept:
        return
    with st.grid("auto", min_column_width=56, gap="xsmall"):
        for snapshot in shown:
            with st.container(gap=None, horizontal_alignment="center"):
                st.image(snapshot.png, width=48, alt=f"Snapshot {snapshot.number} of {expression}")
                if removable:
                    st.button(
                        "",
                        icon=":material/close:",
                        type="tertiary",
                        help=f"Remove snapshot {snapshot.number}",
                        key=f"f_remove_{expression}_{snapshot.number}",
                        on_click=attempt,
                        args=(partial(collection.remove, expression, snapshot.number),),
                    )
    if len(kept) > len(shown):
        st.caption(f"The last {len(shown)} of {len(kept)}.")
    if removable:
        with st.container(horizontal=True):
            st.button(
                "Remove the last",
                icon=":material/undo:",
                key="f_undo",
                on_click=attempt,
                args=(partial(collection.remove, expression, kept[-1].number),),
            )
            with st.popover("Remove all", icon=":material/delete:"):
                st.markdown(f"All {len(kept)} snapshots of {expression} are deleted for good.")
                st.button("Delete them", key="f_clear", on_click=attempt, args=(partial(collection.clear, expression),))
                st.button("Delete the whole collection", key="f_clear_all", on_click=attempt, args=(collection.clear,))


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
        find_fer2013()
    except FerError as error:
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
        counts = computed(_counts, source)
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
            st.session_state[ZIP] = (file.name, computed_here(_kept_upload, file))
        if ZIP not in st.session_state:
            st.code(ZIP_LAYOUT, language=None)
            st.caption(f"At least two expressions, with at least two pictures each. {_how_long()}")
            return SelectedData()
        name, path = st.session_state[ZIP]
        source = DataSettings("folder", path=path, whole_image=whole)
        found = own_pictures(load_training_data, source)
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
    found = own_pictures(_snapshots, collection) if missing is None else missing
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


def _counts(source: DataSettings) -> pd.DataFrame:
    return load_training_data(source).counts


def _kept_upload(file: Any) -> str:
    return keep_upload(file.name, file.getvalue())


def _snapshots(collection: Collection) -> LoadedData:
    return load_training_data(collection.settings())
