"""What all pages share: notices, the stored models, widgets, and text that is safe in Markdown."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import PERCENT, TEST_SPLITS, VIEWS, YARDSTICKS, Columns, counted, percent_text
from fer_core.data import download_fer2013, find_fer2013
from fer_core.faces import default_detector
from fer_core.files import no_formula
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.own_data import is_measured, own_predictions
from fer_core.measuring.scoreboard import front_models
from fer_core.metrics.calibration import WANTED
from fer_core.metrics.core import METRICS
from fer_core.metrics.predictions import Predictions
from fer_core.models.spec import pretrained_note
from fer_core.names import upper_first
from fer_core.quiz.address import LOCAL
from fer_core.store.datasets import OwnDataset, list_datasets
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FaceResult, FerError
from fer_core.visitors import limits
from pages.parts.data import predictions

ERROR: Final = "error_of_an_action"  # key of the session state
ZIP_LAYOUT: Final = """pictures.zip
   happy/   anna.jpg   ben.png   …
   sad/     carl.jpg   dora.jpg  …"""

EXPLANATIONS: Final = tomllib.loads(Path(__file__).with_name("explanations.toml").read_text(encoding="utf-8"))
"""What charts and numbers mean, by the title of the popover: `definition`, `reading` and `trap`."""


def plain(text: str) -> str:
    """Return text that Markdown shows unchanged, such as the name of a file.

    Streamlit looks for icons and arrows after Markdown has removed the backslashes; U+2060 within prevents that.
    """
    apart = re.sub(r":(?=material/|streamlit:)|(?<!\S)[<>~-](?=[>=-](?!\S))", "\\g<0>\u2060", text)
    escaped = re.sub(r"[\\`*_{}\[\]#+!|~$:<>&-]", r"\\\g<0>", apart)
    return re.sub(r"^(\s*\d+)([.)])", r"\1\\\2", escaped, flags=re.MULTILINE)


def with_code(text: str) -> str:
    """Return text as `plain` does, but what stands between two backticks as code, such as a command to copy."""
    parts = re.split("(`[^`]*`)", text)
    return "".join(part if place % 2 else plain(part) for place, part in enumerate(parts))


def duration(seconds: float) -> str:
    """Return a duration for people to read: "8 s", "3:05 min"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"


def attempt(action: Callable[[], object], key: str = ERROR) -> None:
    """Run an action of a button; if it fails, keep the error in a list of the session state, for `warn`."""
    try:
        action()
    except FerError as error:
        st.session_state[key] = [str(error)]


def warn(sentences: list[str], title: str = "") -> None:
    """Show warnings in one box; the title is shown if there are several."""
    if len(sentences) == 1:
        st.warning(with_code(sentences[0]), icon=":material/warning:")
    elif sentences:
        lines = "\n".join(f"- {with_code(sentence)}" for sentence in sentences)
        st.warning(f"{title}\n\n{lines}", icon=":material/warning:")


def servable_models(classes: tuple[str, ...] | None = None) -> list[StoredModel]:
    """Return the models that can predict, those of the same classes if they are given, and warn of broken ones.

    The page ends if there is none.
    """
    models, complaints = list_models(servable=True, classes=classes)
    warn(complaints, "Some models cannot be used:")
    if not models:
        no_model_yet()
        st.stop()
    return models


def model_titles(models: Iterable[StoredModel]) -> dict[str, str]:
    """Return the title of each model by its name; a title that several share is followed by the name."""
    titles = {model.name: model.title for model in models}
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


def choose_named(label: str, titles: Mapping[str, str], key: str, **settings: Any) -> str:
    """Ask for one of the models whose titles are given by name; return its name, which stands small at the label."""
    names, settings = list(titles), {"index": 0, "width": 300, **settings}
    asked = st.session_state.get(key, st.query_params.get(key))
    name = next((name for name in names if asked in (name, titles[name])), names[settings["index"]])
    settings |= {"format_func": titles.__getitem__, "key": key, "bind": "query-params"}
    chosen = st.selectbox(f"{label} :small[:gray[{plain(name)}]]", names, **settings)
    return chosen if chosen in titles else names[0]


def choose_model(models: list[StoredModel], key: str, label: str = "Model", **settings: Any) -> list[StoredModel]:
    """Ask for one of the models; return it, or nothing if there is none to choose."""
    name = choose_named(label, model_titles(models), key, **settings) if models else ""
    return [model for model in models if model.name == name]


def choose_predictions(stored: list[StoredModel], answers: Predictions, key: str) -> str:
    """Ask for one of the models with predictions, those in front first; return its name."""
    front = front_models([model for model in stored if model.name in answers.names])
    return choose_named("Model", {name: answers.titles[name] for name in [*front, *answers.names]}, key)


def choose_several(label: str, titles: Mapping[str, str], key: str, **settings: Any) -> list[str]:
    """Ask for several of the models whose titles are given by name; return their names."""
    settings = {"format_func": lambda name: plain(titles[name]), "bind": "query-params", **settings}
    return list(st.pills(label, list(titles), selection_mode="multi", key=key, **settings))


def no_model_yet(own: str = "") -> None:
    """Say that there is no trained model, or none of the classes of an own data set, and how to train one."""
    how = f"compact_cnn --pictures {own}` or on Fine-tune" if own else f"{DEFAULT_MODEL}`"
    which = f"model of the classes of {own}" if own else "trained model"
    words = f"There is no {which} yet. Train one with `fer-lab train {how}, then reload this page."
    st.info(words, icon=":material/model_training:")


def offer_fer2013(words: str = "") -> bool:
    """Return whether FER2013 is here; if not, say so after `words` on who needs it, and offer to download it."""
    try:
        return bool(find_fer2013())
    except FerError as error:
        st.info(with_code(f"{words}{error}"), icon=":material/database:")
    if limits() is None and not os.environ.get("FER2013_PATH"):
        failed = "fer2013_failed"
        if st.button("Download FER2013 from Kaggle, 60 MB", icon=":material/download:", key="fer2013_get"):
            with st.spinner("Downloading FER2013", show_time=True):
                attempt(download_fer2013, failed)
            if failed not in st.session_state:
                st.rerun()
        warn(st.session_state.pop(failed, []))
    return False


def note_detector() -> None:
    """Say so where faces are found by the fallback detector, and how to get the better one."""
    if note := default_detector().note:
        st.caption(f":material/info: {plain(note)}")


def note_untested(models: list[StoredModel]) -> None:
    """Name the models without a score, and say why they have none."""
    titles = [model.title for model in models if not model.card.tested and model.card.classes == EXPRESSIONS]
    if titles:
        st.caption(
            f"Without a score: {plain(', '.join(titles))}. FER2013's test faces were not available when "
            f"{'it was' if len(titles) == 1 else 'they were'} trained."
        )


def note_utkface(models: Iterable[StoredModel], scores: bool = True) -> None:
    """Say what the models on show, with scores or not, start from if their backbones were pretrained here."""
    if note := pretrained_note((model.card.weights_from for model in models), scores):
        st.caption(note)


def choose(label: str, options: Iterable[str], key: str, default: str | None = None, **settings: Any) -> str:
    """Show a segmented control whose value is kept in the URL; return the chosen option, by default the first."""
    names = list(options)
    default = default or names[0]
    settings = {"required": True, "bind": "query-params", "wrap": True, **settings}
    return str(st.segmented_control(label, names, default=default, key=key, **settings) or default)


def choose_answers(
    prefix: str, drawer: DeltaGenerator, of: str = "split and by", classes: tuple[str, ...] | None = EXPRESSIONS
) -> tuple[list[StoredModel], Predictions]:
    """Ask in the drawer for faces, the view and the yardstick; return the models of their classes, and predictions.

    The faces are a test split or an own data set, of these classes or of any. `of` says what is asked: "split", "by",
    and "own" for the split only if there are own data sets. `prefix` starts the names of the query parameters, which
    keep their values when they are not asked. An own data set is judged by its labels, and models are measured on it on
    demand. Models that are left out are named. The page ends if no model has predictions.
    """
    own = {dataset.name: dataset for dataset in list_datasets(classes)}
    ask = "split" in of or ("own" in of and bool(own))
    split, view, by, known = "PublicTest", "plain", "plurality", EXPRESSIONS
    with drawer, st.container(horizontal=True):
        if ask:
            splits = "PublicTest is the paper's test split, PrivateTest the challenge's."
            splits += f" Data sets of your own: {plain(', '.join(own))}." if own else ""
            views = "plain: predicted once. flip: averaged with its mirror image."
            split = choose("Test split", [*TEST_SPLITS, *own], f"{prefix}_split", help=splits)
            view = choose("Each face", VIEWS, f"{prefix}_view", help=views)
        if split in own:
            by, known = "label", own[split].classes
            offer_to_measure(own[split], view, f"{prefix}_measure")
        elif ask or "by" in of:
            by = choose_yardstick(f"{prefix}_by")
        stored, complaints = list_models(classes=known)
        answers, left_out = predictions(stored, split, view, by)
    warn(complaints + left_out, "Some models are left out:")
    if not stored:
        no_model_yet("" if known == EXPRESSIONS else split)
    elif answers is None:
        words = "No model has predictions of this split. Choose another one, or train a model."
        st.info(words, icon=":material/leaderboard:")
    if answers is None:
        st.stop()
    return stored, answers


def offer_to_measure(dataset: OwnDataset, view: str, key: str) -> None:
    """Measure the first model on a data set, and offer to measure the others, which can take minutes."""
    models = list_models(servable=True, classes=dataset.classes)[0]
    rest = [model for model in models if not is_measured(model, dataset, view)]
    wanted = rest[:1] if len(rest) == len(models) else []
    help_text = "Each takes seconds to minutes, by its size and the number of faces. What is measured is kept."
    others = len(rest) - len(wanted)
    if others and st.button(f"Measure {others} more", icon=":material/speed:", key=key, help=help_text):
        wanted = rest
    for number, model in enumerate(wanted, 1):
        with st.spinner(f"Measuring {plain(model.title)}, {number} of {len(wanted)}", show_time=True):
            attempt(partial(own_predictions, model, dataset, view), f"{key}_failed")
    warn(st.session_state.pop(f"{key}_failed", []))


def choose_yardstick(key: str) -> str:
    """Ask what predictions are judged by, at first that by which the default model was chosen mostly."""
    words = (
        "FER2013's label: one per face, made from search words on the web and a check by hand. Most annotators: the "
        "answer that FER+'s ten annotators gave most often. Faces without one clear answer do not count."
    )
    titles = {name: upper_first(title) for name, title in YARDSTICKS.items()}
    return choose("Judged by", titles, key, default="plurality", help=words, format_func=titles.__getitem__)


def emphasis() -> Literal["primary", "secondary"]:
    """Return the type of a page's main button; in dark mode that of others, as its colour is too pale for white."""
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


def file_or_path(prefix: str, label: str, *, path_label: str) -> tuple[Any, str, bool]:
    """Ask for a file of pictures, or a path if the browser runs here, too, and whether pictures are faces already."""
    # No file uploader here has a type filter, so that a wrong file gets a sentence on what is wrong and what works.
    file, path, host = st.file_uploader(label, key=f"{prefix}_zip"), "", urlsplit(st.context.url or "").hostname
    if file is None and st.context.ip_address is None and (host is None or host in LOCAL):
        path = st.text_input(path_label, key=f"{prefix}_folder").strip() if limits() is None else ""
    return file, path, whole_image_toggle(f"{prefix}_whole")


def left_out(notes: Sequence[str]) -> None:
    """Show the first sentences on what is left out, if there are any, in a drawer."""
    if notes:
        with st.expander(f"{counted(len(notes), 'note')} on what is left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(note)}" for note in notes[:50]))


def show_table(frame: pd.DataFrame, alt: str, columns: Columns, **settings: Any) -> None:
    """Show a table with its first column pinned; `alt` describes it for people who cannot see it."""
    first, *others = columns
    shown: dict[str, Any] = {first: st.column_config.TextColumn(str(columns[first]), pinned=True)}
    for name in others:
        label = columns[name]
        shown[name] = label if isinstance(label, str) else st.column_config.NumberColumn(label[0], format=label[1])
    shares = [name for name, label in columns.items() if label[1:] == (PERCENT,)]
    frame = frame.assign(**{name: 100 * frame[name] for name in shares})
    texts = frame.select_dtypes(exclude=["number", "bool"])
    safe = frame.assign(**{str(name): texts[name].map(no_formula) for name in texts})  # people can download it as CSV
    settings = {"height": "content", "column_order": list(columns), "column_config": shown, **settings}
    st.dataframe(safe, hide_index=True, alt=alt, **settings)


def offer_download(label: str, content: Any, file_name: str, mime: str, icon: str, key: str) -> None:
    """Show a download button; a click does not run the page again. `content` may be a function that returns it."""
    st.download_button(label, content, file_name, mime, icon=f":material/{icon}:", on_click="ignore", key=key)


def explain(name: str, example: str, label: str = "What is this?") -> None:
    """Show a popover on one of `EXPLANATIONS` or a metric, with a sentence that has numbers of the page, if any yet."""
    metric = next((metric for metric in METRICS.values() if metric.title == name), None)
    words = EXPLANATIONS[name] if metric is None else vars(metric)
    with st.popover(label, icon=":material/help:", type="tertiary", key=f"explain_{name}"):
        st.markdown(
            f"**{name}**\n\n{words['definition']}\n\n**How to read it.** {words['reading']}\n\n"
            f"**Careful.** {words['trap']}" + (f"\n\n**Here.** {plain(example)}" if example else "")
        )


def why_not_sure(face: FaceResult) -> None:
    """Explain an answer "not sure"; show nothing below any other answer."""
    if not face.sure:
        st.caption(
            f"Not sure: no expression reaches {percent_text(face.not_sure_below)}. From there on, at least "
            f"{percent_text(WANTED)} of this model’s answers are what most annotators say, on faces that it was not "
            "trained on (the hold-out)."
        )
