"""Pictures before and after face detection, as in the paper's figure 4."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import streamlit as st

from fer_core.faces import DetectionStages, detection_stages, enlarged_pixels, preprocess_faces
from fer_core.types import FerError, Image
from pages.parts.common import choose, note_detector, plain, with_code
from pages.parts.dataset.source import ShownFaces
from pages.parts.pictures import SOURCES, available_sources, pictures_from, stages_of

SHOWN: Final = 6
THESE: Final = "These faces"


def detected(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show several pictures with what is detected in them and what is cropped, side by side."""
    sources = [THESE, *available_sources()]
    source = choose("Pictures", sources, "d_pictures")
    if source == THESE:
        here = places[number : number + SHOWN]
        _stages([(shown.name(place), partial(_stages_at, shown, place)) for place in here])
        return
    if source in SOURCES:
        st.caption(SOURCES[source])
    pictures = pictures_from(source)[:SHOWN]
    _stages([(picture.name, partial(stages_of, picture)) for picture in pictures])


def _stages_at(shown: ShownFaces, place: int) -> DetectionStages:
    return detection_stages(shown.picture(place))


def _stages(pictures: list[tuple[str, Callable[[], DetectionStages]]]) -> None:
    without = []
    for name, detect in pictures:
        with st.container(border=True):
            try:
                found = _card(plain(name), detect())
            except FerError as error:
                st.warning(with_code(str(error)), icon=":material/warning:")
                continue
            if not found:
                without.append(name)
    if not pictures:
        return
    st.markdown(f"**No face is detected in {len(without)} of {len(pictures)} pictures.**")
    st.caption(
        "Detected: the box and the five landmarks. Upright: the square around the largest face, rotated so that the "
        "eyes are level, framed like FER2013’s faces. Input: the same with 48 × 48 gray pixels, as models get it from "
        "a photo. Closer: cropped to the detected box without rotation, as in the paper’s figure 4."
    )
    note_detector()


def _card(name: str, stages: DetectionStages) -> bool:
    """Show the steps for one picture; return whether a face was detected."""
    count = "1 face" if stages.faces == 1 else f"{stages.faces or 'no'} faces"
    st.markdown(f"**{name}**, {count}")
    tiles: Iterable[tuple[str, Image]] = [("Before", stages.before), ("Detected", stages.marked)]
    if stages.upright is not None and stages.gray is not None:
        closer = preprocess_faces((stages.gray if stages.before.ndim == 3 else stages.before)[None], "face")[0]
        tiles = [
            *tiles,
            ("Upright", stages.upright),
            ("Input", enlarged_pixels(stages.gray, 192)),
            ("Closer", enlarged_pixels(closer, 192)),
        ]
    with st.grid(5, min_column_width=90, gap="small"):
        for caption, image in tiles:
            st.image(image, caption=caption, width="stretch", alt=f"{caption}: {name}")
    return stages.faces > 0
