"""What Compare and Confusion show, worked out once for each choice and kept for all sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core import comparison
from fer_core.card import ModelCard
from fer_core.columns import TEST_SPLITS
from fer_core.comparison import ENSEMBLE, Album, Answers, Ensemble, Measured
from fer_core.data import find_fer2013
from fer_core.store import HISTORY, PREDICTIONS, StoredModel, open_model
from fer_core.types import FerError

Stamps = tuple[tuple[str, str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Choice:
    """Which models on which faces; equal choices share what was worked out.

    Attributes:
        stamps: the stored models as their files are now, so that a changed one is read again.
        split, view: which predictions.
        names: the models to show; all if empty.
        members: the models to fuse; fewer than two is no ensemble.
        fusion, exponent: how.
    """

    stamps: Stamps
    split: str
    view: str
    names: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    fusion: str = "mean"
    exponent: float = 10

    @property
    def whole(self) -> Choice:
        """The same faces and every model, without ensemble."""
        return Choice(self.stamps, self.split, self.view)

    @property
    def other(self) -> Choice:
        """The other test split, for what must not be fitted on the one on show."""
        return replace(self.whole, split=next(split for split in TEST_SPLITS if split != self.split))


def stamps(models: list[StoredModel]) -> Stamps:
    """Name stored models as they are now."""
    return tuple((model.name, str(model.folder), _times(model.folder)) for model in models)


@st.cache_resource(max_entries=12, show_spinner="Reading stored predictions …")
def all_answers(choice: Choice) -> tuple[Answers | None, list[str]]:
    """Return every stored model's answers, and what is wrong with those left out; `choice` must be a `whole` one."""
    return comparison.load_answers(_models(choice), choice.split, choice.view)


@st.cache_resource(max_entries=40, show_spinner="Fusing …")
def ensemble(choice: Choice) -> Ensemble | str | None:
    """Return the ensemble of all answers, or why there is none; None where none is asked for."""
    answers, _ = all_answers(choice.whole)
    if answers is None or len(set(choice.members) & set(answers.names)) < 2:
        return None
    try:
        return comparison.fuse(
            answers, choice.members, choice.fusion, choice.exponent, all_cards(choice), all_answers(choice.other)[0]
        )
    except ValueError as error:
        return str(error)


def shown(choice: Choice) -> Answers:
    """Return the chosen models' answers and the ensemble's; there must be some."""
    answers, _ = all_answers(choice.whole)
    assert answers is not None
    fused = ensemble(choice)
    chosen = answers.only(choice.names)
    if not isinstance(fused, Ensemble):
        return chosen
    return chosen.plus(ENSEMBLE, fused.answers.titles[ENSEMBLE], fused.answers.probabilities[ENSEMBLE])


@st.cache_resource(max_entries=12, show_spinner="Measuring, with 1,000 resamples …")
def _measured_all(choice: Choice) -> Measured:
    answers, _ = all_answers(choice)
    return comparison.measure(answers) if answers is not None else {}


@st.cache_resource(max_entries=40, show_spinner="Measuring the ensemble …")
def _measured_ensemble(choice: Choice) -> Measured:
    return comparison.measure(shown(choice).only([ENSEMBLE]))


def measured(choice: Choice) -> Measured:
    """Return metrics and intervals of all models and the ensemble; every model sees the same resamples."""
    whole = _measured_all(choice.whole)
    if isinstance(ensemble(choice), Ensemble):
        return {**whole, **_measured_ensemble(replace(choice, names=()))}
    return whole


@st.cache_data(max_entries=40, show_spinner=False)
def all_cards(choice: Choice) -> dict[str, ModelCard]:
    """Return the models' cards."""
    return {model.name: model.card for model in _models(choice)}


@st.cache_data(max_entries=40, show_spinner=False)
def board(choice: Choice) -> pd.DataFrame:
    """Return the scoreboard of the chosen models."""
    return comparison.scoreboard(shown(choice), measured(choice), _models(choice.whole))


@st.cache_data(max_entries=40, show_spinner=False)
def f1_by_class(choice: Choice) -> pd.DataFrame:
    """Return F1 by expression of the chosen models."""
    return comparison.class_f1(shown(choice), measured(choice))


@st.cache_data(max_entries=20, show_spinner="Drawing curves …")
def curve_points(choice: Choice) -> pd.DataFrame:
    """Return ROC and precision-recall curves of the chosen models."""
    return comparison.curve_points(shown(choice))


@st.cache_data(max_entries=40, show_spinner=False)
def reliability_bins(choice: Choice) -> pd.DataFrame:
    """Return reliability diagrams of the chosen models."""
    return comparison.reliability_bins(shown(choice))


@st.cache_data(max_entries=40, show_spinner="Fitting temperatures …")
def calibration(choice: Choice) -> pd.DataFrame:
    """Return calibration errors, and temperatures fitted on the other test split."""
    other, _ = all_answers(choice.other)
    fused = ensemble(choice)
    if other is not None and isinstance(fused, Ensemble):
        other = fused.on(other)
    return comparison.calibration(shown(choice), other)


@st.cache_data(max_entries=40, show_spinner="Comparing every pair …")
def pairs(choice: Choice) -> pd.DataFrame:
    """Return every pair of the chosen models, compared."""
    return comparison.pairs(shown(choice))


@st.cache_data(max_entries=20, show_spinner=False)
def histories(choice: Choice) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return curves of training of the chosen models, titles without, and what is damaged."""
    names = choice.names or [name for name, _, _ in choice.stamps]
    return comparison.histories([model for model in _models(choice) if model.name in names], shown(choice).titles)


@st.cache_data(max_entries=12, show_spinner=False)
def paper_tables(choice: Choice) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the paper's overall rows, and F1 by expression by variant, beside ours on PublicTest."""
    public = replace(choice.whole, split="PublicTest")
    ours = _measured_all(public)
    f1 = {variant: comparison.paper_f1(variant, ours) for variant in comparison.PAPER_VARIANTS}
    return comparison.paper_overall(all_answers(public)[0], ours), f1


@st.cache_data(max_entries=40, show_spinner=False)
def milliseconds(folder: str, stamp: tuple[int, ...]) -> float | None:  # noqa: ARG001 (part of the cache's key)
    """Return the time for one face on this machine, measured once; None if the model cannot be served."""
    try:
        return comparison.face_milliseconds(open_model(Path(folder)))
    except FerError:
        return None


def album() -> Album:
    """Return FER2013's faces and FER+'s votes, loaded once while the file stays as it is."""
    try:
        source = find_fer2013()
        return _album(str(source), (source.stat().st_mtime_ns,))
    except (FerError, OSError):
        return _album("", ())


@st.cache_resource(max_entries=2, ttl="10m", show_spinner="Opening FER2013 …")
def _album(source: str, stamp: tuple[int, ...]) -> Album:  # noqa: ARG001 (the cache's key)
    return comparison.open_album()


def _models(choice: Choice) -> list[StoredModel]:
    return [open_model(Path(folder)) for _, folder, _ in choice.stamps]


def _times(folder: Path) -> tuple[int, ...]:
    files = [folder / name for name in ("card.json", PREDICTIONS, HISTORY)]
    return tuple(path.stat().st_mtime_ns for path in files if path.is_file())
