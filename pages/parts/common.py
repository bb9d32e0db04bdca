"""What several pages share: notices, the stored models, widgets, and text that is safe in Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NoReturn
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS, VIEWS, YARDSTICKS, percent_text
from fer_core.faces import default_detector
from fer_core.files import no_formula
from fer_core.metrics.calibration import WANTED
from fer_core.models.spec import utkface_note
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FaceResult
from fer_core.visitors import limits

MOST_ANNOTATORS: Final = (
    "The answer that FER+'s ten annotators gave most often. Faces without one clear answer do not count."
)
"""What the yardstick of that name is."""

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def plain(text: str) -> str:
    """Return text that Markdown shows unchanged, such as the name of a file.

    Streamlit looks for icons, its logo and arrows after Markdown has removed the backslashes. An invisible character
    (U+2060) within them prevents that.
    """
    apart = re.sub(r":(?=material/|streamlit:)|(?<!\S)[<>~-](?=[>=-](?!\S))", "\\g<0>\u2060", text)
    escaped = re.sub(r"[\\`*_{}\[\]#+!|~$:<>&-]", r"\\\g<0>", apart)
    return re.sub(r"^(\s*\d+)([.)])", r"\1\\\2", escaped, flags=re.MULTILINE)


def with_code(text: str) -> str:
    """Return text as `plain` does, but what stands between two backticks as code, such as a command to copy."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(f"`{part}`" if place % 2 else plain(part) for place, part in enumerate(parts))


def duration(seconds: float) -> str:
    """Return a duration for people to read: "8 s", "3:05 min"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"


def warn(sentences: list[str], title: str) -> None:
    """Show warnings in one box; the title is shown if there are several."""
    if len(sentences) == 1:
        st.warning(with_code(sentences[0]), icon=":material/warning:")
    elif sentences:
        lines = "\n".join(f"- {with_code(sentence)}" for sentence in sentences)
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


def model_titles(models: Iterable[StoredModel]) -> dict[str, str]:
    """Return the title of each model by its name; a title that several share is followed by the name."""
    titles = {model.name: model.title for model in models}
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


def choose_model(models: list[StoredModel], key: str, label: str = "Model", **settings: Any) -> list[StoredModel]:
    """Ask for one of the models; return it, or nothing if there is none to choose."""
    titles, settings = model_titles(models), {"width": 300, **settings}
    name = st.selectbox(label, titles, format_func=titles.__getitem__, key=key, bind="query-params", **settings)
    return [model for model in models if model.name == name]


def choose_several(label: str, titles: Mapping[str, str], key: str, **settings: Any) -> list[str]:
    """Ask for several of the models whose titles are given by name; return their names."""
    return st.pills(
        label,
        list(titles),
        selection_mode="multi",
        format_func=lambda name: plain(titles[name]),
        key=key,
        bind="query-params",
        **settings,
    )


def no_model_yet() -> None:
    """Say that there is no trained model, and how to train one."""
    st.info(
        f"There is no trained model yet. Train one with `fer-lab train {DEFAULT_MODEL}`, then reload this page.",
        icon=":material/model_training:",
    )


def note_detector() -> None:
    """Say so where faces are found by the fallback detector, and how to get the better one."""
    if note := default_detector().note:
        st.caption(f":material/info: {plain(note)}")


def note_untested(models: list[StoredModel]) -> None:
    """Name the models without a score, and say why they have none."""
    titles = [model.title for model in models if not model.card.tested]
    if titles:
        st.caption(
            f"Without a score: {plain(', '.join(titles))}. FER2013's test faces were not available when "
            f"{'it was' if len(titles) == 1 else 'they were'} trained."
        )


def note_utkface(models: Iterable[StoredModel], scores: bool = True) -> None:
    """Say what the models on show start from whose backbones were pretrained here, if there are any.

    Args:
        models: those on show.
        scores: whether they are shown with scores.
    """
    if note := utkface_note((model.card.weights_from for model in models), scores):
        st.caption(note)


def choose(label: str, options: Iterable[str], key: str, default: str | None = None, **settings: Any) -> str:
    """Show a segmented control whose value is kept in the URL; return the chosen option, by default the first."""
    names = list(options)
    chosen = st.segmented_control(
        label,
        names,
        default=default or names[0],
        required=True,
        key=key,
        bind="query-params",
        **{"wrap": True, **settings},
    )
    return str(chosen or default or names[0])


def choose_faces(prefix: str) -> tuple[str, str, str]:
    """Ask for the test split, the view and the yardstick; `prefix` starts the names of the query parameters."""
    splits = "PublicTest is the paper's test split, PrivateTest the challenge's."
    views = "plain: predicted once. flip: averaged with its mirror image."
    return (
        choose("Test split", TEST_SPLITS, f"{prefix}_split", help=splits),
        choose("Each face", VIEWS, f"{prefix}_view", help=views),
        choose_yardstick(f"{prefix}_by"),
    )


def choose_yardstick(key: str) -> str:
    """Ask what predictions are judged by; return one of `columns.YARDSTICKS`."""
    words = (
        "FER2013's label: one per face, made from search words on the web and a check by hand. Most annotators: "
        f"{MOST_ANNOTATORS[0].lower()}{MOST_ANNOTATORS[1:]}"
    )
    return choose("Judged by", YARDSTICKS, key, help=words, format_func=lambda name: upper_first(YARDSTICKS[name]))


def upper_first(words: str) -> str:
    """Return words with a capital first letter, and the others as they are."""
    return words[:1].upper() + words[1:]


def emphasis() -> Literal["primary", "secondary"]:
    """Return the type of a page's main button.

    In dark mode it looks like the others: Streamlit writes white on the primary colour, which is too pale for that.
    """
    return "secondary" if st.context.theme.type == "dark" else "primary"


def whole_image_toggle(key: str) -> bool:
    """Ask whether pictures are face crops."""
    words = "Take each whole picture as one face, framed as in FER2013, without looking for a face in it."
    return st.toggle("Pictures are faces already", key=key, bind="query-params", help=words)


def whole_number(label: str, low: int, high: int, value: int, key: str, **settings: Any) -> int:
    """Ask for a whole number that is kept in the URL.

    Streamlit takes the default for a bad number in the URL, but fails on an infinite one, which is therefore not read.
    """
    finite = all(re.fullmatch(r"-?[0-9]{1,9}", number) for number in st.query_params.get_all(key))
    return int(st.number_input(label, low, high, value, key=key, bind="query-params" if finite else None, **settings))


def path_on_this_computer(label: str, key: str) -> str:
    """Ask for the path of a folder or file; empty for none, or if the browser runs on another computer than FER Lab."""
    host = urlsplit(st.context.url or "").hostname
    here = st.context.ip_address is None and (host is None or host in _LOCAL)
    return st.text_input(label, key=key).strip() if here and limits() is None else ""


def show_table(frame: pd.DataFrame, alt: str, columns: dict[str, str | tuple[str, str]], **settings: Any) -> None:
    """Show a table.

    Args:
        frame: the table.
        alt: a description for people who cannot see it.
        columns: the label of each column in order, with the number format of a numeric column. The first is pinned.
        settings: for `st.dataframe`.
    """
    first, *others = columns
    shown: dict[str, Any] = {first: st.column_config.TextColumn(str(columns[first]), pinned=True)}
    for name in others:
        label = columns[name]
        shown[name] = label if isinstance(label, str) else st.column_config.NumberColumn(label[0], format=label[1])
    texts = frame.select_dtypes(exclude=["number", "bool"])
    safe = frame.assign(**{str(name): texts[name].map(no_formula) for name in texts})  # people can download it as CSV
    st.dataframe(safe, hide_index=True, alt=alt, column_order=list(columns), column_config=shown, **settings)


def offer_download(label: str, content: Any, file_name: str, mime: str, icon: str, key: str) -> None:
    """Show a download button; a click does not run the page again. `content` may be a function that returns it."""
    st.download_button(label, content, file_name, mime, icon=f":material/{icon}:", on_click="ignore", key=key)


def stop_without_predictions() -> NoReturn:
    """Say that no model has predictions of the chosen split, and end the page."""
    st.info(
        "No model has predictions of this split. Choose another one, or train a model.", icon=":material/leaderboard:"
    )
    st.stop()


def why_not_sure(face: FaceResult) -> None:
    """Explain an answer "not sure"; show nothing below any other answer."""
    if not face.sure:
        st.caption(
            f"Not sure: no expression reaches {percent_text(face.not_sure_below)}. From there on, at least "
            f"{percent_text(WANTED)} of this model’s answers are what most annotators say, on faces that it was not "
            "trained on (the hold-out)."
        )
