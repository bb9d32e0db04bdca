"""The model card of one model: what it is for, what it can do, and whom it fails."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import streamlit as st

from fer_core.sections.cards import model_readme, model_text
from fer_core.store.folders import DEFAULT_MODEL
from fer_core.store.stored_model import StoredModel
from pages.parts.common import offer_download, plain
from pages.parts.compare.results import Selection
from pages.parts.data import computed

NAME: Final = "c_card"


def model_card(selection: Selection) -> None:
    """Show the card of a model, and offer it as a file."""
    models = {model.name: model for model in selection.models}
    first = list(models).index(DEFAULT_MODEL) if DEFAULT_MODEL in models else 0
    name = st.selectbox(
        "Model card of",
        models,
        first,
        format_func=lambda one: models[one].title,
        key=NAME,
        bind="query-params",
        width=420,
    )
    model = models[name]
    st.markdown(computed(_text, model))
    offer_download(
        "In Hugging Face’s form",
        lambda: model_readme(model),
        f"{name}-README.md",
        "text/markdown",
        "download",
        "c_card_file",
    )


def _text(model: StoredModel) -> str:
    """Return the card with headings that fit into a page; names that people gave are shown as they are."""
    training = {name: plain(str(told)) if name == "data" else told for name, told in model.card.training.items()}
    model = replace(model, card=replace(model.card, title=plain(model.title), training=training))
    return re.sub(r"^#+ ", "#### ", model_text(model), flags=re.MULTILINE)
