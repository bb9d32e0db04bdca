"""What is done to a face before a network sees it: preprocessing, scaling, augmentation, detection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import streamlit as st

from fer_core.data import FaceDataset
from fer_core.faces import DEGRADATIONS, DetectionStages, degrade, detection_stages, enlarged_pixels, preprocess_faces
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import shuffled_places
from fer_core.models import model_spec, networks_by_input
from fer_core.models.backbones import BLUE_FIRST
from fer_core.models.network_input import input_picture, network_input
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.training.augmentation import AS_THE_PAPER, Augmentation
from fer_core.training.augmented_copies import augmented_copies
from fer_core.training.recipe import named_recipe
from fer_core.types import FerError
from pages.parts.common import choose, emphasis, note_detector, plain, whole_number, with_code
from pages.parts.data import computed, computed_here
from pages.parts.dataset.faces import ANY, ShownFaces
from pages.parts.pictures import SOURCES, available_sources, pictures_from, stages_of

PREPARED: Final = {
    "As stored": "none",
    "Histogram equalized": "equalize",
    "CLAHE": "clahe",
    "Cropped to the detected face": "face",
}
"""Preprocessings of models, each with its caption."""

COPIES: Final = 12
DRAWN_AT_ONCE: Final = 24  # faces whose copies are drawn together: starting Keras takes longer than drawing
PICTURES: Final = 6


def _inputs(shown: ShownFaces, places: list[int], number: int) -> None:
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
        for kind, of in DEGRADATIONS.items():
            st.image(degrade(face[None], kind, of.levels[2])[0], caption=of.title, width="stretch", alt=of.title)
    st.caption("Compare models measures every model on these.")


def _augmented(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show random copies of one face by the augmentation of the default model or of the paper."""
    default = named_recipe(model_spec(DEFAULT_MODEL)).augmentation
    assert default is not None
    recipes = {"Default model": default, "As in the paper": AS_THE_PAPER}
    name = choose("Augmentation", recipes, "d_augmentation")
    start = number // DRAWN_AT_ONCE * DRAWN_AT_ONCE
    group = tuple(places[start : start + DRAWN_AT_ONCE])
    asked = st.session_state.setdefault("d_drawn", set())  # for which faces the visitor wants copies
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
    (low, high), of_all = kind.scale, f"{kind.degraded:.0%}"
    changes = {
        f"rotated by up to {kind.rotation:g}°": True,
        f"scaled by {low:g} to {high:g}": True,
        f"shifted by up to {kind.shift:g} pixels": kind.shift,
        "mirrored or not": kind.flip,
        f"contrast changed by up to {kind.contrast:.0%}": kind.contrast,
        f"brightness changed by up to {kind.brightness:.0%} of the range": kind.brightness,
        f"gamma up to {kind.gamma:g}": kind.gamma > 1,
    }
    sentences = {
        f"Each copy is {', '.join(words for words, given in changes.items() if given)}.": True,
        f"{kind.cover:.0%} get a gray patch and {kind.erase:.0%} a patch of noise.": kind.cover or kind.erase,
        f"{of_all} get noise, and {of_all} blur, low resolution or compression, as from a poor camera.": kind.degraded,
        f"The network trains on the inner {kind.crop} × {kind.crop} pixels.": kind.crop < 48,
    }
    return " ".join(words for words, given in sentences.items() if given)


def _drawn(dataset: FaceDataset, places: tuple[int, ...], kinds: tuple[Augmentation, ...]) -> list[Any]:
    return augmented_copies(dataset.images[list(places)], kinds, COPIES)


def _detected(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show several pictures with what is detected in them and what is cropped, side by side."""
    source = choose("Pictures", ["These faces", *available_sources()], "d_pictures")
    if source in SOURCES:
        st.caption(SOURCES[source])
    pictures: list[tuple[str, Callable[[], DetectionStages]]]
    if source == "These faces":
        pictures = [(shown.name(place), partial(_stages_at, shown, place)) for place in places[number:][:PICTURES]]
    else:
        pictures = [(picture.name, partial(stages_of, picture)) for picture in pictures_from(source)[:PICTURES]]
    without = 0
    for name, detect in pictures:
        with st.container(border=True):
            try:
                stages = detect()
            except FerError as error:
                st.warning(with_code(str(error)), icon=":material/warning:")
                continue
            _show_stages(plain(name), stages)
            without += stages.faces == 0
    if not pictures:
        return
    st.markdown(f"**No face is detected in {without} of {len(pictures)} pictures.**")
    st.caption(
        "Detected: the box and the five landmarks. Upright: the square around the largest face, rotated so that the "
        "eyes are level, framed like FER2013’s faces. Input: the same with 48 × 48 gray pixels, as models get it from "
        "a photo. Closer: cropped to the detected box without rotation, as in the paper’s figure 4."
    )
    note_detector()


def _stages_at(shown: ShownFaces, place: int) -> DetectionStages:
    return detection_stages(shown.picture(place))


def _show_stages(name: str, stages: DetectionStages) -> None:
    """Show the steps for one picture."""
    count = "1 face" if stages.faces == 1 else f"{stages.faces or 'no'} faces"
    st.markdown(f"**{name}**, {count}")
    tiles = {"Before": stages.before, "Detected": stages.marked}
    if stages.upright is not None and stages.gray is not None:
        closer = preprocess_faces((stages.gray if stages.before.ndim == 3 else stages.before)[None], "face")[0]
        tiles |= {"Upright": stages.upright, "Input": enlarged_pixels(stages.gray, 192)}
        tiles["Closer"] = enlarged_pixels(closer, 192)
    with st.grid(5, min_column_width=90, gap="small"):
        for caption, image in tiles.items():
            st.image(image, caption=caption, width="stretch", alt=f"{caption}: {name}")


STEPS: Final = {"What networks see": _inputs, "Augmentation": _augmented, "Face detection": _detected}


def preparation(shown: ShownFaces) -> None:
    """Show one step of the preparation for a face that the visitor chooses, and the faces after it."""
    step = choose("Step", STEPS, "d_step")
    with st.container(horizontal=True):
        present = [name for name in EXPRESSIONS if shuffled_places(shown.dataset, name)]
        label = st.selectbox("Label", [ANY, *present], key="d_prepared", bind="query-params", width=160)
        places = shuffled_places(shown.dataset, "" if label == ANY else str(label))
        number = whole_number(f"Face (of {len(places):,}, in random order)", 1, len(places), 1, "d_face", width=280)
    STEPS[step](shown, places, number - 1)
