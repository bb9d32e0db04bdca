"""The results that Compare and the report show: every table about some models on one split, computed when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_core import files
from fer_core.columns import TEST_SPLITS
from fer_core.measuring.results import history_table, load_predictions
from fer_core.measuring.robustness import robustness_table
from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.calibration import calibration_table, reliability_table
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.core import Measured, f1_table, measure_models, report_table
from fer_core.metrics.curves import HALF_A_PIXEL, curve_table, threshold_table
from fer_core.metrics.ensembles import Ensemble, fuse
from fer_core.metrics.paper import PAPER_VARIANTS, paper_contradictions, paper_f1, paper_overall, paper_report
from fer_core.metrics.paper_changes import paper_changes
from fer_core.metrics.paper_claims import paper_claims
from fer_core.metrics.predictions import ENSEMBLE, Predictions, is_graded
from fer_core.metrics.significance import pair_table
from fer_core.store.datasets import find_dataset
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

THRESHOLDS: Final = tuple(step / 20 for step in range(1, 20))
REPORT_TOLERANCE: Final = 0.5 / 500  # the report's plots are 500 pixels wide


@dataclass(eq=False)
class Results:
    """Results of several models on one split. Each table is computed once, when it is first asked for.

    Nobody may change the tables, because sessions share them.
    """

    models: Sequence[StoredModel]  # of the store, without the ensemble
    answers: Predictions  # of the models, and of the ensemble if there is one
    other: Predictions | None = None  # the same on the other test split, to fit temperatures on
    public: Callable[[], Results | None] = lambda: None  # on PublicTest by FER2013's label, as the paper judges
    ensemble: Ensemble | str | None = None  # the one among the models; a sentence if it cannot be computed
    complaints: list[str] = field(default_factory=list)  # one sentence for each model that is left out
    measure: Callable[[], Measured] | None = None  # metrics of the models, and of others if it has them; None computes
    first_titles: Sequence[str] = ()  # of models that have the first colours, whether shown or not
    all_in_front: bool = False  # whether charts show all models at first
    tolerance: float = HALF_A_PIXEL  # by how much leaving out points may move a curve

    # The tables are named after what they hold; their functions say which columns they have.
    measured = cached_property(lambda self: self.measure() if self.measure else measure_models(self.answers))
    board = cached_property(lambda self: scoreboard_table(self.answers, self.measured, self.models))
    class_f1 = cached_property(lambda self: f1_table(self.answers, self.measured))
    reports = cached_property(lambda self: report_table(self.answers, self.measured))
    curves = cached_property(lambda self: curve_table(self.graded or self.answers, self.tolerance))
    reliability = cached_property(lambda self: reliability_table(self.graded or self.answers))
    calibration = cached_property(lambda self: calibration_table(self.graded or self.answers, self.other))
    pairs = cached_property(lambda self: pair_table(self.answers))

    # Each a table, titles of models without it, and a sentence for each damaged file.
    histories = cached_property(lambda self: history_table(self.models, self.answers.titles))
    degraded = cached_property(
        lambda self: robustness_table(
            self.models,
            self.answers.titles,
            self.answers.by,
            on=find_dataset(self.answers.split) if self.answers.own else None,
        )
    )

    @cached_property
    def graded(self) -> Predictions | None:
        """The answers that are probabilities, see `is_graded`; None if none are. The others have no curves."""
        shares = self.answers.probabilities
        names = [name for name, values in shares.items() if is_graded(values)]
        return self.answers.only(names) if names else None

    @property
    def ranked(self) -> list[str]:
        """Titles of the compared models, the most accurate first."""
        return list(self.board["model"])

    @property
    def graded_titles(self) -> list[str]:
        """Those of `ranked` whose answers are probabilities."""
        if self.graded is None:
            return []
        graded = {self.graded.titles[name] for name in self.graded.names}
        return [title for title in self.ranked if title in graded]

    @cached_property
    def front(self) -> list[str]:
        """Titles of the models that charts show at first; the others appear on a click in the legend."""
        if self.all_in_front:
            return self.titles
        front = {*front_models(self.models), ENSEMBLE}
        return [title for name, title in zip(self.board["name"], self.board["model"], strict=True) if name in front]

    @cached_property
    def titles(self) -> list[str]:
        """Titles of all models in some table, in the order of their colours in every chart."""
        compared = [self.answers.titles[name] for name in self.answers.names]
        others = [*self.degraded[0]["model"], *self.histories[0]["model"]]
        return list(dict.fromkeys([*self.first_titles, *compared, *others]))

    @cached_property
    def paper(self) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """The paper's overall results, and F1 by expression of each of its variants, beside ours."""
        public = self.public()
        answers, measured = (public.answers, public.measured) if public else (None, {})
        return paper_overall(answers, measured), {name: paper_f1(name, measured) for name in PAPER_VARIANTS}

    @cached_property
    def claims(self) -> pd.DataFrame:
        """The paper's conclusions, judged."""
        public = self.public()
        return paper_claims(public.answers if public else None)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What each change that the paper names gains."""
        public = self.public()
        return paper_changes(public.answers if public else None)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by name; those computed from predictions have the columns `split`, `view` and `by`."""
        answers = self.answers
        graded = self.graded or answers
        thresholds = [threshold_table(graded, name, at) for name in answers.classes for at in THRESHOLDS]
        cells = [confusion_cells(answers, name).assign(name=name, model=answers.titles[name]) for name in answers.names]
        predicted = {
            "scoreboard": self.board,
            "class_f1": self.class_f1,
            "classification_reports": self.reports,
            "curves": self.curves,
            "thresholds": pd.concat(thresholds, ignore_index=True),
            "reliability": self.reliability,
            "calibration": self.calibration,
            "pairs": self.pairs,
            "confusion": pd.concat(cells, ignore_index=True),
        }
        chosen = {"split": answers.split, "view": answers.view, "by": answers.by}
        tables = {name: table.assign(**chosen) for name, table in predicted.items()} | {
            "training": self.histories[0],
            "robustness": self.degraded[0],
        }
        if answers.own:
            return tables
        overall, by_variant = self.paper
        f1 = [table.assign(variant=name) for name, table in by_variant.items()]
        return tables | {
            "paper": overall,
            "paper_f1": pd.concat(f1, ignore_index=True),
            "paper_changes": self.changes,
            "paper_claims": self.claims,
            "paper_report": paper_report(),
            "paper_contradictions": paper_contradictions(),
        }


def build_report(
    models: Sequence[StoredModel], split: str, *, view: str = "plain", fusion: str | None = None, by: str = "label"
) -> Results:
    """Return the results of stored models for a report.

    Args:
        models: of the store.
        split: "PublicTest", "PrivateTest" or the name of a data set of one's own, which has no part on the
            paper.
        view: "plain" or "flip".
        fusion: one of `metrics.ensembles.FUSIONS`, to add an ensemble of all models; None for no ensemble.
        by: what predictions are judged by, one of `columns.YARDSTICKS`; the paper's part stays with FER2013's label.

    Raises:
        FerError: no model has predictions of this split and view, or they cannot be combined.
    """
    answers, complaints = load_predictions(models, split, view, by)
    if answers is None:
        raise FerError(f"No model has usable predictions of {split} ({view}). {' '.join(complaints)}")
    other_split = next(name for name in TEST_SPLITS if name != split)
    other = None if answers.own else load_predictions(models, other_split, view, by)[0]
    ensemble = None
    if fusion is not None:
        ensemble = combined(answers, answers.names, models, fusion=fusion, other=other)
        if isinstance(ensemble, str):
            raise FerError(ensemble)
        answers, other = ensemble.predictions, None if other is None else ensemble.on(other)

    def public() -> Results | None:
        judged, _ = load_predictions(models, "PublicTest", view)
        return None if judged is None else Results(models, judged)

    results = Results(models, answers, other, public, ensemble, complaints, tolerance=REPORT_TOLERANCE)
    complaints += [*results.histories[2], *results.degraded[2]]
    return results


def combined(answers: Predictions, members: Sequence[str], models: Sequence[StoredModel], **how: Any) -> Ensemble | str:
    """Return an ensemble of members, see `metrics.ensembles.fuse`, or a sentence on why there is none."""
    try:
        return fuse(answers, members, holdout=holdout_accuracies(models), **how)
    except ValueError as error:
        return str(error)


def holdout_accuracies(models: Sequence[StoredModel]) -> dict[str, float | None]:
    """Return the accuracy of each model on the hold-out, by its name; None where it was not measured."""
    return {model.name: model.card.holdout_accuracy for model in models}


@contextmanager
def writing(what: str, path: Path, *, folder: Path) -> Iterator[None]:
    """Create a folder, and turn errors of the disk into a `FerError` that says what cannot be written where."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise FerError(f"{what} cannot be written to {path} ({error.strerror or error}).") from error


def write_csv(results: Results, folder: Path) -> list[Path]:
    """Write every table into a folder, which is created if it does not exist, and return the files."""
    with writing("The tables", folder, folder=folder):
        for name, table in results.tables.items():
            texts = [column for column in table if str(column).endswith("_interval")]
            files.write_csv(folder / f"{name}.csv", table.drop(columns=texts))
    return [folder / f"{name}.csv" for name in results.tables]
