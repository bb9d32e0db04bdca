"""The model card of one model: what it is for, what it can do, and whom it fails."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import streamlit as st

from fer_core.sections.cards import model_readme, model_text
from fer_core.store.folders import DEFAULT_MODEL, open_model
from pages.parts.common import offer_download, plain
from pages.parts.compare.results import Selection

NAME: Final = "c_card"


def model_card(selection: Selection) -> None:
    """Show the card of a model, and offer it as a file."""
    folders = {name: (folder, times) for name, folder, times in selection.stamps}
    titles = {name: open_model(Path(folder)).title for name, (folder, _) in folders.items()}
    first = list(titles).index(DEFAULT_MODEL) if DEFAULT_MODEL in titles else 0
    name = st.selectbox(
        "Model card of", titles, first, format_func=titles.__getitem__, key=NAME, bind="query-params", width=420
    )
    folder, times = folders[name]
    st.markdown(_text(folder, times))
    offer_download(
        "In Hugging Face’s form",
        lambda: model_readme(open_model(Path(folder))),
        f"{name}-README.md",
        "text/markdown",
        "download",
        "c_card_file",
    )


@st.cache_data(max_entries=40, show_spinner="Writing the model card …")
def _text(folder: str, times: tuple[int, ...]) -> str:  # noqa: ARG001 (part of the cache key)
    """Return the card with headings that fit into a page; names that people gave are shown as they are."""
    model = open_model(Path(folder))
    training = {name: plain(str(told)) if name == "data" else told for name, told in model.card.training.items()}
    model = replace(model, card=replace(model.card, title=plain(model.title), training=training))
    return re.sub(r"^#+ ", "#### ", model_text(model), flags=re.MULTILINE)
