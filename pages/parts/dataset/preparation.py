"""What is done to a face before a network sees it: preprocessing, scaling, augmentation, detection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import streamlit as st

from fer_core.data import FaceDataset
from fer_core.faces import DEGRADATIONS, DetectionStages, degrade, detection_stages, enlarged_pixels, preprocess_faces
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import shuffled_places
from fer_core.models import model_spec, networks_by_input
from fer_core.models.backbones import BLUE_FIRST, input_picture, network_input
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.training.augmentation import AS_THE_PAPER, Augmentation, augmented_copies
from fer_core.training.recipe import named_recipe
from fer_core.types import FerError, Image
from pages.parts.common import choose, emphasis, note_detector, plain, whole_number, with_code
from pages.parts.data import computed, computed_here
from pages.parts.dataset.source import ShownFaces
from pages.parts.pictures import SOURCES, available_sources, pictures_from, stages_of

PREPARED: Final = {
    "As stored": "none",
    "Histogram equalized": "equalize",
    "CLAHE": "clahe",
    "Cropped to the detected face": "face",
}
"""Preprocessings of models, each with its caption."""


def inputs(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show one face after each preprocessing, as the input of each kind of network, and degraded."""
    face = shown.dataset.images[places[number]]
    st.subheader(f"Preprocessing of {plain(shown.name(places[number]))}")
    with st.grid("auto", min_column_width=130, gap="small"):
        for caption, preprocessing in PREPARED.items():
            st.image(preprocess_faces(face[None], preprocessing)[0], caption=caption, width="stretch", alt=caption)
    st.subheader("Input of each network")
    with st.grid("auto", min_column_width=150, gap="medium"):
        for title, name in networks_by_input().items():
            spec = model_spec(name)
            numbers = network_input(preprocess_faces(face[None], spec.preprocessing)[0], spec)
            height, width, channels = numbers.shape
            colours = "gray" if channels == 1 else "BGR" if spec.backbone in BLUE_FIRST else "RGB"
            with st.container(gap=None):
                st.image(input_picture(numbers, spec), width="stretch", alt=f"The face as {title} gets it")
                st.markdown(f"**{title}**")
                st.caption(f"{height} × {width} × {channels}, {colours}  \n{numbers.min():.3g} to {numbers.max():.3g}")
    st.caption(
        "Below each picture: its size, the order of its channels, and its lowest and highest number. Backbones expect "
        "colour, so all three channels hold the same gray face, enlarged where the backbone needs it and scaled as it "
        "was on ImageNet (EfficientNet scales by itself). Black is the lowest possible number, white the highest. "
        "VGG16, ResNet50 and DenseNet121 subtract another mean from each channel, which looks like a tint."
    )
    st.subheader("Degradations of medium strength")
    with st.grid("auto", min_column_width=110, gap="small"):
        for kind, one in DEGRADATIONS.items():
            st.image(degrade(face[None], kind, one.levels[2])[0], caption=one.title, width="stretch", alt=one.title)
    st.caption("Compare models measures every model on these.")


COPIES: Final = 12
DRAWN_AT_ONCE: Final = 24
"""Faces whose copies are drawn together: starting Keras takes longer than drawing."""

DRAWN: Final = "d_drawn"
"""Key of the faces in the session whose copies were asked for."""


def _recipes() -> dict[str, Augmentation]:
    default = named_recipe(model_spec(DEFAULT_MODEL)).augmentation
    assert default is not None
    return {"Default model": default, "As in the paper": AS_THE_PAPER}


def augmented(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show random copies of one face by the augmentation of the default model or of the paper."""
    recipes = _recipes()
    name = choose("Augmentation", recipes, "d_augmentation")
    start = number // DRAWN_AT_ONCE * DRAWN_AT_ONCE
    group = tuple(places[start : start + DRAWN_AT_ONCE])
    asked = st.session_state.setdefault(DRAWN, set())
    key = (shown.dataset.fingerprint, group)
    place = st.empty()
    if key not in asked:
        with place.container():
            st.markdown("Copies are drawn by the layers that training uses. They need Keras, which starts slowly.")
            if not st.button("Draw augmented copies", icon=":material/casino:", key="d_draw", type=emphasis()):
                return
        asked.add(key)
        place.empty()
    try:
        with st.spinner("Starting Keras, about ten seconds …", show_time=True):
            keep = computed_here if shown.own else computed
            copies = keep(_drawn, shown.dataset, group, tuple(recipes.values()))
    except FerError as error:
        asked.discard(key)
        st.warning(with_code(str(error)), icon=":material/warning:")
        return
    face, image = plain(shown.name(places[number])), shown.dataset.images[places[number]]
    with st.grid("auto", min_column_width=120, gap="small"):
        st.image(image, caption="as stored", width="stretch", alt=f"Face of {face}")
        for count, copy in enumerate(copies[list(recipes).index(name)][number - start], 1):
            st.image(copy, caption=f"copy {count}", width="stretch", alt=f"Augmented copy {count} of {face}")
    st.caption(_in_words(recipes[name]))


def _in_words(kind: Augmentation) -> str:
    """Return what an augmentation does, in sentences."""
    low, high = kind.scale
    words = [f"rotated by up to {kind.rotation:g}°", f"scaled by {low:g} to {high:g}"]
    if kind.shift:
        words.append(f"shifted by up to {kind.shift:g} pixels")
    if kind.flip:
        words.append("mirrored or not")
    if kind.contrast:
        words.append(f"contrast changed by up to {kind.contrast:.0%}")
    if kind.brightness:
        words.append(f"brightness changed by up to {kind.brightness:.0%} of the range")
    if kind.gamma > 1:
        words.append(f"gamma up to {kind.gamma:g}")
    text = f"Each copy is {', '.join(words)}."
    if kind.cover or kind.erase:
        text += f" {kind.cover:.0%} get a gray patch and {kind.erase:.0%} a patch of noise."
    if kind.degraded:
        text += (
            f" {kind.degraded:.0%} get noise, and {kind.degraded:.0%} blur, low resolution or compression, as from a "
            "poor camera."
        )
    if kind.crop < 48:
        text += f" The network trains on the inner {kind.crop} × {kind.crop} pixels."
    return text


def _drawn(dataset: FaceDataset, places: tuple[int, ...], kinds: tuple[Augmentation, ...]) -> list[Any]:
    return augmented_copies(dataset.images[list(places)], kinds, COPIES)


PICTURES: Final = 6
THESE: Final = "These faces"


def detected(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show several pictures with what is detected in them and what is cropped, side by side."""
    sources = [THESE, *available_sources()]
    source = choose("Pictures", sources, "d_pictures")
    if source == THESE:
        here = places[number : number + PICTURES]
        _stages([(shown.name(place), partial(_stages_at, shown, place)) for place in here])
        return
    if source in SOURCES:
        st.caption(SOURCES[source])
    pictures = pictures_from(source)[:PICTURES]
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


ANY: Final = "any"
STEPS: Final = {"What networks see": inputs, "Augmentation": augmented, "Face detection": detected}


def preparation(shown: ShownFaces) -> None:
    """Show one step of the preparation for a face that the visitor chooses, and the faces after it."""
    step = choose("Step", STEPS, "d_step")
    with st.container(horizontal=True):
        present = [name for name in EXPRESSIONS if shuffled_places(shown.dataset, name)]
        label = st.selectbox("Label", [ANY, *present], key="d_prepared", bind="query-params", width=160)
        places = shuffled_places(shown.dataset, "" if label == ANY else str(label))
        number = whole_number(f"Face (of {len(places):,}, in random order)", 1, len(places), 1, "d_face", width=280)
    STEPS[step](shown, places, number - 1)
