"""The results of Compare and Confusion, computed once per selection and cached for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data import find_fer2013
from fer_core.data.fer2013_faces import Fer2013Faces, load_fer2013_faces
from fer_core.data.ferplus import find_ferplus
from fer_core.measuring.results import load_predictions
from fer_core.measuring.scoreboard import face_milliseconds
from fer_core.metrics.ensembles import Ensemble, fuse
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.sections.html import render
from fer_core.sections.results import Results, build_report, holdout_accuracies
from fer_core.sections.sections import Chart, Section, paper
from fer_core.store.folders import open_model
from fer_core.store.stored_model import DEGRADED, HISTORY, PREDICTIONS, StoredModel
from fer_core.types import FerError

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
        holdout = holdout_accuracies(_models(selection))
        return fuse(answers, selection.members, selection.fusion, selection.exponent, holdout, other)
    except ValueError as error:
        return str(error)


@st.cache_resource(max_entries=20, show_spinner=False)
def results(selection: Selection) -> Results:
    """Return the results of the models on show, with the ensemble's. Some model must have predictions.

    All selections of the same faces share the metrics of the models.
    """
    answers, _ = all_answers(selection.all_models)
    assert answers is not None
    other, _ = all_answers(selection.other_split)
    combined = ensemble(selection)
    chosen = answers.only(selection.names)
    if isinstance(combined, Ensemble):
        fused = combined.answers
        chosen = chosen.plus(ENSEMBLE, fused.titles[ENSEMBLE], fused.probabilities[ENSEMBLE])
        other = None if other is None else combined.on(other)
    whole = None
    if selection != selection.all_models:
        whole = results(replace(selection, names=()) if selection.names else selection.all_models)
    return Results(
        _chosen_models(selection),
        chosen,
        other,
        whole=whole,
        first_titles=tuple(answers.titles.values()),
        all_in_front=bool(selection.names),
    )


@st.cache_resource(max_entries=12, show_spinner=False)
def _lock(_: Selection) -> RLock:
    return RLock()


def section(make: Callable[..., Section], selection: Selection, **choices: Any) -> Section:
    """Return a section of the results of a selection; other sessions wait for what one of them computes.

    Args:
        make: one of `fer_core.sections.sections`.
        selection: the models and faces.
        choices: for `make`.
    """
    with st.spinner("Measuring …"), _lock(selection.all_models):
        found = results(selection)
        if make is paper and found.public is None:
            judged = replace(selection.all_models, split="PublicTest", by="label")
            found.public = results(judged) if all_answers(judged)[0] is not None else None
        return make(found, **choices)


@st.cache_resource(max_entries=200, show_spinner="Drawing …")
def drawn(selection: Selection, choices: str, narrow: bool, _chart: Chart) -> go.Figure:  # noqa: ARG001 (the key)
    """Return the figure of a chart, kept by what it shows.

    Args:
        selection: the models and faces.
        choices: what else the chart depends on, its name included.
        narrow: whether the screen is as narrow as a phone.
    """
    with _lock(selection.all_models):
        return _chart.draw(narrow=narrow) if _chart.adapts else _chart.draw()


@st.cache_data(max_entries=40, show_spinner=False)
def milliseconds(folder: str, stamp: tuple[int, ...]) -> float | None:  # noqa: ARG001 (part of the cache key)
    """Return the latency of a model for one face on this computer; None if it cannot predict."""
    try:
        return face_milliseconds(open_model(Path(folder)))
    except FerError:
        return None


def report_html(selection: Selection) -> str:
    """Return a report about the models on show as the text of an HTML file."""
    fusion = selection.fusion if isinstance(ensemble(selection), Ensemble) else None
    models = _chosen_models(selection)
    return render(build_report(models, selection.split, view=selection.view, fusion=fusion, by=selection.by))


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
