"""What the Compare page shows: models on some faces, and the results of them; `pages.parts.data` keeps these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fer_core.columns import TEST_SPLITS
from fer_core.metrics.core import Measured
from fer_core.metrics.ensembles import Ensemble, fuse
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.sections.results import Results, holdout_accuracies
from fer_core.store.stored_model import StoredModel


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


def results_of(
    selection: Selection,
    predictions: Callable[[list[StoredModel], str, str, str], tuple[Predictions | None, list[str]]],
    *,
    measure: Callable[[Selection], Measured],
) -> Results:
    """Return the results of the models on show, with the ensemble's. Some model must have predictions.

    Args:
        selection: what to show.
        predictions: reads the stored predictions of models, given them, a split, a view and a yardstick.
        measure: measures all models of a selection, or its ensemble if it has one.
    """

    def answers_of(chosen: Selection) -> Predictions | None:
        return predictions(list(chosen.models), chosen.split, chosen.view, chosen.by)[0]

    def judged() -> Results | None:
        public = replace(selection.all_models, split="PublicTest", by="label")
        answers = answers_of(public)
        return None if answers is None else Results(public.models, answers, measure=lambda: measure(public))

    def measured() -> Measured:
        models = measure(selection.all_models)
        return {**models, **measure(replace(selection, names=()))} if isinstance(ensemble, Ensemble) else models

    answers, other = answers_of(selection), answers_of(selection.other_split)
    assert answers is not None
    ensemble = _ensemble(selection, answers, other)
    chosen = answers.only(selection.names)
    if isinstance(ensemble, Ensemble):
        fused = ensemble.predictions
        chosen = chosen.plus(ENSEMBLE, fused.titles[ENSEMBLE], fused.probabilities[ENSEMBLE])
        other = None if other is None else ensemble.on(other)
    return Results(
        selection.chosen,
        chosen,
        other=other,
        public=judged,
        ensemble=ensemble,
        measure=measured,
        first_titles=tuple(answers.titles.values()),
        all_in_front=bool(selection.names),
    )


def _ensemble(selection: Selection, answers: Predictions, other: Predictions | None) -> Ensemble | str | None:
    """Return the ensemble; a sentence if it cannot be computed; None if it has fewer than two members."""
    if len(set(selection.members) & set(answers.names)) < 2:
        return None
    try:
        holdout = holdout_accuracies(selection.models)
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
