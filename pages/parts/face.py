"""The card of a face, the same on every page: what models say, why, and what edits of the picture change.

Predict shows its parts below each other. Elsewhere `face_tiles` shows faces in rows, and each opens its card.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer_core.columns import percent_text
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.explain.examples import EXAMPLES, thumbnail
from fer_core.faces import enlarged_pixels, png
from fer_core.figures.bars import vote_bars
from fer_core.figures.matrices import pixel_chart
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import Image
from pages.parts.charts import show_chart
from pages.parts.common import emphasis, no_model_yet, plain, warn, with_code
from pages.parts.face_views import FaceView, edit_panel, face_bars, face_reasons
from pages.parts.pictures import EXAMPLE, Picture, annotated, faces_upright, load_models, picture_size, result_for

FILES: Final = Path(__file__).parent
TILE_WIDTH, LARGE = 108, 232  # pixels of a face, at least in a row, and on its card
STRIP, SCROLLED = 420, 15  # height in pixels of a strip with more faces than these, which is scrolled
ON_CARD: Final = 5  # models; all of them take seconds to load

# A click on a picture clicks the button below it, since pictures of Streamlit take no clicks.
_CLICKS: Final = st.components.v2.component("fer_lab_click_tiles", js=FILES.joinpath("tiles.js").read_text())


# A photo whose boxes can be clicked. Pictures of Streamlit take no clicks, and its charts keep no picture's shape.
_PHOTO: Final = st.components.v2.component(
    "fer_lab_photo",
    html='<div id="photo"></div>',
    css=FILES.joinpath("photo.css").read_text(),
    js=FILES.joinpath("photo.js").read_text(),
)


@dataclass(frozen=True, eq=False)
class Tile:
    """A face in a row of faces, and what its card knows besides what models say."""

    image: Image  # `(height, width)` gray or `(height, width, 3)` RGB, uint8
    name: str  # its file or row; the title of the card
    words: str  # what stands below the picture, in Markdown
    label: str = ""  # in the data; empty if it has none
    classes: tuple[str, ...] = EXPRESSIONS  # what the data tells apart; models of the same classes are asked
    about: Sequence[str] = ()  # smaller lines below the words, plain text
    votes: Sequence[int] | None = None  # of the annotators for the seven expressions, `(7,)`; None if unknown
    other_votes: int = 0  # for other answers
    facts: Mapping[str, str] = field(default_factory=dict)  # more about it, for the card
    picture: Picture | None = None  # that it was found in; None if the image is the face
    number: int = 1  # of the face in that picture

    @property
    def source(self) -> Picture:
        """The picture for models."""
        if self.picture is not None:
            return self.picture
        content = png(self.image)
        return Picture(self.name, sha256(content).hexdigest(), BytesIO(content), whole_image=True)


def mark(answer: str | None, label: str) -> str:
    """Return a mark for an answer that is the label or is not, as Markdown; empty without an answer."""
    if answer is None:
        return ""
    return ":green[:material/check:]" if answer == label else ":red[:material/close:]"


def fer2013_tile(faces: Fer2013Faces, row: int, label: str, words: str, about: Sequence[str] = ()) -> Tile | None:
    """Return a face of FER2013 or of a data set of one's own; None if the row is another face, see `Fer2013Faces`."""
    image, votes = faces.face(row, label), faces.vote_counts(row)
    if image is None or faces.dataset is None:
        return None
    known: dict[str, Any] = {} if votes is None else {"votes": votes[:-1], "other_votes": votes[-1]}
    return Tile(image, faces.name(row), words, label=label, classes=faces.dataset.classes, about=about, **known)


def face_tiles(
    tiles: Sequence[Tile | None], key: str, *, chosen: int | None = None, choose: Callable[[int], object] | None = None
) -> None:
    """Show faces in rows of at most eight; a click on one opens its card, or calls `choose` with its place.

    Eight or 24 faces fill the rows of most screens. `key` tells several such rows of a page apart.
    """
    with st.container(height=1, width=1, border=False):
        _CLICKS(key=f"{key}_clicks")
    with st.grid(8, min_column_width=TILE_WIDTH, gap="small"):
        for place, tile in enumerate(filter(None, tiles)):
            with st.container(key=f"tile_{key}_{place}", gap=None):
                labelled = f", labelled {tile.label}" if tile.label else ""
                st.image(tile.image, width="stretch", alt=f"Face of {tile.name}{labelled}")
                look: Any = {"type": emphasis() if place == chosen else "tertiary", "width": "stretch"}
                if choose is not None:
                    look |= {"on_click": choose, "args": (place,)}
                if st.button(tile.words, key=f"open_{key}_{place}", **look) and choose is None:
                    open_card(tile)
                if tile.about:
                    lines = "  \n".join(map(plain, tile.about)).replace(" %", "\u00a0%")
                    st.caption(lines, text_alignment="center")


def photo(
    picture: Picture,
    model: StoredModel,
    *,
    chosen: int | None = None,
    choose: Callable[[int], object] | None = None,
    key: str = "photo",
) -> None:
    """Show a picture with numbered boxes; with `choose`, a click on one of several calls it with the face's place."""
    faces = result_for(picture, model).faces
    titles = [f"{number} {face.answer}" for number, face in enumerate(faces, 1)]
    alt = f"Picture with numbered boxes: {', '.join(titles) or 'no face found'}"
    file = annotated(picture, model)
    if choose is None or len(faces) < 2:
        st.image(file, width="stretch", alt=alt)
        return
    height, width = picture_size(picture)
    boxes = []
    for title, result in zip(titles, faces, strict=True):
        left, top, wide, high = result.face.box
        shares = {"left": left / width, "top": top / height, "width": wide / width, "height": high / height}
        boxes.append({"title": f"Face {title}"} | {side: f"{share:.2%}" for side, share in shares.items()})
    source = f"data:image/jpeg;base64,{b64encode(file).decode()}"
    data = {"picture": source, "alt": alt, "boxes": boxes, "chosen": chosen}

    def clicked() -> None:
        choose(int(st.session_state[key].face))

    _PHOTO(key=key, data=data, on_face_change=clicked)


def strip(picture: Picture, model: StoredModel, *, key: str, **click: Any) -> None:
    """Show all faces of a picture with what a model says, by `face_tiles` with the arguments `click`."""
    faces = result_for(picture, model).faces
    tiles = []
    for number, (upright, face) in enumerate(zip(faces_upright(picture, model), faces, strict=True), 1):
        known: Any = {"about": [percent_text(face.confidence)], "picture": picture, "number": number}
        tiles.append(Tile(upright, f"Face {number}", f"{number} {face.answer}", **known))
    with st.container(height=STRIP if len(tiles) > SCROLLED else "content", border=False):
        face_tiles(tiles, key, **click)


def photo_taken(taken: UploadedFile, model: StoredModel, *, key: str) -> None:
    """Show a photo of the browser's camera with what a model says of each face."""
    picture = Picture("camera.jpg", taken.file_id, taken)
    with st.spinner("Looking for faces"):
        result = result_for(picture, model)
    if result.error:
        st.warning(with_code(result.error), icon=":material/warning:")
    elif not result.faces:
        st.info("No face was found. Come nearer, or turn to the light.", icon=":material/face_retouching_off:")
    else:
        photo(picture, model)
        if len(result.faces) > 1:
            strip(picture, model, key=key)
        else:
            face_bars([FaceView(picture, model, 1)])


def examples(chosen: bool = True) -> None:
    """Show the example pictures; a click on one chooses it. `chosen`: one of them is on show."""
    titles = list(EXAMPLES)
    now = st.query_params.get(EXAMPLE, titles[0])

    def choose(place: int) -> None:
        st.query_params[EXAMPLE], st.session_state["p_source"] = titles[place], "Sample"
        st.query_params.pop("p_face", None)

    tiles = [Tile(thumbnail(title), f"the example {title}", title) for title in titles]
    place = titles.index(now) if chosen and now in titles else None
    face_tiles(tiles, "examples", chosen=place, choose=choose)


def open_card(tile: Tile) -> None:
    """Show the card of a face over the page."""
    st.dialog(plain(tile.name), width="large")(_card)(tile)


def _card(tile: Tile) -> None:
    loaded, broken = load_models(list_models(servable=True, classes=tile.classes)[0][:ON_CARD])
    warn(broken, "Some models cannot be used:")
    views = [FaceView(tile.source, model, tile.number) for model in loaded]
    left, right = st.columns([2, 5], gap="medium")
    with left:
        large = enlarged_pixels(tile.image) if tile.picture is None else tile.image
        st.image(large, width=LARGE, alt=f"The face of {tile.name}, large")
        if tile.label:
            st.markdown(f"Label in the data: **{plain(tile.label)}**")
        if tile.votes is not None:
            show_votes(tile.votes, tile.other_votes, key="card_votes")
        if tile.facts:
            st.table(pd.Series(tile.facts, name=""), border="horizontal", alt=f"Facts about {tile.name}")
    with right:
        if not views:
            no_model_yet()
            return
        parts: dict[str, Callable[[], None]] = {
            "What models say": partial(face_bars, views),
            "Why": partial(face_reasons, views, "card"),
            "What changes it": partial(edit_panel, views, f"card_{tile.source.key}"),
        }
        if tile.image.shape == (48, 48):
            parts["Its numbers"] = partial(_pixels, tile)
        for tab, (_, show) in zip(st.tabs(list(parts), key="card_tab", on_change="rerun"), parts.items(), strict=True):
            if tab.open:
                with tab:
                    show()


def show_votes(votes: Sequence[int], other_votes: int, key: str = "votes") -> None:
    """Show annotators' votes for the seven expressions, `(7,)`, as bars, and the number of their other votes."""
    total = sum(votes) + other_votes
    other = f"; {other_votes} for none of the seven" if other_votes else ""
    st.markdown(f"**{total} annotators**{other}")
    bars = vote_bars(votes, total).update_layout(height=LARGE)
    show_chart(bars, f"Votes of {total} annotators: {in_words(votes) or 'none for the seven'}", key=key)


def in_words(counts: Sequence[int]) -> str:
    """Return how often each of the seven expressions was said, `(7,)`, without those that were not."""
    return ", ".join(f"{name} {count}" for name, count in zip(EXPRESSIONS, counts, strict=True) if count)


def _pixels(tile: Tile) -> None:
    show_chart(pixel_chart(tile.image), f"Pixels of {tile.name}")
    st.caption("0 is black, 255 is white. Drag over a part of the face to read its numbers; a double click ends it.")
