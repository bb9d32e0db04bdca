"""Parts of the Tour page: the picture or chart, the sentences and the numbers of each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from fer_core.columns import percent, percent_text
from fer_core.data import SAMPLE_CREDIT
from fer_core.explain import Tour
from fer_core.faces import enlarged_pixels, evidence_for
from fer_core.figures.bars import logit_bars, probability_text, softmax_table
from fer_core.figures.matrices import number_grid
from fer_core.labels import EXPRESSIONS
from fer_core.store.stored_model import StoredModel
from pages.parts.charts import narrow_screen, show_chart, show_network, space_here
from pages.parts.common import emphasis, note_detector, plain
from pages.parts.pictures import SAMPLE, Picture, evidence_tile

SIDE: Final = 384  # pixels, of the large picture of a step: eight times 48, and low enough for a screen of 720 pixels

PREPARED: Final = {
    "none": "",
    "equalize": " Before that, this model's faces get an even histogram of gray levels.",
    "clahe": " Before that, this model's faces get more contrast (CLAHE).",
}
"""A sentence for each preprocessing that keeps the whole face."""

Explained = tuple[str, dict[str, str]]  # what happens in a step and why; the numbers of this face with their names


def show_step(step: str, tour: Tour, picture: Picture, model: StoredModel) -> None:
    """Show one step: its picture or chart at the left; buttons, sentences and numbers at the right.

    The diagram of the network stands below the step that computes its layers.
    """
    left, right = st.columns([5, 4], gap="medium")
    with left:
        sentences, numbers = STEPS[step](tour, picture, model)
    with right:
        _back_and_next(step)
        st.markdown(sentences)
        st.markdown("\n".join(f"- {name}: **{plain(value)}**" for name, value in numbers.items()))
    if step == "Activations":
        show_network(model)


def _back_and_next(step: str) -> None:
    names = list(STEPS)
    place = names.index(step)

    def go(target: int) -> None:
        st.session_state["t_step"] = names[target]

    back, forward = ":material/arrow_back:", ":material/arrow_forward:"
    before: Any = {"icon": back, "disabled": place == 0, "args": (place - 1,)}
    after: Any = {"icon": forward, "icon_position": "right", "disabled": step == names[-1], "args": (place + 1,)}
    with st.container(horizontal=True, gap="small"):
        st.button("Back", key="t_back", on_click=go, **before)
        st.button("Next", key="t_next", on_click=go, type=emphasis(), **after)


def _large(picture: Any, alt: str, size: tuple[int, int] = (1, 1), caption: str | None = None) -> None:
    """Show the picture of a step, in a place of its size, so that nothing moves when the browser has loaded it."""
    side, (width, height) = 320 if narrow_screen() else SIDE, size
    if space := space_here():
        side, caption = min(space.width, round(space.height * width / height)), None
    with st.container(width=side, height=max(16, round(side * height / width)), border=False):
        st.image(picture, width="stretch", alt=alt)
    if caption:
        st.caption(caption)


def _picture(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001 (all steps take the same)
    caption = SAMPLE_CREDIT if picture is SAMPLE else plain(picture.name)
    width, height = tour.size
    _large(tour.picture, "The picture as it was given", tour.size, caption)
    return (
        "A picture is a grid of pixels. Each pixel has three numbers, for red, green and blue, from 0 (dark) to 255 "
        "(bright). No number says where a face is, or what it shows.",
        {"Size": f"{width:,} × {height:,} pixels", "Numbers": f"{width} × {height} × 3 = {width * height * 3:,}"},
    )


def _detect(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    face = tour.result.face
    with st.grid(2, min_column_width=60 if space_here() else 150, gap="small"):
        st.image(tour.marked, width="stretch", alt=f"The picture with a box around each face; {tour.faces} found")
        st.image(tour.close, width="stretch", alt="The largest face, closer, with its landmarks")
    x, y, width, height = face.box
    box = f"{width:.0f} × {height:.0f} pixels, left edge at {x:.0f}, top at {y:.0f}"
    numbers = {"Faces found": f"{tour.faces}", "Box": box}
    if face.landmarks is None:
        marks = "Each face gets a box. This detector gives no landmarks."
    else:
        marks = "Each face gets a box and five landmarks: two eyes, the tip of the nose, two corners of the mouth."
        (left_x, left_y), (right_x, right_y) = face.landmarks[:2].tolist()
        numbers["Detector's confidence"] = percent_text(face.score)
        numbers["Eyes at"] = f"({left_x:.0f}, {left_y:.0f}) and ({right_x:.0f}, {right_y:.0f})"
    if not space_here():  # a screen of the lecture has no room for it
        note_detector()
    return (
        f"A face detector searches the picture for faces of all sizes. {marks} The tour follows the largest.",
        numbers,
    )


def _align(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    _large(tour.upright, "The face in colour, turned upright")
    tilt = f"{abs(tour.roll):.1f}°"
    if tilt != "0.0°":
        tilt += " clockwise" if tour.roll > 0 else " counter-clockwise"
    return (
        "The line between the eyes shows how far the head is tilted. The picture is turned back by this angle, so that "
        "the eyes are level. Then a square is placed around the face. Models have learned from mostly upright faces.",
        {"Tilt": tilt, "Side of the square": f"{tour.side:.0f} pixels of the picture"},
    )


def _crop(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    crop = tour.result.crop
    _large(enlarged_pixels(crop, SIDE), "The face in 48 × 48 gray pixels, enlarged")
    rows, columns = crop.shape
    return (
        "The square becomes 48 × 48 gray pixels with the framing of FER2013, the data that the models learned from: "
        "little hair, and the chin at the lower edge. Colour and fine detail are lost here.",
        {
            "Numbers": f"{columns} × {rows} = {crop.size:,}, from {crop.min()} to {crop.max()}, mean {crop.mean():.0f}",
            "One pixel here": f"{tour.side / columns:.1f} × {tour.side / columns:.1f} pixels of the picture",
        },
    )


def _normalise(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    factor, offset = tour.scale
    rows, columns = tour.patch.shape
    row, column = tour.corner
    alt = f"{rows} × {columns} numbers of the network's input around the eye on the left"
    show_chart(number_grid(tour.patch, offset, high=255 * factor + offset), alt)
    height, width, channels = tour.numbers.shape
    rule = f"gray × {factor:.4g} {'−' if offset < 0 else '+'} {abs(offset):.4g}"
    if factor == 1 and offset == 0:
        rule = "gray, unchanged: this network scales by itself"
    return (
        "A network works best with numbers on the scale that it was trained with, usually around 0. So each gray level "
        f"is multiplied and shifted.{PREPARED[model.card.preprocessing]} The chart shows the eye on the left; numbers "
        "like these, of the whole face, are all that the network gets.",
        {
            "Rule": rule,
            "Input": f"{height} × {width} × {channels} = {tour.numbers.size:,} numbers",
            "Range for this face": f"{tour.numbers.min():.2f} to {tour.numbers.max():.2f}".replace("-", "−"),
            "Shown": f"rows {row + 1} to {row + rows}, columns {column + 1} to {column + columns}",
        },
    )


def _activations(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    evidence = {name: evidence_for(tour.maps, name) for name in EXPRESSIONS}
    shares = {name: float(found.shares.max()) for name, found in evidence.items()}
    tiles = [(enlarged_pixels(tour.result.crop, 240), "the face", "The face in gray")]
    for name, found in evidence.items():
        caption = f"{name} {percent_text(shares[name])}"
        tiles.append((evidence_tile(tour.result, found), caption, f"Activation map: {name}"))
    space = space_here()
    large = space is not None and not space.small
    with st.grid(4, min_column_width=30 if space else 110, gap="small"):
        for tile, caption, alt in tiles:
            with st.container(gap=None):
                st.image(tile, caption=None if space else caption, width="stretch", alt=alt)
                if large:
                    st.subheader(caption, anchor=False)
    rows, columns = tour.maps.shape[:2]
    strongest = max(shares, key=lambda name: shares[name])
    return (
        "Layer after layer, the network looks for edges, then shapes, then parts of a face. Its last maps, one for "
        "each expression, say how much each place adds to the score of that expression. Shown is the difference from "
        "the mean of all seven, on one scale: bright places speak for the expression.",
        {
            "Cells of each map": f"{rows} × {columns} = {rows * columns}",
            "Strongest place": f"{strongest}, {evidence[strongest].limit:.2f} above the mean of the seven maps",
            "Below each map": "its strongest place as a share of that",
        },
    )


def _pooling(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    scores = dict(zip(EXPRESSIONS, tour.logits.tolist(), strict=True))
    words = ", ".join(f"{name} {score:+.2f}" for name, score in scores.items())
    show_chart(logit_bars(tour.logits), f"Scores: {words}")
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    cells = tour.maps[:, :, EXPRESSIONS.index(first)]
    mean = f"{cells.sum():.2f} ÷ {cells.size} = {scores[first]:.2f}"
    return (
        "The score of an expression, called its logit, is the mean of all cells of its map. A score has no unit and "
        "may be negative. Only the differences between scores count.",
        {
            f"Cells for {first}": f"{cells.min():.2f} to {cells.max():.2f}".replace("-", "−"),
            f"Their sum ÷ {cells.size}": mean.replace("-", "−"),
            f"Ahead of {second} by": f"{scores[first] - scores[second]:.2f}",
        },
    )


def _softmax(tour: Tour, picture: Picture, model: StoredModel) -> Explained:  # noqa: ARG001
    chart = softmax_table(tour.logits, tour.exponentials, probabilities=tour.softmax)
    show_chart(chart, f"Probabilities: {probability_text(tour.softmax, len(EXPRESSIONS))}")
    total, most = float(tour.exponentials.sum()), EXPRESSIONS.index(tour.result.expression)
    difference = tour.largest_difference
    return (
        "The exponential function makes every score positive and enlarges the differences. Each result is divided by "
        "the sum of all seven, so the seven add up to 100 %. They describe the picture, not what the person feels.",
        {
            "Sum of the seven": f"{total:,.2f}",
            EXPRESSIONS[most]: f"{tour.exponentials[most]:,.2f} ÷ {total:,.2f} = {percent(tour.softmax[most], '.1%')}",
            "The model itself says": f"{tour.result.expression} {percent(tour.result.confidence, '.1%')}",
            "Largest difference": "below 0.001 %" if difference < 1e-5 else percent(difference, ".3%"),
        },
    )


STEPS: Final[dict[str, Callable[[Tour, Picture, StoredModel], Explained]]] = {
    "Picture": _picture,
    "Detect": _detect,
    "Align": _align,
    "Crop": _crop,
    "Normalise": _normalise,
    "Activations": _activations,
    "Pooling": _pooling,
    "Softmax": _softmax,
}
"""The steps in order. Each function shows its picture or chart and returns the sentences and numbers."""
