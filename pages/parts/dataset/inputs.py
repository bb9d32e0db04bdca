"""A face as each kind of network gets it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fer_core.faces import DEGRADATIONS, degrade, preprocess_faces
from fer_core.models import model_spec, networks_by_input
from fer_core.models.backbones import BLUE_FIRST
from fer_core.models.network_input import input_picture, network_input
from pages.parts.common import plain
from pages.parts.dataset.source import ShownFaces

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
