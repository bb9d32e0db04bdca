"""Parts of the Tour page: the picture or chart of each step, beside the sentences and numbers of `fer_core`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from fer_core.columns import percent_text
from fer_core.data import SAMPLE_CREDIT
from fer_core.explain.tour import Tour, in_words
from fer_core.faces import enlarged_pixels
from fer_core.figures.bars import logit_bars, probability_text, softmax_table
from fer_core.figures.matrices import number_grid
from fer_core.labels import EXPRESSIONS
from fer_core.store.stored_model import StoredModel
from pages.parts.charts import narrow_screen, show_chart, show_network, space_here
from pages.parts.common import emphasis, note_detector, plain
from pages.parts.pictures import SAMPLE, Picture, evidence_tile

SIDE: Final = 384  # pixels, of the large picture of a step: eight times 48, and low enough for a screen of 720 pixels


def show_step(step: str, tour: Tour, picture: Picture, model: StoredModel) -> None:
    """Show one step: its picture or chart, beside it sentences and numbers; below its layers, the network's diagram."""
    names = list(STEPS)
    place = names.index(step)

    def go(by: int) -> None:
        st.session_state["t_step"] = names[place + by]

    left, right = st.columns([5, 4], gap="medium")
    with left:
        STEPS[step](tour, picture)
    with right:
        with st.container(horizontal=True, gap="small"):
            back, forward = ":material/arrow_back:", ":material/arrow_forward:"
            st.button("Back", key="t_back", icon=back, on_click=go, args=(-1,), disabled=place == 0)
            after: Any = {"icon": forward, "icon_position": "right", "disabled": step == names[-1]}
            st.button("Next", key="t_next", on_click=go, args=(1,), type=emphasis(), **after)
        sentences, numbers = in_words(tour, model.card.preprocessing)[step]
        st.markdown(sentences)
        st.markdown("\n".join(f"- {name}: **{plain(value)}**" for name, value in numbers.items()))
    if step == "Activations":
        show_network(model)


def _large(picture: Any, alt: str, size: tuple[int, int] = (1, 1), caption: str | None = None) -> None:
    """Show the picture of a step, in a place of its size, so that nothing moves when the browser has loaded it."""
    side, (width, height) = 320 if narrow_screen() else SIDE, size
    if space := space_here():
        side, caption = min(space.width, round(space.height * width / height)), None
    with st.container(width=side, height=max(16, round(side * height / width)), border=False):
        st.image(picture, width="stretch", alt=alt)
    if caption:
        st.caption(plain(caption))


def _picture(tour: Tour, picture: Picture) -> None:
    _large(tour.picture, "The picture as it was given", tour.size, SAMPLE_CREDIT if picture is SAMPLE else picture.name)


def _detect(tour: Tour, _: Picture) -> None:
    with st.grid(2, min_column_width=60 if space_here() else 150, gap="small"):
        st.image(tour.marked, width="stretch", alt=f"The picture with a box around each face; {tour.faces} found")
        st.image(tour.close, width="stretch", alt="The largest face, closer, with its landmarks")
    if not space_here():  # a screen of the lecture has no room for it
        note_detector()


def _align(tour: Tour, _: Picture) -> None:
    _large(tour.upright, "The face in colour, turned upright")


def _crop(tour: Tour, _: Picture) -> None:
    _large(enlarged_pixels(tour.result.crop, SIDE), "The face in 48 × 48 gray pixels, enlarged")


def _normalise(tour: Tour, _: Picture) -> None:
    (factor, offset), (rows, columns) = tour.scale, tour.patch.shape
    alt = f"{rows} × {columns} numbers of the network's input around the eye on the left"
    show_chart(number_grid(tour.patch, offset, high=255 * factor + offset), alt)


def _activations(tour: Tour, _: Picture) -> None:
    tiles = [(enlarged_pixels(tour.result.crop, 240), "the face", "The face in gray")]
    for name, found in tour.evidence.items():
        caption = f"{name} {percent_text(float(found.shares.max()))}"
        tiles.append((evidence_tile(tour.result, found), caption, f"Activation map: {name}"))
    space = space_here()
    with st.grid(4, min_column_width=30 if space else 110, gap="small"):
        for tile, caption, alt in tiles:
            with st.container(gap=None):
                st.image(tile, caption=None if space else caption, width="stretch", alt=alt)
                if space and not space.small:
                    st.subheader(caption, anchor=False)


def _pooling(tour: Tour, _: Picture) -> None:
    scores = zip(EXPRESSIONS, tour.logits, strict=True)
    show_chart(logit_bars(tour.logits), f"Scores: {', '.join(f'{name} {score:+.2f}' for name, score in scores)}")


def _softmax(tour: Tour, _: Picture) -> None:
    chart = softmax_table(tour.logits, tour.exponentials, probabilities=tour.softmax)
    show_chart(chart, f"Probabilities: {probability_text(tour.softmax, len(EXPRESSIONS))}")


STEPS: Final[dict[str, Callable[[Tour, Picture], None]]] = {
    "Picture": _picture,
    "Detect": _detect,
    "Align": _align,
    "Crop": _crop,
    "Normalise": _normalise,
    "Activations": _activations,
    "Pooling": _pooling,
    "Softmax": _softmax,
}
"""The steps in order. Each function shows its picture or chart."""
