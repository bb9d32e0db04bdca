"""Which test faces Compare and Confusion are about, and the stored models, or the word that there are none."""

from __future__ import annotations

import streamlit as st

from fer_core.columns import TEST_SPLITS, VIEWS
from fer_core.store import StoredModel, list_models
from pages.parts.analysis import no_model_yet, note_untested, warn


def models_or_stop() -> tuple[list[StoredModel], list[str]]:
    """Return the stored models and what is wrong with others; without any, say so and end the page."""
    stored, complaints = list_models()
    if not stored:
        warn(complaints, "Some model folders are skipped:")
        no_model_yet()
        st.stop()
    note_untested(stored)
    return stored, complaints


def split_and_view(prefix: str) -> tuple[str, str]:
    """Ask for the test split and for how each face is seen; `prefix` keeps a page's place in the URL its own."""
    split = st.segmented_control(
        "Test split",
        list(TEST_SPLITS),
        default="PublicTest",
        required=True,
        key=f"{prefix}_split",
        bind="query-params",
        help="PublicTest is the paper's test split, PrivateTest the challenge's.",
    )
    view = st.segmented_control(
        "Each face",
        list(VIEWS),
        default="plain",
        required=True,
        key=f"{prefix}_view",
        bind="query-params",
        help="plain: seen once. flip: averaged with its mirror image.",
    )
    return split or "PublicTest", view or "plain"
