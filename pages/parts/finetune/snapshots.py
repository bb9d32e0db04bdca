"""A collection of snapshots of one's own face, expression by expression, as in Google's Teachable Machine."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.runs.uploads import Collection, list_collections
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts.common import choose, warn, with_code
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
                args=(partial(collection.remove_last, expression),),
            )
            with st.popover("Remove all", icon=":material/delete:"):
                st.markdown(f"All {len(kept)} snapshots of {expression} are deleted for good.")
                st.button("Delete them", key="f_clear", on_click=attempt, args=(partial(collection.clear, expression),))
                st.button("Delete the whole collection", key="f_clear_all", on_click=attempt, args=(collection.clear,))
