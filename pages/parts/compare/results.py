"""The results of Compare and Confusion, computed once per selection and cached for all sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data import find_fer2013
from fer_core.data.fer2013_faces import Fer2013Faces, load_fer2013_faces
from fer_core.data.ferplus import find_ferplus
from fer_core.measuring.results import history_table, load_predictions
from fer_core.measuring.robustness import robustness_table
from fer_core.measuring.scoreboard import face_milliseconds, front_models, scoreboard_table
from fer_core.metrics.calibration import calibration_table, reliability_table
from fer_core.metrics.core import Measured, f1_table, measure_models
from fer_core.metrics.curves import curve_table
from fer_core.metrics.ensembles import Ensemble, fuse
from fer_core.metrics.paper import PAPER_VARIANTS, paper_f1, paper_overall
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.metrics.significance import pair_table
from fer_core.report import build_report, render
from fer_core.store.card import ModelCard
from fer_core.store.folders import open_model
from fer_core.store.stored_model import DEGRADED, HISTORY, PREDICTIONS, StoredModel
from fer_core.types import FerError

LEGEND: Final = "A click on a name in the legend shows or hides a model, a double click shows it alone."
"""For captions of charts with a legend of models."""

Stamps = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, folder and modification times of stored models, so that a changed model is read again."""


@dataclass(frozen=True)
class Selection:
    """Which models to show on which faces, and which of them to combine.

    Attributes:
        stamps: all stored models as their files are now.
        split, view: which predictions.
        by: what they are judged by, one of `columns.YARDSTICKS`.
        names: the models to show; empty for all.
        members: the models of the ensemble; fewer than two make none.
        fusion, exponent: how the members are combined.
    """

    stamps: Stamps
    split: str
    view: str
    by: str = "label"
    names: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    fusion: str = "mean"
    exponent: float = 10

    @property
    def all_models(self) -> Selection:
        """The same faces with all models and no ensemble."""
        return Selection(self.stamps, self.split, self.view, self.by)

    @property
    def other_split(self) -> Selection:
        """All models on the other test split, for what must not be fitted on the split on show."""
        return replace(self.all_models, split=next(split for split in TEST_SPLITS if split != self.split))


def stamps(models: list[StoredModel]) -> Stamps:
    """Return stored models as their files are now."""
    return tuple((model.name, str(model.folder), _file_times(model.folder)) for model in models)


@st.cache_resource(max_entries=12, show_spinner="Reading stored predictions …")
def all_answers(selection: Selection) -> tuple[Predictions | None, list[str]]:
    """Return the predictions of all models, and a sentence for each model that is left out.

    Args:
        selection: an `all_models` one, so that the cache holds each split, view and yardstick once.
    """
    return load_predictions(_models(selection), selection.split, selection.view, selection.by)


@st.cache_resource(max_entries=40, show_spinner="Combining …")
def ensemble(selection: Selection) -> Ensemble | str | None:
    """Return the ensemble; a sentence if it cannot be computed; None if it has fewer than two members."""
    answers, _ = all_answers(selection.all_models)
    if answers is None or len(set(selection.members) & set(answers.names)) < 2:
        return None
    other, _ = all_answers(selection.other_split)
    try:
        holdout = {name: card.holdout_accuracy for name, card in all_cards(selection).items()}
        return fuse(
            answers,
            selection.members,
            fusion=selection.fusion,
            exponent=selection.exponent,
            holdout=holdout,
            other=other,
        )
    except ValueError as error:
        return str(error)


def shown(selection: Selection) -> Predictions:
    """Return the predictions of the models on show, with the ensemble's. Some model must have predictions."""
    answers, _ = all_answers(selection.all_models)
    assert answers is not None
    combined = ensemble(selection)
    chosen = answers.only(selection.names)
    if not isinstance(combined, Ensemble):
        return chosen
    return chosen.plus(ENSEMBLE, combined.predictions.titles[ENSEMBLE], combined.predictions.probabilities[ENSEMBLE])


@st.cache_resource(max_entries=12, show_spinner="Measuring, with 1,000 resamples …")
def _measured_models(selection: Selection) -> Measured:
    answers, _ = all_answers(selection)
    return measure_models(answers) if answers is not None else {}


@st.cache_resource(max_entries=40, show_spinner="Measuring the ensemble …")
def _measured_ensemble(selection: Selection) -> Measured:
    return measure_models(shown(selection).only([ENSEMBLE]))


def measured(selection: Selection) -> Measured:
    """Return metrics and intervals of all models and the ensemble, all with the same resamples."""
    models = _measured_models(selection.all_models)
    if isinstance(ensemble(selection), Ensemble):
        return {**models, **_measured_ensemble(replace(selection, names=()))}
    return models


@st.cache_data(max_entries=40, show_spinner=False)
def all_cards(selection: Selection) -> dict[str, ModelCard]:
    """Return the cards of all models."""
    return {model.name: model.card for model in _models(selection)}


@st.cache_data(max_entries=40, show_spinner=False)
def scoreboard(selection: Selection) -> pd.DataFrame:
    """Return the scoreboard."""
    return scoreboard_table(shown(selection), measured(selection), _models(selection))


@st.cache_data(max_entries=40, show_spinner=False)
def front(selection: Selection) -> list[str] | None:
    """Return the titles of the models that charts show at first; None for all, if the models were chosen."""
    if selection.names:
        return None
    backbones = {name: card.spec.backbone if card.spec else None for name, card in all_cards(selection).items()}
    return front_models(scoreboard(selection), backbones)


def all_titles(selection: Selection) -> list[str]:
    """Return the titles of all models, in the order of their colours in every section."""
    answers, _ = all_answers(selection.all_models)
    titles = {} if answers is None else {**answers.titles}
    return list({**titles, **shown(selection).titles}.values())


@st.cache_data(max_entries=40, show_spinner=False)
def class_f1(selection: Selection) -> pd.DataFrame:
    """Return F1 by expression."""
    return f1_table(shown(selection), measured(selection))


@st.cache_data(max_entries=20, show_spinner="Drawing curves …")
def curve_points(selection: Selection) -> pd.DataFrame:
    """Return ROC and precision-recall curves."""
    return curve_table(shown(selection))


@st.cache_data(max_entries=40, show_spinner=False)
def reliability_bins(selection: Selection) -> pd.DataFrame:
    """Return the bins of the reliability diagrams."""
    return reliability_table(shown(selection))


@st.cache_data(max_entries=40, show_spinner="Measuring calibration …")
def calibration(selection: Selection) -> pd.DataFrame:
    """Return calibration errors with their noise floors, and temperatures fitted on the other test split."""
    other, _ = all_answers(selection.other_split)
    combined = ensemble(selection)
    if other is not None and isinstance(combined, Ensemble):
        other = combined.on(other)
    return calibration_table(shown(selection), other)


@st.cache_data(max_entries=40, show_spinner="Comparing every pair …")
def pairs(selection: Selection) -> pd.DataFrame:
    """Return the comparison of every pair of models."""
    return pair_table(shown(selection))


@st.cache_data(max_entries=20, show_spinner=False)
def histories(selection: Selection) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the training curves, the titles of models without them, and a sentence for each damaged file."""
    return history_table(_chosen_models(selection), shown(selection).titles)


@st.cache_data(max_entries=20, show_spinner=False)
def robustness(selection: Selection) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the results on degraded faces, the titles of models without them, and a sentence for each bad file."""
    return robustness_table(_chosen_models(selection), shown(selection).titles, selection.by)


@st.cache_data(max_entries=12, show_spinner=False)
def paper_tables(selection: Selection) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the paper's overall results, and F1 by expression of each variant, beside ours on PublicTest.

    The paper judges by FER2013's label, so ours are judged by it here too.
    """
    public = replace(selection.all_models, split="PublicTest", by="label")
    ours = _measured_models(public)
    f1 = {variant: paper_f1(variant, ours) for variant in PAPER_VARIANTS}
    return paper_overall(all_answers(public)[0], ours), f1


@st.cache_data(max_entries=40, show_spinner=False)
def milliseconds(folder: str, stamp: tuple[int, ...]) -> float | None:  # noqa: ARG001 (part of the cache key)
    """Return the latency of a model for one face on this computer; None if it cannot predict."""
    try:
        return face_milliseconds(open_model(Path(folder)))
    except FerError:
        return None


def highlighted(titles: Mapping[str, str], key: str) -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox("Model to highlight", names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]


def report_html(selection: Selection) -> str:
    """Return a report about the models on show as the text of an HTML file."""
    fusion = selection.fusion if isinstance(ensemble(selection), Ensemble) else None
    return render(build_report(_chosen_models(selection), selection.split, selection.view, fusion, selection.by))


def fer2013_faces() -> Fer2013Faces:
    """Return FER2013's faces and FER+'s votes, loaded once while the file is unchanged."""
    try:
        source = find_fer2013()
        return _fer2013_faces(str(source), source.stat().st_mtime_ns, _votes_stamp())
    except (FerError, OSError):
        return _fer2013_faces("", 0, 0)


@st.cache_resource(max_entries=2, ttl="10m", show_spinner="Opening FER2013 …")
def _fer2013_faces(source: str, stamp: int, votes: int) -> Fer2013Faces:  # noqa: ARG001 (the cache key)
    return load_fer2013_faces()


def _votes_stamp() -> int:
    """Return the modification time of FER+'s votes; 0 if they are not here."""
    try:
        votes = find_ferplus()
        return votes.stat().st_mtime_ns if votes else 0
    except (FerError, OSError):
        return 0


def _models(selection: Selection) -> list[StoredModel]:
    return [open_model(Path(folder)) for _, folder, _ in selection.stamps]


def _chosen_models(selection: Selection) -> list[StoredModel]:
    return [model for model in _models(selection) if not selection.names or model.name in selection.names]


def _file_times(folder: Path) -> tuple[int, ...]:
    files = [folder / name for name in ("card.json", PREDICTIONS, HISTORY, DEGRADED)]
    return tuple(path.stat().st_mtime_ns for path in files if path.is_file())
