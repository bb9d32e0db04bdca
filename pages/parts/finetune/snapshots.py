"""Collecting snapshots of one's own face, expression by expression, as in Google's Teachable Machine."""

from __future__ import annotations

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.runs.collection import Collection, list_collections
from fer_core.types import FerError
from pages.parts.analysis import plain, warn

FIRST = "mine"
"""The collection that there is before anybody names one."""

SHOT, TROUBLES = "f_shot", "f_troubles"
"""In a session's state: how many pictures it took, and what was wrong with the last ones."""

THUMBNAILS = 24


def snapshots() -> Collection:
    """Ask for pictures of one expression at a time and show what was collected."""
    names = [FIRST, *(name for name in list_collections() if name != FIRST)]  # not somebody else's at first
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Collection", names, accept_new_options=True, key="f_collection", bind="query-params", width=190,
            help="One for each person or idea. Type a new name to begin another.",
        )  # fmt: skip
        by = st.segmented_control(
            "Take them by", ["Camera", "Upload"], default="Camera", required=True, key="f_by", bind="query-params"
        )
    try:
        collection = Collection(name or FIRST)
    except FerError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        collection = Collection(FIRST)
    counts = collection.counts()
    expression = st.pills(
        "Expression to show",
        EXPRESSIONS,
        default="happy",
        required=True,
        key="f_class",
        bind="query-params",
        wrap=True,
    )
    expression = str(expression or "happy")
    _take(collection, expression, str(by))
    warn(st.session_state.pop(TROUBLES, []), "Some pictures were not kept:")
    for one in [expression, *(name for name, count in counts.items() if count and name != expression)]:
        _thumbnails(collection, one, chosen=one == expression)
    return collection


def _take(collection: Collection, expression: str, by: str) -> None:
    """Show the camera, or the place for files; a new key afterwards makes room for the next picture."""
    key = f"f_picture_{by}_{st.session_state.setdefault(SHOT, 0)}"

    def keep() -> None:
        given = st.session_state[key]
        files = given if isinstance(given, list) else [given] if given else []
        troubles = []
        for file in files:
            try:
                collection.add(file.getvalue(), expression)
            except FerError as error:
                troubles.append(f"{file.name}: {error}" if len(files) > 1 else str(error))
        st.session_state[TROUBLES] = troubles
        st.session_state[SHOT] += 1

    if by == "Camera":
        st.camera_input(f"Look {expression} and take photos, with other light and angles too", key=key, on_change=keep)
    else:
        st.file_uploader(
            f"Pictures that show {expression}", accept_multiple_files=True, key=key, on_change=keep
        )  # no type filter: a wrong file gets our sentence


def _thumbnails(collection: Collection, expression: str, chosen: bool) -> None:
    """Show one expression's faces; those of the chosen one can be removed."""
    kept = collection.snapshots(expression)
    shown = kept[-THUMBNAILS:]
    st.markdown(f"**{expression}: {len(kept)}**")
    if not kept:
        return
    with st.grid("auto", min_column_width=56, gap="xsmall"):
        for snapshot in shown:
            with st.container(gap=None, horizontal_alignment="center"):
                st.image(snapshot.png, width=48, alt=f"Snapshot {snapshot.number} of {expression}")
                if chosen:
                    st.button(
                        "",
                        icon=":material/close:",
                        type="tertiary",
                        help=f"Remove snapshot {snapshot.number}",
                        key=f"f_remove_{expression}_{snapshot.number}",
                        on_click=collection.remove,
                        args=(expression, snapshot.number),
                    )
    if len(kept) > len(shown):
        st.caption(f"The last {len(shown)} of {len(kept)}.")
    if chosen:
        with st.container(horizontal=True):
            st.button(
                "Remove the last", icon=":material/undo:", key="f_undo", on_click=collection.remove_last,
                args=(expression,),
            )  # fmt: skip
            with st.popover("Remove all", icon=":material/delete:"):
                st.markdown(f"All {len(kept)} snapshots of {expression} are deleted for good.")
                st.button("Delete them", key="f_clear", on_click=collection.clear, args=(expression,))
                st.button("Delete the whole collection", key="f_clear_all", on_click=collection.clear)
