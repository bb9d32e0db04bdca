"""What the Compare page shows of some models on some faces, each table computed once; `pages.parts.data` keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import pandas as pd
import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.measuring.results import history_table
from fer_core.measuring.robustness import robustness_table
from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.calibration import calibration_table, reliability_table
from fer_core.metrics.core import Measured, f1_table
from fer_core.metrics.curves import curve_table
from fer_core.metrics.ensembles import Ensemble, fuse
from fer_core.metrics.paper import PAPER_VARIANTS, paper_f1, paper_overall
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.metrics.significance import pair_table
from fer_core.store.card import ModelCard
from fer_core.store.stored_model import StoredModel

LEGEND: Final = "A click on a name in the legend shows or hides a model, a double click shows it alone."
"""For captions of charts with a legend of models."""


@dataclass(frozen=True)
class Selection:
    """Which models to show on which faces, and which of them to combine.

    Attributes:
        models: all stored models.
        split, view: which predictions.
        by: what they are judged by, one of `columns.YARDSTICKS`.
        names: the models to show; empty for all.
        members: the models of the ensemble; fewer than two make none.
        fusion, exponent: how the members are combined.
    """

    models: tuple[StoredModel, ...]
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
        return Selection(self.models, self.split, self.view, self.by)

    @property
    def other_split(self) -> Selection:
        """All models on the other test split, for what must not be fitted on the split on show."""
        return replace(self.all_models, split=next(split for split in TEST_SPLITS if split != self.split))

    @property
    def chosen(self) -> list[StoredModel]:
        """The models to show."""
        return [model for model in self.models if not self.names or model.name in self.names]

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The cards of all models."""
        return {model.name: model.card for model in self.models}


@dataclass(frozen=True, eq=False)
class Results:
    """The tables of a selection. Nobody may change them, because all sessions share them.

    Attributes:
        selection: what to show. Some model must have predictions.
        predictions: reads the stored predictions of models, given them, a split, a view and a yardstick.
        measure: measures all models of a selection, or its ensemble if it has one.
    """

    selection: Selection
    predictions: Callable[[list[StoredModel], str, str, str], tuple[Predictions | None, list[str]]]
    measure: Callable[[Selection], Measured]

    def _answers(self, selection: Selection) -> Predictions | None:
        return self.predictions(list(selection.models), selection.split, selection.view, selection.by)[0]

    @cached_property
    def ensemble(self) -> Ensemble | str | None:
        """The ensemble; a sentence if it cannot be computed; None if it has fewer than two members."""
        one = self.selection
        answers = self._answers(one)
        if answers is None or len(set(one.members) & set(answers.names)) < 2:
            return None
        try:
            other = self._answers(one.other_split)
            holdout = {name: card.holdout_accuracy for name, card in one.cards.items()}
            return fuse(answers, one.members, fusion=one.fusion, exponent=one.exponent, holdout=holdout, other=other)
        except ValueError as error:
            return str(error)

    @cached_property
    def shown(self) -> Predictions:
        """The predictions of the models on show, with the ensemble's."""
        answers = self._answers(self.selection)
        assert answers is not None
        chosen = answers.only(self.selection.names)
        if not isinstance(self.ensemble, Ensemble):
            return chosen
        combined = self.ensemble.predictions
        return chosen.plus(ENSEMBLE, combined.titles[ENSEMBLE], combined.probabilities[ENSEMBLE])

    @cached_property
    def measured(self) -> Measured:
        """Metrics and intervals of all models and the ensemble, all with the same resamples."""
        models = self.measure(self.selection.all_models)
        if isinstance(self.ensemble, Ensemble):
            return {**models, **self.measure(replace(self.selection, names=()))}
        return models

    @cached_property
    def scoreboard(self) -> pd.DataFrame:
        """The scoreboard."""
        return scoreboard_table(self.shown, self.measured, list(self.selection.models))

    @cached_property
    def front(self) -> list[str] | None:
        """The titles of the models that charts show at first; None for all, if the models were chosen."""
        if self.selection.names:
            return None
        backbones = {name: card.spec.backbone if card.spec else None for name, card in self.selection.cards.items()}
        return front_models(self.scoreboard, backbones)

    @cached_property
    def titles(self) -> list[str]:
        """The titles of all models, in the order of their colours in every section."""
        answers = self._answers(self.selection)
        return list({**({} if answers is None else answers.titles), **self.shown.titles}.values())

    @cached_property
    def class_f1(self) -> pd.DataFrame:
        """F1 by expression."""
        return f1_table(self.shown, self.measured)

    @cached_property
    def curve_points(self) -> pd.DataFrame:
        """ROC and precision-recall curves."""
        return curve_table(self.shown)

    @cached_property
    def reliability_bins(self) -> pd.DataFrame:
        """The bins of the reliability diagrams."""
        return reliability_table(self.shown)

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """Calibration errors with their noise floors, and temperatures fitted on the other test split."""
        other = self._answers(self.selection.other_split)
        if other is not None and isinstance(self.ensemble, Ensemble):
            other = self.ensemble.on(other)
        return calibration_table(self.shown, other)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """The comparison of every pair of models."""
        return pair_table(self.shown)

    @cached_property
    def histories(self) -> tuple[pd.DataFrame, list[str], list[str]]:
        """The training curves, the titles of models without them, and a sentence for each damaged file."""
        return history_table(self.selection.chosen, self.shown.titles)

    @cached_property
    def robustness(self) -> tuple[pd.DataFrame, list[str], list[str]]:
        """The results on degraded faces, the titles of models without them, and a sentence for each bad file."""
        return robustness_table(self.selection.chosen, self.shown.titles, self.selection.by)

    @cached_property
    def paper_tables(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """The paper's overall results, and F1 by expression of each variant, beside ours on PublicTest.

        The paper judges by FER2013's label, so ours are judged by it here too.
        """
        public = replace(self.selection.all_models, split="PublicTest", by="label")
        ours = self.measure(public)
        f1 = {variant: paper_f1(variant, ours) for variant in PAPER_VARIANTS}
        return paper_overall(self._answers(public), ours), f1

    def report_html(self) -> str:
        """Return a report about the models on show as the text of an HTML file."""
        from fer_core.report import build_report, render

        one = self.selection
        fusion = one.fusion if isinstance(self.ensemble, Ensemble) else None
        return render(build_report(one.chosen, one.split, one.view, fusion, one.by))


def highlighted(titles: Mapping[str, str], key: str) -> str:
    """Ask for the model to highlight, given titles by name; return its title."""
    names = list(titles)
    name = st.selectbox("Model to highlight", names, format_func=titles.__getitem__, key=key, bind="query-params")
    return titles[name if name in titles else names[0]]
