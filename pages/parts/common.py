"""What several pages share: the stored models, notices about them, the choice of test split, and safe Markdown."""

from __future__ import annotations

import re
from typing import NoReturn

import streamlit as st

from fer_core.columns import TEST_SPLITS, VIEWS
from fer_core.store import DEFAULT_MODEL, StoredModel, list_models


def plain(text: str) -> str:
    """Return text that Markdown shows unchanged, such as the name of a file."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:<>&-])", r"\\\1", text)


def duration(seconds: float) -> str:
    """Return a duration for people to read: "8 s", "3:05 min"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"


def warn(sentences: list[str], title: str) -> None:
    """Show warnings in one box; the title is shown if there are several."""
    if len(sentences) == 1:
        st.warning(plain(sentences[0]), icon=":material/warning:")
    elif sentences:
        lines = "\n".join(f"- {plain(sentence)}" for sentence in sentences)
        st.warning(f"{title}\n\n{lines}", icon=":material/warning:")


def servable_models() -> list[StoredModel]:
    """Return the models that can predict, and warn of broken ones; end the page if there is none."""
    models, complaints = list_models(servable=True)
    warn(complaints, "Some models cannot be used:")
    if not models:
        no_model_yet()
        st.stop()
    return models


def stored_models() -> tuple[list[StoredModel], list[str]]:
    """Return all stored models, and a sentence for each broken one; end the page if there is no model."""
    stored, complaints = list_models()
    if not stored:
        warn(complaints, "Some model folders are skipped:")
        no_model_yet()
        st.stop()
    note_untested(stored)
    return stored, complaints


def no_model_yet() -> None:
    """Say that there is no trained model, and how to train one."""
    st.info(
        f"There is no trained model yet. Train one with `python -m fer_core train {DEFAULT_MODEL}`, then reload "
        "this page.",
        icon=":material/model_training:",
    )


def note_untested(models: list[StoredModel]) -> None:
    """Name the models without a score, and say why they have none."""
    titles = [model.title for model in models if not model.card.tested]
    if titles:
        st.caption(
            f"Without a score: {plain(', '.join(titles))}. FER2013's test faces were not available when "
            f"{'it was' if len(titles) == 1 else 'they were'} trained."
        )


def choose_split_and_view(prefix: str) -> tuple[str, str]:
    """Ask for the test split and the view; `prefix` starts the names of the query parameters."""
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
        help="plain: predicted once. flip: averaged with its mirror image.",
    )
    return split or "PublicTest", view or "plain"


def stop_without_predictions() -> NoReturn:
    """Say that no model has predictions of the chosen split, and end the page."""
    st.info("No model has predictions of this split. Choose another one, or train a model.", icon=":material/info:")
    st.stop()
