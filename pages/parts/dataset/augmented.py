"""Augmented copies of a face, as networks get them in training."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from fer_core.data import FerDataset
from fer_core.models import model_spec
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.training.augmentation import AS_THE_PAPER, Augmentation
from fer_core.training.augmented_copies import augmented_copies
from fer_core.training.recipe import named_recipe
from fer_core.types import FerError
from pages.parts.common import choose, emphasis, plain, with_code
from pages.parts.data import computed, computed_here
from pages.parts.dataset.source import ShownFaces

COPIES: Final = 12
AT_ONCE: Final = 24
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
    start = number // AT_ONCE * AT_ONCE
    group = tuple(places[start : start + AT_ONCE])
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


def _drawn(dataset: FerDataset, places: tuple[int, ...], kinds: tuple[Augmentation, ...]) -> list[Any]:
    return augmented_copies(dataset.images[list(places)], kinds, COPIES)
